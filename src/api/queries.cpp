#include "api/queries.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <limits>
#include <optional>
#include <utility>

#include "base/units.hpp"

namespace headroom::api {
namespace {

constexpr std::int64_t kTailBytes = 64 * 1024;
constexpr std::int64_t kTailBytesMost = 4 * 1024 * 1024;
constexpr std::int64_t kEntries = 1'000;
constexpr std::int64_t kEntriesMost = 100'000;

// Takes the parameters it knows; what is left then is unknown.
class Taker {
 public:
  explicit Taker(const Parameters& parameters) : left_(parameters) {}

  std::optional<std::string> text(const std::string& name) {
    names_ += (names_.empty() ? "" : ", ") + name;
    const auto count = left_.count(name);
    if (count == 0) return std::nullopt;
    if (count > 1) fault(fmt::format("\"{}\" is there {} times", name, count), "give it once");
    std::string value = left_.find(name)->second;
    left_.erase(name);
    return value;
  }

  std::int64_t integer(const std::string& name, std::int64_t otherwise, std::int64_t most) {
    const std::optional<std::string> written = text(name);
    if (!written) return otherwise;
    const auto number = base::parse_integer(*written);
    if (number && *number >= 0 && *number <= most) return *number;
    fault(fmt::format("\"{}\" must be from 0 to {}", name, most));
    return otherwise;
  }

  void fault(std::string what, std::string fix = {}) {
    error_.faults.push_back({{}, std::move(what), std::move(fix)});
  }
  void add(const base::Error& error) {
    error_.faults.insert(error_.faults.end(), error.faults.begin(), error.faults.end());
  }

  template <class T>
  base::Result<T> done(T value) {
    for (const auto& [name, ignored] : left_)
      fault(fmt::format("there is no {}", base::in_quotes(name)), "the names are " + names_);
    if (!error_.faults.empty()) return error_;
    return value;
  }

 private:
  Parameters left_;
  std::string names_;
  base::Error error_;
};

base::Milliseconds since(Taker& taker) {
  return base::Milliseconds(taker.integer("since_ms", 0, std::numeric_limits<std::int64_t>::max()));
}

}  // namespace

base::Result<LogsRequest> logs_request(const Parameters& parameters) {
  Taker taker(parameters);
  LogsRequest request;
  request.of = taker.text("of").value_or("");
  if (request.of.empty()) taker.fault("\"of\" is missing", "give of=SERVICE or of=INSTANCE");
  request.tail_bytes = taker.integer("tail_bytes", kTailBytes, kTailBytesMost);
  if (const std::optional<std::string> from = taker.text("from")) {
    auto positions = read_positions(*from);
    if (positions) {
      request.from = std::move(*positions);
    } else {
      taker.add(positions.error());
    }
  }
  return taker.done(std::move(request));
}

base::Result<history::Query> events_query(const Parameters& parameters) {
  Taker taker(parameters);
  history::Query query;
  query.service = taker.text("service").value_or("");
  query.since = since(taker);
  query.most = static_cast<int>(taker.integer("most", kEntries, kEntriesMost));
  return taker.done(std::move(query));
}

base::Result<SamplesRequest> samples_request(const Parameters& parameters) {
  Taker taker(parameters);
  SamplesRequest request;
  request.service = taker.text("service").value_or("");
  if (request.service.empty()) taker.fault("\"service\" is missing", "give service=SERVICE");
  request.since = since(taker);
  return taker.done(std::move(request));
}

}  // namespace headroom::api
