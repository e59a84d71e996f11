#include "policy/reasons.hpp"

#include <gtest/gtest.h>

#include <set>

namespace headroom::policy {
namespace {

// They stand in decisions.jsonl: a change here is a change of the format.
TEST(Reasons, names_are_stable_and_in_the_order_of_their_bits) {
  Reasons all;
  all.bits = (1u << kReasonCount) - 1;
  EXPECT_EQ(names(all), (std::vector<std::string_view>{
                            "above_threshold", "below_threshold", "within_band", "missing_metric",
                            "not_enough_datapoints", "cooldown", "in_progress", "stabilised",
                            "scale_in_disabled", "schedule", "step_limit", "rate_limit", "at_max", "at_min",
                            "not_due", "newest_unmeasured", "standing_order"}));
  for (int i = 0; i < kReasonCount; ++i) {
    EXPECT_EQ(name(static_cast<Reason>(1u << i)), names(all)[static_cast<std::size_t>(i)]);
  }
}

TEST(Reasons, a_set_names_what_it_has) {
  Reasons reasons;
  EXPECT_TRUE(names(reasons).empty());
  EXPECT_EQ(sentence(reasons), "");
  reasons.bits =
      static_cast<std::uint32_t>(Reason::above_threshold) | static_cast<std::uint32_t>(Reason::at_max);
  EXPECT_TRUE(reasons.has(Reason::above_threshold));
  EXPECT_FALSE(reasons.has(Reason::at_min));
  EXPECT_EQ(names(reasons), (std::vector<std::string_view>{"above_threshold", "at_max"}));
  EXPECT_EQ(sentence(reasons), "above the threshold; bounded by max");
}

TEST(Reasons, every_sentence_is_its_own) {
  std::set<std::string> sentences;
  for (int i = 0; i < kReasonCount; ++i) {
    Reasons reasons;
    reasons.bits = 1u << i;
    sentences.insert(sentence(reasons));
  }
  EXPECT_EQ(sentences.size(), static_cast<std::size_t>(kReasonCount));
}

TEST(Reasons, a_bit_of_no_reason_has_no_name) { EXPECT_EQ(name(static_cast<Reason>(1u << 30)), "unknown"); }

}  // namespace
}  // namespace headroom::policy
