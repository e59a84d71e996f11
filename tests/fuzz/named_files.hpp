// The files that a YAML input may name: one good text for each kind, so that every fault is the input's own.
#pragma once

#include <string>

#include "base/result.hpp"

namespace headroom::fuzz {

inline base::Result<std::string> named_file(const std::string& path) {
  if (path.ends_with(".csv"))
    return std::string("timestamp,rpm\n2024-02-16 21:00,1200\n2024-02-16 21:05,900\n");
  if (path.ends_with("capacity.yaml")) return std::string("cpu_per_rpm: 0.0008716906\nstartup: 4m\n");
  if (path.ends_with(".yaml")) return std::string("open: {stages: [{for: 10m, to: 30000 rpm}]}\n");
  return base::bad_input("there is no such file");
}

}  // namespace headroom::fuzz
