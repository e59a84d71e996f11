#include "telemetry/window.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace headroom::telemetry {
namespace {

using base::Milliseconds;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

Sample minute_of(Milliseconds start, std::optional<double> value) { return {start, minutes(1), value}; }

TEST(Window, worked_example_of_the_header) {
  const Milliseconds noon = hours(12);
  Window window(minutes(3));
  window.add(minute_of(noon + minutes(1), 40));
  window.add(minute_of(noon + minutes(2), 60));
  window.add(minute_of(noon + minutes(3), std::nullopt));
  const Reading early = window.read(noon + minutes(4) + seconds(30));
  EXPECT_DOUBLE_EQ(early.mean.value(), (40.0 * 30 + 60.0 * 60) / 90);
  EXPECT_EQ(early.present, seconds(90));
  window.add(minute_of(noon + minutes(4), 90));
  EXPECT_EQ(window.read(noon + minutes(5)), (Reading{75.0, 90.0, 60.0, minutes(2), minutes(1)}));
}

// Requirement M02: the original took "no record" for 0 % and scaled in.
TEST(Window, M02_missing_samples_are_absent_and_never_zero) {
  Window window(minutes(3));
  EXPECT_EQ(window.read(minutes(10)),
            (Reading{std::nullopt, std::nullopt, std::nullopt, minutes(0), minutes(3)}));
  window.add(minute_of(minutes(9), std::nullopt));
  EXPECT_FALSE(window.read(minutes(10)).mean.has_value());
  window.add(minute_of(minutes(10), 80));
  EXPECT_EQ(window.read(minutes(11)).mean, 80.0);
  EXPECT_EQ(window.read(minutes(11)).min, 80.0);
}

TEST(Window, an_old_sample_leaves_at_the_millisecond) {
  Window window(minutes(1));
  window.add(minute_of(minutes(0), 50));
  EXPECT_EQ(window.read(minutes(2) - Milliseconds(1)).present, Milliseconds(1));
  EXPECT_FALSE(window.read(minutes(2)).mean.has_value());
}

TEST(Window, negative_values_have_their_maximum) {
  Window window(minutes(2));
  window.add(minute_of(minutes(0), -5));
  window.add(minute_of(minutes(1), -3));
  EXPECT_EQ(window.read(minutes(2)).max, -3.0);
  EXPECT_EQ(window.read(minutes(2)).min, -5.0);
}

// The model: all samples are kept, and every millisecond of the window is looked up.
TEST(Window, equals_a_model_that_forgets_nothing) {
  EXPECT_TRUE(rc::check([] {
    const Milliseconds length(*rc::gen::inRange(1, 60));
    Window window(length);
    std::vector<Sample> all;
    Milliseconds end(0);
    const int count = *rc::gen::inRange(0, 30);
    for (int i = 0; i < count; ++i) {
      Sample sample;
      sample.start = end + Milliseconds(*rc::gen::inRange(0, 10));
      sample.length = Milliseconds(*rc::gen::inRange(1, 20));
      if (*rc::gen::inRange(0, 4) > 0) sample.value = *rc::gen::inRange(-100, 100);
      end = sample.start + sample.length;
      window.add(sample);
      all.push_back(sample);
      const Milliseconds now = end + Milliseconds(*rc::gen::inRange(0, 30));

      int present = 0;
      double sum = 0;
      std::optional<double> max;
      for (Milliseconds t = now - length; t < now; t += Milliseconds(1)) {
        for (const Sample& candidate : all) {
          if (!candidate.value || t < candidate.start || t >= candidate.start + candidate.length) continue;
          ++present;
          sum += *candidate.value;
          max = std::max(max.value_or(-1e9), *candidate.value);
        }
      }
      const Reading reading = window.read(now);
      RC_ASSERT(reading.present.count() == present);
      RC_ASSERT(reading.missing == length - reading.present);
      RC_ASSERT(reading.max == max);
      RC_ASSERT(reading.mean.has_value() == (present > 0));
      if (present > 0) RC_ASSERT(std::fabs(*reading.mean - sum / present) < 1e-9);
    }
  }));
}

TEST(Window, forgets_what_no_later_read_can_see) {
  Window old(minutes(1));
  old.add(minute_of(minutes(0), 5));
  old.add(minute_of(minutes(1), 6));
  Window young(minutes(1));
  young.add(minute_of(minutes(1), 6));
  EXPECT_EQ(old, young);
}

TEST(Window, broken_promises_abort) {
  Window window(minutes(1));
  window.add(minute_of(minutes(5), 1));
  EXPECT_DEATH(window.add(minute_of(minutes(5), 1)), "without overlap");
  EXPECT_DEATH((void)window.read(minutes(5)), "after the newest");
  EXPECT_DEATH(Window(Milliseconds(0)), "positive length");
}

}  // namespace
}  // namespace headroom::telemetry
