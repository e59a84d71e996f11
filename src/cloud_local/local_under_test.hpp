// LocalUnderTest: a local cloud of a test's own, in any tier of this machine, gone when the test is over.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "cloud_local/local_cloud.hpp"
#include "isolation/machine.hpp"
#include "isolation/tier.hpp"
#include "store/temporary_folder.hpp"

namespace headroom::cloud_local {

inline base::Milliseconds wall_clock() {
  return std::chrono::duration_cast<base::Milliseconds>(std::chrono::system_clock::now().time_since_epoch());
}

// A page, and a health check that it answers: /health.html is taken away to make it fail.
class LocalUnderTest final : public cloud::Cloud {
 public:
  explicit LocalUnderTest(const isolation::Asked& asked = {}) {
    const auto tier = isolation::probe(asked);
    if (!tier) {
      why_not_ = base::to_string(tier.error());
      return;
    }
    namespace fs = std::filesystem;
    fs::permissions(folder_.path(), fs::perms(0711));
    image_ = folder_.path() / "image";
    fs::create_directories(image_);
    std::ofstream(image_ / "index.html") << "hello\n";
    std::ofstream(image_ / "health.html") << "ok\n";
    static int count = 0;
    // Four letters: no other test that runs at the same time has them.
    const int number = static_cast<int>(::getpid()) * 7 + count++;
    std::string realm;
    for (int k = 0, rest = number; k < 4; ++k, rest /= 36)
      realm += "0123456789abcdefghijklmnopqrstuvwxyz"[rest % 36];
    auto machine = isolation::Machine::open({realm, *tier, folder_.path()});
    if (!machine) {
      why_not_ = base::to_string(machine.error());
      return;
    }
    machine_.emplace(std::move(*machine));
    open();
    if (cloud_ && !cloud_->define(version("v1"))) why_not_ = "the version cannot be written down";
  }
  ~LocalUnderTest() override {
    if (cloud_) {
      if (auto removed = cloud_->remove(true); !removed) ADD_FAILURE() << base::to_string(removed.error());
      cloud_.reset();
    }
    if (machine_) {
      if (auto removed = machine_->remove_everything(); !removed)
        ADD_FAILURE() << base::to_string(removed.error());
      EXPECT_TRUE(machine_->found().empty());
    }
  }

  const std::string& why_not() const { return why_not_; }

  cloud::Observed observe() override { return cloud_->observe(); }
  cloud::Ticket submit(const cloud::Action& action) override { return cloud_->submit(action); }

  void open() {
    auto opened = LocalCloud::open(*machine_, folder(), sockets(), specification(),
                                   [this] { return wall_clock() + skipped_.load(); });
    if (opened) {
      cloud_ = std::move(*opened);
    } else {
      why_not_ = base::to_string(opened.error());
    }
  }
  // Its clock, and nothing else, goes on by so much.
  void skip_time(base::Milliseconds length) { skipped_ = skipped_.load() + length; }
  // As a daemon that is killed and started again.
  void open_again() {
    cloud_.reset();
    open();
  }

  Version version(const std::string& name) const {
    Version version;
    version.service = "web";
    version.name = name;
    version.image = image_;
    version.run = "exec /usr/bin/python3 -m http.server --bind $HOST $PORT";
    version.cores = base::Cores(0.2);
    version.memory_bytes = 64 << 20;
    return version;
  }

  Specification specification() const {
    Specification specification;
    specification.environment = "test";
    specification.zones = {{"a", 0}, {"b", 1}};
    Service web;
    web.name = "web";
    web.internal_port = 20'000;
    web.health = {"/health.html", base::Milliseconds(200), 3, 1, {}};
    specification.services = {web};
    specification.metric_period = base::Milliseconds(1'000);
    return specification;
  }

  LocalCloud& cloud() { return *cloud_; }
  isolation::Machine& machine() { return *machine_; }
  const std::filesystem::path& image() const { return image_; }
  std::filesystem::path sockets() const { return folder_.path() / "run"; }
  std::filesystem::path folder() const { return folder_.path() / "web-environment"; }

 private:
  store::TemporaryFolder folder_;
  std::filesystem::path image_;
  std::string why_not_;
  std::atomic<base::Milliseconds> skipped_ = base::Milliseconds(0);
  std::optional<isolation::Machine> machine_;
  std::unique_ptr<LocalCloud> cloud_;
};

}  // namespace headroom::cloud_local
