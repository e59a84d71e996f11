#include "versions/sha256.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/evp.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "store/descriptor.hpp"
#include "store/system_error.hpp"

namespace headroom::versions {

namespace {

EVP_MD_CTX* context_of(void* context) { return static_cast<EVP_MD_CTX*>(context); }

// OpenSSL fails here only without memory.
void require(bool succeeded) {
  if (succeeded) return;
  fmt::print(stderr, "versions::Sha256: OpenSSL has no SHA-256 or no memory is left\n");
  std::abort();
}

}  // namespace

void Sha256::Free::operator()(void* context) const { EVP_MD_CTX_free(context_of(context)); }

Sha256::Sha256() : context_(EVP_MD_CTX_new()) {
  require(context_ && EVP_DigestInit_ex(context_of(context_.get()), EVP_sha256(), nullptr) == 1);
}

void Sha256::add(std::string_view bytes) {
  require(EVP_DigestUpdate(context_of(context_.get()), bytes.data(), bytes.size()) == 1);
}

std::string Sha256::finish() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  require(EVP_DigestFinal_ex(context_of(context_.get()), digest.data(), &size) == 1);
  std::string text;
  for (unsigned i = 0; i < size; ++i) text += fmt::format("{:02x}", digest[i]);
  return text;
}

base::Result<std::string> sha256_of_file(const std::filesystem::path& file) {
  const store::Descriptor opened(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!opened.open()) return store::failed_to("read", file, errno);
  Sha256 hash;
  std::vector<char> buffer(1U << 17U);
  for (;;) {
    const ssize_t got = ::read(opened.number(), buffer.data(), buffer.size());
    if (got == 0) return hash.finish();
    if (got > 0) hash.add({buffer.data(), static_cast<std::size_t>(got)});
    if (got < 0 && errno != EINTR) return store::failed_to("read", file, errno);
  }
}

}  // namespace headroom::versions
