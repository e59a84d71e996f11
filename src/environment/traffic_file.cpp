#include "environment/traffic_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <type_traits>

#include "base/units.hpp"

namespace headroom::environment {
namespace {

using base::format_duration;
using base::format_number;
using base::format_rate;
using base::Milliseconds;

constexpr std::size_t kCommentWidth = 110;

// A text as YAML: as it is where nothing in it means something to YAML, else in double quotes.
std::string scalar(std::string_view text) {
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  const auto is_plain = [&](char c) {
    return is_letter(c) || (c >= '0' && c <= '9') ||
           std::string_view("/._-").find(c) != std::string_view::npos;
  };
  if (!text.empty() && text != "null" && (is_letter(text.front()) || text.front() == '/') &&
      std::all_of(text.begin(), text.end(), is_plain)) {
    return std::string(text);
  }
  std::string result = "\"";
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      result += '\\';
      result += c;
    } else if (c == '\n') {
      result += "\\n";
    } else if (byte < 0x20 || byte == 0x7F) {
      result += fmt::format("\\x{:02X}", byte);
    } else if (text.substr(i).starts_with("\xEF\xBB\xBF")) {
      // A byte order mark is taken away by some readers.
      result += "\\uFEFF";
      i += 2;
    } else {
      result += c;
    }
  }
  return result + "\"";
}

// "{a: 1, b: 2}", in the order in which the keys were added.
class FlowMap {
 public:
  void add(std::string_view key, const std::string& value) {
    text_ += fmt::format("{}{}: {}", text_.empty() ? "" : ", ", key, value);
  }
  std::string text() const { return "{" + text_ + "}"; }

 private:
  std::string text_;
};

std::string shape_text(const workload::Open& open) {
  std::string text = "open:\n";
  if (open.start != base::Rate(0)) text += fmt::format("  start: {}\n", format_rate(open.start));
  if (open.sample_at != workload::SampleAt::mean) {
    text += fmt::format("  sample: {}\n", open.sample_at == workload::SampleAt::start ? "start" : "end");
  }
  text += "  stages:\n";
  for (const workload::OpenStage& stage : open.stages) {
    FlowMap map;
    map.add("for", format_duration(stage.duration));
    if (stage.from == stage.to) {
      map.add("at", format_rate(stage.to));
    } else {
      if (stage.from) map.add("from", format_rate(*stage.from));
      map.add("to", format_rate(stage.to));
    }
    text += "    - " + map.text() + "\n";
  }
  return text;
}

std::string_view word_of(workload::Think think) {
  switch (think) {
    case workload::Think::constant:
      break;
    case workload::Think::uniform:
      return "uniform";
    case workload::Think::exponential:
      return "exponential";
    case workload::Think::normal:
      return "normal";
  }
  return "constant";
}

std::string shape_text(const workload::Closed& closed) {
  std::string text = "closed:\n";
  if (!closed.serial) text += "  serial: false\n";
  text += "  stages:\n";
  for (const workload::ClosedStage& stage : closed.stages) {
    FlowMap map;
    map.add("users", fmt::format("{}", stage.users));
    if (stage.requests_each > 0) map.add("requests", fmt::format("{}", stage.requests_each));
    if (stage.duration) map.add("for", format_duration(*stage.duration));
    const Milliseconds none{0};
    if (stage.think != none) map.add("think", format_duration(stage.think));
    if (stage.think_least != none) map.add("think_from", format_duration(stage.think_least));
    if (stage.think_distribution != workload::Think::constant)
      map.add("distribution", std::string(word_of(stage.think_distribution)));
    if (stage.deviation != none) map.add("deviation", format_duration(stage.deviation));
    if (stage.think_first) map.add("think_first", "true");
    if (stage.ramp_up != none) map.add("ramp_up", format_duration(stage.ramp_up));
    text += "    - " + map.text() + "\n";
  }
  return text;
}

std::string shape_text(const workload::Recorded& recorded) {
  using workload::RecordedUnit;
  FlowMap map;
  map.add("file", scalar(recorded.file));
  if (recorded.unit == RecordedUnit::requests_per_interval) map.add("unit", "count");
  if (recorded.unit == RecordedUnit::requests_per_second) map.add("unit", "rps");
  if (recorded.unit == RecordedUnit::requests_per_minute) map.add("unit", "rpm");
  if (recorded.interval) map.add("interval", format_duration(*recorded.interval));
  if (!recorded.timestamp_column.empty()) map.add("timestamp", scalar(recorded.timestamp_column));
  if (!recorded.value_column.empty()) map.add("value", scalar(recorded.value_column));
  if (recorded.utc_offset != Milliseconds{0}) map.add("utc_offset", format_duration(recorded.utc_offset));
  return "csv: " + map.text() + "\n";
}

std::string time_of_day_text(Milliseconds time) {
  const auto seconds = time.count() / 1000;
  std::string text = fmt::format("\"{:02}:{:02}", seconds / 3600, seconds / 60 % 60);
  if (seconds % 60 != 0) text += fmt::format(":{:02}", seconds % 60);
  return text + "\"";
}

