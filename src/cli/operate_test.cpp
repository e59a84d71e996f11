// The commands on what runs, where nothing runs and where the arguments are wrong; where something does, it
// is tests/ that runs the program.
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "api/server.hpp"
#include "cli/program.hpp"
#include "store/temporary_folder.hpp"

namespace headroom::cli {
namespace {

struct Outcome {
  ExitCode exit_code;
  std::string out;
  std::string err;
};

class Operate : public testing::Test {
 protected:
  Operate() { ::setenv("HEADROOM_STATE", state().c_str(), 1); }
  ~Operate() override { ::unsetenv("HEADROOM_STATE"); }

  std::filesystem::path state() const { return folder_.path() / "state"; }
  static Outcome run_with(const std::vector<std::string>& arguments) {
    std::ostringstream out;
    std::ostringstream err;
    const ExitCode exit_code = run(arguments, out, err);
    return {exit_code, out.str(), err.str()};
  }

  store::TemporaryFolder folder_;
};

TEST_F(Operate, StatusWithoutADaemonSaysThatNothingRunsAndHowToBegin) {
  const Outcome outcome = run_with({"status"});
  EXPECT_EQ(outcome.exit_code, ExitCode::fine);
  EXPECT_NE(outcome.out.find("Nothing runs."), std::string::npos);
  EXPECT_NE(outcome.out.find("headroom up"), std::string::npos);
  EXPECT_EQ(outcome.err, "");
}

TEST_F(Operate, StatusWithoutADaemonHasTheSameNamesInJson) {
  const Outcome outcome = run_with({"status", "--json"});
  EXPECT_EQ(outcome.exit_code, ExitCode::fine);
  const auto json = nlohmann::json::parse(outcome.out);
  EXPECT_TRUE(json["environments"].empty());
  EXPECT_EQ(json["state_folder"], state().string());
}

TEST_F(Operate, StatusSaysWhatAnEarlierDaemonHasLeft) {
  std::filesystem::create_directories(state() / "environments" / "shop");
  const Outcome outcome = run_with({"status"});
  EXPECT_EQ(outcome.exit_code, ExitCode::fine);
  EXPECT_NE(outcome.out.find("An earlier one has left shop in"), std::string::npos);
}

TEST_F(Operate, LookingCreatesNothing) {
  run_with({"status"});
  run_with({"down"});
  run_with({"scale", "web", "3"});
  EXPECT_FALSE(std::filesystem::exists(state()));
}

TEST_F(Operate, PlanOfAnEnvironmentChangesNothingAndStartsNoDaemon) {
  std::filesystem::create_directories(folder_.path() / "app");
  std::ofstream(folder_.path() / "app" / "run") << "x";
  std::ofstream(folder_.path() / "headroom.yaml") << "name: shop\nzones: [a, b]\nservices:\n  web: {source: "
                                                     "./app, run: ./run, instance: {cpu: 0.1}, scale: "
                                                     "{initial: 3, min: 1, max: 3}}\n";
  const Outcome text = run_with({"up", folder_.path().string(), "--plan"});
  EXPECT_EQ(text.exit_code, ExitCode::fine) << text.err;
  EXPECT_NE(text.out.find("web: version v1, its first"), std::string::npos) << text.out;
  EXPECT_NE(text.out.find("2 in zone a, 1 in zone b"), std::string::npos) << text.out;
  const auto json = nlohmann::json::parse(run_with({"up", folder_.path().string(), "--plan", "--json"}).out);
  EXPECT_EQ(json["services"][0]["instances"], 3);
  EXPECT_FALSE(json["runs"]);
  EXPECT_FALSE(std::filesystem::exists(state()));
}

// `down` keeps the data of stateful services; a daemon has nothing to do with them.
TEST_F(Operate, DataThatWasKeptStartsNoDaemon) {
  std::filesystem::create_directories(state() / "environments" / "shop" / "volumes" / "db" / "0");
  const Outcome down = run_with({"down", "--all"});
  EXPECT_EQ(down.exit_code, ExitCode::fine);
  EXPECT_EQ(down.out, "Nothing runs.\n");
  EXPECT_EQ(down.err, "");
  EXPECT_NE(run_with({"status"}).out.find("Nothing runs."), std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(state() / "daemon.log")) << "a daemon was started";
}

// A handler that only sets a flag would keep a program that looks at no flag waiting.
TEST_F(Operate, CtrlCIsCaughtByLogsOnlyWhereTheyFollow) {
  std::vector<bool> caught;
  api::Operations operations;
  operations.status = [] {
    daemon::EnvironmentStatus environment;
    environment.name = "shop";
    environment.services.resize(1);
    environment.services[0].name = "web";
    daemon::Status status;
    status.environments = {environment};
    return status;
  };
  operations.logs = [&](const std::string&, const api::LogsRequest&) {
    struct sigaction now {};
    ::sigaction(SIGINT, nullptr, &now);
    caught.push_back(now.sa_handler != SIG_DFL);
    if (caught.back()) ::raise(SIGINT);
    return std::vector<daemon::LogPiece>{{"web-1", "hello\n", 6}};
  };
  api::Server::Options options;
  options.socket = state() / "run" / "api.sock";
  const auto server = api::Server::open(operations, options);
  ASSERT_TRUE(server);
  EXPECT_EQ(run_with({"logs", "web"}).out, "web-1 | hello\n");
  EXPECT_EQ(run_with({"logs", "web", "-f"}).exit_code, ExitCode::fine);
  EXPECT_EQ(caught, (std::vector<bool>{false, true}));
}

TEST_F(Operate, WhereNothingRunsNothingCanBeChanged) {
  for (const std::vector<std::string>& arguments :
       std::vector<std::vector<std::string>>{{"rollback"},
                                             {"scale", "web", "3"},
                                             {"logs", "web"},
                                             {"logs", "web", "-f"},
                                             {"drill", "zone", "a"},
                                             {"drill", "instance", "web-1", "--how", "hang"}}) {
    const Outcome outcome = run_with(arguments);
    EXPECT_EQ(outcome.exit_code, ExitCode::bad_input) << arguments[0];
    EXPECT_NE(outcome.err.find("nothing runs\n  `headroom up`"), std::string::npos) << outcome.err;
    EXPECT_EQ(outcome.out, "");
  }
  EXPECT_EQ(run_with({"status", "shop"}).exit_code, ExitCode::bad_input);
  EXPECT_EQ(run_with({"down", "shop"}).exit_code, ExitCode::bad_input);
}

TEST_F(Operate, DownWhereNothingRunsIsDone) {
  EXPECT_EQ(run_with({"down"}).exit_code, ExitCode::fine);
  const Outcome all = run_with({"down", "--all", "--json"});
  EXPECT_EQ(all.exit_code, ExitCode::fine);
  EXPECT_TRUE(nlohmann::json::parse(all.out)["ended"].empty());
}

TEST_F(Operate, FaultsOfAFileStartNoDaemon) {
  std::ofstream(folder_.path() / "headroom.yaml") << "name: shop\nservices:\n  web:\n    lissten: 8080\n";
  for (const char* command : {"up", "deploy"}) {
    const Outcome outcome = run_with({command, folder_.path().string()});
    EXPECT_EQ(outcome.exit_code, ExitCode::bad_input);
    EXPECT_NE(outcome.err.find("headroom.yaml:4:5:"), std::string::npos) << outcome.err;
    EXPECT_EQ(run_with({command, (folder_.path() / "none").string()}).exit_code, ExitCode::bad_input);
  }
  EXPECT_FALSE(std::filesystem::exists(state()));
}

TEST_F(Operate, WrongArgumentsAreBadUsage) {
  for (const std::vector<std::string>& arguments :
       std::vector<std::vector<std::string>>{{"scale"},
                                             {"scale", "web"},
                                             {"scale", "web", "-1"},
                                             {"scale", "web", "0x10"},
                                             {"scale", "web", "10001"},
                                             {"logs"},
                                             {"logs", "web", "-n", "-1"},
                                             {"drill"},
                                             {"drill", "zone"},
                                             {"drill", "moon", "a"},
                                             {"drill", "zone", "a", "--how", "hang"},
                                             {"drill", "zone", "a", "--for", "soon"},
                                             {"drill", "instance", "web-1", "--how", "tickle"},
                                             {"down", "shop", "--all"},
                                             {"daemon", "more"}}) {
    const Outcome outcome = run_with(arguments);
    EXPECT_EQ(outcome.exit_code, ExitCode::bad_input) << arguments[0];
    EXPECT_NE(outcome.err, "");
  }
}

TEST_F(Operate, HelpFits80ColumnsAndShowsAnExample) {
  for (const char* command :
       {"up", "deploy", "rollback", "status", "scale", "logs", "drill", "down", "daemon"}) {
    const Outcome help = run_with({command, "--help"});
    EXPECT_EQ(help.exit_code, ExitCode::fine);
    EXPECT_NE(help.out.find("Example:\n  headroom " + std::string(command)), std::string::npos);
    std::istringstream lines(help.out);
    for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 80U) << line;
  }
}

}  // namespace
}  // namespace headroom::cli
