// ImageFolder: where the parts of one image lie, and the lock of whoever changes it.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "base/result.hpp"
#include "store/descriptor.hpp"

namespace headroom::versions {

struct ImageFolder {
  ImageFolder(const std::filesystem::path& images, const std::string& key)
      : folder(images / key),
        app(folder / "app"),
        log(folder / "build.log"),
        marker(folder / "complete"),
        lock(images / ("." + key + ".lock")) {}

  std::filesystem::path folder;
  std::filesystem::path app;
  std::filesystem::path log;
  std::filesystem::path marker;  // holds the hash of the artifact
  std::filesystem::path lock;
};

// The lock of an image. `waiting` is called once if another one holds it; without it, a lock that is held is
// not waited for and what is returned is not open.
base::Result<store::Descriptor> lock_image(const ImageFolder& image, const std::function<void()>& waiting);

// The artifact of a complete image; unset: it is not complete.
std::optional<std::string> artifact_of_complete(const ImageFolder& image);

// First the marker, so that what is half removed is not taken for complete. Requires: the lock.
base::Result<void> remove_image(const ImageFolder& image);

// Whether a name in the images folder is the key of an image.
bool is_image_key(const std::string& name);

}  // namespace headroom::versions
