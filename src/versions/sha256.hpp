// Sha256: the hash that names artifacts and images.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace headroom::versions {

class Sha256 {
 public:
  Sha256();
  void add(std::string_view bytes);
  // 64 lower-case hexadecimal digits. Requires: called once, and nothing is added afterwards.
  std::string finish();

 private:
  struct Free {
    void operator()(void* context) const;
  };
  std::unique_ptr<void, Free> context_;
};

// As `sha256sum FILE` prints it. Errors: as store::read_file.
base::Result<std::string> sha256_of_file(const std::filesystem::path& file);

}  // namespace headroom::versions
