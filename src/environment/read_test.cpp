#include "environment/read.hpp"

#include <gtest/gtest.h>

namespace headroom::environment {
namespace {
TEST(Read, Smoke) {
  const auto none = [](const std::string& p) -> base::Result<std::string> {
    return base::bad_input("no file " + p);
  };
  const auto loaded = read(R"(name: conf42
services:
  web:
    instance: {price: 0.0104 USD/h}
    capacity: {cpu_per_rpm: 0.0008716906, startup: 4m}
    scale:
      initial: 1
      min: 1
      max: 20
      policies:
        - step:
            metric: cpu
            every: 5m
            first: 1m
            out: [{above: 25%, add: 1}]
            in: [{below: 15%, remove: 1}]
            cooldown: 0s
    objective: {cpu: 50%}
traffic:
  open: {start: 0 rpm, sample: end, stages: [{for: 10m, to: 30000 rpm}, {for: 8m, to: 150000 rpm}, {for: 30m, at: 150000 rpm}]}
tune:
  aim: utilisation
  search: {out.add: 1..9, out.above: 11..34, in.below: round(0.7 * out.above)}
)",
                           "headroom.yaml", none);
  ASSERT_TRUE(loaded) << to_string(loaded.error());
  EXPECT_EQ(loaded->environment.tune.search.size(), 3u);
}
}  // namespace
}  // namespace headroom::environment
