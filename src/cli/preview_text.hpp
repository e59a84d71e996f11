// What `up --plan` prints: what `up` would do.
#pragma once

#include <string>

#include "daemon/preview.hpp"

namespace headroom::cli {

// In lines of at most 80 columns; ends with a newline.
std::string preview_text(const daemon::Preview& preview);

}  // namespace headroom::cli
