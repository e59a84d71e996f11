#include "cli/program.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "cli/called_program.hpp"

namespace headroom::cli {
namespace {

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

TEST(Program, HelpFits80ColumnsWithItsWordsWhole) {
  for (const std::vector<std::string>& arguments :
       std::vector<std::vector<std::string>>{{"--help"}, {"simulate", "--help"}, {"tune", "--help"}}) {
    std::istringstream lines(run_with(arguments).out);
    for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 80U) << line;
  }
  EXPECT_NE(run_with({"tune", "--help"}).out.find("a folder with a headroom.yaml, or the file"),
            std::string::npos);
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

TEST(Program, AMistypedCommandIsToldWhichIsMeant) {
  EXPECT_EQ(run_with({"simulat"}).err,
            "headroom: there is no command \"simulat\"\n  did you mean \"simulate\"?\n");
  EXPECT_NE(run_with({"nonsense"}).err.find("the commands are init, check, simulate,"), std::string::npos);
}

TEST(Program, AFolderThatCannotBeCreatedIsAFailureOfTheMachine) {
  const Outcome outcome = run_with({"man", "/dev/null/pages"});
  EXPECT_EQ(outcome.exit_code, ExitCode::unavailable);
  EXPECT_NE(outcome.err.find("/dev/null/pages"), std::string::npos);
}

std::string text_of(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

TEST(Program, ApplyWithAnEnvironmentWritesTheWinnerUnderItAndNowhereElse) {
  const std::filesystem::path folder =
      std::filesystem::path(testing::TempDir()) / fmt::format("apply-{}", getpid());
  std::filesystem::remove_all(folder);
  std::filesystem::copy(std::filesystem::path(HEADROOM_SOURCE_DIR) / "examples/conf42", folder);
  const std::filesystem::path file = folder / "headroom.yaml";
  const std::string before = text_of(file) + R"(environments:
  test: {services: {web: {scale: {max: 50}}}}   # small
  prod:
    cloud: aws   # later
)";
  std::ofstream(file, std::ios::binary) << before;

  const Outcome tuned = run_with({"tune", folder.string(), "--no-run", "--apply", "-e", "prod"});
  EXPECT_EQ(tuned.exit_code, ExitCode::fine) << tuned.err;
  EXPECT_NE(tuned.err.find("Written to " + file.string() + ", under environments: prod."), std::string::npos)
      << tuned.err;
  // The winner of the talk (src/tune/conf42_test.cpp), in a copy of the one policy; every other byte stays.
  EXPECT_EQ(text_of(file), before + R"(    services:
      web:
        scale:
          policies:
            - step:
                metric: cpu
                every: 5m
                first: 1m
                out: [{above: 15%, add: 2}]
                in: [{below: 10%, remove: 1}]
)");
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace headroom::cli
