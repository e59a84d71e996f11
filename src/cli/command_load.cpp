#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <utility>
#include <variant>

#include "base/units.hpp"
#include "cli/command.hpp"
#include "cli/find_capacity.hpp"
#include "cli/live_view.hpp"
#include "cli/load_files.hpp"
#include "cli/program.hpp"
#include "cli/project.hpp"
#include "cli/run_files.hpp"
#include "cli/terminal.hpp"
#include "environment/read.hpp"
#include "load/fingerprint.hpp"
#include "load/job.hpp"
#include "load/run.hpp"
#include "load/threshold.hpp"
#include "report/load_records.hpp"
#include "report/load_text.hpp"
#include "store/file.hpp"

namespace headroom::cli {
namespace {

namespace fs = std::filesystem;

constexpr base::Milliseconds kTimeoutMost{3'600'000};

struct Arguments {
  ProjectArguments project;
  RunArguments run;
  FindCapacityArguments capacity;
  std::string url;
  std::string rate;
  int users = 0;
  std::string duration;
  std::vector<std::string> headers;
  load::Options options;
  std::string timeout;
  bool insecure = false;
  std::string shard;
  std::string start_at;
  std::vector<std::string> fail_if;
  std::string report;
  bool json = false;

  bool is_quick() const { return !rate.empty() || users > 0; }
};

// What the arguments say, read.
struct Order {
  load::Url url;
  load::Options options;
  std::optional<base::Milliseconds> start_at;
  std::vector<load::Threshold> thresholds;
  std::optional<workload::Traffic> quick;
  std::string quick_name;
  std::vector<workload::Header> headers;
};

// What is driven, and the files it was read from.
struct Driven {
  workload::Traffic traffic;
  std::string name;
  std::vector<InputFile> inputs;
  std::uint64_t seed = 1;
};

// "2/5". Unset: it is no share.
std::optional<workload::Share> share_of(const std::string& text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string::npos) return std::nullopt;
  const auto number = base::parse_unsigned(text.substr(0, slash));
  const auto of = base::parse_unsigned(text.substr(slash + 1));
  if (!number || !of || *number < 1 || *number > *of || *of > load::kShardsMost) return std::nullopt;
  return workload::Share{*number - 1, *of};
}

bool is_same_name(const std::string& a, const std::string& b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [&](char x, char y) { return lower(x) == lower(y); });
}

// Source: RFC 9110, sections 5.1 and 5.5, which leave no control characters in either part.
std::optional<workload::Header> header_of(const std::string& text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string::npos || colon == 0) return std::nullopt;
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; };
  const std::string name = text.substr(0, colon);
  std::string value = text.substr(colon + 1);
  value.erase(0, std::min(value.find_first_not_of(" \t"), value.size()));
  if (std::any_of(text.begin(), text.end(), is_control)) return std::nullopt;
  if (name.find_first_of(" \t\"(),/;<=>?@[\\]{}") != std::string::npos) return std::nullopt;
  return workload::Header{name, value};
}

