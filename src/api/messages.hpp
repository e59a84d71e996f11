// Messages: what goes over the socket, as values and as JSON text; docs/reference/api.md states the names.
//
// An answer is one line, {"result": ...} or {"error": ...}; where it takes time, lines {"say": "..."} come
// before it. The fields of each message stand once, in messages.cpp, for both directions.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/quantity.hpp"
#include "base/result.hpp"
#include "cloud_local/local_cloud.hpp"
#include "daemon/daemon.hpp"
#include "history/history.hpp"
#include "report/json.hpp"

namespace headroom::api {

// What is asked of one environment; of `up` it is daemon::UpRequest.
struct RollbackRequest {
  std::string service;
  bool operator==(const RollbackRequest&) const = default;
};
struct ScaleRequest {
  std::string service;
  int instances = 0;
  std::optional<base::Milliseconds> length = {};  // nothing: until it is resumed
  bool operator==(const ScaleRequest&) const = default;
};
struct PauseRequest {
  std::string service;
  std::optional<base::Milliseconds> length = {};  // likewise
  bool operator==(const PauseRequest&) const = default;
};
struct ResumeRequest {
  std::string service;
  bool operator==(const ResumeRequest&) const = default;
};
struct DrillRequest {
  std::string zone;      // either a zone, which is cut,
  std::string instance;  // or an instance, to which this happens
  std::optional<cloud_local::Trouble> trouble;
  base::Milliseconds length{0};
  bool operator==(const DrillRequest&) const = default;
};
struct DownRequest {
  bool volumes = false;
  bool operator==(const DownRequest&) const = default;
};
struct LogsRequest {
  std::string of;                      // a service or an instance
  std::int64_t tail_bytes = 0;         // at first
  std::vector<daemon::LogPiece> from;  // where to go on; of each its instance and `next`
};

// What is answered, beside daemon::Status, daemon::UpResult and daemon::Preview.
struct Done {};
struct Logs {
  std::vector<daemon::LogPiece> pieces;
};
struct Events {
  std::vector<history::Entry> entries;
};
struct SamplesRequest {
  std::string service;
  base::Milliseconds since{0};
};
struct Measured {
  std::vector<history::Sample> samples;
};

// T: a request with a body, Status, UpResult, Preview, Events,
// Measured or Error.
template <class T>
std::string to_json(const T& value, report::JsonLayout layout = report::JsonLayout::one_line);

// The body of a request, which anybody can have written. T: a request that has one.
// Errors: every name that is unknown, missing or of another kind; a path that is not absolute, a drill of
// more than a day, more than 10,000 instances, an override of more than a year.
template <class T>
base::Result<T> request_of(std::string_view json);

// The query of `logs` has the positions as "web-1:120,web-2:0".
std::string write_positions(const std::vector<daemon::LogPiece>& pieces);
base::Result<std::vector<daemon::LogPiece>> read_positions(std::string_view text);

// Lines of an answer, without the newline. T: what is answered.
std::string say_line(std::string_view text);
template <class T>
std::string result_line(const T& value);
std::string error_line(const base::Error& error);

// The text of a line that says something; nothing: it is another one.
std::optional<std::string> said_in(std::string_view line);
// Of the last line. Errors: that of the answer, with its places; a line that is none of this interface.
template <class T>
base::Result<T> result_of(std::string_view line);

// Every name in a Status, in the order they are written: "environments[].services[].p95_ms".
std::vector<std::string> names_of_status();
// The same of Events: "entries[].decision.cpu_percent".
std::vector<std::string> names_of_events();
std::vector<std::string> names_of_measured();

}  // namespace headroom::api
