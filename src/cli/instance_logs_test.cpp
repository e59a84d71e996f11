#include "cli/instance_logs.hpp"

#include <gtest/gtest.h>

namespace headroom::cli {
namespace {

struct Printed {
  std::vector<std::string> lines;
  LogLines::Take take() {
    return [this](const std::string& instance, std::string_view line) {
      lines.push_back(instance + "|" + std::string(line));
    };
  }
};

TEST(LogLines, LineThatComesInPiecesIsPrintedWhole) {
  LogLines logs(100);
  Printed printed;
  logs.add({{"web-1", "one\ntw", 6}}, printed.take());
  EXPECT_EQ(printed.lines, std::vector<std::string>{"web-1|one"});
  logs.add({{"web-1", "o\n", 8}}, printed.take());
  EXPECT_EQ(printed.lines, (std::vector<std::string>{"web-1|one", "web-1|two"}));
}

TEST(LogLines, WhatHasNoEndIsPrintedAtTheEnd) {
  LogLines logs(100);
  Printed printed;
  logs.add({{"web-1", "prompt> ", 8}}, printed.take());
  EXPECT_TRUE(printed.lines.empty());
  logs.finish(printed.take());
  logs.finish(printed.take());
  EXPECT_EQ(printed.lines, std::vector<std::string>{"web-1|prompt> "});
}

TEST(LogLines, OnlyTheLastOfEachInstanceAreShownAtFirst) {
  LogLines logs(2);
  Printed printed;
  logs.add({{"web-1", "a\nb\nc\n", 6}, {"web-2", "d\n", 2}}, printed.take());
  EXPECT_EQ(printed.lines, (std::vector<std::string>{"web-1|b", "web-1|c", "web-2|d"}));
}

TEST(LogLines, AfterTheFirstLookNothingIsLeftOut) {
  LogLines logs(0);
  Printed printed;
  EXPECT_EQ(logs.tail_bytes(), 0);
  logs.add({{"web-1", "", 100}}, printed.take());
  logs.add({{"web-1", "a\nb\n", 104}, {"web-2", "c\nd\n", 4}}, printed.take());  // web-2 was just launched
  EXPECT_EQ(printed.lines, (std::vector<std::string>{"web-1|a", "web-1|b", "web-2|c", "web-2|d"}));
}

TEST(LogLines, NextLookBeginsWhereTheLastOneEnded) {
  LogLines logs(100);
  Printed printed;
  logs.add({{"web-1", "a\n", 2}}, printed.take());
  logs.add({{"web-1", "b\n", 4}, {"web-2", "c\n", 2}}, printed.take());
  EXPECT_EQ(api::write_positions(logs.positions()), "web-1:4,web-2:2");
}

TEST(LogLines, LineThatBeginsBeforeTheTailIsLeftOut) {
  LogLines logs(1'000'000);
  Printed printed;
  // As much as was asked for: it may begin anywhere.
  std::string text = "cut\nwhole\n";
  text.resize(static_cast<std::size_t>(logs.tail_bytes()), 'x');
  logs.add({{"web-1", text, 1 << 30}}, printed.take());
  EXPECT_EQ(printed.lines.at(0), "web-1|whole");
}

TEST(LogLines, LineWithoutEndIsBroken) {
  LogLines logs(100);
  Printed printed;
  logs.add({{"web-1", std::string(2 << 20, 'x'), 2 << 20}}, printed.take());
  EXPECT_EQ(printed.lines.size(), 1U);
}

}  // namespace
}  // namespace headroom::cli
