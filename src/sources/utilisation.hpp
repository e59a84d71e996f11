// Utilisation: the CPU of a running instance, asked again and again while a load test drives it.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/quantity.hpp"
#include "base/result.hpp"

namespace headroom::sources {

class Utilisation {
 public:
  virtual ~Utilisation() = default;
  // The mean since the last call, in percent of what the instance may use; the first call only begins.
  // Errors: unavailable, where the source has gone.
  virtual base::Result<base::Percent> since_last() = 0;
};

// Since 1970 or any other time, as long as it is always the same.
using Clock = std::function<base::Nanoseconds()>;

// "cgroup:/sys/fs/cgroup/FOLDER" (cgroup.hpp) or "prometheus:http://HOST:PORT?query=EXPRESSION"
// (prometheus.hpp). Errors: another kind; a source that gives nothing now.
base::Result<std::unique_ptr<Utilisation>> utilisation_of(const std::string& source, Clock clock);

}  // namespace headroom::sources
