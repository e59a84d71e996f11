// prepare: an artifact in which the build command of its service was run once: the image that instances start
// from.
//
//   images/KEY/app         the unpacked artifact, built, read-only; where instances run
//   images/KEY/build.log   what the build printed
//   images/KEY/complete    written last: without it the rest counts for nothing
//   images/.KEY.lock       held by whoever builds or removes it
//
// The build runs where the image stays, since virtual environments and their like hold absolute paths. What a
// build that was killed or failed left behind is removed by the next prepare() of the same key, or by
// sweep().
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "base/quantity.hpp"
#include "base/result.hpp"
#include "versions/artifact.hpp"
#include "versions/limits.hpp"

namespace headroom::versions {

struct Image {
  std::string key;
  std::filesystem::path folder;  // absolute where `images` is
};

// Runs `command` with /bin/sh in `folder`, and everything that it prints goes to `log`. Returns its exit
// code; 128
// + N where signal N ended it. When it returns, no process that the command started lives any more. It may
// give the folder to another user meanwhile: it is taken back afterwards. Errors: the command could not be
// started, or ran for longer than `timeout` and was ended.
using Runner =
    std::function<base::Result<int>(const std::filesystem::path& folder, const std::string& command,
                                    const std::filesystem::path& log, base::Milliseconds timeout)>;

// Told what goes on, for whoever waits: "building".
using Progress = std::function<void(std::string_view step)>;

struct PrepareOptions {
  base::Milliseconds timeout = std::chrono::minutes(15);  // of the build
  std::int64_t log_bytes = 1 << 20;                       // of it that is kept
  Limits limits = {};                                     // of what is unpacked
};

// What names an image: the first 32 hexadecimal digits of the SHA-256 over artifact and build command. Half
// of it, 128 bits, is beyond chance, and the first line of a script (#!) has little room for the path.
std::string image_key(const std::string& artifact_hash, const std::string& build_command);

// Where the image of that key is, or would be.
Image image_of(const std::filesystem::path& images, const std::string& key);
// Whether it is there, whole.
bool is_built(const std::filesystem::path& images, const std::string& key);

// The image of that artifact and build command, in `images`, which is created where it is missing. One that
// is there is used, and counts as new to sweep(). Without a build command it is the unpacked artifact.
// Threads: two at once of one key, in one process or several: one builds, the other waits for it.
// Errors: the artifact is not what its hash says, or unpack() refuses it; the build fails: bad input, with
// the exit code, the last lines of its log and where the log is; a full disk, a build that takes too long:
// unavailable.
base::Result<Image> prepare(const Artifact& artifact, const std::string& build_command,
                            const std::filesystem::path& images, const Runner& runner,
                            const Progress& progress, const PrepareOptions& options = {});

// A runner that confines nothing: the command runs as this process does, with its environment. For tests, and
// where there is nothing to confine with.
base::Result<int> run_plainly(const std::filesystem::path& folder, const std::string& command,
                              const std::filesystem::path& log, base::Milliseconds timeout);

// The same, and it ends early, as an error, when `unwanted` returns true, which is asked every few
// milliseconds. The command ends with this process, however that ends; what it has started and what outlives
// it then is found by end_builds_in() (build_processes.hpp).
base::Result<int> run_while_wanted(const std::filesystem::path& folder, const std::string& command,
                                   const std::filesystem::path& log, base::Milliseconds timeout,
                                   const std::function<bool()>& unwanted);

}  // namespace headroom::versions
