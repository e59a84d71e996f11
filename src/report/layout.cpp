#include "report/layout.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "report/words.hpp"

namespace headroom::report {

int columns_of(std::string_view text) {
  return static_cast<int>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

std::string visible(std::string_view text) {
  std::string safe(text);
  std::replace_if(
      safe.begin(), safe.end(),
      [](char c) { return static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) == 0x7F; },
      ' ');
  return safe;
}

std::string left(std::string_view text, int width) {
  return std::string(text) +
         std::string(static_cast<std::size_t>(std::max(0, width - columns_of(text))), ' ');
}

std::string right(std::string_view text, int width) {
  return std::string(static_cast<std::size_t>(std::max(0, width - columns_of(text))), ' ') +
         std::string(text);
}

std::string cut(std::string_view text, int width) {
  if (columns_of(text) <= width) return std::string(text);
  std::string shortened;
  int columns = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool begins = (static_cast<unsigned char>(text[i]) & 0xC0) != 0x80;
    if (begins && ++columns == width) break;
    shortened += text[i];
  }
  return shortened + "~";
}

std::string wrapped(std::string_view first, std::string_view text) {
  const int indent = columns_of(first);
  const std::string spaces(static_cast<std::size_t>(indent), ' ');
  std::string out(first);
  int column = indent;
  bool line_has_word = false;
  const std::string safe = visible(text);
  for (std::size_t i = 0; i < safe.size();) {
    const std::size_t end = std::min(safe.find(' ', i), safe.size());
    std::string_view word(safe.data() + i, end - i);
    i = end + 1;
    if (word.empty()) continue;
    if (line_has_word && column + 1 + columns_of(word) > kTextColumns) {
      out += '\n' + spaces;
      column = indent;
      line_has_word = false;
    }
    if (line_has_word) {
      out += ' ';
      ++column;
    }
    // A word longer than a line is broken where the line ends.
    for (std::size_t k = 0; k < word.size(); ++k) {
      const bool begins = (static_cast<unsigned char>(word[k]) & 0xC0) != 0x80;
      if (begins && column == kTextColumns) {
        out += '\n' + spaces;
        column = indent;
      }
      out += word[k];
      if (begins) ++column;
    }
    line_has_word = true;
  }
  return out + '\n';
}

std::string heading(std::string_view environment, std::string_view service, std::string_view what) {
  return wrapped("", fmt::format("{} / {}: {}", environment, service, what)) + "\n";
}

std::string notes_text(const std::vector<std::string>& notes) {
  std::string text;
  if (!notes.empty()) text += "\n";
  for (const std::string& note : notes) text += wrapped("  note: ", note);
  return text;
}

std::string money_cell(double usd) {
  return std::abs(usd) < 1000 ? money_text(usd) : (usd < 0 ? "-$" : "$") + number_text(std::abs(usd), 0);
}

std::string percent_text(double value) { return short_text(value) + " %"; }

}  // namespace headroom::report
