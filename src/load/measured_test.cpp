#include "load/measured.hpp"

#include <gtest/gtest.h>

namespace headroom::load {
namespace {

TEST(Measured, LateIsWhatCameLaterThanTenMilliseconds) {
  Measured measured;
  measured.lateness_ms.add(9.99, 5);
  measured.lateness_ms.add(10.2, 3);
  measured.lateness_ms.add(400);
  EXPECT_EQ(measured.late(), 4U);
}

TEST(Measured, OnlyAStatusBelow400CountsAsAnsweredPerSecond) {
  Measured measured;
  Tally tally;
  tally.counts.outcomes[static_cast<std::size_t>(Outcome::answered)] = 30;
  tally.counts.statuses = {{200, 19}, {302, 1}, {404, 4}, {503, 6}};
  tally.counts.outcomes[static_cast<std::size_t>(Outcome::refused)] = 5;
  measured.requests = {{"GET /", tally}};
  EXPECT_EQ(measured.answered_per_second(), 0) << "nothing is known before any time has passed";
  measured.duration = std::chrono::seconds(4);
  EXPECT_EQ(measured.answered_per_second(), 5);
}

}  // namespace
}  // namespace headroom::load
