// TarArchive: archives for tests, header by header, also those that no tar would write.
#pragma once

#include <array>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>

namespace headroom::versions {

struct TarEntry {
  std::string name;
  std::string content = {};
  char type = '0';  // 0 file, 1 hard link, 2 symbolic link, 3 and 4 devices, 5 folder, 6 pipe
  unsigned mode = 0644;
  std::string link = {};   // of a link: where it leads
  std::int64_t size = -1;  // what the header says; -1: the size of the content
};

class TarArchive {
 public:
  TarArchive& add(const TarEntry& entry) {
    std::array<char, 512> header{};
    const auto put = [&](std::size_t at, std::string_view text) {
      text.copy(header.data() + at, text.size());
    };
    const auto octal = [&](std::size_t at, int digits, std::uint64_t number) {
      std::array<char, 32> text{};
      const int length =
          std::snprintf(text.data(), text.size(), "%0*llo", digits, static_cast<unsigned long long>(number));
      put(at, {text.data(), static_cast<std::size_t>(length)});
    };
    put(0, std::string_view(entry.name).substr(0, 100));
    octal(100, 7, entry.mode);
    octal(108, 7, 0);
    octal(116, 7, 0);
    octal(124, 11,
          static_cast<std::uint64_t>(entry.size < 0 ? static_cast<std::int64_t>(entry.content.size())
                                                    : entry.size));
    octal(136, 11, 0);
    put(148, "        ");
    header[156] = entry.type;
    put(157, std::string_view(entry.link).substr(0, 100));
    put(257, "ustar");
    put(263, "00");
    unsigned sum = 0;
    for (const char c : header) sum += static_cast<unsigned char>(c);
    octal(148, 6, sum);
    header[154] = '\0';
    bytes_.append(header.data(), header.size());
    bytes_ += entry.content;
    bytes_.append((512 - bytes_.size() % 512) % 512, '\0');
    return *this;
  }

  std::string finish() const { return bytes_ + std::string(1024, '\0'); }
  const std::string& without_end() const { return bytes_; }

 private:
  std::string bytes_;
};

}  // namespace headroom::versions
