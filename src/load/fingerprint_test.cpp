#include "load/fingerprint.hpp"

#include <gtest/gtest.h>

namespace headroom::load {
namespace {

workload::Traffic ramp() {
  workload::Traffic traffic;
  traffic.shape = workload::Open{base::per_second(10),
                                 {{base::Milliseconds{60'000}, std::nullopt, base::per_second(100)}}};
  traffic.requests.list = {{"read", 1, "GET", "/", {{"Authorization", "one"}}, ""},
                           {"write", 2, "POST", "/", {}, "a"}};
  traffic.requests.variables = {{"users.csv", {"id"}, {{"1"}, {"2"}}}};
  return traffic;
}

std::string of(const workload::Traffic& traffic, const Options& options = {},
               const char* url = "http://127.0.0.1/") {
  return fingerprint(traffic, prepare(traffic, *parse_url(url), options).value());
}

TEST(Fingerprint, MachinesThatDriveTheSameTrafficHaveTheSame) {
  Options options;
  options.share = {2, 5};
  options.threads = 4;
  workload::Traffic traffic = ramp();
  traffic.requests.list.front().headers.front().value = "another";
  EXPECT_EQ(of(ramp()), of(traffic, options, "http://127.0.0.2:8080/"));
}

TEST(Fingerprint, AnotherRateRequestOrderOrSeedIsAnotherTraffic) {
  std::vector<workload::Traffic> others(8, ramp());
  std::get<workload::Open>(others[0].shape).start = base::per_second(11);
  others[1].arrivals = workload::Arrivals::poisson;
  others[2].requests.list[1].body = "b";
  others[3].requests.list[1].weight = 3;
  others[4].requests.list.pop_back();
  others[5].requests.choice = workload::Choice::in_order;
  others[6].requests.variables[0].rows.push_back({"3"});
  others[7].shape = workload::Closed{{workload::ClosedStage{}}};
  for (const auto& other : others) EXPECT_NE(of(other), of(ramp()));
  Options seed;
  seed.seed = 2;
  EXPECT_NE(of(ramp(), seed), of(ramp()));
}

TEST(Fingerprint, EachFieldOfAStageOfUsersCounts) {
  const workload::ClosedStage stage;
  std::vector<workload::ClosedStage> stages(9, stage);
  stages[0].users = 2;
  stages[1].requests_each = 2;
  stages[2].think = base::Milliseconds{1};
  stages[3].think_distribution = workload::Think::normal;
  stages[4].ramp_up = base::Milliseconds{1};
  stages[5].think_least = base::Milliseconds{1};
  stages[6].deviation = base::Milliseconds{1};
  stages[7].think_first = true;
  stages[8].duration = base::Milliseconds{1};
  const auto closed = [](const workload::ClosedStage& one, bool serial = true) {
    workload::Traffic traffic;
    traffic.shape = workload::Closed{{one}, serial};
    return of(traffic);
  };
  for (const auto& other : stages) EXPECT_NE(closed(other), closed(stage));
  EXPECT_NE(closed(stage, false), closed(stage));
}

}  // namespace
}  // namespace headroom::load
