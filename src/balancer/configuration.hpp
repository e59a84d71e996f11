// Configuration: the text that HAProxy reads, whose servers follow those of the running process.
//
// HAProxy forgets at its end what was added at run time. So every change is written here first, and a process
// that starts again, or a daemon that does, finds what was wanted.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "balancer/settings.hpp"

namespace headroom::balancer {

// A process that cannot be confused with another one that got its number later.
struct Process {
  int pid = 0;
  std::uint64_t start_ticks = 0;  // since the machine started; field 22 of /proc/PID/stat
  bool operator==(const Process&) const = default;
};

// The ring buffer in the memory of HAProxy that the lines about requests go through.
inline constexpr std::string_view kRing = "requests";

// What is wanted of one server, and what must be known when the process starts again.
struct Member {
  std::string name;
  std::string address;
  bool draining = false;  // takes no new requests
  bool cut = false;       // out of rotation with its zone; what it has goes on
  bool up = false;        // passed its checks when it was last looked at
  bool served = false;    // has passed them at least once
  bool operator==(const Member&) const = default;
};

struct Members {
  std::vector<Member> list;  // in the order of joining
  // Answers with 5xx of servers that have left, in this process: HAProxy forgets them with the server.
  std::uint64_t departed_server_errors = 0;
  Process process;
  bool operator==(const Members&) const = default;
};

struct Account {
  bool change = false;  // we are root: run as these
  unsigned user = 0;
  unsigned group = 0;
  bool operator==(const Account&) const = default;
};

// Of the account for the balancer. Errors: no such user.
base::Result<Account> account_of(const Settings& settings);

// All but the servers. Two equal ones mean that a running process needs no other.
std::string fixed_part(const Settings& settings, const Account& account);
// The servers, those that are to take no requests at once as `disabled`.
std::string members_part(const Settings& settings, const Members& members);

// The options of a server after its address, at run time as in the file.
std::string server_options(const Settings& settings);

struct Written {
  std::string fixed;
  Members members;
};
// Reads what fixed_part() + members_part() wrote; a line of a server that was not written so is left out.
Written read_configuration(std::string_view text);

}  // namespace headroom::balancer
