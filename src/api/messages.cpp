#include "api/messages.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <concepts>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/units.hpp"
#include "policy/reasons.hpp"

namespace headroom::api {
namespace {

using cloud_local::Trouble;
using nlohmann::json;
using report::JsonLayout;
using report::JsonWriter;

constexpr std::size_t kPathMost = 4096;  // PATH_MAX of Linux
constexpr std::size_t kNameMost = 256;
constexpr int kInstancesMost = 10'000;
constexpr base::Milliseconds kDrillMost = std::chrono::hours(24);
constexpr base::Milliseconds kOverrideMost = std::chrono::hours(24 * 366);
const std::pair<Trouble, std::string_view> kTroubles[] = {{Trouble::crash, to_string(Trouble::crash)},
                                                          {Trouble::hang, to_string(Trouble::hang)},
                                                          {Trouble::pause, to_string(Trouble::pause)}};
constexpr std::pair<base::ErrorKind, std::string_view> kKinds[] = {
    {base::ErrorKind::bad_input, "bad_input"}, {base::ErrorKind::unavailable, "unavailable"}};

template <class S, class T>
concept Is = std::same_as<std::remove_const_t<S>, T>;

// The fields of each message. A visitor takes each in one of three ways:
//   visit(name, field)          it is always there
//   visit.or_null(name, text)   null where it is empty
//   visit.or_none(name, field)  may be left out, where it has its default

void fields(auto& visit, Is<base::Fault> auto& fault) {
  visit("file", fault.place.file);
  visit("line", fault.place.line);
  visit("column", fault.place.column);
  visit("what", fault.what);
  visit("fix", fault.fix);
}

void fields(auto& visit, Is<base::Error> auto& error) {
  visit("kind", error.kind);
  visit("faults", error.faults);
}

void fields(auto& visit, Is<daemon::UpRequest> auto& request) {
  visit("file", request.file);
  visit.or_none("variant", request.variant);
  visit.or_none("must_exist", request.must_exist);
  visit.or_none("while_watched", request.while_watched);
  visit.or_none("observe", request.observe);
}

void fields(auto& visit, Is<RollbackRequest> auto& request) { visit("service", request.service); }

void fields(auto& visit, Is<ScaleRequest> auto& request) {
  visit("service", request.service);
  visit("instances", request.instances);
  visit.or_none("length_ms", request.length);
}

void fields(auto& visit, Is<PauseRequest> auto& request) {
  visit("service", request.service);
  visit.or_none("length_ms", request.length);
}

void fields(auto& visit, Is<ResumeRequest> auto& request) { visit("service", request.service); }

void fields(auto& visit, Is<DrillRequest> auto& request) {
  visit.or_none("zone", request.zone);
  visit.or_none("instance", request.instance);
  visit.or_none("how", request.trouble);
  visit("length_ms", request.length);
}

void fields(auto& visit, Is<DownRequest> auto& request) { visit.or_none("volumes", request.volumes); }

void fields(auto&, Is<Done> auto&) {}

void fields(auto& visit, Is<daemon::UpResult> auto& result) {
  visit("environment", result.environment);
  visit("changes", result.changes);
  visit("warnings", result.warnings);
}

void fields(auto& visit, Is<daemon::ZoneShare> auto& share) {
  visit("zone", share.zone);
  visit("instances", share.instances);
}

void fields(auto& visit, Is<daemon::ServicePreview> auto& service) {
  visit("name", service.name);
  visit("version", service.version);
  visit.or_null("previous_version", service.replaces);
  visit("builds", service.builds);
  visit("instances", service.instances);
  visit("previous_instances", service.instances_before);
  visit("zones", service.zones);
  visit.or_null("address", service.address);
  visit("instance_cores", service.cores);
  visit("instance_memory_bytes", service.memory_bytes);
}

void fields(auto& visit, Is<daemon::Preview> auto& preview) {
  visit("environment", preview.environment);
  visit("file", preview.file);
  visit("runs", preview.runs);
  visit("services", preview.services);
  visit("ends", preview.ends);
  visit("promised_cores", preview.promised_cores);
  visit("machine_cores", preview.machine_cores);
  visit("warnings", preview.warnings);
}

void fields(auto& visit, Is<daemon::LogPiece> auto& piece) {
  visit("instance", piece.instance);
  visit("text", piece.text);
  visit("next_bytes", piece.next);
}

void fields(auto& visit, Is<Logs> auto& logs) { visit("pieces", logs.pieces); }

void fields(auto& visit, Is<history::Decision> auto& decision) {
  visit.or_null("group", decision.group);
  visit("cpu_percent", decision.cpu_percent);
  visit("instance_requests_per_second", decision.requests_per_second_per_instance);
  visit("requests_per_second", decision.requests_per_second);
  visit("in_service_instances", decision.in_service);
  visit("launching_instances", decision.launching);
  visit("recommended_instances", decision.recommended);
  visit("after_step_limit_instances", decision.after_step);
  visit("after_rate_limit_instances", decision.after_rate);
  visit("desired_instances", decision.desired);
  visit("add_instances", decision.add);
  visit("remove_instances", decision.remove);
  visit("policy", decision.policy);
  visit("reasons", decision.reasons);
}

void fields(auto& visit, Is<history::Entry> auto& entry) {
  visit("at_ms", entry.event.at);
  visit("until_ms", entry.until);
  visit("times", entry.times);
  visit.or_null("service", entry.event.service);
  visit("kind", entry.event.kind);
  visit.or_null("subject", entry.event.subject);
  visit("text", entry.event.text);
  visit("decision", entry.decision);
}

void fields(auto& visit, Is<Events> auto& events) { visit("entries", events.entries); }

void fields(auto& visit, Is<history::Sample> auto& sample) {
  visit("at_ms", sample.at);
  visit("length_ms", sample.length);
  visit("requests_per_second", sample.requests_per_second);
  visit("failed_requests_per_second", sample.failed_per_second);
  visit("p95_ms", sample.p95_ms);
  visit("cpu_percent", sample.cpu_percent);
  visit("in_service_instances", sample.in_service);
  visit("launching_instances", sample.launching);
  visit("stopped_instances", sample.stopped);
}

void fields(auto& visit, Is<Measured> auto& measured) { visit("samples", measured.samples); }

void fields(auto& visit, Is<daemon::OverrideStatus> auto& override) {
  visit("instances", override.instances);
  visit("since_ms", override.since);
  visit("until_ms", override.until);
}

void fields(auto& visit, Is<daemon::DecisionStatus> auto& decision) {
  visit.or_null("group", decision.group);
  visit("at_ms", decision.at);
  visit("cpu_percent", decision.cpu_percent);
  visit("instance_requests_per_second", decision.requests_per_second_per_instance);
  visit("recommended_instances", decision.recommended);
  visit("desired_instances", decision.desired);
  visit("why", decision.why);
  visit("next_ms", decision.next);
}

void fields(auto& visit, Is<daemon::ZoneStatus> auto& zone) {
  visit("name", zone.name);
  visit("cut", zone.cut);
}

void fields(auto& visit, Is<daemon::ServiceStatus> auto& service) {
  visit("name", service.name);
  visit("desired_instances", service.desired);
  visit("in_service_instances", service.in_service);
  visit.or_null("address", service.address);
  visit.or_null("version", service.version);
  visit.or_null("previous_version", service.previous);
  visit.or_null("doing", service.doing);
  visit("override", service.override);
  visit("decisions", service.decisions);
  visit("requests_per_second", service.requests_per_second);
  visit("failed_requests_per_second", service.failed_per_second);
  visit("p95_ms", service.p95_ms);
}

void fields(auto& visit, Is<daemon::InstanceStatus> auto& instance) {
  visit("id", instance.id);
  visit("service", instance.service);
  visit("version", instance.version);
  visit("zone", instance.zone);
  visit.or_null("address", instance.address);
  visit("state", instance.state);
  visit("since_ms", instance.since);
  visit("cpu_percent", instance.cpu_percent);
  visit("requests_per_second", instance.requests_per_second);
  visit("memory_bytes", instance.memory_bytes);
  visit.or_null("health", instance.health);
  visit("failed_checks", instance.failed_checks);
  visit.or_null("why", instance.why);
  visit.or_null("drill", instance.drill);
}

void fields(auto& visit, Is<daemon::EnvironmentStatus> auto& environment) {
  visit("name", environment.name);
  visit("file", environment.file);
  visit.or_null("variant", environment.variant);
  visit.or_null("fault", environment.fault);
  visit("hindrances", environment.hindrances);
  visit("zones", environment.zones);
  visit("services", environment.services);
  visit("instances", environment.instances);
}

void fields(auto& visit, Is<daemon::Status> auto& status) {
  visit("version", status.version);
  visit("state_folder", status.state_folder);
  visit("tier", status.tier);
  visit("lost", status.lost);
  visit("machine_cores", status.machine_cores);
  visit("promised_cores", status.promised_cores);
  visit("environments", status.environments);
}

class Writer {
 public:
  explicit Writer(JsonWriter& out) : out_(out) {}

