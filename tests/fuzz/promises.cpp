#include "fuzz/promises.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>

#include "base/units.hpp"

namespace headroom::fuzz {
namespace {

std::vector<std::size_t> line_lengths(std::string_view text, LineEnds ends) {
  std::vector<std::size_t> lengths(1, 0);
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool is_return = ends == LineEnds::any && text[i] == '\r';
    if (is_return && i + 1 < text.size() && text[i + 1] == '\n') ++i;
    if (is_return || text[i] == '\n') {
      lengths.push_back(0);
    } else {
      ++lengths.back();
    }
  }
  return lengths;
}

bool is_printable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte >= 0x20 && byte != 0x7F;
  });
}

}  // namespace

void broken(std::string_view promise, std::string_view evidence) {
  std::fprintf(stderr, "broken promise: %.*s\n%.*s\n", static_cast<int>(promise.size()), promise.data(),
               static_cast<int>(evidence.size()), evidence.data());
  std::abort();
}

void expect_located(const base::Error& error, LineEnds ends, const TextOf& text_of,
                    std::initializer_list<std::string_view> without_place) {
  if (error.faults.empty()) broken("an error holds a fault", "there is none");
  std::map<std::string, std::vector<std::size_t>> lengths_of;
  for (const base::Fault& fault : error.faults) {
    const std::string shown = to_string(fault);
    if (fault.what.empty()) broken("a fault says what is wrong", shown);
    if (!is_printable(fault.what) || !is_printable(fault.fix))
      broken("a message holds no control character", base::in_quotes(shown));
    auto lengths = lengths_of.find(fault.place.file);
    if (lengths == lengths_of.end()) {
      const auto text = text_of(fault.place.file);
      if (!text) broken("a fault names a file that was read", shown);
      lengths = lengths_of.emplace(fault.place.file, line_lengths(*text, ends)).first;
    }
    const bool may_float = std::any_of(without_place.begin(), without_place.end(),
                                       [&](std::string_view part) { return fault.what.starts_with(part); });
    if (fault.place.line == 0 && (may_float || fault.what.ends_with(" more faults are not shown"))) continue;
    const int line = fault.place.line;
    if (line < 1 || static_cast<std::size_t>(line) > lengths->second.size())
      broken("the line of a fault exists", shown);
    const std::size_t length = lengths->second[static_cast<std::size_t>(line) - 1];
    // Behind the last character of a line stands what is missing there.
    if (fault.place.column < 0 || static_cast<std::size_t>(fault.place.column) > length + 1)
      broken("the column of a fault exists", shown);
  }
}

void expect_printable(const std::vector<std::string>& sentences) {
  for (const std::string& sentence : sentences) {
    if (sentence.empty() || !is_printable(sentence))
      broken("a note is a sentence without control characters", base::in_quotes(sentence));
  }
}

std::size_t chosen(std::string_view text, std::string_view words) {
  if (!text.starts_with(words)) return 0;
  text.remove_prefix(words.size());
  const auto number = base::parse_unsigned(text.substr(0, text.find_first_not_of("0123456789")));
  return number ? static_cast<std::size_t>(*number) : 0;
}

}  // namespace headroom::fuzz
