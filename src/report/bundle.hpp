// Bundle: the script and the style of the page, built from ui/ and linked into this library.
#pragma once

#include <string_view>

namespace headroom::report {

struct Bundle {
  std::string_view script;
  std::string_view style;
  // What a Content-Security-Policy allows them by: "sha256-...".
  std::string_view script_hash;
  std::string_view style_hash;
};

// Defined in a file that the build generates (cmake/Ui.cmake).
Bundle bundle();

}  // namespace headroom::report
