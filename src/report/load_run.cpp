#include "report/load_run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "report/words.hpp"

namespace headroom::report {
namespace {

constexpr double kLateShareMost = 0.01;

std::string listed(const std::vector<std::uint64_t>& numbers) {
  std::string text;
  for (const std::uint64_t number : numbers) text += (text.empty() ? "" : ", ") + std::to_string(number);
  return text;
}

std::vector<std::string> names_of(const std::vector<load::Group>& groups) {
  std::vector<std::string> names;
  for (const load::Group& group : groups) names.push_back(group.name);
  return names;
}

}  // namespace

std::vector<std::uint64_t> missing_shards(const LoadRun& run) {
  std::vector<std::uint64_t> missing;
  for (std::uint64_t shard = 1; shard <= run.shards_of; ++shard) {
    if (!std::binary_search(run.shards.begin(), run.shards.end(), shard)) missing.push_back(shard);
  }
  return missing;
}

std::vector<std::string> load_warnings(const LoadRun& run) {
  const load::Measured& measured = run.measured;
  std::vector<std::string> warnings;
  const std::string more = "use more --threads, or spread the test over machines with --shard";
  if (measured.generator_share() > load::kGeneratorShareMost) {
    warnings.push_back(fmt::format(
        "The generator used {} % of its {}: it, not the service, may have been the limit; {}.",
        number_text(100 * measured.generator_share(), 0),
        measured.generator_threads == 1 ? "thread" : fmt::format("{} threads", measured.generator_threads),
        more));
  }
  const std::uint64_t late = measured.late();
  const std::uint64_t asked = measured.lateness_ms.count();
  if (static_cast<double>(late) > kLateShareMost * static_cast<double>(asked)) {
    warnings.push_back(fmt::format(
        "The generator turned to {} % of the requests more than {} ms after they were due: it, not the "
        "service, was the limit; {}.",
        short_text(100 * static_cast<double>(late) / static_cast<double>(asked)), load::kLateMs, more));
  }
  const load::Counts counts = measured.total().counts;
  const auto of = [&](load::Outcome outcome) { return counts.outcomes[static_cast<std::size_t>(outcome)]; };
  if (const auto count = of(load::Outcome::no_descriptor); count > 0) {
    warnings.push_back(fmt::format(
        "{} requests failed because this machine gave no more sockets: the generator, not the service, was "
        "the limit; raise `ulimit -n`, use fewer --connections, or spread the test with --shard.",
        number_text(static_cast<double>(count), 0)));
  }
  if (const auto count = of(load::Outcome::no_port); count > 0) {
    warnings.push_back(fmt::format(
        "{} requests failed because this machine had no more ports towards the service: the generator, not "
        "the service, was the limit; send from more addresses with --from, or spread the test with --shard.",
        number_text(static_cast<double>(count), 0)));
  }
  return warnings;
}

base::Result<LoadRun> merged(const std::vector<LoadRun>& runs, const std::vector<std::string>& names,
                             bool partial) {
  const LoadRun& first = runs.front();
  base::Error error;
  const auto fault = [&](std::string what, std::string fix) {
    error.faults.push_back({{}, std::move(what), std::move(fix)});
  };
  std::map<std::uint64_t, std::size_t> by_shard;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const LoadRun& run = runs[i];
    if (run.fingerprint != first.fingerprint ||
        names_of(run.measured.stages) != names_of(first.measured.stages) ||
        names_of(run.measured.requests) != names_of(first.measured.requests)) {
      fault(fmt::format("{} and {} drove different traffic", names.front(), names[i]),
            "merge runs of one traffic file, with the same options and --seed");
    }
    if (run.shards_of != first.shards_of) {
      fault(fmt::format("{} is of {} shards, {} of {}", names.front(), first.shards_of, names[i],
                        run.shards_of),
            "merge the shards of one test, which all name the same N in --shard I/N");
    }
    if (run.start != first.start) {
      fault(fmt::format("{} began at {}, {} at {}", names.front(), utc_text(first.start), names[i],
                        utc_text(run.start)),
            "give all machines the same --start-at: only then do their seconds belong together");
    }
    for (const std::uint64_t shard : run.shards) {
      const auto [known, is_new] = by_shard.emplace(shard, i);
      if (!is_new) {
        fault(fmt::format("shard {} is in {} and in {}", shard, names[known->second], names[i]),
              "name each shard once: its requests would count twice");
      }
    }
  }
  if (!error.faults.empty()) return error;

  LoadRun whole = first;
  for (std::size_t i = 1; i < runs.size(); ++i) {
    whole.measured.merge(runs[i].measured);
    whole.stopped = whole.stopped || runs[i].stopped;
    for (const std::string& note : runs[i].notes) {
      if (std::find(whole.notes.begin(), whole.notes.end(), note) == whole.notes.end()) {
        whole.notes.push_back(note);
      }
    }
  }
  whole.shards.clear();
  for (const auto& [shard, run] : by_shard) whole.shards.push_back(shard);
  if (const auto missing = missing_shards(whole); !missing.empty() && !partial) {
    return base::bad_input(fmt::format("{} {} of {} {} missing", missing.size() == 1 ? "shard" : "shards",
                                       listed(missing), whole.shards_of, missing.size() == 1 ? "is" : "are"),
                           "name all run folders of the test, or merge what there is with --partial");
  }
  std::vector<load::Threshold> thresholds;
  for (const load::Verdict& verdict : first.verdicts) thresholds.push_back(verdict.threshold);
  whole.verdicts = load::judge_all(thresholds, whole.measured);
  return whole;
}

}  // namespace headroom::report
