// UtilisationSeries: the utilisation of an instance over time, from a CSV that another tool recorded.
//
//   timestamp,value          as base/csv.hpp and base/timestamp.hpp read them; with a heading or without
//
// Of more than two columns the headings tell which is meant (timestamp, time, ts; value, cpu, utilisation).
// Percent or shares of 1 is what the caller or the heading says (cpu_percent, ratio), else shares where no
// value is above 1. A time without a zone is UTC. What was inferred is said in `notes`.
//
// Tools differ in whether a time stands at the beginning or at the end of what its value covers. So a value
// belongs to a window only where it lies within it either way: window.from + interval <= at <=
// window.to - interval. Worked example: of values every second, a window from 100 s to 110 s holds those at
// 101 s to 109 s.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/quantity.hpp"
#include "base/result.hpp"

namespace headroom::capacity {

enum class UtilisationUnit { percent, ratio };

struct UtilisationSample {
  base::Milliseconds at{0};  // since 1970
  base::Percent utilisation;
};

// A stretch of time, from inclusive.
struct Window {
  base::Milliseconds from{0};  // since 1970
  base::Milliseconds to{0};
  bool operator==(const Window&) const = default;
};

struct UtilisationSeries {
  std::string file;
  std::vector<UtilisationSample> samples;  // ascending in time, not empty
  base::Milliseconds interval{0};          // the most frequent distance of two
  std::vector<std::string> notes;
};

// So few values say too little of a window.
inline constexpr std::size_t kSamplesLeast = 2;

// Errors: all faults with line and column, at most 20 listed; no value; several columns that could be meant.
base::Result<UtilisationSeries> read_utilisation(std::string_view csv, const std::string& file,
                                                 std::optional<UtilisationUnit> unit);

// The mean of the values within the window. Unset: fewer than kSamplesLeast are.
std::optional<base::Percent> utilisation_in(const UtilisationSeries& series, const Window& window);

}  // namespace headroom::capacity
