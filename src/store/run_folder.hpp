// RunFolder: `runs/TIME-NAME/`, which appears under that name only when it is complete.
//
//   RunFolder run = RunFolder::create("runs", now, "simulate-shop").value();
//   run.write("summary.json", json);
//   const std::filesystem::path folder = run.finish().value();  // runs/20240216T210000Z-simulate-shop
//
// Until finish() it is `.partial-TIME-NAME-PID-N`, locked by its living writer. A process that is killed
// leaves such a folder behind; the next sweep() or create() in the same place finds that nobody holds it, and
// removes it. A process that is just being killed holds it for some milliseconds more: so a command sweeps
// when it begins, and once more when it creates its own.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/quantity.hpp"
#include "base/result.hpp"
#include "store/descriptor.hpp"

namespace headroom::store {

class RunFolder {
 public:
  // In `runs`, which is created where it is missing. `now` is since 1970-01-01 UTC, between the years 1970
  // and 9999; letters, digits and -_. of `name` are kept, everything else becomes a hyphen.
  static base::Result<RunFolder> create(const std::filesystem::path& runs, base::Milliseconds now,
                                        std::string_view name);

  // Files of one complete run; writing a name again replaces it. Requires: a relative path without "." and
  // ".."; its folders are created.
  base::Result<void> write(std::string_view name, std::string_view content);

  // Gives the folder its name and returns it: with -2, -3, ... where another run of the same second and name
  // exists. Requires: at least one file was written; afterwards the object can only be destroyed.
  base::Result<std::filesystem::path> finish();

  // Where the files are until finish().
  const std::filesystem::path& partial_path() const { return partial_; }
  // Unfinished folders of dead processes that create() removed.
  const std::vector<std::filesystem::path>& removed() const { return removed_; }

  RunFolder(RunFolder&&) noexcept;
  RunFolder& operator=(RunFolder&&) = delete;
  RunFolder(const RunFolder&) = delete;
  RunFolder& operator=(const RunFolder&) = delete;
  // Not finished: the folder is removed.
  ~RunFolder();

 private:
  RunFolder() = default;

  std::filesystem::path partial_;  // empty after finish()
  std::filesystem::path wanted_;
  std::vector<std::filesystem::path> removed_;
  Descriptor lock_;
  bool written_ = false;
};

// "20240216T210000Z": UTC, in the order of time when sorted as text, and valid in file names everywhere.
// Requires: a time between the years 1970 and 9999.
std::string time_in_name(base::Milliseconds since_1970);

// Removes the unfinished folders of dead processes in `runs`, and returns them; none where it does not exist.
base::Result<std::vector<std::filesystem::path>> sweep(const std::filesystem::path& runs);

// Whether a folder in a file system without locks is to be taken for abandoned: the process that its name
// ends in is not on this machine, and nothing was written for a day, in case it is on another one.
bool abandoned_without_lock(std::string_view folder_name, base::Milliseconds since_last_write);

// Finished runs in `runs`, oldest first; empty where the folder does not exist.
base::Result<std::vector<std::filesystem::path>> finished_runs(const std::filesystem::path& runs);

}  // namespace headroom::store