  void operator()(std::string_view name, const auto& field) {
    out_.key(name);
    value(field);
  }
  void or_null(std::string_view name, const std::string& text) {
    out_.key(name);
    if (text.empty()) {
      out_.null();
    } else {
      out_.text(text);
    }
  }
  void or_none(std::string_view name, const auto& field) {
    if (field != std::remove_cvref_t<decltype(field)>{}) (*this)(name, field);
  }

  void value(bool flag) { out_.boolean(flag); }
  void value(int number) { out_.integer(number); }
  void value(std::int64_t number) { out_.integer(number); }
  void value(double number) { out_.number(number); }
  void value(const std::string& text) { out_.text(text); }
  void value(const std::filesystem::path& path) { out_.text(path.string()); }
  void value(base::Milliseconds time) { out_.integer(time.count()); }
  void value(base::ErrorKind kind) {
    for (const auto& [known, word] : kKinds)
      if (known == kind) out_.text(word);
  }
  void value(Trouble trouble) { out_.text(to_string(trouble)); }
  void value(policy::Reasons reasons) {
    out_.begin_array();
    for (const std::string_view name : policy::names(reasons)) out_.text(name);
    out_.end_array();
  }
  template <class T>
  void value(const std::optional<T>& maybe) {
    if (maybe) {
      value(*maybe);
    } else {
      out_.null();
    }
  }
  template <class T>
  void value(const std::vector<T>& values) {
    out_.begin_array();
    for (const T& one : values) value(one);
    out_.end_array();
  }
  template <class T>
  requires std::is_aggregate_v<T>
  void value(const T& message) {
    out_.begin_object();
    fields(*this, message);
    out_.end_object();
  }