std::string shape_text(const workload::Generated& generated) {
  FlowMap map;
  const workload::Generated usual;
  const bool is_daily = generated.model == workload::GeneratedModel::daily;
  if (!is_daily) map.add("model", "sagemaker");
  map.add("for", format_duration(generated.duration));
  if (is_daily) {
    if (generated.base != usual.base) map.add("base", format_rate(generated.base));
    map.add("peak", format_rate(generated.peak));
    if (generated.weekend != usual.weekend) map.add("weekend", format_number(generated.weekend));
    if (generated.noise != usual.noise) map.add("noise", format_number(generated.noise));
    if (generated.peak_at != usual.peak_at) map.add("peak_at", time_of_day_text(generated.peak_at));
    if (generated.spikes) {
      FlowMap spikes;
      spikes.add("per_day", format_number(generated.spikes->per_day));
      spikes.add("height", format_number(generated.spikes->height));
      spikes.add("for", format_duration(generated.spikes->duration));
      map.add("spikes", spikes.text());
    }
  }
  if (generated.seed != usual.seed) map.add("seed", fmt::format("{}", generated.seed));
  return "generate: " + map.text() + "\n";
}

std::string changes_text(const workload::Traffic& traffic) {
  std::string text;
  const bool is_date = std::holds_alternative<workload::Recorded>(traffic.shape);
  const auto point = [&](Milliseconds time) {
    return is_date ? base::format_instant(time) : format_duration(time);
  };
  if (traffic.cut.from || traffic.cut.to) {
    FlowMap cut;
    if (traffic.cut.from) cut.add("from", point(*traffic.cut.from));
    if (traffic.cut.to) cut.add("to", point(*traffic.cut.to));
    text += "cut: " + cut.text() + "\n";
  }
  if (traffic.scale_factor)
    text += fmt::format("scale: {{factor: {}}}\n", format_number(*traffic.scale_factor));
  if (traffic.scale_peak) text += fmt::format("scale: {{peak: {}}}\n", format_rate(*traffic.scale_peak));
  if (traffic.repeat != 1) text += fmt::format("repeat: {}\n", traffic.repeat);
  if (traffic.shift != Milliseconds{0}) text += fmt::format("shift: {}\n", format_duration(traffic.shift));
  if (traffic.arrivals == workload::Arrivals::poisson) text += "arrivals: poisson\n";
  return text;
}

std::string requests_text(const workload::Requests& requests) {
  if (requests.list.empty()) return {};
  const workload::Request usual;
  std::string text = "requests:\n";
  for (const workload::Request& request : requests.list) {
    std::string keys;
    const auto add = [&](std::string_view key, const std::string& value) {
      keys += fmt::format("    {}: {}\n", key, value);
    };
    if (!request.name.empty()) add("name", scalar(request.name));
    if (request.weight != usual.weight) add("weight", format_number(request.weight));
    if (request.method != usual.method) add("method", scalar(request.method));
    if (request.path != usual.path || keys.empty()) add("path", scalar(request.path));
    if (!request.headers.empty()) {
      FlowMap headers;
      for (const workload::Header& header : request.headers)
        headers.add(scalar(header.name), scalar(header.value));
      add("headers", headers.text());
    }
    if (!request.body.empty()) add("body", scalar(request.body));
    keys[2] = '-';
    text += keys;
  }
  if (requests.variables.size() == 1) text += "variables: " + scalar(requests.variables.front().file) + "\n";
  if (requests.variables.size() > 1) {
    std::string files;
    for (const workload::Variables& variables : requests.variables)
      files += (files.empty() ? "" : ", ") + scalar(variables.file);
    text += "variables: [" + files + "]\n";
  }
  if (requests.choice == workload::Choice::in_order) text += "send: in-order\n";
  return text;
}

// A paragraph in lines of comments; control characters, which no YAML may hold, as blanks.
std::string comment(std::string_view note) {
  std::string text;
  std::string line;
  std::size_t at = 0;
  while (at <= note.size()) {
    const std::size_t end = std::min(note.find(' ', at), note.size());
    std::string word(note.substr(at, end - at));
    for (char& c : word) {
      if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = ' ';
    }
    if (!line.empty() && line.size() + 1 + word.size() > kCommentWidth) {
      text += "#" + line + "\n";
      line = "  ";  // what belongs to the paragraph is indented
    }
    line += " " + word;
    at = end + 1;
  }
  return text + "#" + line + "\n";
}

}  // namespace

std::string write_traffic(const workload::Traffic& traffic, const std::vector<std::string>& notes) {
  std::string text;
  for (const std::string& note : notes) text += comment(note);
  text += std::visit([](const auto& shape) { return shape_text(shape); }, traffic.shape);
  return text + changes_text(traffic) + requests_text(traffic.requests);
}

}  // namespace headroom::environment
