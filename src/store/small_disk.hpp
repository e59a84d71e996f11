// with_small_disk: a disk of a few megabytes for one test, so that it can be full.
#pragma once

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <functional>
#include <string>
#include <thread>

#include "store/temporary_folder.hpp"

namespace headroom::store {

// Runs `test` in a folder on a file system of its own of that many KiB. False: not permitted here (it needs
// root), and the test did not run. The file system is seen by this thread and its children alone, so that
// nothing is left however the test ends.
inline bool with_small_disk(int kibibytes, const std::function<void(const std::filesystem::path&)>& test) {
  const TemporaryFolder folder;
  bool mounted = false;
  std::thread([&] {
    if (::unshare(CLONE_NEWNS) != 0 || ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
      return;
    const std::string size = "size=" + std::to_string(kibibytes) + "k";
    if (::mount("tmpfs", folder.path().c_str(), "tmpfs", 0, size.c_str()) != 0) return;
    mounted = true;
    test(folder.path());
    ::umount2(folder.path().c_str(), MNT_DETACH);
  }).join();
  return mounted;
}

}  // namespace headroom::store
