// Process: what /proc shows of a process, and an identity that outlives the reuse of its number.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "base/quantity.hpp"

namespace headroom::isolation {

// The number of a process is given again to another; with its start time it is unique until the next boot.
struct Identity {
  pid_t pid = 0;
  std::uint64_t start_ticks = 0;  // field 22 of /proc/PID/stat
  bool operator==(const Identity&) const = default;
};

struct Process {
  Identity identity;
  pid_t parent = 0;
  char state = '?';  // 'R', 'S', 'T' stopped, 'Z' a zombie, ...
  int threads = 0;
  base::Nanoseconds cpu{0};        // its own
  base::Nanoseconds cpu_ended{0};  // of its children that have ended
  std::int64_t memory_bytes = 0;   // resident
};

// Nothing: there is no such process.
std::optional<Process> process(pid_t pid);
std::vector<pid_t> all_processes();
std::optional<uid_t> user_of(pid_t pid);

// Whether it runs; a zombie does not. One that is a child of this process is reaped.
bool runs(const Identity& identity);

// Errors of the kernel are of no use here: it is gone, or the look that follows shows that it is not.
void send(const Identity& identity, int signal);
// Whether it ended within the time.
bool wait_for_end(const Identity& identity, base::Milliseconds longest);

}  // namespace headroom::isolation
