// Any bytes as an artifact: as they are, and with what a fuzzer does not find by itself put right: the
// checksums of headers and the empty blocks at the end.
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <system_error>

#include "fuzz/promises.hpp"
#include "versions/artifact.hpp"
#include "versions/tree.hpp"
#include "versions/unpack.hpp"

namespace headroom::fuzz {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kBlock = 512;
constexpr versions::Limits kLimits{40, 100'000};

// A folder of its own, in memory where there is such a place.
class Place {
 public:
  Place() {
    std::error_code error;
    const fs::path parent =
        fs::is_directory("/dev/shm", error) ? fs::path("/dev/shm") : fs::temp_directory_path();
    path_ = parent / fmt::format("headroom-fuzz-{}", ::getpid());
    fs::create_directories(path_);
  }
  ~Place() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

std::string mended(std::string archive) {
  archive.resize((archive.size() + kBlock - 1) / kBlock * kBlock, '\0');
  for (std::size_t at = 0; at < archive.size(); at += kBlock) {
    if (archive.compare(at + 257, 5, "ustar") != 0) continue;
    archive.replace(at + 148, 8, 8, ' ');
    unsigned sum = 0;
    for (std::size_t i = 0; i < kBlock; ++i) sum += static_cast<unsigned char>(archive[at + i]);
    archive.replace(at + 148, 7, fmt::format("{:06o}{}", sum, '\0'));
  }
  return archive + std::string(2 * kBlock, '\0');
}

std::size_t entries_in(const fs::path& folder) {
  std::size_t entries = 0;
  for ([[maybe_unused]] const auto& entry : fs::directory_iterator(folder)) ++entries;
  return entries;
}

void expect_plain(const fs::path& out, std::string_view bytes) {
  std::int64_t entries = 0;
  std::int64_t content = 0;
  for (const auto& entry : fs::recursive_directory_iterator(out)) {
    struct stat status {};
    if (::lstat(entry.path().c_str(), &status) != 0) broken("what is unpacked is there", bytes);
    ++entries;
    const unsigned mode = status.st_mode & 07777U;
    if (S_ISDIR(status.st_mode)) {
      if (mode != 0755) broken("a folder can be entered by all and written by its owner", bytes);
    } else {
      if (!S_ISREG(status.st_mode) || status.st_nlink != 1)
        broken("files and folders only are unpacked", bytes);
      if (mode != 0644 && mode != 0755) broken("a file has a plain mode", bytes);
      content += status.st_size;
    }
    for (const char c : entry.path().filename().string()) {
      if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F)
        broken("no name holds a control character", bytes);
    }
  }
  if (entries > kLimits.entries || content > kLimits.bytes) broken("the limits are kept", bytes);
}

void unpacks_or_leaves_nothing(const std::string& archive) {
  static const Place place;
  const fs::path in = place.path() / "in.tar";
  const fs::path out = place.path() / "out";
  std::ofstream(in, std::ios::binary) << archive;
  const base::Result<void> result = versions::unpack(in, out, kLimits);
  if (!result) {
    if (fs::exists(fs::symlink_status(out)) || entries_in(place.path()) != 1)
      broken("nothing is left behind", archive);
    for (const base::Fault& fault : result.error().faults) {
      if (fault.place.file != in.string()) broken("a refusal names the archive", archive);
      expect_printable({fault.what, fault.fix});
    }
    return;
  }
  if (entries_in(place.path()) != 2) broken("nothing is written beside the folder", archive);
  expect_plain(out, archive);
  // What could be unpacked is a folder as any other: it can be packed, and that unpacked within the same
  // limits.
  const base::Result<versions::Artifact> packed = versions::pack(out, place.path() / "artifacts", kLimits);
  if (packed) {
    const fs::path again = place.path() / "again";
    if (!versions::unpack(packed->file, again, kLimits)) broken("what is packed can be unpacked", archive);
    const base::Result<versions::Artifact> twice = versions::pack(again, place.path() / "artifacts", kLimits);
    // The patterns of an ignore file went lost with it, so that nothing more may be left out.
    if (!twice || twice->hash != packed->hash) broken("the same content has the same hash", archive);
    (void)versions::remove_tree(again);
  }
  (void)versions::remove_tree(out);
  (void)versions::remove_tree(place.path() / "artifacts");
}

}  // namespace
}  // namespace headroom::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string archive(data, data + size);
  headroom::fuzz::unpacks_or_leaves_nothing(archive);
  headroom::fuzz::unpacks_or_leaves_nothing(headroom::fuzz::mended(archive));
  return 0;
}
