// Seen: what HAProxy tells of a service and its servers, and how failed checks in a row are counted from it.
//
// HAProxy checks at three paces: at the interval where nothing changes, every 200 ms once a check has failed
// or passed after failures, every 500 ms while a server is down. And once a server is down it counts no more
// failures. So they are counted as checks at the interval alone would have: the first failed one, and one
// more for each whole interval that the row has lasted. An interval of 5 s that is broken for 11 s: 3.
//
// When the row began is remembered from one look to the next. Of a server that is down when it is first
// looked at, it is when HAProxy took it out, which is known to the second.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "balancer/configuration.hpp"

namespace headroom::balancer {

enum class ServerState {
  checking,  // joined, and has never passed its checks: takes no requests
  up,
  down,   // was up and fails its checks: takes no requests
  drain,  // takes no new requests, finishes those it has
  maint,  // cut from rotation: neither requests nor checks
};
std::string_view to_string(ServerState state);

// Answers by the first digit of their status; [0] is none: the client left, or the connection broke.
using ByClass = std::array<std::uint64_t, 6>;

struct Server {
  std::string name;
  std::string address;
  ServerState state = ServerState::checking;
  base::Milliseconds since{0};       // when HAProxy last took it into rotation or out of it; to the second
  int failed_checks = 0;             // in a row, at the interval (see above); 0: the last one passed
  base::Milliseconds checked_at{0};  // of the last one that is counted; 0: none has ended yet
  std::string last_check;      // "HTTP 200", "connection refused", "timeout", "HTTP 503"; empty: none yet
  std::uint64_t sessions = 0;  // requests in it now
  std::uint64_t requests = 0;  // sent to it, those that another one then answered included
  ByClass answers{};
  bool operator==(const Server&) const = default;
};

// All counts are since `started`: with another process they begin anew.
struct Seen {
  Process process;
  base::Milliseconds started{0};
  base::Milliseconds at{0};
  std::vector<Server> servers;        // in the order of joining
  std::uint64_t requests = 0;         // of clients
  ByClass answers{};                  // to clients, the balancer's own included
  std::uint64_t server_errors = 0;    // 5xx that servers answered with
  std::uint64_t balancer_errors = 0;  // 5xx of the balancer: no server, timeout, retries used up
  std::uint64_t lost_log_lines = 0;   // of the request log: its reader fell behind by 1 MiB
  bool operator==(const Seen&) const = default;
};

// Failed checks in a row, see above; one for each server.
class FailedChecks {
 public:
  struct Look {
    base::Milliseconds at{0};
    bool checked = false;  // a check has ended
    bool failed = false;   // the last one did
    std::optional<base::Milliseconds> down_since;
  };
  // How many, by now. Requires: looks in the order of time.
  int count(const Look& look, base::Milliseconds interval);
  // When the last one that was counted ended.
  base::Milliseconds last(base::Milliseconds interval) const;

 private:
  std::optional<base::Milliseconds> began_;
  base::Milliseconds passed_{0};
  int counted_ = 0;
};
using FailedChecksByServer = std::map<std::string, FailedChecks>;

// One row of `show stat`, by the names of its columns.
using Row = std::map<std::string, std::string, std::less<>>;
// Errors: not what HAProxy prints.
base::Result<std::vector<Row>> read_statistics(const std::string& csv);
// Of one server: 0 where it is not listed.
std::uint64_t sessions_of(const std::vector<Row>& rows, std::string_view server);
std::uint64_t server_errors_of(const std::vector<Row>& rows, std::string_view server);
// Lines that the ring of the request log had no room for, of `show events`; 0 where it is not listed.
std::uint64_t read_dropped(std::string_view rings);
// "Pid" of `show info`; unset: no such line, or no number.
std::optional<std::uint64_t> read_info(std::string_view info, std::string_view name);

struct Looked {
  const std::vector<Row>& rows;
  const Members& members;
  base::Milliseconds interval;
  base::Milliseconds now;
};
// `counts` are brought up to now, those of servers that have left are forgotten.
// Servers that HAProxy does not know are left out.
Seen seen_from(const Looked& looked, FailedChecksByServer& counts);

}  // namespace headroom::balancer
