// The small files in which the kernel shows and takes settings: /proc, /sys, control groups.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace headroom::isolation {

// Without the newline at its end. Nothing: it cannot be read.
std::optional<std::string> text_of(const std::filesystem::path& file);
std::optional<std::int64_t> number_in(const std::filesystem::path& file);
// The number behind a word at the start of a line: "usage_usec 123".
std::optional<std::int64_t> number_behind(const std::string& text, std::string_view word);

// In one write, as the kernel wants it. Errors name the file, the text and the kernel's reason.
base::Result<void> set(const std::filesystem::path& file, std::string_view text);

// "cannot make the folder X: permission denied": for a call that has just set errno.
base::Error failed(std::string what, int number, std::string fix);

}  // namespace headroom::isolation
