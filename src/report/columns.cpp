#include "report/columns.hpp"

#include <algorithm>
#include <cmath>

namespace headroom::report {
namespace {

void put_varint(std::string& bytes, std::uint64_t value) {
  while (value >= 0x80) {
    bytes += static_cast<char>(static_cast<unsigned char>(value & 0x7F) | 0x80u);
    value >>= 7;
  }
  bytes += static_cast<char>(static_cast<unsigned char>(value));
}

std::uint64_t zigzag(std::int64_t value) {
  const auto doubled = static_cast<std::uint64_t>(value) << 1;
  return value < 0 ? ~doubled : doubled;
}

}  // namespace

std::string base64(std::string_view bytes) {
  static constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k) {
      group = group << 8 | (k < count ? static_cast<unsigned char>(bytes[i + k]) : 0u);
    }
    for (std::size_t k = 0; k < 4; ++k) {
      text += k <= count ? kAlphabet[group >> (18 - 6 * k) & 0x3Fu] : '=';
    }
  }
  return text;
}

std::string pack_integers(std::span<const std::int32_t> values) {
  std::string bytes;
  std::int64_t previous = 0;
  for (std::size_t i = 0; i < values.size();) {
    const std::int64_t difference = values[i] - previous;
    previous = values[i];
    std::size_t next = i + 1;
    while (next < values.size() && values[next] - previous == difference) previous = values[next++];
    put_varint(bytes, zigzag(difference));
    put_varint(bytes, next - i);
    i = next;
  }
  return base64(bytes);
}

PackedNumbers pack_numbers(std::span<const double> values) {
  double largest = 0;
  for (const double value : values) {
    if (std::isfinite(value)) largest = std::max(largest, std::abs(value));
  }
  PackedNumbers packed;
  if (largest > 0) {
    // Twelve steps reach from 50,000 down to numbers that no chart shows, and up to a trillion.
    for (int i = 0; i < 12 && largest * packed.scale * 10 <= 50'000; ++i) packed.scale *= 10;
    for (int i = 0; i < 12 && largest * packed.scale > 50'000; ++i) packed.scale /= 10;
  }
  std::string bytes;
  std::int64_t previous = 0;
  for (const double value : values) {
    if (!std::isfinite(value)) {
      bytes += '\0';
      continue;
    }
    const auto scaled = static_cast<std::int64_t>(std::floor(value * packed.scale + 0.5));
    put_varint(bytes, zigzag(scaled - previous) + 1);
    previous = scaled;
  }
  packed.text = base64(bytes);
  return packed;
}

}  // namespace headroom::report
