#include "cli/samples_csv.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "report/words.hpp"

namespace headroom::cli {
namespace {

using base::Milliseconds;
using history::Sample;

class Mean {
 public:
  void add(const std::optional<double>& value, Milliseconds length) {
    if (!value) return;
    sum_ += *value * static_cast<double>(length.count());
    length_ += length;
  }
  std::optional<double> get() const {
    if (length_ == Milliseconds(0)) return std::nullopt;
    return sum_ / static_cast<double>(length_.count());
  }

 private:
  double sum_ = 0;
  Milliseconds length_{0};
};

// Requires: at least one.
Sample joined(const std::vector<Sample>& parts, Milliseconds at, Milliseconds length) {
  Sample whole;
  whole.at = at;
  whole.length = length;
  Mean requests, failed, cpu, in_service, launching, stopped;
  for (const Sample& part : parts) {
    requests.add(part.requests_per_second, part.length);
    failed.add(part.failed_per_second, part.length);
    cpu.add(part.cpu_percent, part.length);
    in_service.add(part.in_service, part.length);
    launching.add(part.launching, part.length);
    stopped.add(part.stopped, part.length);
    if (part.p95_ms) whole.p95_ms = std::max(whole.p95_ms.value_or(0), *part.p95_ms);
  }
  whole.requests_per_second = requests.get();
  whole.failed_per_second = failed.get();
  whole.cpu_percent = cpu.get();
  whole.in_service = in_service.get().value_or(0);
  whole.launching = launching.get().value_or(0);
  whole.stopped = stopped.get().value_or(0);
  return whole;
}

std::string cell(const std::optional<double>& value) {
  return value ? fmt::format("{}", *value) : std::string();
}

}  // namespace

std::vector<Sample> of_one_length(const std::vector<Sample>& samples) {
  Milliseconds longest{0};
  for (const Sample& sample : samples) longest = std::max(longest, sample.length);
  std::vector<Sample> even;
  std::vector<Sample> parts;
  const auto join = [&] {
    if (parts.empty()) return;
    const Milliseconds at = parts.front().at / longest * longest;
    even.push_back(joined(parts, at, longest));
    parts.clear();
  };
  for (const Sample& sample : samples) {
    if (!parts.empty() && sample.at / longest != parts.front().at / longest) join();
    parts.push_back(sample);
  }
  if (!parts.empty() &&
      parts.back().at + parts.back().length >= parts.front().at / longest * longest + longest)
    join();
  return even;
}

std::string samples_csv(const std::vector<Sample>& samples) {
  std::string csv =
      "time,requests_per_second,cpu_percent,in_service_instances,stopped_instances,launching_instances,"
      "failed_requests_per_second,p95_ms,epoch_s\n";
  for (const Sample& sample : samples) {
    csv += fmt::format("{},{},{},{},{},{},{},{},{}\n", report::utc_text(sample.at),
                       cell(sample.requests_per_second), cell(sample.cpu_percent), sample.in_service,
                       sample.stopped, sample.launching, cell(sample.failed_per_second), cell(sample.p95_ms),
                       static_cast<double>(sample.at.count()) / 1000);
  }
  return csv;
}

}  // namespace headroom::cli
