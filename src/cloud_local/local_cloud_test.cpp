// The local cloud with real processes and a real balancer, in every tier that this machine has.
#include "cloud_local/local_cloud.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mount.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <string>
#include <thread>

#include "balancer/settings.hpp"
#include "cloud_local/cell_of.hpp"
#include "cloud_local/local_under_test.hpp"
#include "isolation/launcher.hpp"
#include "isolation/test_realm.hpp"
#include "store/file.hpp"
#include "tests/cloud_conformance.hpp"

namespace headroom::cloud {
namespace {

using cloud_local::LocalUnderTest;

CloudUnderTest in_tier(const isolation::Asked& asked) {
  CloudUnderTest under;
  auto local = std::make_unique<LocalUnderTest>(asked);
  if (!local->why_not().empty()) {
    ADD_FAILURE() << local->why_not();
    return under;
  }
  under.skip_time = [raw = local.get()](base::Milliseconds length) { raw->skip_time(length); };
  under.cloud = std::move(local);
  under.service = "web";
  under.version = "v1";
  under.zone = "a";
  under.pass_time = [] { std::this_thread::sleep_for(std::chrono::milliseconds(100)); };
  under.patience = 300;
  under.a_while = 20;  // its thread looks every 0.2 s
  under.instant = base::Milliseconds(500);
  under.room = static_cast<int>(std::thread::hardware_concurrency() / 0.2 + 1e-9);
  return under;
}

CloudUnderTest best() { return in_tier({}); }
CloudUnderTest loopback() {
  isolation::Asked asked;
  asked.network = isolation::Network::loopback;
  return in_tier(asked);
}
CloudUnderTest nothing() {
  isolation::Asked asked;
  asked.limits = isolation::Limits::none;
  asked.network = isolation::Network::loopback;
  asked.own_users = asked.own_files = false;
  return in_tier(asked);
}

INSTANTIATE_TEST_SUITE_P(BestTier, CloudConformance, testing::Values(&best));
INSTANTIATE_TEST_SUITE_P(Loopback, CloudConformance, testing::Values(&loopback));
INSTANTIATE_TEST_SUITE_P(NoLimits, CloudConformance, testing::Values(&nothing));

}  // namespace
}  // namespace headroom::cloud