base::Result<Order> read_order(const Arguments& arguments) {
  Order order;
  base::Error error;
  const auto fault = [&](std::string what, std::string fix) {
    error.faults.push_back({{}, std::move(what), std::move(fix)});
  };
  const auto take_faults = [&](const base::Error& other) {
    error.faults.insert(error.faults.end(), other.faults.begin(), other.faults.end());
  };
  order.options = arguments.options;
  order.options.verify = !arguments.insecure;
  if (auto url = load::parse_url(arguments.url)) {
    order.url = std::move(*url);
  } else {
    take_faults(url.error());
  }
  if (const std::string& file = arguments.options.certificates; !file.empty()) {
    if (const auto text = read_text(file); !text) take_faults(text.error());
  }
  if (!arguments.timeout.empty()) {
    const auto timeout = base::parse_duration(arguments.timeout);
    if (!timeout || timeout->count() < 1 || *timeout > kTimeoutMost) {
      fault(fmt::format("--timeout: expected a duration up to 1h, found {}",
                        base::in_quotes(arguments.timeout)),
            "write it as 500ms or 30s");
    } else {
      order.options.timeout = *timeout;
    }
  }
  if (!arguments.shard.empty()) {
    if (const auto share = share_of(arguments.shard)) {
      order.options.share = *share;
    } else {
      fault(fmt::format("--shard: expected a number of so many, found {}", base::in_quotes(arguments.shard)),
            "the second of five machines is --shard 2/5");
    }
  }
  if (!arguments.start_at.empty()) {
    if (const auto start = base::parse_instant(arguments.start_at)) {
      order.start_at = *start;
    } else {
      fault(fmt::format("--start-at: expected a time, found {}", base::in_quotes(arguments.start_at)),
            "write it as 2026-12-01T10:00:00Z");
    }
  }
  for (const std::string& text : arguments.fail_if) {
    if (auto threshold = load::parse_threshold(text)) {
      order.thresholds.push_back(std::move(*threshold));
    } else {
      take_faults(threshold.error());
    }
  }
  for (const std::string& text : arguments.headers) {
    if (auto header = header_of(text)) {
      if (is_same_name(header->name, "content-length") || is_same_name(header->name, "transfer-encoding")) {
        fault(fmt::format("-H: {} follows from the body", header->name), "leave it out");
      }
      order.headers.push_back(std::move(*header));
    } else {
      // What was found may be a secret.
      fault("-H: a header is no \"Name: value\"", "write it as -H 'Accept: text/html'");
    }
  }

  if (!arguments.rate.empty() && arguments.users > 0) {
    fault("--rate and --users are two kinds of traffic", "give one of them");
  }
  if (arguments.is_quick() && (!arguments.project.traffic.empty() || arguments.project.path != ".")) {
    fault("--rate and --users are a traffic of their own", "leave them out, or PATH and --traffic");
  }
  if (!arguments.is_quick() && !arguments.duration.empty()) {
    fault("--for says how long, but not what", "add --rate '100 rps' or --users 10");
  }
  if (arguments.is_quick()) {
    const auto duration = base::parse_duration(arguments.duration);
    if (!duration || duration->count() < 1) {
      fault(arguments.duration.empty()
                ? std::string("it is not said how long the traffic lasts")
                : fmt::format("--for: expected a duration, found {}", base::in_quotes(arguments.duration)),
            "add --for 30s");
    }
    workload::Traffic quick;
    if (arguments.users > 0) {
      workload::ClosedStage stage;
      stage.users = arguments.users;
      stage.requests_each = 0;
      stage.duration = duration.value_or(base::Milliseconds{1});
      quick.shape = workload::Closed{{stage}};
      order.quick_name = fmt::format("{} {}", arguments.users, arguments.users == 1 ? "user" : "users");
    } else if (const auto rate = base::parse_rate(arguments.rate); rate && rate->value() <= 0) {
      fault(fmt::format("--rate: {} sends nothing", base::in_quotes(arguments.rate)),
            "write a rate above 0, such as '1000 rps' or '30 rpm'");
    } else if (rate) {
      quick.shape = workload::Open{*rate, {{duration.value_or(base::Milliseconds{1}), *rate, *rate}}};
      order.quick_name = base::format_rate(*rate);
    } else {
      fault(fmt::format("--rate: expected a rate, found {}", base::in_quotes(arguments.rate)),
            "write it as '1000 rps' or '30000 rpm'");
    }
    order.quick = std::move(quick);
  }
  if (!error.faults.empty()) return error;
  return order;
}

// Each request has these headers; one of the same name that it had before is replaced.
void add_headers(workload::Requests& requests, const std::vector<workload::Header>& headers) {
  if (headers.empty()) return;
  if (requests.list.empty()) {
    requests.list.emplace_back();
    requests.list.back().path = "";
  }
  for (workload::Request& request : requests.list) {
    for (const workload::Header& header : headers) {
      std::erase_if(request.headers,
                    [&](const workload::Header& own) { return is_same_name(own.name, header.name); });
    }
    request.headers.insert(request.headers.end(), headers.begin(), headers.end());
  }
}

RunRecord record_of(const Arguments& arguments, const Context& context) {
  RunRecord record;
  record.version = version();
  record.command = without_secrets(context.words);
  record.seed = arguments.project.seed;
  return record;
}

void add_inputs(Driven& driven, const Inputs& inputs, RunRecord record) {
  driven.inputs = inputs.files(record);
  driven.inputs.push_back({kRecordFile, write_record(record)});
  for (InputFile& file : driven.inputs) file.name.insert(0, "inputs/");
}

// A traffic file alone; `record`: it is one of a run folder.
base::Result<Driven> of_traffic_file(const std::string& file, std::optional<RunRecord> before,
                                     RunRecord record) {
  Driven driven;
  driven.seed = record.seed.value_or(before && before->seed ? *before->seed : 1);
  record.seed = driven.seed;
  Inputs inputs(fs::path(file).parent_path(), std::move(before));
  const auto text = inputs.read(file);
  if (!text) return text.error();
  auto traffic =
      environment::read_traffic(*text, file, [&](const std::string& path) { return inputs.read(path); });
  if (!traffic) return traffic.error();
  driven.traffic = std::move(*traffic);
  driven.name = fs::path(file).stem().string();
  record.folder = fs::path(file).parent_path().string();
  record.traffic = inputs.name_of(file);
  add_inputs(driven, inputs, std::move(record));
  return driven;
}

