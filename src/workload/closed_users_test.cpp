#include "workload/closed_users.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <utility>
#include <vector>

namespace headroom::workload {
namespace {

using base::kNever;
using base::Milliseconds;
using base::Nanoseconds;

double seconds(Nanoseconds time) { return static_cast<double>(time.count()) / 1e9; }

// (when, who) of all requests, where each is answered `answer` after it was sent; until `most` were sent.
std::vector<std::pair<double, std::size_t>> requests_of(const Closed& closed, Nanoseconds answer,
                                                        std::size_t most = 10'000, std::uint64_t seed = 1) {
  ClosedUsers users(closed, seed);
  std::vector<std::pair<double, std::size_t>> sent;
  while (users.next() != kNever && sent.size() < most) {
    const Nanoseconds now = users.next();
    const auto user = users.happen();
    if (!user) continue;
    sent.emplace_back(seconds(now), *user);
    users.went(*user, now + answer);
  }
  return sent;
}

ClosedStage stage_of(int users, int requests_each, int think_seconds) {
  ClosedStage stage;
  stage.users = users;
  stage.requests_each = requests_each;
  stage.think = Milliseconds(1000 * think_seconds);
  return stage;
}

TEST(ClosedUsers, StartOverTheRampUpAndThinkBetweenAnswerAndRequest) {
  ClosedStage stage = stage_of(2, 3, 4);
  stage.ramp_up = Milliseconds(2000);
  // User 1 of 2 starts at 2 s * 1/2; each asks again 1 s (answer) + 4 s (think) later.
  const std::vector<std::pair<double, std::size_t>> expected{{0, 0}, {1, 1},  {5, 0},
                                                             {6, 1}, {10, 0}, {11, 1}};
  EXPECT_EQ(requests_of({{stage}, true}, std::chrono::seconds(1)), expected);
}

TEST(ClosedUsers, ASerialStageBeginsWithTheLastAnswerOfTheOneBefore) {
  const Closed serial{{stage_of(1, 2, 4), stage_of(1, 1, 0)}, true};
  // 0 s, 5 s, answered at 6 s.
  const std::vector<std::pair<double, std::size_t>> expected{{0, 0}, {5, 0}, {6, 1}};
  EXPECT_EQ(requests_of(serial, std::chrono::seconds(1)), expected);
  Closed parallel = serial;
  parallel.serial = false;
  EXPECT_EQ(requests_of(parallel, std::chrono::seconds(1))[1], std::pair(0.0, std::size_t{1}));
}

TEST(ClosedUsers, AStageWithoutUsersIsAPause) {
  ClosedStage pause;
  pause.users = 0;
  pause.duration = Milliseconds(10'000);
  // Answered at 1 s, then ten seconds of nobody.
  const std::vector<std::pair<double, std::size_t>> expected{{0, 0}, {11, 1}};
  EXPECT_EQ(requests_of({{stage_of(1, 1, 0), pause, stage_of(1, 1, 0)}, true}, std::chrono::seconds(1)),
            expected);
}

TEST(ClosedUsers, AStageWithADurationEndsThenAndTheNextBegins) {
  ClosedStage first = stage_of(1, 0, 2);  // no limit of requests
  first.duration = Milliseconds(6000);
  // 0, 3 s; not at 6 s, when it ends.
  const std::vector<std::pair<double, std::size_t>> expected{{0, 0}, {3, 0}, {6, 1}};
  EXPECT_EQ(requests_of({{first, stage_of(1, 1, 0)}, true}, std::chrono::seconds(1)), expected);
  // Ready before: the next does not wait for the duration.
  first.requests_each = 1;
  EXPECT_EQ(requests_of({{first, stage_of(1, 1, 0)}, true}, std::chrono::seconds(1))[1].first, 1);
}

TEST(ClosedUsers, TellTheStageThatHasBegun) {
  ClosedUsers users({{stage_of(1, 1, 0), stage_of(1, 1, 0)}, true}, 1);
  EXPECT_FALSE(users.stage());
  users.happen();
  EXPECT_EQ(users.stage(), std::size_t{0});
  users.went(*users.happen(), std::chrono::seconds(5));
  EXPECT_EQ(users.stage(), std::size_t{0});
  users.happen();  // the last user leaves
  EXPECT_EQ(users.stage(), std::size_t{1});
}

TEST(ClosedUsers, AreOverWhenTheLastStageHasEnded) {
  ClosedUsers users({{stage_of(1, 1, 0)}, true}, 1);
  EXPECT_FALSE(users.over());
  EXPECT_FALSE(users.happen());  // the stage starts
  const auto user = users.happen();
  ASSERT_TRUE(user);
  EXPECT_EQ(users.next(), kNever);
  users.went(*user, std::chrono::seconds(5));
  EXPECT_EQ(users.next(), std::chrono::seconds(5));
  EXPECT_FALSE(users.over());
  EXPECT_FALSE(users.happen());
  EXPECT_TRUE(users.over());
}

TEST(ClosedUsers, WhoIsRefusedWaitsForASecondAtLeast) {
  ClosedUsers users({{stage_of(1, 5, 0)}, true}, 1);
  users.happen();
  const auto user = users.happen();
  users.refused(*user, Nanoseconds(0));
  EXPECT_EQ(users.next(), std::chrono::seconds(1));
}

TEST(ClosedUsers, ThinkAsTheDistributionSays) {
  ClosedStage stage = stage_of(1, 0, 6);
  stage.think_distribution = Think::uniform;
  stage.think_least = Milliseconds(2000);
  const auto mean_and_range = [](const ClosedStage& of) {
    const auto sent = requests_of({{of}, true}, Nanoseconds(0), 20'001);
    double low = 1e9;
    double high = 0;
    for (std::size_t i = 1; i < sent.size(); ++i) {
      low = std::min(low, sent[i].first - sent[i - 1].first);
      high = std::max(high, sent[i].first - sent[i - 1].first);
    }
    return std::vector<double>{sent.back().first / 20'000, low, high};
  };
  // Uniform from 2 to 6 s: mean 4 s with standard error 4 / sqrt(12 * 20,000) = 0.008 s.
  const auto uniform = mean_and_range(stage);
  EXPECT_NEAR(uniform[0], 4, 0.04);
  EXPECT_GE(uniform[1], 2);
  EXPECT_LT(uniform[1], 2.01);
  EXPECT_LE(uniform[2], 6);
  EXPECT_GT(uniform[2], 5.99);
  // Exponential: mean 6 s, standard error 6 / sqrt(20,000) = 0.042 s; ln 20,000 = 9.9 means are the longest.
  stage.think_distribution = Think::exponential;
  const auto exponential = mean_and_range(stage);
  EXPECT_NEAR(exponential[0], 6, 0.2);
  EXPECT_GT(exponential[2], 40);
}

TEST(ClosedUsers, ThinkBeforeTheirFirstRequestWhereTheStageSaysSo) {
  ClosedStage stage = stage_of(2, 2, 4);
  stage.think_first = true;
  // 4 s, answered at 5 s, 9 s.
  const std::vector<std::pair<double, std::size_t>> expected{{4, 0}, {4, 1}, {9, 0}, {9, 1}};
  EXPECT_EQ(requests_of({{stage}, true}, std::chrono::seconds(1)), expected);
}

TEST(ClosedUsers, ThinkNormallyButNeverANegativeTime) {
  ClosedStage stage = stage_of(1, 0, 2);
  stage.think_distribution = Think::normal;
  stage.deviation = Milliseconds(500);
  // Mean 2 s, standard error 0.5 / sqrt(20,000) = 0.0035 s.
  EXPECT_NEAR(requests_of({{stage}, true}, Nanoseconds(0), 20'001).back().first / 20'000, 2, 0.02);
  // Of a deviation as large as this, half the pauses would be negative: mean 1000 / sqrt(2 pi) = 398.9 s,
  // standard error 584 / sqrt(20,000) = 4.1 s.
  stage.think = Milliseconds(0);
  stage.deviation = Milliseconds(1'000'000);
  EXPECT_NEAR(requests_of({{stage}, true}, Nanoseconds(0), 20'001).back().first / 20'000, 398.9, 17);
}

TEST(ClosedUsers, OfAllSharesAreThoseOfTheWhole) {
  ClosedStage stage = stage_of(7, 5, 6);
  stage.think_distribution = Think::uniform;
  stage.ramp_up = Milliseconds(7000);
  const Closed closed{{stage}, true};
  const auto numbered = [&](Share share) {
    ClosedUsers users(closed, 3, share);
    std::vector<std::pair<Nanoseconds, std::uint64_t>> sent;
    while (users.next() != kNever) {
      const Nanoseconds now = users.next();
      if (const auto user = users.happen()) {
        sent.emplace_back(now, users.number(*user));
        users.went(*user, now + std::chrono::seconds(1));
      }
    }
    return sent;
  };
  auto joined = numbered({0, 2});
  const auto rest = numbered({1, 2});
  joined.insert(joined.end(), rest.begin(), rest.end());
  std::sort(joined.begin(), joined.end());
  auto whole = numbered({});
  std::sort(whole.begin(), whole.end());
  EXPECT_EQ(joined, whole);
}

TEST(ClosedUsers, OfAShareWaitToBeToldOfTheNextStage) {
  const Closed closed{{stage_of(1, 1, 0), stage_of(2, 1, 0)}, true};
  // Users 0, and 1 and 2: the second share has nobody in the first stage.
  ClosedUsers users(closed, 1, {1, 2}, ClosedUsers::Next::told);
  EXPECT_FALSE(users.happen());
  EXPECT_EQ(users.waits(), std::size_t{0});
  EXPECT_EQ(users.next(), kNever);
  EXPECT_FALSE(users.over());
  users.tell(std::chrono::seconds(3));
  EXPECT_FALSE(users.waits());
  EXPECT_EQ(users.next(), std::chrono::seconds(3));
  const auto user = users.happen();
  ASSERT_TRUE(user);
  EXPECT_EQ(users.number(*user), 1U);
  users.went(*user, std::chrono::seconds(4));
  EXPECT_FALSE(users.happen());
  EXPECT_TRUE(users.over());
}

TEST(ClosedUsers, TheSeedDeterminesWhoSendsWhen) {
  ClosedStage stage = stage_of(3, 50, 6);
  stage.think_distribution = Think::uniform;
  const Closed closed{{stage}, true};
  EXPECT_EQ(requests_of(closed, Nanoseconds(5), 1000, 1), requests_of(closed, Nanoseconds(5), 1000, 1));
  EXPECT_NE(requests_of(closed, Nanoseconds(5), 1000, 1), requests_of(closed, Nanoseconds(5), 1000, 2));
}

}  // namespace
}  // namespace headroom::workload
