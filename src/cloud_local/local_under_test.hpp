// LocalUnderTest: a local cloud of a test's own, in any tier of this machine, gone when the test is over,
// however it ends: what one that was killed has left is removed at the start of the next one.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>

#include "cloud_local/local_cloud.hpp"
#include "isolation/machine.hpp"
#include "isolation/test_realm.hpp"
#include "isolation/tier.hpp"

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
    realm_.emplace(*tier);
    std::ofstream(image() / "index.html") << "hello\n";
    std::ofstream(image() / "health.html") << "ok\n";
    open();
    if (cloud_ && !cloud_->define(version("v1"))) why_not_ = "the version cannot be written down";
  }
  // What it cannot remove, and says so, the realm removes.
  ~LocalUnderTest() override {
    if (!cloud_) return;
    if (auto removed = cloud_->remove(true); !removed) ADD_FAILURE() << base::to_string(removed.error());
  }

  const std::string& why_not() const { return why_not_; }

  cloud::Observed observe() override { return cloud_->observe(); }
  cloud::Ticket submit(const cloud::Action& action) override { return cloud_->submit(action); }

  void open() {
    auto opened = LocalCloud::open(machine(), folder(), sockets(), specification(),
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
    version.image = image();
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
  isolation::Machine& machine() { return realm_->machine(); }
  const isolation::TestRealm& realm() const { return *realm_; }
  std::filesystem::path image() const { return realm_->state() / "image"; }
  std::filesystem::path sockets() const { return realm_->state() / "run"; }
  std::filesystem::path folder() const { return realm_->state() / "web-environment"; }

 private:
  std::string why_not_;
  std::atomic<base::Milliseconds> skipped_ = base::Milliseconds(0);
  std::optional<isolation::TestRealm> realm_;
  std::unique_ptr<LocalCloud> cloud_;
};

}  // namespace headroom::cloud_local
