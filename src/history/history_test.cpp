#include "history/history.hpp"

#include <gtest/gtest.h>

#include "store/temporary_folder.hpp"

namespace headroom::history {
namespace {

using base::Milliseconds;

control::Decided decided(std::int64_t second, float cpu, int in_service, int recommended, int add = 0) {
  control::Decided made{};  // its parts have no defaults
  made.at = Milliseconds(1000 * second);
  made.tick = static_cast<std::int32_t>(second);
  made.seen.value[0] = cpu;
  made.seen.missing[1] = made.seen.missing[2] = true;
  made.seen.in_service = in_service;
  made.decision.recommended = made.decision.after_step = made.decision.after_rate = recommended;
  made.decision.add = add;
  made.decision.desired = in_service + add;
  made.decision.policy = 0;
  made.decision.reasons =
      static_cast<std::int32_t>(add > 0 ? policy::Reason::above_threshold : policy::Reason::within_band);
  made.decision.due = true;
  return made;
}

class HistoryOf : public testing::Test {
 protected:
  HistoryOf() { open(); }
  void open() {
    history_.reset();
    auto opened = History::open(folder_.path() / "history.db");
    ASSERT_TRUE(opened) << base::to_string(opened.error());
    history_ = std::move(*opened);
  }
  void decide(const control::Decided& made, const std::string& service = "web") {
    ASSERT_TRUE(history_->decided(service, "", made,
                                  policy::sentence({static_cast<std::uint32_t>(made.decision.reasons)})));
  }
  std::vector<Entry> entries(const Query& query = {}) {
    auto read = history_->entries(query);
    EXPECT_TRUE(read) << base::to_string(read.error());
    return read.value_or(std::vector<Entry>());
  }

  store::TemporaryFolder folder_;
  std::unique_ptr<History> history_;
};

// Nothing to do at 5 s, 10 s and 15 s, one more at 20 s, and again nothing: three entries.
TEST_F(HistoryOf, decisions_in_a_row_that_are_the_same_are_one_entry_with_the_latest_figures) {
  for (const int second : {5, 10, 15}) decide(decided(second, 40.0F + static_cast<float>(second), 2, 2));
  decide(decided(20, 75, 2, 3, 1));
  decide(decided(25, 50, 3, 3));
  const std::vector<Entry> all = entries();
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[0].event.at, Milliseconds(5'000));
  EXPECT_EQ(all[0].until, Milliseconds(15'000));
  EXPECT_EQ(all[0].times, 3);
  EXPECT_EQ(all[0].decision->cpu_percent, 55);
  EXPECT_EQ(all[1].decision->add, 1);
  EXPECT_EQ(all[1].event.text,
            policy::sentence({static_cast<std::uint32_t>(policy::Reason::above_threshold)}));
  EXPECT_FALSE(all[1].decision->requests_per_second);
}

// Each that acts is told, however alike.
TEST_F(HistoryOf, decisions_that_act_are_entries_of_their_own) {
  decide(decided(5, 75, 2, 3, 1));
  decide(decided(6, 75, 2, 3, 1));
  EXPECT_EQ(entries().size(), 2U);
}

TEST_F(HistoryOf, a_tick_at_which_no_policy_was_asked_is_left_out) {
  control::Decided quiet = decided(5, 40, 2, 2);
  quiet.decision.due = false;
  decide(quiet);
  EXPECT_TRUE(entries().empty());
}

TEST_F(HistoryOf, events_and_decisions_come_in_the_order_of_time_decisions_first) {
  ASSERT_TRUE(history_->add({Milliseconds(20'000), "web", "action", "t-1", "launch 1"}));
  ASSERT_TRUE(history_->add({Milliseconds(10'000), "", "drill", "a", "cut off"}));
  decide(decided(20, 75, 2, 3, 1));
  const std::vector<Entry> all = entries();
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[0].event.kind, "drill");
  EXPECT_EQ(all[1].event.kind, "decision");
  EXPECT_EQ(all[2].event.kind, "action");
}

TEST_F(HistoryOf, gives_those_of_a_service_and_of_the_whole_environment_since_a_time) {
  ASSERT_TRUE(history_->add({Milliseconds(1), "db", "paused", "", ""}));
  ASSERT_TRUE(history_->add({Milliseconds(2), "", "drill", "a", ""}));
  ASSERT_TRUE(history_->add({Milliseconds(3), "web", "paused", "", ""}));
  EXPECT_EQ(entries({"web", Milliseconds(0), 10}).size(), 2U);
  EXPECT_EQ(entries({"web", Milliseconds(3), 10}).size(), 1U);
  // The newest.
  const std::vector<Entry> one = entries({"", Milliseconds(0), 1});
  ASSERT_EQ(one.size(), 1U);
  EXPECT_EQ(one[0].event.service, "web");
}

// A row of "nothing" that goes on is written each minute; what acts at once. A second look at the file, as
// after a kill.
TEST_F(HistoryOf, is_written_in_time_for_a_kill) {
  const auto kept = [&] {
    const auto other = History::open(folder_.path() / "history.db");
    return (*other)->entries({}).value();
  };
  decide(decided(5, 40, 2, 2));
  decide(decided(70, 40, 2, 2));
  ASSERT_TRUE(history_->keep(Milliseconds(70'000)));
  decide(decided(75, 40, 2, 2));  // not written yet
  ASSERT_EQ(kept().size(), 1U);
  EXPECT_EQ(kept()[0].times, 2);
  decide(decided(80, 75, 2, 3, 1));
  EXPECT_EQ(kept().size(), 2U);
}

TEST_F(HistoryOf, loses_nothing_where_it_is_closed) {
  decide(decided(5, 40, 2, 2));
  open();
  EXPECT_EQ(entries().size(), 1U);
}

TEST_F(HistoryOf, forgets_what_ended_more_than_a_week_ago) {
  constexpr Milliseconds kWeek{7 * 24 * 3'600'000LL};
  decide(decided(5, 75, 2, 3, 1));
  ASSERT_TRUE(history_->add({Milliseconds(5'001), "web", "paused", "", ""}));
  ASSERT_TRUE(history_->keep(kWeek + Milliseconds(5'001)));
  const std::vector<Entry> left = entries();
  ASSERT_EQ(left.size(), 1U);
  EXPECT_EQ(left[0].event.kind, "paused");
}

}  // namespace
}  // namespace headroom::history
