#include "cli/samples_csv.hpp"

#include <gtest/gtest.h>

namespace headroom::cli {
namespace {

using base::Milliseconds;
using history::Sample;

Sample sample(std::int64_t at_s, std::int64_t length_s, double rps) {
  Sample made;
  made.at = Milliseconds(1000 * at_s);
  made.length = Milliseconds(1000 * length_s);
  made.requests_per_second = rps;
  made.in_service = 2;
  return made;
}

// A minute of the past, and two halves of the next one: 10 and 20 rps are 15 rps. Of the third there is a
// half.
TEST(SamplesCsv, joins_what_is_shorter_and_leaves_out_what_is_not_complete) {
  const auto even =
      of_one_length({sample(0, 60, 40), sample(60, 30, 10), sample(90, 30, 20), sample(120, 30, 9)});
  ASSERT_EQ(even.size(), 2U);
  EXPECT_EQ(even[0], sample(0, 60, 40));
  EXPECT_EQ(even[1], sample(60, 60, 15));
}

TEST(SamplesCsv, leaves_those_of_one_length_as_they_are) {
  const std::vector<Sample> samples = {sample(0, 5, 1), sample(5, 5, 2), sample(15, 5, 3)};
  EXPECT_EQ(of_one_length(samples), samples);
}

TEST(SamplesCsv, has_the_time_and_the_requests_first_and_nothing_for_what_was_not_measured) {
  Sample one = sample(1'700'000'000, 5, 12.5);
  one.cpu_percent = 40;
  EXPECT_EQ(samples_csv({one}),
            "time,requests_per_second,cpu_percent,in_service_instances,stopped_instances,launching_instances,"
            "failed_requests_per_second,p95_ms,epoch_s\n2023-11-14T22:13:20Z,12.5,40,2,0,0,,,1700000000\n");
}

}  // namespace
}  // namespace headroom::cli
