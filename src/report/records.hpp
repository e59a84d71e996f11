// Records: a rehearsal and an outcome as JSON and CSV; every name is stated in docs/reference/json.md.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "report/json.hpp"
#include "sim/rehearsal.hpp"
#include "tune/outcome.hpp"

namespace headroom::report {

// series.csv: a heading and one row per tick. Ends with a newline, as the other files do.
std::string series_csv(const sim::Rehearsal& rehearsal);

// decisions.jsonl: one object per line and decision that did something or whose reasons are new.
std::string decisions_jsonl(const sim::Rehearsal& rehearsal);

// summary.json, and what `simulate --json` prints.
// `replications`: the same over several seeds, where the traffic is drawn.
std::string summary_json(const sim::Rehearsal& rehearsal,
                         const std::optional<tune::Replications>& replications = {});

// What `tune --json` prints.
std::string outcome_json(const tune::Outcome& outcome);

// The parts that the page carries too: each writes one value.
void write_summary(JsonWriter& json, const sim::Summary& summary);
void write_instances(JsonWriter& json, std::span<const sim::InstanceRecord> instances);
void write_parameters(JsonWriter& json, const tune::Parameters& parameters);
void write_score(JsonWriter& json, const tune::Score& score);
void write_outcome(JsonWriter& json, const tune::Outcome& outcome);

}  // namespace headroom::report
