#include "versions/ignored.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace headroom::versions {

namespace {

// Whether `text` fits a pattern in which `any(i)` says that its element i stands for any number of elements
// and `fits(i, j)` that its element i stands for element j of the text. It goes back to the last of the
// former only, so that it needs at most as many steps as both lengths multiplied.
template <class Any, class Fits>
bool fits_whole(std::size_t pattern_size, std::size_t text_size, const Any& any, const Fits& fits) {
  std::size_t i = 0;
  std::size_t j = 0;
  std::size_t last_any = pattern_size;  // none yet
  std::size_t from = 0;
  while (j < text_size) {
    if (i < pattern_size && any(i)) {
      last_any = i++;
      from = j;
    } else if (i < pattern_size && fits(i, j)) {
      ++i;
      ++j;
    } else if (last_any < pattern_size) {
      i = last_any + 1;
      j = ++from;
    } else {
      return false;
    }
  }
  while (i < pattern_size && any(i)) ++i;
  return i == pattern_size;
}

bool name_fits(std::string_view pattern, std::string_view name) {
  return fits_whole(
      pattern.size(), name.size(), [&](std::size_t i) { return pattern[i] == '*'; },
      [&](std::size_t i, std::size_t j) { return pattern[i] == '?' || pattern[i] == name[j]; });
}

template <class Text>
std::vector<Text> split(std::string_view path) {
  std::vector<Text> names;
  for (std::size_t begin = 0; begin <= path.size();) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    names.emplace_back(path.substr(begin, end - begin));
    begin = end + 1;
  }
  return names;
}

}  // namespace

Ignored::Ignored() {
  for (const char* line :
       {".git", "__pycache__/", "*.pyc", "**/node_modules/.cache", "/runs/", "/.headroomignore"}) {
    patterns_.push_back(pattern_of(line));
  }
}

Ignored::Pattern Ignored::pattern_of(std::string_view line) {
  Pattern pattern;
  if (line.starts_with('!')) {
    pattern.taken_back = true;
    line.remove_prefix(1);
  }
  if (line.ends_with('/')) {
    pattern.folders_only = true;
    line.remove_suffix(1);
  }
  const bool anchored = line.find('/') != std::string_view::npos;
  if (line.starts_with('/')) line.remove_prefix(1);
  pattern.names = split<std::string>(line);
  if (!anchored) pattern.names.insert(pattern.names.begin(), "**");
  // "cache/**" is what lies in the folder, not the folder.
  if (pattern.names.back() == "**") pattern.names.emplace_back("*");
  return pattern;
}

base::Result<void> Ignored::add(std::string_view text, const std::string& file) {
  base::Error error{base::ErrorKind::bad_input, {}};
  std::vector<Pattern> added;
  int number = 0;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    std::string_view line = text.substr(begin, end - begin);
    begin = end + 1;
    ++number;
    while (!line.empty() && (line.back() == ' ' || line.back() == '\t' || line.back() == '\r'))
      line.remove_suffix(1);
    if (line.empty() || line.front() == '#') continue;
    const auto fault = [&](std::string what, std::string fix) {
      error.faults.push_back({{file, number, 0}, std::move(what), std::move(fix), {}});
    };
    if (line.find_first_of("[\\") != std::string_view::npos) {
      fault("a pattern with [ or \\, which are not known here", "use * and ?, one line for each name");
      continue;
    }
    Pattern pattern = pattern_of(line);
    const auto wrong = [](const std::string& name) { return name.empty() || name == "." || name == ".."; };
    if (std::any_of(pattern.names.begin(), pattern.names.end(), wrong)) {
      fault("a pattern with an empty name, \".\" or \"..\" in its path, which fits nothing",
            "write the path from the folder of this file on, such as docs/drafts");
      continue;
    }
    added.push_back(std::move(pattern));
  }
  if (!error.faults.empty()) return error;
  patterns_.insert(patterns_.end(), added.begin(), added.end());
  return {};
}

bool Ignored::matches(std::string_view path, bool is_folder) const {
  const std::vector<std::string_view> names = split<std::string_view>(path);
  for (auto pattern = patterns_.rbegin(); pattern != patterns_.rend(); ++pattern) {
    if (pattern->folders_only && !is_folder) continue;
    const std::vector<std::string>& wanted = pattern->names;
    const bool fits = fits_whole(
        wanted.size(), names.size(), [&](std::size_t i) { return wanted[i] == "**"; },
        [&](std::size_t i, std::size_t j) { return name_fits(wanted[i], names[j]); });
    if (fits) return !pattern->taken_back;
  }
  return false;
}

}  // namespace headroom::versions