 private:
  JsonWriter& out_;
};

// Reads one object; what is wrong is added to the faults.
class Reader {
 public:
  Reader(const json& object, std::string path, std::vector<base::Fault>& faults)
      : object_(object), path_(std::move(path)), faults_(faults) {}

  void operator()(const char* name, auto& field) {
    if (const json* found = find(name)) {
      value(*found, path_of(name), field);
    } else {
      fault(fmt::format("\"{}\" is missing", path_of(name)));
    }
  }
  void or_null(const char* name, std::string& text) {
    const json* found = find(name);
    if (found == nullptr || !found->is_null()) (*this)(name, text);
  }
  void or_none(const char* name, auto& field) {
    if (find(name) != nullptr) (*this)(name, field);
  }

  // Names that are no field are faults.
  void expect_nothing_else() {
    for (const auto& [name, ignored] : object_.items()) {
      if (std::find(names_.begin(), names_.end(), name) != names_.end()) continue;
      std::string known;
      for (const std::string& one : names_) known += (known.empty() ? "" : ", ") + one;
      fault(fmt::format("there is no {}", base::in_quotes(name)), "the names are " + known);
    }
  }

  void value(const json& found, const std::string& path, bool& flag) {
    if (!found.is_boolean()) return unlike(path, "true or false");
    flag = found.get<bool>();
  }
  void value(const json& found, const std::string& path, std::int64_t& number) {
    const bool fits =
        found.is_number_integer() &&
        (!found.is_number_unsigned() ||
         found.get<std::uint64_t>() <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()));
    if (!fits) return unlike(path, "a whole number");
    number = found.get<std::int64_t>();
  }
  void value(const json& found, const std::string& path, int& number) {
    std::int64_t wide = -1;
    value(found, path, wide);
    if (wide < std::numeric_limits<int>::min() || wide > std::numeric_limits<int>::max())
      return unlike(path, "a whole number of usual size");
    number = static_cast<int>(wide);
  }
  void value(const json& found, const std::string& path, double& number) {
    if (!found.is_number()) return unlike(path, "a number");
    number = found.get<double>();
  }
  void value(const json& found, const std::string& path, std::string& text) {
    if (!found.is_string()) return unlike(path, "a text");
    text = found.get<std::string>();
  }
  void value(const json& found, const std::string& path, std::filesystem::path& file) {
    std::string text;
    value(found, path, text);
    file = text;
  }
  void value(const json& found, const std::string& path, base::Milliseconds& time) {
    std::int64_t count = 0;
    value(found, path, count);
    time = base::Milliseconds(count);
  }
  void value(const json& found, const std::string& path, base::ErrorKind& kind) {
    word(found, path, kKinds, kind);
  }
  void value(const json& found, const std::string& path, Trouble& trouble) {
    word(found, path, kTroubles, trouble);
  }
  void value(const json& found, const std::string& path, policy::Reasons& reasons) {
    if (!found.is_array()) return unlike(path, "a list");
    reasons = {};
    for (const json& one : found) {
      for (int bit = 0; bit < policy::kReasonCount; ++bit) {
        const auto reason = static_cast<policy::Reason>(1U << static_cast<unsigned>(bit));
        if (one.is_string() && one.get_ref<const std::string&>() == policy::name(reason))
          reasons.bits |= static_cast<std::uint32_t>(reason);
      }
    }
  }
  template <class T>
  void value(const json& found, const std::string& path, std::optional<T>& maybe) {
    if (found.is_null()) {
      maybe.reset();
    } else {
      value(found, path, maybe.emplace());
    }
  }
  template <class T>
  void value(const json& found, const std::string& path, std::vector<T>& values) {
    if (!found.is_array()) return unlike(path, "a list");
    values.clear();
    for (std::size_t k = 0; k < found.size(); ++k)
      value(found[k], fmt::format("{}[{}]", path, k), values.emplace_back());
  }
  template <class T>
  requires std::is_aggregate_v<T>
  void value(const json& found, const std::string& path, T& message) {
    if (!found.is_object()) return unlike(path.empty() ? "the body" : path, "an object");
    Reader inner(found, path, faults_);
    fields(inner, message);
  }

