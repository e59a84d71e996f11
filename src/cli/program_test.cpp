#include "cli/program.hpp"

#include <gtest/gtest.h>

#include <sstream>

namespace headroom::cli {
namespace {

struct Outcome {
  ExitCode exit_code;
  std::string out;
  std::string err;
};

Outcome run_with(const std::vector<std::string>& arguments) {
  std::ostringstream out;
  std::ostringstream err;
  const ExitCode exit_code = run(arguments, out, err);
  return {exit_code, out.str(), err.str()};
}

TEST(Program, VersionAndHelpGoToStandardOutputAndAreFine) {
  const Outcome shown = run_with({"--version"});
  EXPECT_EQ(shown.exit_code, ExitCode::fine);
  EXPECT_EQ(shown.out, "headroom " + std::string(version()) + "\n");
  EXPECT_EQ(shown.err, "");

  const Outcome help = run_with({"--help"});
  EXPECT_EQ(help.exit_code, ExitCode::fine);
  EXPECT_NE(help.out.find("completion"), std::string::npos);
  EXPECT_EQ(help.err, "");
}

TEST(Program, WrongUsageExitsWithTwoAndSaysSoOnStandardErrorOnly) {
  const std::vector<std::vector<std::string>> cases = {{},
                                                       {"nonsense"},
                                                       {"--nonsense"},
                                                       {"completion"},
                                                       {"completion", "fish"},
                                                       {"completion", "bash", "more"}};
  for (const auto& arguments : cases) {
    const Outcome outcome = run_with(arguments);
    SCOPED_TRACE(arguments.empty() ? "no arguments" : arguments.back());
    EXPECT_EQ(outcome.exit_code, ExitCode::bad_input);
    EXPECT_EQ(outcome.out, "");
    EXPECT_NE(outcome.err, "");
  }
}

TEST(Program, AFolderThatCannotBeCreatedIsAFailureOfTheMachine) {
  const Outcome outcome = run_with({"man", "/dev/null/pages"});
  EXPECT_EQ(outcome.exit_code, ExitCode::unavailable);
  EXPECT_NE(outcome.err.find("/dev/null/pages"), std::string::npos);
}

}  // namespace
}  // namespace headroom::cli
