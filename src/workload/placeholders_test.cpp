#include "workload/placeholders.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

namespace headroom::workload {
namespace {

using Parts = std::vector<TextPart>;

TEST(Placeholders, AreNamesInBracesBehindADollar) {
  EXPECT_EQ(parts_of("/users/${id}/posts?by=${who.x-1}"),
            (Parts{{"/users/", false}, {"id", true}, {"/posts?by=", false}, {"who.x-1", true}}));
  EXPECT_EQ(parts_of("${a}${b}"), (Parts{{"a", true}, {"b", true}}));
  EXPECT_EQ(parts_of(""), Parts{});
}

TEST(Placeholders, WhatIsNoNameStaysText) {
  for (const std::string text : {"${}", "${ a}", "${1a}", "$a", "${a", "{a}", "$", "${", "${__time()}"}) {
    EXPECT_EQ(parts_of(text), (Parts{{text, false}})) << text;
  }
  // The outer one is none, the inner one is.
  EXPECT_EQ(parts_of("${${a}}"), (Parts{{"${", false}, {"a", true}, {"}", false}}));
  // One letter more than a name may be long.
  const std::string longest(kVariableNameLongest, 'n');
  EXPECT_EQ(parts_of("${" + longest + "}"), (Parts{{longest, true}}));
  EXPECT_EQ(parts_of("${" + longest + "n}"), (Parts{{"${" + longest + "n}", false}}));
}

RC_GTEST_PROP(Placeholders, PartsPutTogetherAreTheText, ()) {
  std::string text;
  const auto parts = *rc::gen::container<std::vector<std::string>>(
      rc::gen::element<std::string>("${", "}", "$", "{", "a", "_b", "7", " "));
  for (const std::string& part : parts) text += part;
  std::string together;
  for (const TextPart& part : parts_of(text)) {
    RC_ASSERT(!part.text.empty());
    together += part.is_name ? "${" + part.text + "}" : part.text;
  }
  RC_ASSERT(together == text);
}

}  // namespace
}  // namespace headroom::workload
