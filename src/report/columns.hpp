// Columns: long series of numbers as short base64 text, for the page (ui/src/charts/columns.ts reads them).
//
// Both forms are sequences of base-128 varints (seven bits per byte, lowest first, the high bit says that
// more follow). A signed number n is written as zigzag(n) = 2n for n >= 0 and -2n - 1 otherwise.
// Worked example: 5, 5, 5, 6 has the differences 5, 0, 0, 1 (the first from zero); as runs of equal
// differences (5 x 1), (0 x 2), (1 x 1) that is 10 1, 0 2, 2 1: six bytes, "CgEAAgIB" in base64.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace headroom::report {

// Counts and times: runs of equal differences, each as zigzag(difference), length. Exact.
std::string pack_integers(std::span<const std::int32_t> values);

// Measured numbers: zigzag(difference) + 1 of round(value * scale), and 0 for a value that is missing
// (not finite). `scale` is the largest power of ten that keeps the largest magnitude within 50,000, so
// a step is at most a 5,000th of it: finer than a pixel. Zero values have scale 1.
struct PackedNumbers {
  double scale = 1;
  std::string text;
};
PackedNumbers pack_numbers(std::span<const double> values);

// RFC 4648, section 4, with padding.
std::string base64(std::string_view bytes);

}  // namespace headroom::report