namespace headroom::cloud_local {
namespace {

using base::Milliseconds;
using cloud::InstanceState;

bool wait_until(const std::function<bool()>& happened, int seconds = 30) {
  for (int k = 0; k < seconds * 20; ++k) {
    if (happened()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  return happened();
}

// In a process of its own, which ends as at SIGKILL while an instance serves.
[[noreturn]] void die_while_one_serves() {
  LocalUnderTest under;
  under.submit({"t-1", cloud::Launch{"web", "v1", "a", 1}, ""});
  const bool serves = wait_until([&] {
    const cloud::Observed seen = under.observe();
    return seen.instances.size() == 1 && seen.instances.front().state == InstanceState::in_service;
  });
  if (serves) ::kill(::getpid(), SIGKILL);
  std::_Exit(1);
}

TEST(LocalUnderTestDeathTest, what_a_killed_test_has_left_is_removed_by_the_next_one) {
  using isolation::TestRealm;
  ASSERT_EXIT(die_while_one_serves(), testing::KilledBySignal(SIGKILL), "");
  const std::vector<TestRealm::Dead> dead = TestRealm::dead_tests();
  ASSERT_FALSE(dead.empty());
  ASSERT_FALSE(TestRealm::traces_of(dead.back().realm, dead.back().folder).empty());
  const LocalUnderTest next;
  for (const auto& [realm, folder] : dead) {
    EXPECT_EQ(TestRealm::traces_of(realm, folder), std::vector<std::string>{});
    EXPECT_FALSE(std::filesystem::exists(folder));
  }
}

struct LocalCloudTest : testing::Test {
  LocalUnderTest under;

  void SetUp() override { ASSERT_EQ(under.why_not(), ""); }

  int count(InstanceState state) {
    const cloud::Observed seen = under.observe();
    return static_cast<int>(std::count_if(seen.instances.begin(), seen.instances.end(),
                                          [&](const auto& i) { return i.state == state; }));
  }
  void launch(const std::string& token, int count, const std::string& version = "v1",
              const std::string& zone = "a") {
    under.submit({token, cloud::Launch{"web", version, zone, count}, ""});
  }
  bool serve(int wanted) {
    return wait_until([&] { return count(InstanceState::in_service) == wanted; });
  }
  std::string only_id() {
    const cloud::Observed seen = under.observe();
    return seen.instances.empty() ? std::string() : seen.instances.front().id;
  }
};

TEST_F(LocalCloudTest, instances_go_on_when_the_cloud_is_forgotten_and_are_found_again) {
  launch("t-1", 2);
  ASSERT_TRUE(serve(2));
  const auto running = under.machine().found();
  const cloud::Observed before = under.observe();
  under.open_again();
  ASSERT_EQ(under.why_not(), "");
  ASSERT_TRUE(wait_until([&] { return under.observe().instances_at.has_value(); }));
  EXPECT_EQ(under.machine().found(), running);
  const cloud::Observed after = under.observe();
  ASSERT_EQ(after.instances.size(), 2U);
  for (std::size_t k = 0; k < 2; ++k) {
    EXPECT_EQ(after.instances[k].id, before.instances[k].id);
    EXPECT_EQ(after.instances[k].state, InstanceState::in_service);
    EXPECT_EQ(after.instances[k].since, before.instances[k].since) << "it did not leave service meanwhile";
  }
  EXPECT_EQ(after.tickets.size(), before.tickets.size());
}

TEST_F(LocalCloudTest, an_order_that_was_written_down_is_carried_out_by_the_next_one) {
  // Forgotten at once: the thread of the first has hardly begun.
  launch("t-1", 1);
  under.open_again();
  EXPECT_TRUE(serve(1));
}

TEST_F(LocalCloudTest, what_nobody_wrote_down_is_removed_at_the_next_start) {
  launch("t-1", 1);
  ASSERT_TRUE(serve(1));
  isolation::Cell stranger;
  stranger.name = "web-77-z0";
  stranger.position = {0, 90};
  stranger.run = "sleep 1000";
  stranger.image = under.image();
  stranger.private_folder = under.folder() / "stranger";
  stranger.log = under.folder() / "stranger.log";
  std::filesystem::create_directories(stranger.private_folder);
  ASSERT_TRUE(under.machine().start(stranger));
  ASSERT_EQ(under.machine().found().size(), 2U);
  under.open_again();
  EXPECT_EQ(under.machine().found().size(), 1U);
}

TEST_F(LocalCloudTest, one_that_crashes_is_failed_and_says_how_it_ended) {
  launch("t-1", 1);
  ASSERT_TRUE(serve(1));
  ASSERT_TRUE(under.cloud().trouble(only_id(), Trouble::crash, wall_clock()));
  ASSERT_TRUE(wait_until([&] { return count(InstanceState::failed) == 1; }));
  EXPECT_EQ(under.cloud().details().front().why, "it was ended by signal 9");
  EXPECT_TRUE(wait_until([&] { return under.machine().found().empty(); })) << "its traces";
}

TEST_F(LocalCloudTest, one_that_ends_before_it_serves_is_failed) {
  Version broken = under.version("v2");
  broken.run = "echo no configuration >&2; exit 3";
  ASSERT_TRUE(under.cloud().define(broken));
  launch("t-1", 1, "v2");
  ASSERT_TRUE(wait_until([&] { return count(InstanceState::failed) == 1; }));
  EXPECT_EQ(under.cloud().details().front().why, "it exited with 3 before it served");
  const auto log = store::read_file(under.cloud().details().front().log);
  ASSERT_TRUE(log);
  EXPECT_EQ(*log, "no configuration\n");
}

TEST_F(LocalCloudTest, one_that_hangs_fails_its_checks_until_the_drill_is_over) {
  launch("t-1", 1);
  ASSERT_TRUE(serve(1));
  const std::string id = only_id();
  ASSERT_TRUE(under.cloud().trouble(id, Trouble::hang, wall_clock() + Milliseconds(3'000)));
  const auto failures = [&] {
    const cloud::Observed seen = under.observe();
    return seen.instances.front().health ? seen.instances.front().health->failures : -1;
  };
  EXPECT_TRUE(wait_until([&] { return failures() >= 3; }));
  EXPECT_TRUE(wait_until([&] { return failures() == 0; })) << "undone by itself";
}

TEST_F(LocalCloudTest, a_zone_that_is_cut_fails_its_checks_and_mends_by_itself_also_after_a_restart) {
  launch("t-1", 1, "v1", "a");
  launch("t-2", 1, "v1", "b");
  ASSERT_TRUE(serve(2));
  const auto failures = [&](const std::string& zone) {
    for (const cloud::Instance& instance : under.observe().instances) {
      if (instance.zone == zone) return instance.health ? instance.health->failures : -1;
    }
    return -2;
  };
  if (under.machine().tier().network != isolation::Network::namespaces)
    GTEST_SKIP() << "zones have no networks of their own in this tier";
  ASSERT_TRUE(under.cloud().cut_zone("b", wall_clock() + Milliseconds(5'000)));
  EXPECT_TRUE(wait_until([&] { return failures("b") >= 3; }));
  EXPECT_EQ(failures("a"), 0);
  EXPECT_EQ(under.cloud().cut_zones(), std::vector<std::string>{"b"});
  under.open_again();
  EXPECT_TRUE(wait_until([&] { return failures("b") == 0; }));
  EXPECT_TRUE(under.cloud().cut_zones().empty());
}

TEST_F(LocalCloudTest, one_that_is_kept_to_be_looked_at_says_why_it_was_taken_out) {
  launch("t-1", 1);
  ASSERT_TRUE(serve(1));
  under.submit(
      {"t-2", cloud::Retire{"web-1", Milliseconds(0), cloud::Afterwards::inspect}, "3 checks failed"});
  ASSERT_TRUE(wait_until([&] { return count(InstanceState::failed) == 1; }));
  EXPECT_EQ(under.cloud().details().front().why, "3 checks failed");
  under.open_again();
  EXPECT_EQ(under.cloud().details().front().why, "3 checks failed");
}

TEST_F(LocalCloudTest, an_end_that_fails_at_first_hinders_meanwhile_and_is_not_why_it_was_taken_out) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can mount what is in the way";
  launch("t-1", 1);
  ASSERT_TRUE(serve(1));
  // In the folder of its traces there is something that cannot be removed.
  const std::filesystem::path in_the_way =
      under.realm().state() / "isolation" / "cells" / under.machine().found().front() / "in the way";
  std::filesystem::create_directories(in_the_way);
  ASSERT_EQ(::mount("headroom-test", in_the_way.c_str(), "tmpfs", 0, nullptr), 0);
  under.submit(
      {"t-2", cloud::Retire{"web-1", Milliseconds(0), cloud::Afterwards::inspect}, "3 checks failed"});
  const bool hinders = wait_until([&] { return !under.cloud().hindrances().empty(); });
  ASSERT_EQ(::umount(in_the_way.c_str()), 0);
  EXPECT_TRUE(hinders);
  ASSERT_TRUE(wait_until([&] { return count(InstanceState::failed) == 1; }));
  EXPECT_EQ(under.cloud().details().front().why, "3 checks failed");
  EXPECT_EQ(under.cloud().hindrances(), std::vector<std::string>{});
}

TEST_F(LocalCloudTest, versions_are_forgotten_but_those_that_are_kept_or_run) {
  for (const char* name : {"v2", "v3"}) ASSERT_TRUE(under.cloud().define(under.version(name)));
  launch("t-1", 1, "v2");
  ASSERT_TRUE(serve(1));
  const auto names = [&] {
    std::vector<std::string> all;
    for (const Version& version : under.cloud().versions()) all.push_back(version.name);
    return all;
  };
  ASSERT_TRUE(under.cloud().keep_versions("other", {}));
  EXPECT_EQ(names(), (std::vector<std::string>{"v1", "v2", "v3"})) << "of another service";
  ASSERT_TRUE(under.cloud().keep_versions("web", {"v3"}));
  EXPECT_EQ(names(), (std::vector<std::string>{"v2", "v3"}));
  under.open_again();
  EXPECT_EQ(names(), (std::vector<std::string>{"v2", "v3"}));
}

TEST_F(LocalCloudTest, a_balancer_that_cannot_be_raised_again_is_told_as_what_hinders) {
  EXPECT_EQ(under.cloud().hindrances(), std::vector<std::string>{});
  balancer::Settings settings;
  settings.service = "web";
  settings.folder = under.folder() / "balancers" / "web";
  settings.sockets = under.sockets() / "web";
  int pid = 0;
  ASSERT_TRUE(std::ifstream(balancer::process_file(settings)) >> pid);
  // Where its folder was there is a file, so that nothing can be written.
  const std::filesystem::path moved = settings.folder.string() + ".moved";
  std::filesystem::rename(settings.folder, moved);
  std::ofstream(settings.folder) << "in the way";
  ASSERT_EQ(::kill(pid, SIGKILL), 0);
  EXPECT_TRUE(wait_until([&] { return !under.cloud().hindrances().empty(); }));
  std::filesystem::remove(settings.folder);
  EXPECT_TRUE(wait_until([&] { return under.cloud().hindrances().empty(); })) << "it is raised again";
}

TEST_F(LocalCloudTest, of_more_than_the_machine_has_only_what_fits_is_launched) {
  Version large = under.version("large");
  large.cores = base::Cores(std::thread::hardware_concurrency());
  ASSERT_TRUE(under.cloud().define(large));
  launch("t-1", 2, "large");
  ASSERT_TRUE(wait_until([&] {
    const cloud::Observed seen = under.observe();
    return !seen.tickets.empty() && seen.tickets.front().state == cloud::TicketState::failed;
  }));
  EXPECT_NE(under.observe().tickets.front().why.find("cores"), std::string::npos);
  EXPECT_EQ(under.observe().instances.size(), 1U);
}

TEST_F(LocalCloudTest, only_the_newest_failures_are_kept) {
  Version broken = under.version("v2");
  broken.run = "exit 1";
  ASSERT_TRUE(under.cloud().define(broken));
  for (int k = 0; k < 5; ++k) {
    launch("t-" + std::to_string(k), 1, "v2");
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
  }
  EXPECT_TRUE(wait_until([&] {
    const cloud::Observed seen = under.observe();
    return seen.instances.size() == 3 && count(InstanceState::failed) == 3;
  }));
  EXPECT_EQ(under.observe().instances.back().id, "web-5");
}

TEST_F(LocalCloudTest, a_volume_is_of_one_instance_at_a_time_and_keeps_what_is_in_it) {
  Specification specification = under.specification();
  specification.services[0].keeps_volume = true;
  ASSERT_TRUE(under.cloud().change(specification));
  Version with = under.version("v2");
  with.run =
      "ls $VOLUME; touch $VOLUME/$HEADROOM_INSTANCE; exec /usr/bin/python3 -m http.server --bind $HOST $PORT";
  ASSERT_TRUE(under.cloud().define(with));
  launch("t-1", 1, "v2");
  ASSERT_TRUE(serve(1));
  under.submit({"t-2", cloud::Retire{"web-1", Milliseconds(0), cloud::Afterwards::gone}, ""});
  launch("t-3", 1, "v2");  // while the first one ends
  ASSERT_TRUE(wait_until([&] { return only_id() == "web-2" && count(InstanceState::in_service) == 1; }));
  const auto log = store::read_file(under.cloud().details().front().log);
  ASSERT_TRUE(log);
  EXPECT_EQ(log->substr(0, 6), "web-1\n") << "the file of the one before";
}

TEST_F(LocalCloudTest, a_job_is_stopped_when_it_ends_well_and_failed_otherwise) {
  Specification specification = under.specification();
  specification.services[0].is_job = true;
  ASSERT_TRUE(under.cloud().change(specification));
  Version good = under.version("good");
  good.run = "sleep 0.5; echo migrated";
  Version bad = under.version("bad");
  bad.run = "exit 7";
  ASSERT_TRUE(under.cloud().define(good));
  ASSERT_TRUE(under.cloud().define(bad));
  launch("t-1", 1, "good");
  launch("t-2", 1, "bad");
  EXPECT_TRUE(
      wait_until([&] { return count(InstanceState::stopped) == 1 && count(InstanceState::failed) == 1; }));
  const auto log = store::read_file(under.cloud().details().front().log);
  ASSERT_TRUE(log);
  EXPECT_EQ(*log, "migrated\n");
}

TEST_F(LocalCloudTest, an_instance_finds_its_secrets_and_nobody_else_does) {
  const std::filesystem::path secret = under.folder() / "db.secret";
  std::ofstream(secret) << "tiger\n";
  Version with = under.version("v2");
  with.secrets = {{"DB_PASSWORD", secret.string()}};
  with.run = "echo password $DB_PASSWORD; exec /usr/bin/python3 -m http.server --bind $HOST $PORT";
  ASSERT_TRUE(under.cloud().define(with));
  launch("t-1", 1, "v2");
  ASSERT_TRUE(serve(1));
  const auto log = store::read_file(under.cloud().details().front().log);
  ASSERT_TRUE(log);
  EXPECT_TRUE(log->starts_with("password tiger\n")) << *log;
  std::filesystem::remove(under.folder() / "instances" / only_id() / "log");
  std::filesystem::remove(secret);
  for (const auto& entry : std::filesystem::recursive_directory_iterator(under.folder())) {
    if (!entry.is_regular_file()) continue;
    const auto text = store::read_file(entry.path());
    EXPECT_TRUE(!text || text->find("tiger") == std::string::npos) << entry.path();
  }
}

}  // namespace
}  // namespace headroom::cloud_local

int main(int argc, char** argv) {
  // The cloud starts this program again to confine an instance.
  if (argc > 1 && argv[1] == headroom::isolation::kLauncherArgument)
    return headroom::isolation::launch_main();
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
