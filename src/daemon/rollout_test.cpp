#include "daemon/rollout.hpp"

#include <gtest/gtest.h>

namespace headroom::daemon {
namespace {

using base::Milliseconds;
using cloud::InstanceState;

Milliseconds second(int n) { return Milliseconds(1'000 * n); }

struct Story {
  Rollout rollout{"web", "v2", 3, second(100), second(30), second(0), 0};
  cloud::Observed seen;

  void add(const std::string& version, InstanceState state, int since = 100) {
    cloud::Instance instance;
    instance.service = "web";
    instance.version = version;
    instance.state = state;
    instance.since = second(since);
    seen.instances.push_back(instance);
  }
  Judgement at(int s, bool proven = true) {
    seen.at = second(s);
    return judge(rollout, seen, proven);
  }
};

TEST(Rollout, is_done_when_all_run_the_version_and_nothing_else_serves) {
  Story story;
  for (int k = 0; k < 3; ++k) story.add("v2", InstanceState::in_service);
  EXPECT_EQ(story.at(110).verdict, Verdict::done);
  story.add("v1", InstanceState::draining);
  EXPECT_EQ(story.at(111).verdict, Verdict::goes_on) << "one of the old ones still has requests";
}

TEST(Rollout, is_not_done_before_the_last_ones_are_proven) {
  Story story;
  for (int k = 0; k < 3; ++k) story.add("v2", InstanceState::in_service);
  EXPECT_EQ(story.at(110, false).verdict, Verdict::goes_on);
}

TEST(Rollout, fails_with_the_second_instance_that_fails) {
  Story story;
  story.add("v1", InstanceState::in_service);
  story.add("v2", InstanceState::failed, 110);
  EXPECT_EQ(story.at(111).verdict, Verdict::goes_on);
  story.add("v2", InstanceState::failed, 115);
  const Judgement judged = story.at(116);
  EXPECT_EQ(judged.verdict, Verdict::failed);
  EXPECT_EQ(judged.why, "2 instances of v2 failed");
}

TEST(Rollout, does_not_count_failures_from_before_it_began) {
  Story story;
  story.add("v2", InstanceState::failed, 90);
  story.add("v2", InstanceState::failed, 99);
  EXPECT_EQ(story.at(110).verdict, Verdict::goes_on);
}

// 30 s of patience, counted from the last instance that came into service.
TEST(Rollout, fails_where_nothing_more_comes_into_service) {
  Story story;
  EXPECT_EQ(story.at(101).verdict, Verdict::goes_on);
  EXPECT_EQ(story.at(125).verdict, Verdict::goes_on);
  story.add("v2", InstanceState::in_service);
  EXPECT_EQ(story.at(126).verdict, Verdict::goes_on);
  EXPECT_EQ(story.at(156).verdict, Verdict::goes_on);
  EXPECT_EQ(story.at(157).verdict, Verdict::failed);
}

}  // namespace
}  // namespace headroom::daemon
