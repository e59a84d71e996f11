// Headings: what the columns of measurements are called, as base::plain_name writes them.
#pragma once

#include <string_view>

namespace headroom::capacity {

inline bool names_time(std::string_view name) {
  return name == "timestamp" || name == "time" || name == "ts" || name == "date" || name == "datetime";
}

inline bool names_utilisation(std::string_view name) {
  return name == "cpu" || name.starts_with("cpu_") || name.find("utilisation") != std::string_view::npos ||
         name.find("utilization") != std::string_view::npos;
}

// In percent. A meter may round up; what is further above 100 % was not divided by the number of cores.
inline constexpr double kUtilisationMost = 101;

}  // namespace headroom::capacity