 private:
  const json* find(const char* name) {
    if (std::find(names_.begin(), names_.end(), name) == names_.end()) names_.emplace_back(name);
    const auto found = object_.find(name);
    return found == object_.end() ? nullptr : &*found;
  }
  std::string path_of(const char* name) const { return path_.empty() ? name : path_ + "." + name; }
  void fault(std::string what, std::string fix = {}) {
    faults_.push_back({{}, std::move(what), std::move(fix)});
  }
  void unlike(const std::string& path, std::string_view expected) {
    fault(fmt::format("\"{}\" must be {}", path, expected));
  }
  template <class Words, class T>
  void word(const json& found, const std::string& path, const Words& words, T& value) {
    std::string known;
    for (const auto& [meant, text] : words) {
      if (found.is_string() && found.get_ref<const std::string&>() == text) {
        value = meant;
        return;
      }
      known += (known.empty() ? "" : ", ") + std::string(text);
    }
    unlike(path, "one of " + known);
  }

  const json& object_;
  std::string path_;
  std::vector<base::Fault>& faults_;
  std::vector<std::string> names_;  // that were asked for
};

class Names {
 public:
  explicit Names(std::string path) : path_(std::move(path)) {}
  template <class T>
  void operator()(const char* name, const std::vector<T>&) {
    names.push_back(path_ + name);
    if constexpr (std::is_aggregate_v<T>) {
      Names inner(path_ + name + "[].");
      const T example{};
      fields(inner, example);
      names.insert(names.end(), inner.names.begin(), inner.names.end());
    }
  }
  template <class T>
  requires std::is_aggregate_v<T>
  void operator()(const char* name, const std::optional<T>&) {
    names.push_back(path_ + name);
    Names inner(path_ + name + ".");
    const T example{};
    fields(inner, example);
    names.insert(names.end(), inner.names.begin(), inner.names.end());
  }
  void operator()(const char* name, const auto&) { names.push_back(path_ + name); }
  void or_null(const char* name, const std::string&) { names.push_back(path_ + name); }

