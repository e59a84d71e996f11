#include "sim/processor.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace headroom::sim {
namespace {

using base::Cores;
using base::Milliseconds;

const environment::Credits kMicro{Cores(0.165), Milliseconds(3000), Milliseconds(3000), true};

TEST(Processor, WithoutCreditsHasItsCoresForEver) {
  Processor processor(Cores(0.5), std::nullopt);
  EXPECT_TRUE(std::isinf(processor.seconds_left(0.5)));
  processor.use(0.5, 1e9);
  EXPECT_EQ(processor.cores(), 0.5);
  EXPECT_DOUBLE_EQ(processor.percent(0.25), 50);
}

TEST(Processor, BurstsWhileItHasCreditAndThenHasTheBaseline) {
  Processor processor(Cores(1), kMicro);
  EXPECT_EQ(processor.cores(), 1);
  // 3 s of credit, spent at 1 - 0.165 a second.
  const double left = processor.seconds_left(1);
  EXPECT_DOUBLE_EQ(left, 3 / 0.835);
  processor.use(1, left);
  EXPECT_EQ(processor.cores(), 0.165);
  // At the baseline it earns nothing and stays there.
  EXPECT_TRUE(std::isinf(processor.seconds_left(0.165)));
  processor.use(0.165, 1000);
  EXPECT_EQ(processor.cores(), 0.165);
}

TEST(Processor, EarnsWhatItDoesNotUseUpToTheMost) {
  Processor processor(Cores(1), kMicro);
  processor.use(1, processor.seconds_left(1));
  processor.use(0, 10);
  EXPECT_DOUBLE_EQ(processor.credit_seconds(), 1.65);
  EXPECT_EQ(processor.cores(), 1);
  processor.use(0.065, 5);  // 0.1 a second
  EXPECT_DOUBLE_EQ(processor.credit_seconds(), 2.15);
  processor.use(0, 1000);
  EXPECT_DOUBLE_EQ(processor.credit_seconds(), 3);
}

TEST(Processor, TheMetricIsOfWhatIsAllowedOrOfTheBaseline) {
  environment::Credits of_allowed = kMicro;
  of_allowed.of_baseline = false;
  EXPECT_DOUBLE_EQ(Processor(Cores(1), of_allowed).percent(0.165), 16.5);
  EXPECT_DOUBLE_EQ(Processor(Cores(1), kMicro).percent(0.165), 100);
}

}  // namespace
}  // namespace headroom::sim
