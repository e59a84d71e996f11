#include "cli/duration_option.hpp"

#include <fmt/format.h>

#include "base/units.hpp"

namespace headroom::cli {

base::Result<base::Milliseconds> duration_of(std::string_view option, const std::string& written) {
  auto length = base::parse_duration(written);
  if (length) return *length;
  base::Error error = length.error();
  for (base::Fault& fault : error.faults) fault.what = fmt::format("{}: {}", option, fault.what);
  return error;
}

}  // namespace headroom::cli
