// RequestLog: what HAProxy tells of each request, as figures for each second; from them come real
// percentiles.
//
// HAProxy writes a line for each request into a ring of 1 MiB in its memory (some 25,000 lines) and never
// waits. The lines are read over the admin socket (`show events requests -w -n`) by a thread of its own: what
// happened before it was opened, or while it was away, is not told; what the ring has no room for is counted
// (Seen::lost_log_lines). A socket for datagrams, as of syslog, holds 10 of them where the system does not
// say otherwise (net.unix.max_dgram_qlen): on a busy machine half of the lines were lost.
//
// A line that HAProxy would not write is counted and has no other effect.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "balancer/seen.hpp"
#include "balancer/settings.hpp"
#include "telemetry/histogram.hpp"

namespace headroom::balancer {

enum class End {
  complete,  // a server's answer went to the client
  client,    // the client left, or asked for what cannot be answered
  failed,    // no server, no answer in time, or an answer broken off
};

// One request.
struct LogLine {
  std::int64_t ended_us = 0;  // since 1970-01-01 UTC
  std::optional<std::int64_t>
      duration_us;  // from its header to the end of the answer; unset: it had no header
  int status = 0;   // 0: no answer
  End end = End::complete;
  int retries = 0;
  std::string server;  // empty: none
  bool operator==(const LogLine&) const = default;
};
// Unset: not a line of ours.
std::optional<LogLine> read_log_line(std::string_view text);

// Requests that ended in [at, at + 1 s).
struct Second {
  base::Milliseconds at{0};
  telemetry::Histogram
      latency_ms;  // of complete answers; not of connections that became something else (101)
  std::uint64_t requests = 0;
  ByClass answers{};
  std::uint64_t failed = 0;
  std::uint64_t client_left = 0;
  std::uint64_t retried = 0;  // sent more than once, whatever became of them
};

class RequestLog {
 public:
  // Of the process that answers there; of the next one, too, when that has taken over or come back.
  // Errors: nobody answers.
  static base::Result<RequestLog> open(const Settings& settings);

  // Seconds that ended a second ago or longer, in their order, each once; those without requests are left
  // out. Where nobody takes them, the newest 120 are kept.
  std::vector<Second> take(base::Milliseconds now);

  // Lines that could not be read, that came too late for their second, or whose second nobody took in time.
  std::uint64_t unusable() const;

  RequestLog(RequestLog&&) noexcept;
  RequestLog& operator=(RequestLog&&) = delete;
  RequestLog(const RequestLog&) = delete;
  RequestLog& operator=(const RequestLog&) = delete;
  ~RequestLog();

 private:
  class Reader;
  explicit RequestLog(std::unique_ptr<Reader> reader);
  std::unique_ptr<Reader> reader_;
};

}  // namespace headroom::balancer
