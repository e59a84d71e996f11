#include "workload/compile.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace headroom::workload {
namespace {

using base::Milliseconds;
using base::per_minute;
using base::per_second;
using std::chrono::minutes;
using std::chrono::seconds;

Traffic conf42() {
  Open open;
  open.stages = {{minutes(10), {}, per_minute(30'000)},
                 {minutes(8), {}, per_minute(150'000)},
                 {minutes(30), per_minute(150'000), per_minute(150'000)}};
  open.sample_at = SampleAt::end;
  Traffic traffic;
  traffic.shape = open;
  return traffic;
}

// Requirements 2.2: 0 to 30,000 over 10 one-minute samples, 45,000 to 150,000 over 8, 150,000 x 30.
TEST(Compile, K04_the_conf42_stages_come_out_to_the_digit) {
  const auto compiled = compile(conf42(), minutes(1), 1);
  ASSERT_TRUE(compiled) << to_string(compiled.error());
  const base::Series& series = compiled->requests_per_second;
  ASSERT_EQ(series.size(), 48U);
  for (int i = 0; i < 10; ++i)
    EXPECT_EQ(series.values[static_cast<std::size_t>(i)], 3000.0 * (i + 1) / 60) << i;
  for (int i = 0; i < 8; ++i) {
    EXPECT_EQ(series.values[static_cast<std::size_t>(10 + i)], (30'000.0 + 15'000.0 * (i + 1)) / 60) << i;
  }
  for (std::size_t i = 18; i < 48; ++i) EXPECT_EQ(series.values[i], 2500.0) << i;
  EXPECT_EQ(series.start, Milliseconds{0});
  EXPECT_TRUE(compiled->notes.empty());
}

// The rate goes from 0 to 60 rps in 3 minutes: 20 rps more per minute.
TEST(Compile, a_tick_is_its_mean_its_start_or_its_end) {
  Open open;
  open.stages = {{minutes(3), {}, per_second(60)}};
  Traffic traffic;
  const auto values = [&](SampleAt at) {
    open.sample_at = at;
    traffic.shape = open;
    return compile(traffic, minutes(1), 1)->requests_per_second.values;
  };
  EXPECT_EQ(values(SampleAt::mean), (std::vector<double>{10, 30, 50}));
  EXPECT_EQ(values(SampleAt::start), (std::vector<double>{0, 20, 40}));
  EXPECT_EQ(values(SampleAt::end), (std::vector<double>{20, 40, 60}));
}

// 30 s at 10 rps and 30 s at 50 rps are 30 rps on average; the jump belongs to the tick that begins there.
TEST(Compile, a_jump_inside_a_tick_counts_in_proportion) {
  Open open;
  open.stages = {{seconds(30), per_second(10), per_second(10)},
                 {seconds(30), per_second(50), per_second(50)}};
  Traffic traffic;
  traffic.shape = open;
  EXPECT_EQ(compile(traffic, minutes(1), 1)->requests_per_second.values, std::vector<double>{30});
  EXPECT_EQ(compile(traffic, seconds(30), 1)->requests_per_second.values, (std::vector<double>{10, 50}));
}

TEST(Compile, a_duration_off_the_tick_grid_is_refused) {
  Open open;
  open.stages = {{seconds(90), {}, per_second(60)}};
  Traffic traffic;
  traffic.shape = open;
  const auto compiled = compile(traffic, minutes(1), 1);
  ASSERT_FALSE(compiled);
  EXPECT_EQ(to_string(compiled.error()),
            "traffic: the traffic lasts 1m30s, which is no whole number of ticks of 1m\n"
            "  change a duration, the cut or the tick");
}

// Cut [1m, 3m) of 0..60 rps in 3 minutes runs from 20 to 60; to a peak of 30 it is halved: 20 and 25... the
// means 30 and 50 become 15 and 25; twice, an hour later.
TEST(Compile, cut_scale_repeat_and_shift_apply_in_this_order) {
  Open open;
  open.stages = {{minutes(3), {}, per_second(60)}};
  Traffic traffic;
  traffic.shape = open;
  traffic.cut = {minutes(1), {}};
  traffic.scale_peak = per_second(30);
  traffic.repeat = 2;
  traffic.shift = std::chrono::hours(1);
  const auto compiled = compile(traffic, minutes(1), 1);
  ASSERT_TRUE(compiled) << to_string(compiled.error());
  EXPECT_EQ(compiled->requests_per_second.values, (std::vector<double>{15, 25, 15, 25}));
  EXPECT_EQ(compiled->requests_per_second.start, minutes(61));
}

TEST(Compile, all_impossible_values_are_reported_at_once) {
  Open open;
  open.start = per_second(std::numeric_limits<double>::quiet_NaN());
  open.stages = {{minutes(-1), {}, per_second(1)}, {minutes(1), {}, per_second(-5)}};
  Traffic traffic;
  traffic.shape = open;
  const auto compiled = compile(traffic, minutes(1), 1);
  ASSERT_FALSE(compiled);
  EXPECT_EQ(compiled.error().faults.size(), 3U) << to_string(compiled.error());

  Traffic settings = conf42();
  settings.repeat = 0;
  settings.scale_factor = -1;
  const auto refused = compile(settings, minutes(0), 1);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().faults.size(), 3U) << to_string(refused.error());
}

TEST(Compile, a_cut_beyond_the_traffic_is_refused_with_its_bounds) {
  Traffic traffic = conf42();
  traffic.cut = {{}, minutes(49)};
  const auto compiled = compile(traffic, minutes(1), 1);
  ASSERT_FALSE(compiled);
  EXPECT_EQ(to_string(compiled.error()),
            "traffic.cut: the cut ends at 49m, after the traffic\n  the traffic runs from 0s to 48m");
  traffic.cut = {minutes(20), minutes(20)};
  EXPECT_FALSE(compile(traffic, minutes(1), 1));
}

TEST(Compile, traffic_that_would_not_fit_into_memory_is_refused) {
  Traffic traffic = conf42();
  traffic.repeat = 2'000'000'000;
  EXPECT_FALSE(compile(traffic, minutes(1), 1));
  Open open;
  open.stages.assign(3, {Milliseconds{9'000'000'000'000'000'000}, {}, per_second(1)});
  traffic.shape = open;
  traffic.repeat = 1;
  const auto compiled = compile(traffic, minutes(1), 1);
  ASSERT_FALSE(compiled);
  EXPECT_GE(compiled.error().faults.size(), 3U) << to_string(compiled.error());
}

TEST(Compile, closed_traffic_is_refused_by_name) {
  Traffic traffic;
  traffic.shape = Closed{};
  const auto compiled = compile(traffic, minutes(1), 1);
  ASSERT_FALSE(compiled);
  EXPECT_NE(to_string(compiled.error()).find("closed traffic"), std::string::npos);
}

TEST(Offered, IsTheOpenShapeCutScaledAndRepeatedFromZeroOn) {
  Traffic traffic;
  traffic.shape = Open{base::Rate(0), {{Milliseconds(10'000), {}, base::Rate(100)}}, SampleAt::mean};
  traffic.cut.from = Milliseconds(5000);
  traffic.scale_peak = base::Rate(200);
  traffic.repeat = 2;
  // From 5 s on the ramp goes from 50 to 100, and is made twice as high.
  const auto offer = offered(traffic);
  ASSERT_TRUE(offer) << base::to_string(offer.error());
  EXPECT_EQ(offer->profile.pieces,
            (std::vector<Piece>{{Milliseconds(0), Milliseconds(5000), 100, 200},
                                {Milliseconds(5000), Milliseconds(10'000), 100, 200}}));
}

TEST(Offered, IsNotOfClosedTraffic) {
  Traffic traffic;
  traffic.shape = Closed{{ClosedStage{}}, true};
  const auto offer = offered(traffic);
  ASSERT_FALSE(offer);
  EXPECT_EQ(offer.error().faults[0].path, "traffic");
}

}  // namespace
}  // namespace headroom::workload
