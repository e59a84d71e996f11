// Descriptor: an open file that closes itself, and the lock that tells a living writer from a dead one.
#pragma once

#include <filesystem>
#include <utility>

namespace headroom::store {

class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    if (this != &other) {
      close();
      number_ = std::exchange(other.number_, -1);
    }
    return *this;
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() { close(); }

  bool open() const { return number_ >= 0; }
  int number() const { return number_; }

 private:
  void close();

  int number_ = -1;
};

enum class Lock {
  taken,        // now ours, until the descriptor closes or the process ends, however it ends
  held,         // by a writer that lives
  unsupported,  // this file system has no locks
};
Lock try_lock(const Descriptor& file);
// Waits for it; for locks that are held for moments only.
void lock(const Descriptor& file);

// Whether the path still names the open file. A lock is on the file, not on its name: between opening and
// locking the name can have gone to another one.
bool is_named(const Descriptor& file, const std::filesystem::path& path);

}  // namespace headroom::store
