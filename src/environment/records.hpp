// Records: the kinds of the larger parts of a file, by subject; internal to this module.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "capacity/model.hpp"
#include "environment/definition.hpp"
#include "environment/environment.hpp"
#include "policy/policy.hpp"
#include "workload/traffic.hpp"

namespace headroom::environment {

// One value for each direction: adding and removing.
template <class V>
struct Both {
  V out{};
  V in{};
  bool operator==(const Both&) const = default;
};

// policies_definition.cpp
Kind<policy::Policy> policy_kind();

// scale_definition.cpp
Kind<Scale> scale_kind();

// service_definition.cpp
Kind<Service> service_kind();

// requests_definition.cpp
// A CSV that `variables` names, not looked into yet.
struct VariablesFile {
  std::string file;  // as written
  std::string path;  // where it was found
  std::string text;
  Position position;  // of the name
  bool operator==(const VariablesFile&) const = default;
};
Kind<std::vector<workload::Request>> requests_kind();
Kind<std::vector<VariablesFile>> variables_kind();  // the name of a file, or several
Kind<workload::Choice> send_kind();
// Reads the files, and checks what concerns several of the keys above in the traffic at `node`.
void complete_requests(Reader& reader, const Node& node, const std::vector<VariablesFile>& files,
                       workload::Requests& requests);

// traffic_definition.cpp
Kind<workload::Traffic> traffic_kind();  // the name of a file, or the traffic itself
const RecordInfo& traffic_info();
// The traffic of a file named `file` with this text.
std::optional<workload::Traffic> traffic_of(Reader& reader, const std::string& file, const std::string& text);

// capacity_definition.cpp
Kind<capacity::CapacityModel> capacity_kind();  // the name of a file, or a map, with `file` or without
const RecordInfo& capacity_file_info();
std::optional<capacity::CapacityModel> capacity_of(Reader& reader, const std::string& file,
                                                   const std::string& text);

// tune_definition.cpp
struct RawRival {
  Rival rival;
  std::vector<std::pair<std::string, Node>> search;
  bool operator==(const RawRival&) const = default;
};
struct RawVary {
  std::vector<double> height, ramp, startup;
  bool operator==(const RawVary&) const = default;
};
// `tune:` before its searches are understood, for which all services must be known.
struct RawTune {
  Tune tune;
  std::vector<std::pair<std::string, Node>> search;
  std::vector<RawRival> against;
  RawVary vary;
};
Kind<RawTune> tune_kind();
// The searches of `raw`; faults go to the reader.
Tune resolved_tune(Reader& reader, RawTune raw, const std::vector<Service>& services);

// environment_definition.cpp
struct RawEnvironment {
  Environment environment;
  std::optional<RawTune> tune;
  Node variants;
};
const Record<RawEnvironment>& environment_record();

// Any value, kept as it is.
Kind<Node> any_value(std::string name, std::string words);

}  // namespace headroom::environment
