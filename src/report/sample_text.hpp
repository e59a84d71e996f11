// What tests ask of text for a terminal.
#pragma once

#include <gtest/gtest.h>

#include <sstream>
#include <string>

#include "report/layout.hpp"

namespace headroom::report {

inline void expect_fits(const std::string& text) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    EXPECT_LE(columns_of(line), kTextColumns) << line;
    EXPECT_TRUE(line.empty() || line.back() != ' ') << line;
  }
  EXPECT_EQ(text.back(), '\n');
}

inline bool says(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace headroom::report
