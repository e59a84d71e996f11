#include "capacity/model.hpp"

#include <gtest/gtest.h>

namespace headroom::capacity {
namespace {

using base::Milliseconds;

const StartupSpread kUniform{StartupSpread::Kind::uniform, Milliseconds{60'000}, Milliseconds{120'001}};
const StartupSpread kLognormal{StartupSpread::Kind::lognormal, Milliseconds{80'000}, Milliseconds{120'000}};

TEST(StartupSpread, AUniformTimeLiesBetweenItsEnds) {
  EXPECT_EQ(mean(kUniform).count(), 90'000);  // 90,000.5, the tie to the even one
  EXPECT_EQ(startup_at(kUniform, 1e-9).count(), 60'000);
  EXPECT_EQ(startup_at(kUniform, 0.25).count(), 75'000);  // 60,000 + 15,000.25
  EXPECT_EQ(startup_at(kUniform, 1 - 1e-9).count(), 120'001);
}

TEST(StartupSpread, ALognormalTimeHasItsMedianAndItsPercentile) {
  EXPECT_EQ(startup_at(kLognormal, 0.5).count(), 80'000);
  EXPECT_EQ(startup_at(kLognormal, 0.95).count(), 120'000);
  // s = ln 1.5 / 1.644854 = 0.246505; 80 s * exp(0.030382) = 82.467895 s.
  EXPECT_EQ(mean(kLognormal).count(), 82'468);
}

TEST(StartupSpread, TheMeanIsThatOfItsDraws) {
  for (const StartupSpread& spread : {kUniform, kLognormal}) {
    // The middles of 100,000 equal shares; the ends of the tail beyond them weigh less than 1 ms.
    constexpr int kDraws = 100'000;
    double sum = 0;
    for (int i = 0; i < kDraws; ++i)
      sum += static_cast<double>(startup_at(spread, (i + 0.5) / kDraws).count());
    EXPECT_NEAR(sum / kDraws, static_cast<double>(mean(spread).count()), 1.0);
  }
}

TEST(StartupSpread, TheLongestTailIsADuration) {
  const StartupSpread wide{StartupSpread::Kind::lognormal, Milliseconds{3'000'000'000'000},
                           Milliseconds{3'100'000'000'000}};
  EXPECT_EQ(startup_at(wide, 1 - 1e-16).count(), 36'525LL * 86'400'000);
}

}  // namespace
}  // namespace headroom::capacity
