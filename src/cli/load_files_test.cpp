#include "cli/load_files.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "report/load_records.hpp"
#include "store/temporary_folder.hpp"

namespace headroom::cli {
namespace {

using Words = std::vector<std::string>;

TEST(LoadFiles, OnlyHeadersThatTellNothingOfWhoAsksAreKeptInTheCommand) {
  EXPECT_EQ(without_secrets({"load", "-H", "Authorization: Bearer s3cret", "--url", "http://a/"}),
            (Words{"load", "-H", "Authorization: REDACTED", "--url", "http://a/"}));
  EXPECT_EQ(without_secrets({"--header", "Cookie: id=1", "--header=X-Api-Key: 2", "-HToken:3"}),
            (Words{"--header", "Cookie: REDACTED", "--header=X-Api-Key: REDACTED", "-HToken: REDACTED"}));
  // What is no header, or stands where one should be.
  EXPECT_EQ(without_secrets({"-H", "s3cret", "-H", "-H", "x"}),
            (Words{"-H", "REDACTED", "-H", "REDACTED", "x"}));
  const Words harmless{"-H", "Accept: text/html", "--header=USER-AGENT: me", "--for", "10s"};
  EXPECT_EQ(without_secrets(harmless), harmless);
}

TEST(LoadFiles, AFolderThatIsNoLoadTestIsToldBeforeItIsRead) {
  const store::TemporaryFolder folder;
  const auto run = read_load(folder.path().string());
  ASSERT_FALSE(run);
  EXPECT_EQ(run.error().kind, base::ErrorKind::bad_input);
  EXPECT_NE(run.error().faults.front().what.find("no run folder of a load test"), std::string::npos);
}

TEST(LoadFiles, WhatIsKeptIsReadAgainTheSame) {
  const store::TemporaryFolder folder;
  report::LoadRun run;
  run.name = "64 users";
  run.url = "http://127.0.0.1/";
  run.start = base::Milliseconds{1'700'000'000'123};
  run.measured.lateness_ms.add(0.1, 7);
  const auto kept = keep_load({(folder.path() / "runs").string()}, run, {{"inputs/a.yaml", "open: {}"}});
  ASSERT_TRUE(kept) << base::to_string(kept.error());
  EXPECT_NE(kept->find("-load-64-users"), std::string::npos) << *kept;
  EXPECT_EQ(read_load(*kept).value(), run);
  EXPECT_TRUE(std::filesystem::exists(std::filesystem::path(*kept) / "inputs/a.yaml"));
}

}  // namespace
}  // namespace headroom::cli