  std::vector<std::string> names;

 private:
  std::string path_;
};

using Faults = std::vector<base::Fault>;

void check_name(std::string_view what, const std::string& name, Faults& faults) {
  if (name.empty()) faults.push_back({{}, fmt::format("\"{}\" is empty", what), {}});
  if (name.size() > kNameMost)
    faults.push_back({{}, fmt::format("\"{}\" has more than {} bytes", what, kNameMost), {}});
}

void check(const daemon::UpRequest& request, Faults& faults) {
  const std::string file = request.file.string();
  if (!request.file.is_absolute() || file.size() > kPathMost || file.find('\0') != std::string::npos) {
    faults.push_back({{}, "\"file\" must be an absolute path of a headroom.yaml", {}});
  }
  if (!request.variant.empty()) check_name("variant", request.variant, faults);
}

void check(const RollbackRequest& request, Faults& faults) { check_name("service", request.service, faults); }

void check_length(const std::optional<base::Milliseconds>& length, Faults& faults) {
  if (length && (*length <= base::Milliseconds(0) || *length > kOverrideMost))
    faults.push_back({{}, "\"length_ms\" must be from 1 to 31622400000, a year", {}});
}

void check(const ScaleRequest& request, Faults& faults) {
  check_name("service", request.service, faults);
  if (request.instances < 0 || request.instances > kInstancesMost)
    faults.push_back({{}, fmt::format("\"instances\" must be from 0 to {}", kInstancesMost), {}});
  check_length(request.length, faults);
}

void check(const PauseRequest& request, Faults& faults) {
  check_name("service", request.service, faults);
  check_length(request.length, faults);
}

void check(const ResumeRequest& request, Faults& faults) { check_name("service", request.service, faults); }

void check(const DrillRequest& request, Faults& faults) {
  if (request.zone.empty() == request.instance.empty()) {
    faults.push_back({{}, "a drill is of a zone or of an instance", "give \"zone\" or \"instance\""});
  } else if (request.instance.empty()) {
    check_name("zone", request.zone, faults);
    if (request.trouble)
      faults.push_back({{}, "\"how\" is for an instance; a zone is cut", "leave \"how\" out"});
  } else {
    check_name("instance", request.instance, faults);
    if (!request.trouble)
      faults.push_back({{}, "\"how\" is missing", "what happens to the instance: crash, hang or pause"});
  }
  if (request.length <= base::Milliseconds(0) || request.length > kDrillMost)
    faults.push_back({{}, "\"length_ms\" must be from 1 to 86400000, a day", {}});
}

void check(const DownRequest&, Faults&) {}

template <class T>
void write(JsonWriter& out, const T& value) {
  Writer(out).value(value);
}

base::Error not_ours(std::string_view line) {
  return base::unavailable(fmt::format("the daemon answers {}, which is none of its interface",
                                       base::in_quotes(line.substr(0, 200))),
                           "is it of the same version as this program?");
}

}  // namespace

template <class T>
std::string to_json(const T& value, JsonLayout layout) {
  JsonWriter out(layout);
  write(out, value);
  return out.str();
}
template std::string to_json(const daemon::Status&, JsonLayout);
template std::string to_json(const base::Error&, JsonLayout);
template std::string to_json(const daemon::UpResult&, JsonLayout);
template std::string to_json(const daemon::Preview&, JsonLayout);
template std::string to_json(const daemon::UpRequest&, JsonLayout);
template std::string to_json(const RollbackRequest&, JsonLayout);
template std::string to_json(const ScaleRequest&, JsonLayout);
template std::string to_json(const PauseRequest&, JsonLayout);
template std::string to_json(const ResumeRequest&, JsonLayout);
template std::string to_json(const Events&, JsonLayout);
template std::string to_json(const Measured&, JsonLayout);
template std::string to_json(const DrillRequest&, JsonLayout);
template std::string to_json(const DownRequest&, JsonLayout);

