#include "versions/image_folder.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "store/file.hpp"
#include "store/system_error.hpp"
#include "versions/tree.hpp"

namespace headroom::versions {
using store::Descriptor;

base::Result<Descriptor> lock_image(const ImageFolder& image, const std::function<void()>& waiting) {
  bool told = false;
  for (;;) {
    Descriptor file(::open(image.lock.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!file.open()) return store::failed_to("write", image.lock, errno);
    if (store::try_lock(file) == store::Lock::held) {
      if (!waiting) return Descriptor();
      if (!told) waiting();
      told = true;
      store::lock(file);
    }
    // Whoever held it may have removed the file together with the image: then the next one locks a new file.
    if (store::is_named(file, image.lock)) return file;
  }
}

std::optional<std::string> artifact_of_complete(const ImageFolder& image) {
  constexpr std::uint64_t kMost = 4096;
  const base::Result<std::string> text = store::read_file(image.marker, kMost);
  if (!text) return std::nullopt;
  return text->substr(0, text->find('\n'));
}

base::Result<void> remove_image(const ImageFolder& image) {
  if (::unlink(image.marker.c_str()) != 0 && errno != ENOENT && errno != ENOTDIR) {
    return store::failed_to("remove", image.marker, errno);
  }
  return remove_tree(image.folder);
}

bool is_image_key(const std::string& name) {
  constexpr std::size_t kDigits = 32;
  return name.size() == kDigits && name.find_first_not_of("0123456789abcdef") == std::string::npos;
}

}  // namespace headroom::versions
