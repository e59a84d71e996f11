#include "cli/shape.hpp"

#include <gtest/gtest.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "cli/completion.hpp"
#include "cli/manual.hpp"

namespace headroom::cli {
namespace {

// A program with one of everything that the real commands use.
CommandShape sample() {
  static std::string text;
  static int number = 0;
  static bool flag = false;
  CLI::App app("Sample", "headroom");
  Command program(app);
  Command drill = program.add_command("drill", "planned failures");
  drill.add_command("zone", "cut a zone").add_option("PATH", text, "where");
  Command tune = program.add_command("tune", "search policies");
  tune.footer("Example:\n  headroom tune");
  tune.add_option("PATH", text, "a folder");
  tune.add_option("-s,--seed", number, "the seed");
  tune.add_option("--aim", text, "what to look for").one_of({"cheapest", "utilisation"});
  tune.add_flag("--json", flag, "machine readable");
  program.add_command("secret", "not for users").hidden();
  return describe(program);
}

TEST(Shape, NamesEveryVisibleCommandAndLeavesOutHiddenOnes) {
  const CommandShape shape = sample();
  ASSERT_EQ(shape.commands.size(), 2u);
  EXPECT_EQ(shape.commands[0].name, "drill");
  ASSERT_EQ(shape.commands[0].commands.size(), 1u);
  EXPECT_EQ(shape.commands[0].commands[0].name, "zone");
  EXPECT_EQ(shape.commands[1].name, "tune");
}

TEST(Shape, KnowsWhatEachOptionTakes) {
  const CommandShape tune = sample().commands[1];
  ASSERT_EQ(tune.options.size(), 5u);  // --help comes first
  EXPECT_EQ(tune.options[1], (OptionShape{{"PATH"}, "a folder", {"PATH", {}, true}, true, false}));
  EXPECT_EQ(tune.options[2], (OptionShape{{"-s", "--seed"}, "the seed", {"INT", {}, false}, false, false}));
  EXPECT_EQ(tune.options[3].values.choices, (std::vector<std::string>{"cheapest", "utilisation"}));
  EXPECT_FALSE(tune.options[3].values.files);
  EXPECT_EQ(tune.options[4], (OptionShape{{"--json"}, "machine readable", {}, false, false}));
}

TEST(Manual, HasAPagePerCommandAndEscapesWhatRoffWouldRead) {
  CommandShape root{"headroom", "Title", "", {}, {}};
  root.commands.push_back({"odd", "says a\\b", ".dot first\n'quote first", {}, {}});
  const std::vector<ManualPage> pages = manual(root, "1.2.3");
  ASSERT_EQ(pages.size(), 2u);
  EXPECT_EQ(pages[0].file, "headroom.1");
  EXPECT_EQ(pages[1].file, "headroom-odd.1");
  EXPECT_NE(pages[1].text.find("says a\\eb"), std::string::npos);
  EXPECT_NE(pages[1].text.find("\n\\&.dot first\n\\&'quote first"), std::string::npos);
}

// What real shells make of the scripts is tested in tests/rules/completion.
TEST(Completion, QuotesTextThatAShellWouldRead) {
  CommandShape root{"headroom", "Title", "", {}, {}};
  root.commands.push_back({"odd", "the user's $HOME", "", {}, {}});
  EXPECT_NE(zsh_completion(root).find("'odd:the user'\\''s $HOME'"), std::string::npos);
}

}  // namespace
}  // namespace headroom::cli
