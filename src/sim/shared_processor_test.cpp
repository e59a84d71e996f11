#include "sim/shared_processor.hpp"

#include <gtest/gtest.h>

namespace headroom::sim {
namespace {

using base::Cores;
using base::Milliseconds;

constexpr Nanoseconds at(double seconds) {
  return Nanoseconds(static_cast<std::int64_t>(seconds * 1e9 + 0.5));
}
double seconds(Nanoseconds time) { return static_cast<double>(time.count()) / 1e9; }

SharedShape shape_of(double work) {
  SharedShape shape;
  shape.request_core_seconds = work;
  shape.alone_seconds = work;
  return shape;
}

TEST(SharedProcessor, FollowsTheExampleOfTheHeader) {
  SharedProcessor one(shape_of(0.36), Processor(Cores(1), std::nullopt), at(0));
  one.send(7, at(0));
  EXPECT_FALSE(one.pass(at(0.1)));
  one.send(8, at(0.1));
  EXPECT_NEAR(seconds(one.next()), 0.62, 2e-9);
  const auto first = one.pass(one.next());
  ASSERT_TRUE(first);
  EXPECT_EQ(first->user, 7u);
  EXPECT_TRUE(first->answered);
  EXPECT_NEAR(seconds(one.next()), 0.72, 4e-9);
  const auto second = one.pass(one.next());
  ASSERT_TRUE(second);
  EXPECT_EQ(second->user, 8u);
  EXPECT_EQ(one.waiting(), 0u);
  EXPECT_NEAR(one.take_used_core_seconds(), 0.72, 1e-8);
}

TEST(SharedProcessor, OneRequestUsesOneCoreAtMost) {
  SharedProcessor four(shape_of(0.5), Processor(Cores(4), std::nullopt), at(0));
  four.send(0, at(0));
  EXPECT_NEAR(seconds(four.next()), 0.5, 2e-9);
  SharedProcessor half(shape_of(0.5), Processor(Cores(0.5), std::nullopt), at(0));
  half.send(0, at(0));
  EXPECT_NEAR(seconds(half.next()), 1.0, 2e-9);
}

TEST(SharedProcessor, OutOfCreditItAnswersAtTheBaseline) {
  const environment::Credits credits{Cores(0.165), Milliseconds(3000), Milliseconds(3000), true};
  SharedProcessor micro(shape_of(0.36), Processor(Cores(1), credits), at(0));
  // Without a pause: the credit lasts 3 / 0.835 = 3.593 s of work; the rest of the 100 requests, 36 - 3.593
  // core-seconds, is done at 0.165 cores.
  Nanoseconds now = at(0);
  for (std::size_t request = 0; request < 100; ++request) {
    micro.send(request, now);
    std::optional<SharedProcessor::Left> left;
    while (!left) left = micro.pass(now = micro.next());
    EXPECT_TRUE(left->answered);
  }
  EXPECT_NEAR(seconds(now), 3 / 0.835 + (36 - 3 / 0.835) / 0.165, 1e-5);
}

TEST(SharedProcessor, ARequestThatWaitedTooLongFails) {
  SharedShape shape = shape_of(1);
  shape.longest_wait = at(2);
  SharedProcessor one(shape, Processor(Cores(1), std::nullopt), at(0));
  // Five at once would take 5 s each, which is 4 s of waiting: the first fails at 2 + 1 s, the others with
  // it, for they came at the same time.
  for (std::size_t user = 0; user < 5; ++user) one.send(user, at(0));
  EXPECT_EQ(one.next(), at(3));
  for (std::size_t user = 0; user < 5; ++user) {
    const auto left = one.pass(at(3));
    ASSERT_TRUE(left);
    EXPECT_EQ(left->user, user);
    EXPECT_FALSE(left->answered);
  }
  // Three take 3 s: just in time.
  for (std::size_t user = 0; user < 3; ++user) one.send(user, at(3));
  const auto left = one.pass(one.next());
  ASSERT_TRUE(left);
  EXPECT_TRUE(left->answered);
}

TEST(SharedProcessor, HungItAnswersNothingAndGoesOnAfterwards) {
  SharedProcessor one(shape_of(1), Processor(Cores(1), std::nullopt), at(0));
  one.send(0, at(0));
  EXPECT_FALSE(one.pass(at(0.25)));
  one.set_hung(true);
  EXPECT_EQ(one.next(), kNever);
  EXPECT_FALSE(one.pass(at(100)));
  EXPECT_NEAR(one.take_used_core_seconds(), 0.25, 1e-9);
  one.set_hung(false);
  EXPECT_NEAR(seconds(one.next()), 100.75, 2e-9);
}

}  // namespace
}  // namespace headroom::sim