template <class T>
base::Result<T> request_of(std::string_view text) {
  const json body = json::parse(text, nullptr, false);
  if (body.is_discarded()) return base::bad_input("the body is no JSON", "send one JSON object");
  if (!body.is_object()) return base::bad_input("the body is no JSON object", "send one JSON object");
  base::Error error;
  T request;
  Reader reader(body, "", error.faults);
  fields(reader, request);
  reader.expect_nothing_else();
  if (error.faults.empty()) check(request, error.faults);
  if (!error.faults.empty()) return error;
  return request;
}
template base::Result<daemon::UpRequest> request_of(std::string_view);
template base::Result<RollbackRequest> request_of(std::string_view);
template base::Result<ScaleRequest> request_of(std::string_view);
template base::Result<PauseRequest> request_of(std::string_view);
template base::Result<ResumeRequest> request_of(std::string_view);
template base::Result<DrillRequest> request_of(std::string_view);
template base::Result<DownRequest> request_of(std::string_view);

std::string write_positions(const std::vector<daemon::LogPiece>& pieces) {
  std::string text;
  for (const daemon::LogPiece& piece : pieces)
    text += fmt::format("{}{}:{}", text.empty() ? "" : ",", piece.instance, piece.next);
  return text;
}

base::Result<std::vector<daemon::LogPiece>> read_positions(std::string_view text) {
  std::vector<daemon::LogPiece> pieces;
  while (!text.empty()) {
    const std::string_view one = text.substr(0, text.find(','));
    text.remove_prefix(std::min(one.size() + 1, text.size()));
    const std::size_t colon = one.rfind(':');
    const auto next =
        colon == std::string_view::npos ? std::nullopt : base::parse_integer(one.substr(colon + 1));
    if (!next || *next < 0 || colon == 0) {
      return base::bad_input(fmt::format("{} is no position in a log", base::in_quotes(one)),
                             "write from=INSTANCE:BYTES,...");
    }
    pieces.push_back({std::string(one.substr(0, colon)), {}, *next});
  }
  return pieces;
}

std::string say_line(std::string_view text) {
  JsonWriter out(JsonLayout::one_line);
  out.begin_object().key("say").text(text).end_object();
  return out.str();
}

template <class T>
std::string result_line(const T& value) {
  JsonWriter out(JsonLayout::one_line);
  out.begin_object().key("result");
  write(out, value);
  out.end_object();
  return out.str();
}
template std::string result_line(const Done&);
template std::string result_line(const daemon::Status&);
template std::string result_line(const daemon::UpResult&);
template std::string result_line(const daemon::Preview&);
template std::string result_line(const Logs&);
template std::string result_line(const Events&);
template std::string result_line(const Measured&);

std::string error_line(const base::Error& error) {
  JsonWriter out(JsonLayout::one_line);
  out.begin_object().key("error");
  write(out, error);
  out.end_object();
  return out.str();
}

std::optional<std::string> said_in(std::string_view line) {
  const json object = json::parse(line, nullptr, false);
  if (!object.is_object() || object.size() != 1 || !object.contains("say") || !object["say"].is_string())
    return std::nullopt;
  return object["say"].get<std::string>();
}

template <class T>
base::Result<T> result_of(std::string_view line) {
  const json object = json::parse(line, nullptr, false);
  if (!object.is_object()) return not_ours(line);
  std::vector<base::Fault> faults;
  Reader reader(object, "", faults);
  if (object.contains("error")) {
    base::Error error;
    reader("error", error);
    if (!faults.empty() || error.faults.empty()) return not_ours(line);
    return error;
  }
  T value;
  reader("result", value);
  if (!faults.empty()) {
    base::Error error = not_ours(line);
    error.faults.insert(error.faults.end(), faults.begin(), faults.end());
    return error;
  }
  return value;
}
template base::Result<Done> result_of(std::string_view);
template base::Result<daemon::Status> result_of(std::string_view);
template base::Result<daemon::UpResult> result_of(std::string_view);
template base::Result<daemon::Preview> result_of(std::string_view);
template base::Result<Logs> result_of(std::string_view);
template base::Result<Events> result_of(std::string_view);
template base::Result<Measured> result_of(std::string_view);

namespace {

template <class T>
std::vector<std::string> names_of() {
  Names names("");
  const T example;
  fields(names, example);
  return names.names;
}

}  // namespace

std::vector<std::string> names_of_status() { return names_of<daemon::Status>(); }
std::vector<std::string> names_of_events() { return names_of<Events>(); }
std::vector<std::string> names_of_measured() { return names_of<Measured>(); }

}  // namespace headroom::api
