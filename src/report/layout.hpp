// Layout: text in columns and lines for a terminal of 80 columns, safe to print whatever a user named his
// things.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace headroom::report {

// No line is longer, names and notes of the user included: those are wrapped.
inline constexpr int kTextColumns = 80;

// Columns that a terminal needs for UTF-8 text of single-width characters: its code points.
int columns_of(std::string_view text);

// Control characters of a name must not reach a terminal: each becomes a space.
std::string visible(std::string_view text);

// Filled with spaces to `width` columns, the text at the left or the right; longer text stays as it is.
std::string left(std::string_view text, int width);
std::string right(std::string_view text, int width);

// The first `width` columns, with "~" for what was cut.
std::string cut(std::string_view text, int width);

// Words broken into lines; the first begins with `first`, the others with as many spaces. Ends with a
// newline.
std::string wrapped(std::string_view first, std::string_view text);

// "shop / web: the cheapest policy", with an empty line after it.
std::string heading(std::string_view environment, std::string_view service, std::string_view what);

// A line or more for each, after an empty line.
std::string notes_text(const std::vector<std::string>& notes);

// Money in a column: cents below a thousand dollars only.
std::string money_cell(double usd);

std::string percent_text(double value);

// "low..high"; empty where they are the same.
std::string interval_text(double low, double high, auto&& format) {
  return low == high ? std::string() : format(low) + ".." + format(high);
}

}  // namespace headroom::report
