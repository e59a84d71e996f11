#include <fmt/format.h>
#include <hwy/highway.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <ostream>
#include <thread>
#include <vector>

#include "balancer/settings.hpp"
#include "cli/command.hpp"
#include "isolation/command.hpp"
#include "report/json.hpp"
#include "sim/lane_model.hpp"

namespace headroom::cli {
namespace {

struct Finding {
  std::string what;
  bool works = true;
  std::string detail;
};

// What the commands of this version need of the machine.
std::vector<Finding> examine() {
  std::vector<Finding> findings;
  const unsigned cores = std::thread::hardware_concurrency();
  findings.push_back({"cores", cores > 0, fmt::format("{} for tune", cores)});
  findings.push_back({"vector instructions", sim::lanes_per_vector() > 1,
                      fmt::format("{} policies at a time{}", sim::lanes_per_vector(),
                                  sim::lanes_per_vector() > 1 ? "" : ": tune is slow on this processor")});
  std::error_code failed;
  const auto here = std::filesystem::current_path(failed);
  const bool writable = !failed && access(here.c_str(), W_OK) == 0;
  findings.push_back({"run folders", writable,
                      writable ? "can be written here, in runs/"
                               : "this folder is not writable: use --runs FOLDER or --no-run"});
  const auto haproxy = balancer::find_program();
  findings.push_back({"balancer", haproxy.has_value(),
                      haproxy ? haproxy->string() + ", for up" : haproxy.error().faults.front().fix});
  const bool has_ip = isolation::run({"ip", "-V"}).has_value();
  findings.push_back({"networks", has_ip,
                      has_ip ? "ip can be run; `headroom status` shows what up makes of this machine"
                             : "for up: install the package iproute2"});
  return findings;
}

void run(bool as_json, Context& context) {
  const std::vector<Finding> findings = examine();
  bool works = true;
  for (const Finding& finding : findings) works = works && finding.works;
  if (as_json) {
    report::JsonWriter json;
    json.begin_object().key("works").boolean(works).key("findings").begin_array();
    for (const Finding& finding : findings) {
      json.begin_object().key("what").text(finding.what).key("works").boolean(finding.works);
      json.key("detail").text(finding.detail).end_object();
    }
    json.end_array().end_object();
    context.out << json.str() << '\n';
  } else {
    for (const Finding& finding : findings) {
      context.out << fmt::format("{}  {:<22}{}\n", finding.works ? "ok     " : "missing", finding.what,
                                 finding.detail);
    }
  }
  if (!works) context.exit_code = ExitCode::unavailable;
}

}  // namespace

void add_doctor(Command program, Context& context) {
  Command command = program.add_command("doctor", "check what this machine offers, and say what is missing");
  command.footer("Example:\n  headroom doctor");
  auto json = std::make_shared<bool>(false);
  command.add_flag("--json", *json, "print JSON");
  command.when_called([json, &context] { run(*json, context); });
}

}  // namespace headroom::cli
