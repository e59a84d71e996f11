#include "history/samples.hpp"

#include <gtest/gtest.h>

#include "history/history.hpp"
#include "store/temporary_folder.hpp"

namespace headroom::history {
namespace {

using base::Milliseconds;

constexpr Milliseconds second(std::int64_t n) { return Milliseconds(1000 * n); }

Sample sample(std::int64_t at, double rps, double in_service = 2) {
  Sample made;
  made.at = second(at);
  made.length = second(5);
  made.service = "web";
  made.requests_per_second = rps;
  made.cpu_percent = rps / 2;
  made.in_service = in_service;
  return made;
}

class SamplesOf : public testing::Test {
 protected:
  SamplesOf() : history_(std::move(History::open(folder_.path() / "history.db").value())) {}
  std::vector<Sample> read(Milliseconds since = Milliseconds(0)) {
    return history_->samples("web", since).value();
  }
  store::TemporaryFolder folder_;
  std::unique_ptr<History> history_;
};

TEST_F(SamplesOf, come_back_as_they_were_also_those_not_written_yet) {
  Sample other = sample(0, 7);
  other.service = "db";
  Sample missing = sample(5, 0);
  missing.requests_per_second.reset();
  missing.p95_ms = 12.5;
  history_->add(sample(0, 10));
  history_->add(other);
  history_->add(missing);
  EXPECT_EQ(read(), (std::vector<Sample>{sample(0, 10), missing}));
  EXPECT_EQ(read(second(5)), (std::vector<Sample>{missing}));
}

TEST_F(SamplesOf, are_written_every_ten_seconds) {
  history_->add(sample(0, 10));
  ASSERT_TRUE(history_->keep(second(10)));
  history_ = std::move(History::open(folder_.path() / "history.db").value());
  EXPECT_EQ(read().size(), 1U);
}

// The minute from 0 s: 10, 20 and 30 rps, mean 20; 1, 2 and 3 instances; the highest p95.
TEST_F(SamplesOf, are_minutes_after_an_hour) {
  for (const int k : {0, 1, 2}) {
    Sample one = sample(5 * k, 10.0 * (k + 1), k + 1);
    one.p95_ms = 100 - k;
    history_->add(one);
  }
  history_->add(sample(60, 50));
  ASSERT_TRUE(history_->keep(second(3600 + 60)));
  const std::vector<Sample> left = read();
  ASSERT_EQ(left.size(), 2U);
  EXPECT_EQ(left[0].length, second(60));
  EXPECT_DOUBLE_EQ(*left[0].requests_per_second, 20);
  EXPECT_DOUBLE_EQ(*left[0].cpu_percent, 10);
  EXPECT_DOUBLE_EQ(*left[0].p95_ms, 100);
  EXPECT_DOUBLE_EQ(left[0].in_service, 2);
  EXPECT_EQ(left[1], sample(60, 50)) << "its minute is not an hour old";
}

// What is a minute already is taken as it is, and not averaged once more.
TEST_F(SamplesOf, that_are_minutes_stay_as_they_are_for_a_week) {
  Sample minute = sample(0, 10);
  minute.length = second(60);
  history_->add(minute);
  ASSERT_TRUE(history_->keep(second(7200)));
  EXPECT_EQ(read(), (std::vector<Sample>{minute}));
  ASSERT_TRUE(history_->keep(second(7200 + 7 * 24 * 3600)));
  EXPECT_TRUE(read().empty());
}

// A clock that was set back.
TEST_F(SamplesOf, of_the_same_time_are_the_later_one) {
  history_->add(sample(0, 10));
  history_->add(sample(0, 20));
  EXPECT_EQ(read(), (std::vector<Sample>{sample(0, 20)}));
}

}  // namespace
}  // namespace headroom::history
