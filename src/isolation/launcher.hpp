// The launcher: the program itself, started again with one argument, which confines itself and becomes the
// first process of an instance.
//
// The daemon has threads, so it must not do this work in a fork of its own. The launcher reads an Order
// (JSON) from standard input and forks: the child enters groups and namespaces, makes its view of files,
// gives up all rights and becomes `init`, which starts the application, reaps orphans, writes the log, hands
// on SIGTERM and leaves the exit in a file. The launcher itself ends as soon as the application runs.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "isolation/process.hpp"

namespace headroom::isolation {

inline constexpr std::string_view kLauncherArgument = "instance-launcher";

// What the program's main() calls, and returns, before anything else where argv[1] is kLauncherArgument.
int launch_main();

struct Order {
  std::string name;                 // of the host, as the instance sees it
  std::vector<std::string> groups;  // folders to enter
  std::string network;              // file of the namespace; empty: that of the machine
  bool own_files = false;
  std::int64_t user = -1;  // and group; -1: that of the daemon
  std::string hidden;      // a folder; with own_files
  std::string image;
  std::string private_folder;
  std::string volume;  // empty: none
  std::string log;
  std::int64_t log_bytes_max = 0;
  std::string record;  // folder for the files `process` and `exit`
  std::string hosts;   // content of /etc/hosts; with own_files
  std::string run;
  std::vector<std::string> environment;  // "KEY=value"
  std::int64_t shared_memory_bytes = 0;  // what /dev/shm may hold
  std::int64_t memory_bytes = 0;         // of each process by itself; 0: no such limit
  std::int64_t processes_max = 0;        // of the user; 0: no such limit
};

// Returns when the application runs. Errors: what could not be done, in the launcher's words.
base::Result<Identity> launch(const Order& order);

}  // namespace headroom::isolation
