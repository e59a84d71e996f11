// Error numbers of the system as errors that say what to do.
#pragma once

#include <filesystem>
#include <string_view>

#include "base/result.hpp"

namespace headroom::store {

// "PATH: cannot be read: it does not exist"; `verb` is read, write, create or remove. `number` is an errno;
// what the user can put right by another path or permission is bad input, the rest (a full or failing disk)
// is unavailable.
base::Error failed_to(std::string_view verb, const std::filesystem::path& path, int number);

// Makes names created or changed in the folder survive a power failure.
base::Result<void> synchronise_folder(const std::filesystem::path& folder);

}  // namespace headroom::store
