// Ignored: which files of a source folder are not deployed: what .headroomignore names, as .gitignore does.
//
//   # a comment
//   *.log          every file or folder of that name, at any depth
//   /notes         only beside .headroomignore; so is whatever has a slash in its middle: docs/drafts
//   cache/         folders only
//   docs/**/*.png  ** stands for any number of folders, * and ? for characters of one name
//   !keep.log      not ignored after all: the last line that fits decides
//
// As in git, what lies in an ignored folder cannot be taken back. [sets] and \ of git are refused: they would
// be easy to get wrong unseen.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace headroom::versions {

class Ignored {
 public:
  // The patterns that always come first: .git, __pycache__, *.pyc, node_modules/.cache, and the run folders
  // (/runs/) and the .headroomignore beside it.
  Ignored();

  // Adds the lines of a .headroomignore. Errors: all faulty lines, each at its place in `file`.
  base::Result<void> add(std::string_view text, const std::string& file);

  // Requires: a path relative to the source folder, without a slash at its ends; that its parents are not
  // ignored.
  bool matches(std::string_view path, bool is_folder) const;

 private:
  struct Pattern {
    std::vector<std::string> names;  // of the path, "**" for any number of them
    bool folders_only = false;
    bool taken_back = false;
  };
  static Pattern pattern_of(std::string_view line);

  std::vector<Pattern> patterns_;
};

}  // namespace headroom::versions
