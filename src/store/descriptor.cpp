#include "store/descriptor.hpp"

#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace headroom::store {

void Descriptor::close() {
  // An error of close is of no use here: what must be on the disk was synchronised before.
  if (number_ >= 0) ::close(number_);
  number_ = -1;
}

Lock try_lock(const Descriptor& file) {
  // flock belongs to the open file: the kernel releases it when the process dies, so it outlives neither a
  // kill nor a reboot, and unlike a process number it is never taken over by a stranger.
  while (::flock(file.number(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) return Lock::held;
    if (errno != EINTR) return Lock::unsupported;
  }
  return Lock::taken;
}

void lock(const Descriptor& file) {
  while (::flock(file.number(), LOCK_EX) != 0 && errno == EINTR) {
  }
}

bool is_named(const Descriptor& file, const std::filesystem::path& path) {
  struct stat by_file {};
  struct stat by_name {};
  return ::fstat(file.number(), &by_file) == 0 && ::lstat(path.c_str(), &by_name) == 0 &&
         by_file.st_ino == by_name.st_ino && by_file.st_dev == by_name.st_dev;
}

}  // namespace headroom::store
