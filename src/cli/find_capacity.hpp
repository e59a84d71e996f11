// find_capacity(): `headroom load --find-capacity`, from the options to the capacity file.
#pragma once

#include <string>
#include <vector>

#include "cli/command.hpp"
#include "cli/command_line.hpp"
#include "cli/run_files.hpp"
#include "load/job.hpp"
#include "load/threshold.hpp"

namespace headroom::cli {

struct FindCapacityArguments {
  bool wanted = false;
  std::string metrics;  // empty: the utilisation is not known now
  std::string step;
  std::string settle;
  std::string first;
  std::string most;
  int rounds = 0;      // 0: as many as the interval of the slope needs
  std::string output;  // of the capacity model
};

void add_find_capacity_arguments(Command command, FindCapacityArguments& arguments);

// Steps the rate of the job's requests (its own traffic is not used), prints and keeps what was found. A rate
// at which a condition of `objective` is true is too high.
void find_capacity(const FindCapacityArguments& arguments, const load::Job& job,
                   const std::vector<load::Threshold>& objective, const RunArguments& run, bool json,
                   Context& context);

}  // namespace headroom::cli
