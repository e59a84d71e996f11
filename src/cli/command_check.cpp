#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <memory>
#include <ostream>

#include "base/units.hpp"
#include "cli/command.hpp"
#include "cli/project.hpp"
#include "report/json.hpp"
#include "report/layout.hpp"
#include "sim/instance_rehearsal.hpp"
#include "sim/scenario.hpp"
#include "tune/tune.hpp"
#include "workload/compile.hpp"

namespace headroom::cli {
namespace {

struct Arguments {
  ProjectArguments project;
  bool json = false;
};

struct Checked {
  std::string service;
  std::vector<std::string> notes;
};

// Of faults that hold for a time, one counts where two of a kind hold: the first in the file.
void note_overlaps(const std::vector<environment::Drill>& drills, std::vector<std::string>& notes) {
  const auto end = [](const environment::Drill& drill) { return drill.at + drill.duration; };
  for (std::size_t later = 0; later < drills.size(); ++later) {
    for (std::size_t first = 0; first < later; ++first) {
      const environment::Drill& a = drills[first];
      const environment::Drill& b = drills[later];
      // Which instance is the newest changes with the first of two such faults.
      const bool alike = a.kind == b.kind && a.zone == b.zone && a.instance.empty() && b.instance.empty();
      if (!alike || a.at >= end(b) || b.at >= end(a)) continue;
      notes.push_back(
          fmt::format("faults[{}] and faults[{}] are of one kind and overlap: while both hold, "
                      "faults[{}] counts.",
                      first, later, first));
    }
  }
}

// What is no fault, but hardly what was meant.
void add_remarks(const environment::Environment& environment, const environment::Service& service,
                 std::vector<std::string>& notes) {
  const int max = service.scale.scaling.limits.max;
  if (service.scale.pool > max) {
    notes.push_back(fmt::format("The pool ({}) is larger than max ({}): the rest of it is never started.",
                                service.scale.pool, max));
  }
  if (service.scale.per_zone && environment.zones.size() == 1)
    notes.emplace_back("There is one zone: per: zone changes nothing.");
  note_overlaps(environment.faults, notes);
}

// Everything a rehearsal would need, service by service; all faults together.
base::Result<std::vector<Checked>> check(const Project& project) {
  const environment::Environment& environment = project.environment();
  base::Error error;
  std::vector<Checked> checked;
  for (const environment::Service& service : environment.services) {
    const auto take = [&](const base::Error& found) {
      const base::Error located = project.located(found, service);
      for (const base::Fault& fault : located.faults) {
        // Traffic that services share is at fault once.
        if (std::find(error.faults.begin(), error.faults.end(), fault) == error.faults.end())
          error.faults.push_back(fault);
      }
    };
    Checked result{service.name, {}};
    const auto& traffic = service.traffic ? service.traffic : environment.traffic;
    const auto why = sim::needs_instances(environment, service, traffic.value_or(workload::Traffic{}));
    if (why.empty()) {
      if (auto scenario = sim::compile(environment, service)) {
        result.notes = scenario->notes;
        if (auto fine = tune::check(environment, service); !fine) take(fine.error());
      } else {
        take(scenario.error());
      }
    } else {
      result.notes.push_back(fmt::format(
          "simulate rehearses it with instances, for {}; tune and limits cannot.", fmt::join(why, ", ")));
      if (traffic) {
        auto scenario = sim::compile_instances(environment, service, *traffic, environment.seed);
        if (!scenario) {
          take(scenario.error());
          continue;  // its traffic is among that
        }
      }
    }
    add_remarks(environment, service, result.notes);
    const environment::Objective& objective = service.objective;
    if (service.scale.scaling.policies.empty()) {
      result.notes.emplace_back("There are no policies: the fleet never scales.");
    }
    if (!objective.cpu && !objective.p50 && !objective.p95 && !objective.p99 && !objective.availability &&
        !objective.profit) {
      result.notes.emplace_back("There is no objective: tune and limits need one.");
    }
    if (!(service.instance.price.value() > 0)) {
      result.notes.emplace_back("There is no price: costs are zero, and tune needs one.");
    }
    const auto* closed = traffic ? std::get_if<workload::Closed>(&traffic->shape) : nullptr;
    if (closed != nullptr) {
      result.notes.push_back(fmt::format(
          "The traffic is {} of users who wait for answers.",
          closed->stages.size() == 1 ? "one stage" : fmt::format("{} stages", closed->stages.size())));
    } else if (traffic) {
      auto compiled = workload::compile(*traffic, sim::tick_of(environment), environment.seed);
      if (compiled) {
        const auto& series = compiled->requests_per_second;
        result.notes.push_back(fmt::format("The traffic is {} long, {} ticks of {}.",
                                           base::format_duration(series.duration()), series.size(),
                                           base::format_duration(series.tick)));
        result.notes.insert(result.notes.end(), compiled->notes.begin(), compiled->notes.end());
      } else {
        take(compiled.error());
      }
    } else {
      result.notes.emplace_back("No traffic is named: a rehearsal needs --traffic FILE.");
    }
    checked.push_back(std::move(result));
  }
  if (!error.faults.empty()) return error;
  return checked;
}

// What the variants that were not chosen cannot do. One whose own files are not on this machine is left out:
// what it would rehearse is not known here.
base::Error check_variants(const Project& project) {
  base::Error error;
  for (const std::string& variant : project.loaded.variants) {
    ProjectArguments arguments = project.arguments;
    if (variant == arguments.variant) continue;
    arguments.variant = variant;
    const auto laid_over = open_project(arguments);
    if (!laid_over) continue;
    if (const auto checked = check(*laid_over); !checked) {
      for (base::Fault fault : checked.error().faults) {
        fault.what = fmt::format("with -e {}: {}", variant, fault.what);
        error.faults.push_back(std::move(fault));
      }
    }
  }
  return error;
}

void run(const Arguments& arguments, Context& context) {
  const auto project = open_project(arguments.project);
  if (!project) return fail(context, project.error());
  const auto checked = check(*project);
  if (!checked) return fail(context, checked.error());
  if (const base::Error variants = check_variants(*project); !variants.faults.empty())
    return fail(context, variants);
  if (arguments.json) {
    report::JsonWriter json;
    json.begin_object().key("environment").text(project->environment().name).key("services").begin_array();
    for (const Checked& each : *checked) {
      json.begin_object().key("service").text(each.service).key("notes").begin_array();
      for (const std::string& note : each.notes) json.text(note);
      json.end_array().end_object();
    }
    json.end_array().end_object();
    context.out << json.str() << '\n';
    return;
  }
  for (const Checked& each : *checked) {
    context.out << each.service << '\n';
    for (const std::string& note : each.notes) context.out << report::wrapped("  - ", note);
  }
  context.out << project->loaded.file << " is fine.\n";
}

}  // namespace

void add_check(Command program, Context& context) {
  Command command =
      program.add_command("check", "read a headroom.yaml and all it names, and report every fault");
  command.footer("Example:\n  headroom check examples/shop");
  auto arguments = std::make_shared<Arguments>();
  add_project_arguments(command, arguments->project, {.service = false, .traffic = false});
  command.add_flag("--json", arguments->json, "print JSON");
  command.when_called([arguments, &context] { run(*arguments, context); });
}

}  // namespace headroom::cli
