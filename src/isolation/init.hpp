// init: the first process of an instance. It starts the application and stays with it to its end.
#pragma once

#include "base/result.hpp"
#include "isolation/launcher.hpp"

namespace headroom::isolation {

// Descriptors of files that init itself could not open any more.
struct InitFiles {
  int log = -1;        // readable, and appends
  int older_log = -1;  // takes what is in the log when that is full
  int exit = -1;
};

// Starts the application, closes `report` and ends the process together with the application: "exited 3" or
// "signalled 9" is then in the file `exit`. Returns only where nothing could be started.
//
// SIGTERM goes to all of the application's process group; then init waits for the last of them. Without a
// SIGTERM the end of the application is the end of all that it started.
base::Error init(const Order& order, const InitFiles& files, int report);

}  // namespace headroom::isolation