base::Result<Driven> of_project(const ProjectArguments& arguments, RunRecord record) {
  const auto project = open_project(arguments);
  if (!project) return project.error();
  const auto service = choose_service(*project, arguments);
  if (!service) return service.error();
  const auto& traffic = service->traffic ? service->traffic : project->environment().traffic;
  if (!traffic) {
    return base::bad_input("there is no traffic to drive",
                           "name one: --traffic FILE, or `traffic:` in the file");
  }
  Driven driven;
  driven.traffic = *traffic;
  driven.name = project->environment().name;
  driven.seed = project->environment().seed;
  record.folder = fs::path(project->loaded.file).parent_path().string();
  record.variant = project->arguments.variant;
  record.service = service->name;
  record.seed = driven.seed;
  if (!project->arguments.traffic.empty())
    record.traffic = project->inputs.name_of(project->arguments.traffic);
  add_inputs(driven, project->inputs, std::move(record));
  driven.inputs.push_back({"inputs/headroom.yaml", project->text});
  return driven;
}

base::Result<Driven> find_traffic(const Arguments& arguments, const Order& order, const Context& context) {
  const ProjectArguments& project = arguments.project;
  RunRecord record = record_of(arguments, context);
  if (order.quick) {
    Driven driven;
    driven.traffic = *order.quick;
    driven.name = order.quick_name;
    driven.seed = project.seed.value_or(1);
    record.seed = driven.seed;
    add_inputs(driven, Inputs(), std::move(record));
    return driven;
  }
  std::error_code ignored;
  const fs::path path = project.path;
  if (project.path == "." && !project.traffic.empty()) {
    return of_traffic_file(project.traffic, std::nullopt, std::move(record));
  }
  // A run of a traffic file has no headroom.yaml.
  const fs::path inputs = fs::exists(path / "inputs", ignored) ? path / "inputs" : path;
  const std::string kept = (inputs / kRecordFile).string();
  if (fs::exists(kept, ignored) && !fs::exists(inputs / "headroom.yaml", ignored)) {
    const auto text = read_text(kept);
    if (!text) return text.error();
    auto before = read_record(*text, kept);
    if (!before) return before.error();
    if (before->traffic.empty()) {
      return base::bad_input(fmt::format("{} had no traffic file", project.path),
                             "repeat the options that it was called with; they stand in " + kept);
    }
    const std::string file = (inputs / before->traffic).string();
    return of_traffic_file(file, std::move(*before), std::move(record));
  }
  if (project.path == "." && !fs::exists("headroom.yaml", ignored)) {
    return base::bad_input(
        "there is no traffic to drive",
        "name one: --traffic FILE, or --rate '100 rps' --for 30s, or --users 10 --for 30s, "
        "or a PATH with a headroom.yaml");
  }
  return of_project(project, std::move(record));
}

void run(const Arguments& arguments, Context& context) {
  sweep_runs(arguments.run, context.err);
  const auto order = read_order(arguments);
  if (!order) return fail(context, order.error());
  auto driven = find_traffic(arguments, *order, context);
  if (!driven) return fail(context, driven.error());
  add_headers(driven->traffic.requests, order->headers);
  load::Options options = order->options;
  options.seed = driven->seed;
  const auto job = load::prepare(driven->traffic, order->url, options);
  if (!job) return fail(context, job.error());
  if (arguments.capacity.wanted) {
    if (!arguments.report.empty() || !arguments.shard.empty() || order->start_at) {
      return fail(context, base::bad_input("--find-capacity drives rates of its own",
                                           "leave out --report, --shard and --start-at"));
    }
    return find_capacity(arguments.capacity, *job, order->thresholds, arguments.run, arguments.json, context);
  }

  report::LoadRun run;
  run.name = driven->name;
  run.url = arguments.url;
  run.open = job->open();
  run.fingerprint = load::fingerprint(driven->traffic, *job);
  run.seed = driven->seed;
  run.shards = {options.share.index + 1};
  run.shards_of = options.share.of;
  run.notes = job->notes;
  const auto* closed = std::get_if<workload::Closed>(&job->shape);
  if (options.share.of > 1 && closed != nullptr && closed->serial && closed->stages.size() > 1) {
    run.notes.emplace_back(
        "A stage of users ends on each machine when its own users are done: the machines do not wait for "
        "each "
        "other.");
  }
  run.start = order->start_at.value_or(
      std::chrono::duration_cast<base::Milliseconds>(std::chrono::system_clock::now().time_since_epoch()));
  {
    const Interrupt interrupt;
    LiveView view(context.err, *job, run.name, run.url);
    load::Observation observation;
    observation.progressed = [&view](const load::Progressed& progressed) { view.show(progressed); };
    auto measured = load::run(*job, Interrupt::stop(), observation, order->start_at);
    if (!measured) return fail(context, measured.error());
    run.measured = std::move(*measured);
    run.stopped = Interrupt::stop();
  }
  run.verdicts = load::judge_all(order->thresholds, run.measured);

  // What was measured is printed even where it cannot be kept.
  const auto folder = keep_load(arguments.run, run, driven->inputs);
  const auto written = write_load_report(arguments.report, run);
  if (arguments.json) {
    context.out << report::load_summary_json(run);
  } else {
    context.out << report::load_text(run);
    if (folder && !folder->empty()) context.out << "\nReport: " << *folder << "/report.html\n";
  }
  if (!folder) return fail(context, folder.error());
  if (!written) return fail(context, written.error());
  const load::Counts counts = run.measured.total().counts;
  if (load::any_met(run.verdicts)) {
    context.exit_code = ExitCode::not_met;
  } else if (counts.all() + run.measured.interrupted > 0 && counts.outcomes[0] == 0) {
    fail(context, base::unavailable("no request was answered: " + run.measured.first_fault,
                                    "see that the service runs at the address of --url"));
  }
}

}  // namespace

