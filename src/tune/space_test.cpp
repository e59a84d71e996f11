#include "tune/space.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace headroom::tune {
namespace {

using environment::SearchExpression;
using environment::SearchField;
using environment::SearchList;
using environment::SearchRange;

environment::Service service() {
  environment::Service web;
  web.name = "web";
  policy::StepPolicy step;
  step.out = {{50, false, 1}};
  step.in = {{20, false, 1}};
  web.scale.scaling.policies = {step};
  return web;
}

Space make(const std::vector<SearchField>& search) {
  auto space = Space::make(service(), search);
  EXPECT_TRUE(space) << base::to_string(space.error());
  return *space;
}

TEST(Space, TheFirstFieldIsTheOutermostLoop) {
  const Space space =
      make({{"out.add", "", SearchRange{1, 2, 1}}, {"out.above", "", SearchList{{30, 40, 60}}}});
  ASSERT_EQ(space.size(), 6);
  EXPECT_EQ(space.at(0), (Point{1, 30}));
  EXPECT_EQ(space.at(2), (Point{1, 60}));
  EXPECT_EQ(space.at(3), (Point{2, 30}));
}

TEST(Space, ARangeHoldsBothEndsAndOnlyWholeSteps) {
  // 10, 13, 16, 19: 22 would be beyond 20.
  const Space space = make({{"out.above", "", SearchRange{10, 20, 3}}});
  EXPECT_EQ(space.dimensions().front().values, (std::vector<double>{10, 13, 16, 19}));
}

TEST(Space, AnExpressionFollowsTheFieldsItNames) {
  const Space space = make({{"in.below", "", SearchExpression{"round(0.7 * out.above)", {}}},
                            {"out.above", "", SearchRange{15, 16, 1}}});
  ASSERT_EQ(space.size(), 2);
  EXPECT_EQ(space.at(0), (Point{10, 15}));  // 10.5 rounds half to even
  EXPECT_EQ(space.at(1), (Point{11, 16}));  // 11.2
}

TEST(Space, AnExpressionOverAFieldThatIsNotSearchedIsRefused) {
  const auto space = Space::make(service(), {{"in.below", "", SearchExpression{"0.5 * out.above", {}}}});
  ASSERT_FALSE(space);
  EXPECT_NE(base::to_string(space.error()).find("out.above"), std::string::npos);
}

TEST(Space, AFieldIsMeantByThePathThatTheFileGaveIt) {
  const std::string step = "services.web.scale.policies[0].step.";
  const Space space =
      make({{"web.out.above", step + "out[0].above", SearchList{{30, 40}}},
            {"api.out.add", "services.api.scale.policies[0].step.out[0].add", SearchList{{1}}},
            {"web.in.below", step + "in[0].below", SearchExpression{"web.out.above / 2", {0}}}});
  ASSERT_EQ(space.dimensions().size(), 2U);
  EXPECT_EQ(space.at(1), (Point{40, 20}));
  const auto across = Space::make(
      service(), {{"api.out.add", "services.api.scale.policies[0].step.out[0].add", SearchList{{1}}},
                  {"web.in.below", step + "in[0].below", SearchExpression{"10 * api.out.add", {0}}}});
  ASSERT_FALSE(across);
  EXPECT_EQ(across.error().faults.front().path, "tune.search.web.in.below");
}

TEST(Space, UnknownFieldsAreAllReported) {
  const auto space = Space::make(
      service(), {{"out.nothing", "", SearchRange{1, 2, 1}}, {"speed", "", SearchRange{1, 2, 1}}});
  ASSERT_FALSE(space);
  EXPECT_EQ(space.error().faults.size(), 2U);
}

TEST(Space, AnEmptyRangeIsRefused) {
  EXPECT_FALSE(Space::make(service(), {{"out.add", "", SearchRange{3, 1, 1}}}));
}

TEST(Space, ASpreadUsesEveryValueEvenly) {
  const Space space =
      make({{"out.add", "", SearchRange{1, 5, 1}}, {"out.above", "", SearchRange{30, 49, 1}}});
  const std::vector<Point> points = space.spread(100, 7);
  ASSERT_EQ(points.size(), 100U);
  for (double value = 1; value <= 5; ++value) {
    EXPECT_EQ(
        std::count_if(points.begin(), points.end(), [&](const Point& point) { return point[0] == value; }),
        20);
  }
  EXPECT_EQ(points, space.spread(100, 7));
  EXPECT_NE(points, space.spread(100, 8));
}

TEST(Space, NeighboursStayWithinTheValues) {
  const Space space =
      make({{"out.add", "", SearchList{{1, 3, 9}}}, {"out.above", "", SearchRange{30, 80, 10}}});
  const std::set<double> adds{1, 3, 9};
  for (const Point& point : space.around({space.at(0), space.at(17)}, 200, 1)) {
    EXPECT_TRUE(adds.contains(point[0])) << point[0];
    EXPECT_TRUE(point[1] >= 30 && point[1] <= 80) << point[1];
  }
}

TEST(Space, ApplyingAPointChangesTheFields) {
  const Space space = make({{"out.add", "", SearchRange{1, 9, 1}}, {"in.below", "", SearchRange{5, 40, 5}}});
  environment::Service changed = service();
  apply(space, {4, 25}, changed);
  const auto& step = std::get<policy::StepPolicy>(changed.scale.scaling.policies.front());
  EXPECT_EQ(step.out.front().change, 4);
  EXPECT_EQ(step.in.front().threshold, 25);
}

}  // namespace
}  // namespace headroom::tune
