#include "sources/utilisation.hpp"

#include <fmt/format.h>

#include <utility>

#include "base/units.hpp"
#include "sources/cgroup.hpp"
#include "sources/prometheus.hpp"

namespace headroom::sources {

base::Result<std::unique_ptr<Utilisation>> utilisation_of(const std::string& source, Clock clock) {
  const std::size_t colon = source.find(':');
  const std::string kind = source.substr(0, colon);
  const std::string rest = colon == std::string::npos ? std::string() : source.substr(colon + 1);
  if (kind == "cgroup" && !rest.empty()) return Cgroup::open(rest, std::move(clock));
  if (kind == "prometheus" && !rest.empty()) return Prometheus::open(rest);
  return base::bad_input(
      fmt::format("{} names no source of utilisation", base::in_quotes(source)),
      "write cgroup:/sys/fs/cgroup/FOLDER or prometheus:http://HOST:PORT?query=EXPRESSION");
}

}  // namespace headroom::sources
