// Inputs: the files that a command read, as they go into its run folder, and as they are read again from
// there.
//
// runs/TIME-NAME/inputs/ holds headroom.yaml and every file that was read for it, byte for byte and under the
// name that it has beside headroom.yaml. What lies elsewhere goes to inputs/outside/, and the record
// inputs/headroom.run.json says which name means which of these. The record also holds how the command was
// called; a command on such a folder takes what its own options leave open from it, so that
// `headroom simulate runs/TIME-NAME` gives the same summary.json.
//
// A secret is a reference in headroom.yaml (file: or ssm:); what it refers to is never read here.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.hpp"

namespace headroom::cli {

inline constexpr const char* kRecordFile = "headroom.run.json";

// How a run was started.
struct RunRecord {
  std::string version;
  std::vector<std::string> command;  // the words after `headroom`
  std::string folder;                // of headroom.yaml, as it was given
  std::string variant;               // -e; empty: none
  std::string service;
  std::string traffic;  // --traffic, relative to headroom.yaml; empty: what the file names
  std::optional<std::uint64_t> seed;
  std::optional<int> seeds;
  std::optional<int> samples;
  std::string engine;  // empty: what fits the file
  // Names of files outside the folder of headroom.yaml, and where they are in inputs/.
  std::vector<std::pair<std::string, std::string>> outside;

  // The command's own name: "simulate".
  std::string name() const { return command.empty() ? std::string() : command.front(); }
  bool operator==(const RunRecord&) const = default;
};

std::string write_record(const RunRecord& record);
// `file` names the text in faults.
base::Result<RunRecord> read_record(const std::string& text, const std::string& file);

struct InputFile {
  std::string name;  // in inputs/
  std::string text;
  bool operator==(const InputFile&) const = default;
};

class Inputs {
 public:
  Inputs() = default;
  // `folder` is that of headroom.yaml; `record`: it is the inputs/ of a run.
  Inputs(std::filesystem::path folder, std::optional<RunRecord> record);

  // The text of a file, which is remembered.
  base::Result<std::string> read(const std::string& path);

  // The name of a file relative to headroom.yaml, by which a record knows it.
  std::string name_of(const std::string& path) const;

  // What goes into inputs/ but for headroom.yaml and the record; fills in which of them lay outside.
  std::vector<InputFile> files(RunRecord& record) const;

  const std::optional<RunRecord>& record() const { return record_; }

 private:
  std::filesystem::path folder_;
  std::optional<RunRecord> record_;
  std::map<std::string, std::string> texts_;  // by path, in a fixed order
};

}  // namespace headroom::cli