void add_load(Command program, Context& context) {
  Command command = program.add_command("load", "drive real traffic against a service, and measure it");
  command.footer(
      "Exit code 1: a condition of --fail-if is true; 3: nothing was answered.\n"
      "Examples:\n  headroom load --traffic ramp.yaml --url http://127.0.0.1:8080/\n"
      "  headroom load --rate '1000 rps' --for 30s --url http://127.0.0.1:8080/");
  auto arguments = std::make_shared<Arguments>();
  add_project_arguments(command, arguments->project);
  command.add_option("--url", arguments->url, "what is driven: http://HOST:PORT/PATH or https://...")
      .required()
      .type_name("URL");
  command.add_option("--rate", arguments->rate, "so many requests, whether or not earlier ones were answered")
      .type_name("RATE");
  command
      .add_option("--users", arguments->users,
                  "so many users who each wait for the answer before they ask again")
      .type_name("COUNT")
      .range(1, 1'000'000);
  command.add_option("--for", arguments->duration, "how long, of --rate or --users").type_name("DURATION");
  command.add_option("-H,--header", arguments->headers, "a header of every request: 'Name: value'")
      .type_name("HEADER")
      .one_each();
  command.add_option("--threads", arguments->options.threads, "of the generator")
      .type_name("COUNT")
      .default_shown()
      .range(1, 256);
  command
      .add_option("--connections", arguments->options.connections,
                  "most at the same time, in open traffic; each of --users has its own")
      .type_name("COUNT")
      .default_shown()
      .range(1, 1'000'000);
  command.add_option("--timeout", arguments->timeout, "a request without an answer is given up (default 30s)")
      .type_name("DURATION");
  command.add_option("--redirects", arguments->options.redirects, "followed at most, to the same host only")
      .type_name("COUNT")
      .default_shown()
      .range(0, 100);
  command.add_option("--from", arguments->options.sources, "addresses of this machine to send from, in turn")
      .type_name("ADDRESS")
      .separated_by(',')
      .one_each();
  command.add_flag("--insecure", arguments->insecure, "take any certificate of the service");
  command
      .add_option("--ca", arguments->options.certificates,
                  "certificates to trust (PEM) instead of the system's")
      .type_name("FILE");
  command
      .add_option("--shard", arguments->shard,
                  "drive part I of N of the traffic, on each machine another one")
      .type_name("I/N");
  command.add_option("--start-at", arguments->start_at, "wait for this time, the same on all machines")
      .type_name("TIME");
  command
      .add_option("--fail-if", arguments->fail_if,
                  "exit code 1 where this is true: 'p99 > 500ms', 'sent.p50 > 20ms', 'errors > 1%', "
                  "'rate < 900 rps', 'late > 1%'; with --find-capacity the rate is too high")
      .type_name("CONDITION")
      .one_each();
  command.add_option("--report", arguments->report, "write the report page here, too").type_name("FILE");
  add_find_capacity_arguments(command, arguments->capacity);
  add_run_arguments(command, arguments->run);
  command.add_flag("--json", arguments->json, "print JSON");
  command.when_called([arguments, &context] { run(*arguments, context); });
}

}  // namespace headroom::cli
