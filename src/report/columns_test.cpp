#include "report/columns.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace headroom::report {
namespace {

// ui/src/charts/columns.test.ts reads the texts that are expected here: the two must stay alike.

TEST(Columns, EqualDifferencesAreOneRun) {
  // The worked example of columns.hpp.
  EXPECT_EQ(pack_integers(std::vector<std::int32_t>{5, 5, 5, 6}), "CgEAAgIB");
}

TEST(Columns, NegativeAndLongNumbersHaveTheirVarints) {
  // -1 is zigzag 1: bytes 01 01. 301 more is zigzag 602, low seven bits first: DA 04 01. Base64 of 01 01 DA
  // 04 01.
  EXPECT_EQ(pack_integers(std::vector<std::int32_t>{-1, 300}), "AQHaBAE=");
}

TEST(Columns, ALineOfAnyLengthIsTwoRuns) {
  std::vector<std::int32_t> line;
  for (int i = 0; i < 100'000; ++i) line.push_back(10 + 3 * i);
  // 10 (zigzag 20) once; 3 (zigzag 6) 99,999 times, which takes three bytes: 14 01 06 9F 8D 06.
  EXPECT_EQ(pack_integers(line), "FAEGn40G");
}

TEST(Columns, ExtremeDifferencesSurvive) {
  // The difference of the two ends of int32 needs 33 bits; a run each. Decoded in columns.test.ts by the same
  // rule.
  const std::vector<std::int32_t> ends{std::numeric_limits<std::int32_t>::min(),
                                       std::numeric_limits<std::int32_t>::max()};
  // zigzag(-2^31) = 2^32 - 1: FF FF FF FF 0F, 01; zigzag(2^32 - 1) = 2^33 - 2: FE FF FF FF 1F, 01.
  EXPECT_EQ(pack_integers(ends), base64("\xFF\xFF\xFF\xFF\x0F\x01\xFE\xFF\xFF\xFF\x1F\x01"));
}

TEST(Columns, MissingNumbersAreGapsAndKeepTheBase) {
  // ui's example in full: largest 150 would allow scale 100 (15,000), not 1,000 (150,000 > 50,000).
  const PackedNumbers packed = pack_numbers(std::vector<double>{1.5, std::nan(""), 150});
  EXPECT_EQ(packed.scale, 100);
  // 150 -> zigzag 300 + 1 = AD 02; missing 00; 15,000 - 150 = 14,850 -> 29,700 + 1 = 29,701 = 85 E8 01.
  EXPECT_EQ(packed.text, base64(std::string("\xAD\x02\x00\x85\xE8\x01", 6)));
}

TEST(Columns, InfinityIsAGapAndDoesNotSetTheScale) {
  const PackedNumbers packed = pack_numbers(std::vector<double>{std::numeric_limits<double>::infinity(), 5});
  EXPECT_EQ(packed.scale, 10'000);  // 5 * 10,000 = 50,000 is just within
}

TEST(Columns, StepsStayFinerThanAFiveThousandth) {
  for (const double largest : {1e-6, 0.3, 1.0, 49.0, 104.6, 4210.0, 5e4, 5.1e4, 9e9}) {
    const PackedNumbers packed = pack_numbers(std::vector<double>{largest});
    EXPECT_LE(largest * packed.scale, 50'000) << largest;
    EXPECT_GT(largest * packed.scale, 4'999.99) << largest;
  }
}

TEST(Columns, NothingPacksToNothing) {
  EXPECT_EQ(pack_integers({}), "");
  EXPECT_EQ(pack_numbers({}).text, "");
}

TEST(Columns, Base64IsThatOfTheStandard) {
  // RFC 4648, section 10.
  EXPECT_EQ(base64(""), "");
  EXPECT_EQ(base64("f"), "Zg==");
  EXPECT_EQ(base64("fo"), "Zm8=");
  EXPECT_EQ(base64("foo"), "Zm9v");
  EXPECT_EQ(base64("foobar"), "Zm9vYmFy");
}

}  // namespace
}  // namespace headroom::report
