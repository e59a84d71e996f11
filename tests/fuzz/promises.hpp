// What every reader promises, whatever the bytes: a fuzz target ends the process where one is broken.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace headroom::fuzz {

// Says on stderr what is broken and stops: to libFuzzer a crash, to the replay a failed test.
[[noreturn]] void broken(std::string_view promise, std::string_view evidence);

// Two readings of one text: the same value, or the same faults. What is not a number differs from itself, so
// that this says too that none was let through.
template <class T, class Same = std::equal_to<T>>
void expect_same(const base::Result<T>& one, const base::Result<T>& other, std::string_view text,
                 Same same = {}) {
  const bool equal = one && other ? same(*one, *other) : !one && !other && one.error() == other.error();
  if (!equal) broken("the same text gives the same result", text);
}

// How lines end, which decides where a place lies: YAML counts line feeds, CSV every line break there is.
enum class LineEnds { line_feed, any };

// The text of the file of this name; unset: no such file was read.
using TextOf = std::function<std::optional<std::string>(const std::string& file)>;

// Every fault says something, names a file that was read and a line and column that its text has (a column of
// 0 is the whole line), and shows no control character to the terminal. Without a place may be what concerns
// no part of the text: the count of the faults that are not shown, and what starts with one of
// `without_place`.
void expect_located(const base::Error& error, LineEnds ends, const TextOf& text_of,
                    std::initializer_list<std::string_view> without_place = {});

// Sentences for people: none is empty, none holds a control character.
void expect_printable(const std::vector<std::string>& sentences);

// The number behind `words` in the first line of the text, such as 3 in "# variant 3": how an input chooses
// what is done with it, in the text, so that a failing input says it to whoever reads it. 0: none.
std::size_t chosen(std::string_view text, std::string_view words);

}  // namespace headroom::fuzz
