#include "isolation/machine.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>

#include <array>
#include <iostream>
#include <map>
#include <thread>

#include "isolation/http_question.hpp"
#include "isolation/launcher.hpp"
#include "isolation/test_realm.hpp"

namespace headroom::isolation {
namespace {

using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;

struct Try {
  const char* name;
  Asked asked;
};

// Each tier that one machine can have; those it has not are skipped with the reason.
class PerTier : public ::testing::TestWithParam<Try> {
 protected:
  void SetUp() override {
    static std::map<std::string, base::Result<Tier>> known;  // it takes 0.2 s
    const std::string name = GetParam().name;
    if (!known.contains(name)) known.emplace(name, probe(GetParam().asked));
    const auto& tier = known.at(name);
    if (!tier) GTEST_SKIP() << to_string(tier.error());
    tier_ = *tier;
    realm_.emplace(tier_);
  }

  TestRealm& realm() { return *realm_; }
  Machine& machine() { return realm_->machine(); }
  bool serves(const Cell& cell) {
    return happens(
        [&] { return HttpQuestion(machine().address(cell.position), 8080).answered_within(1000); });
  }

  Tier tier_;
  std::optional<TestRealm> realm_;
};

INSTANTIATE_TEST_SUITE_P(
    Tiers, PerTier,
    ::testing::Values(Try{"best", {}}, Try{"loopback", {{}, Network::loopback}},
                      Try{"loopbackWithoutLimits", {Limits::none, Network::loopback}},
                      Try{"nothingButUsers", {Limits::none, Network::loopback, true, false}},
                      Try{"nothingButFiles", {Limits::none, Network::loopback, false, true}}),
    [](const auto& instance) { return instance.param.name; });

TEST_P(PerTier, anInstanceServesAtItsAddressAndEndsWithoutATrace) {
  const Cell cell = realm().server("web-1", 3);
  ASSERT_TRUE(realm().start(cell));
  EXPECT_TRUE(serves(cell)) << realm().log("web-1");
  const State state = machine().state("web-1");
  EXPECT_EQ(state.phase, Phase::running);
  ASSERT_TRUE(state.process);
  EXPECT_TRUE(runs(*state.process));
  EXPECT_EQ(machine().found(), std::vector<std::string>{"web-1"});
  EXPECT_GT(machine().usage("web-1").cpu.count(), 0);
  EXPECT_GT(machine().usage("web-1").memory_bytes, 1 << 20);  // Python takes some 10 MB
  EXPECT_GE(machine().usage("web-1").processes, 2);           // the first one, and Python
  ASSERT_TRUE(machine().terminate("web-1", 10s));
  EXPECT_EQ(machine().state("web-1"), State{});
  EXPECT_EQ(machine().found(), std::vector<std::string>{});
  EXPECT_FALSE(runs(*state.process));
}

TEST_P(PerTier, whatStartsNoInstanceLeavesNoTrace) {
  EXPECT_EQ(realm().traces(), std::vector<std::string>{});
  realm().open();
  EXPECT_EQ(realm().traces(), std::vector<std::string>{});
}

TEST_P(PerTier, theEndIsOnRecordAlsoForTheNextDaemon) {
  ASSERT_TRUE(realm().start(realm().cell("status", 0, "exit 3")));
  ASSERT_TRUE(realm().start(realm().cell("signal", 1, "kill -SEGV $$")));
  (void)realm().ended("status");
  (void)realm().ended("signal");
  realm().open();
  EXPECT_EQ(machine().state("status"), (State{Phase::exited, {}, 3}));
  EXPECT_EQ(machine().state("signal"), (State{Phase::signalled, {}, SIGSEGV}));
  EXPECT_TRUE(machine().remove("status"));
  EXPECT_EQ(machine().state("status"), State{});
}

TEST_P(PerTier, terminateLetsTheApplicationFinish) {
  ASSERT_TRUE(realm().start(realm().cell(
      "polite", 0, "trap 'echo finished; exit 0' TERM; echo ready; while :; do sleep 0.05; done")));
  ASSERT_TRUE(realm().logs("polite", "ready"));
  ASSERT_TRUE(machine().terminate("polite", 30s));
  EXPECT_TRUE(realm().log("polite").ends_with("finished")) << realm().log("polite");
}

TEST_P(PerTier, terminateWaitsForTheChildrenOfAShellThatIsGone) {
  // dash ends at once; what it started ends in its own time, and that counts.
  const char* child =
      "import signal, sys, time\n"
      "def end(*_): time.sleep(0.3); print('child finished', flush=True); sys.exit(0)\n"
      "signal.signal(signal.SIGTERM, end); print('ready', flush=True); time.sleep(1000)";
  Cell cell = realm().cell("family", 0, "python3 -c \"$CHILD\"; true");
  cell.environment = {{"CHILD", child}};
  ASSERT_TRUE(realm().start(cell));
  ASSERT_TRUE(realm().logs("family", "ready"));
  ASSERT_TRUE(machine().terminate("family", 30s));
  EXPECT_EQ(realm().log("family"), "ready\nchild finished");
}

TEST_P(PerTier, terminateEndsWhatDoesNotListen) {
  ASSERT_TRUE(realm().start(
      realm().cell("deaf", 0, "trap '' TERM; (setsid sleep 1000 &); echo ready; sleep 1000; sleep 1000")));
  ASSERT_TRUE(realm().logs("deaf", "ready"));
  ASSERT_TRUE(machine().terminate("deaf", 50ms));
  EXPECT_EQ(machine().state("deaf"), State{});
  for (const std::string& trace : realm().traces())
    EXPECT_EQ(trace.find("process"), std::string::npos) << trace;
}

TEST_P(PerTier, theEndOfTheApplicationIsTheEndOfAllItStarted) {
  ASSERT_TRUE(realm().start(realm().cell("parent", 0, "(setsid sleep 1000 &); sleep 1000 & exit 0")));
  EXPECT_EQ(realm().ended("parent"), (State{Phase::exited, {}, 0}));
  EXPECT_TRUE(happens([&] { return machine().usage("parent").processes == 0; }));
}

TEST_P(PerTier, aCrashIsToldUntilItIsRemoved) {
  const Cell cell = realm().server("web-1", 0);
  ASSERT_TRUE(realm().start(cell));
  ASSERT_TRUE(serves(cell));
  ASSERT_TRUE(machine().crash("web-1"));
  EXPECT_EQ(machine().state("web-1"), (State{Phase::signalled, {}, SIGKILL}));
  EXPECT_TRUE(happens([&] { return machine().usage("web-1").processes == 0; }));
  EXPECT_FALSE(machine().start(cell)) << "its name and slot are not free yet";
  ASSERT_TRUE(machine().remove("web-1"));
  ASSERT_TRUE(realm().start(cell));
  EXPECT_TRUE(serves(cell));
}

TEST_P(PerTier, whatIsPausedOrHungAnswersAfterwards) {
  const Cell cell = realm().server("web-1", 0);
  ASSERT_TRUE(realm().start(cell));
  ASSERT_TRUE(serves(cell));
  for (const bool pause : {true, false}) {
    ASSERT_TRUE(pause ? machine().pause("web-1") : machine().hang("web-1"));
    EXPECT_EQ(machine().state("web-1").phase, Phase::running);
    const HttpQuestion question(machine().address(cell.position), 8080);
    EXPECT_FALSE(question.answered_within(300));
    ASSERT_TRUE(pause ? machine().resume("web-1") : machine().unhang("web-1"));
    EXPECT_TRUE(question.answered_within(30'000));
  }
  ASSERT_TRUE(machine().pause("web-1"));
  EXPECT_TRUE(machine().terminate("web-1", 10s)) << "also from a pause";
}

TEST_P(PerTier, anInstanceHasNoRights) {
  Cell cell = realm().cell(
      "rights", 5, "grep -E '^(Uid|Gid|Groups|Cap...|NoNewPrivs)' /proc/self/status; ls /proc/self/fd");
  const std::string output = realm().output(cell);
  for (const char* none : {"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"}) {
    // Without root and namespaces there is no right to drop the bound, nor a way to come near it.
    if (std::string(none) == "CapBnd" && ::geteuid() != 0 && !tier_.own_files) continue;
    EXPECT_NE(output.find(std::string(none) + ":\t0000000000000000"), std::string::npos) << output;
  }
  EXPECT_NE(output.find("NoNewPrivs:\t1"), std::string::npos) << output;
  // 0 to 2, and that of ls on the folder.
  EXPECT_NE(output.find("\n0\n1\n2\n3"), std::string::npos) << output;
  EXPECT_EQ(output.find("\n4"), std::string::npos) << output;
  if (tier_.own_users) {
    EXPECT_EQ(output.find("Uid:\t0"), std::string::npos) << output;
    EXPECT_NE(output.find("Groups:\t \n"), std::string::npos) << output;
  }
}

TEST_P(PerTier, instancesDoNotReadWhatIsNotTheirs) {
  if (!tier_.own_users && !tier_.own_files) GTEST_SKIP() << "lost in this tier";
  std::filesystem::permissions(realm().state() / "secret", std::filesystem::perms(0600));
  Cell first = realm().cell(
      "first", 0, "echo mine > $HOME/file; echo mine > /tmp/file-of-first; echo written; sleep 1000");
  ASSERT_TRUE(realm().start(first));
  ASSERT_TRUE(realm().logs("first", "written"));
  const std::string state = realm().state().string();
  Cell second =
      realm().cell("second", 1,
                   fmt::format("cat {0}/secret {0}/private/first/file {0}/isolation/cells/first/cell "
                               "{0}/first.log {0}/second.log; echo x > {0}/image/x; ls {0}/private/first; "
                               "echo end",
                               state));
  if (!tier_.own_users) second.run = fmt::format("cat {0}/secret; ls {0}/private/first; echo end", state);
  const std::string output = realm().output(second);
  EXPECT_EQ(output.find("of the daemon"), std::string::npos) << output;
  EXPECT_EQ(output.find("mine"), std::string::npos) << output;
  EXPECT_EQ(output.find("zone"), std::string::npos) << output;
  EXPECT_NE(output.find("end"), std::string::npos) << output;
  EXPECT_FALSE(std::filesystem::exists(realm().state() / "image" / "x"));
}

TEST_P(PerTier, ofFilesAndProcessesAnInstanceSeesItsOwn) {
  if (!tier_.own_files) GTEST_SKIP() << "lost in this tier";
  ASSERT_TRUE(realm().start(realm().cell("first", 0, "echo x > /tmp/file-of-first; echo ready; sleep 1000")));
  ASSERT_TRUE(realm().logs("first", "ready"));
  TestRealm::write(realm().state() / "image" / "part", "of the image");
  std::filesystem::create_directory(realm().state() / "volume");
  Cell cell =
      realm().cell("second", 1,
                   "pwd; ls; ls -A $(dirname $HOME) $(dirname $PWD) /tmp /run; echo sees $([ "
                   "$(ls -d /proc/[0-9]* | wc -l) -lt 10 ] && echo few || echo many); hostname;"
                   "for f in $HOME/a $TMPDIR/b /tmp/c /var/tmp/d /dev/shm/e $VOLUME/f /dev/null; do echo x > "
                   "$f || echo NOT $f; done;"
                   "for f in ./x /x /etc/x /run/x /dev/x $(dirname $HOME)/x /sys/x; do (echo x > $f) "
                   "2>/dev/null && echo WROTE $f; done;"
                   "python3 -c 'import socket; print(socket.gethostbyname(\"database\"))'; head -c 3 "
                   "/dev/urandom | wc -c; mount | wc -l; cat /etc/resolv.conf; echo end");
  cell.volume = realm().state() / "volume";
  cell.environment = {{"VOLUME", cell.volume->string()}};
  cell.hosts = {{"10.1.2.3", "database"}};
  const std::string output = realm().output(cell);
  EXPECT_EQ(output.find(realm().state().string() + "/image\npart\n"), 0U) << output;
  EXPECT_EQ(output.find("first"), std::string::npos) << output;
  EXPECT_EQ(output.find("secret"), std::string::npos) << output;
  EXPECT_EQ(output.find("NOT"), std::string::npos) << output;
  if (tier_.own_users) {
    EXPECT_EQ(output.find("WROTE"), std::string::npos) << output;
  }
  // The first process, the shell, that of the substitution, ls and maybe wc; the machine has tens.
  EXPECT_NE(output.find("\nsees few\n"), std::string::npos) << output;
  EXPECT_NE(output.find("\nsecond\n"), std::string::npos) << output;
  EXPECT_NE(output.find("\n10.1.2.3\n"), std::string::npos) << output;
  EXPECT_NE(output.find("\nend"), std::string::npos) << output;
  EXPECT_TRUE(std::filesystem::exists(realm().state() / "volume" / "f"));
  EXPECT_TRUE(std::filesystem::exists(cell.private_folder / "tmp" / "c"));
}

TEST_P(PerTier, instancesDoNotTouchTheProcessesOfOthers) {
  if (!tier_.own_users && !tier_.own_files) GTEST_SKIP() << "lost in this tier";
  const Cell first = realm().server("first", 0);
  ASSERT_TRUE(realm().start(first));
  ASSERT_TRUE(serves(first));
  // By the numbers that the machine knows them by, its own daemon's included, and all that can be seen.
  const Identity of_first = *machine().state("first").process;
  Cell second = realm().cell("second", 1,
                             fmt::format("for p in {} {} {}; do kill -9 $p; cat /proc/$p/environ; cat "
                                         "/proc/$p/root/etc/hosts; done; echo end",
                                         of_first.pid, of_first.pid + 1, ::getpid()));
  if (!tier_.own_files || tier_.own_users) second.run = "kill -9 -1; " + second.run;
  const std::string output = realm().output(second);
  EXPECT_EQ(output.find("HEADROOM_INSTANCE"), std::string::npos) << output;
  EXPECT_EQ(output.find("localhost"), std::string::npos) << output;
  EXPECT_EQ(machine().state("first").process, of_first);
  EXPECT_TRUE(serves(first));
}

TEST_P(PerTier, aMemoryHogEndsAndOthersServe) {
  if (tier_.limits == Limits::none) GTEST_SKIP() << "lost in this tier";
  const Cell other = realm().server("other", 0);
  ASSERT_TRUE(realm().start(other));
  Cell hog = realm().cell("hog", 1, "exec python3 -c 'x = []\nwhile True: x.append(bytearray(1 << 20))'");
  hog.memory_bytes = 96 << 20;
  ASSERT_TRUE(realm().start(hog));
  EXPECT_EQ(realm().ended("hog"), (State{Phase::out_of_memory, {}, SIGKILL}));
  EXPECT_GE(machine().usage("hog").out_of_memory_kills, 1);
  EXPECT_TRUE(serves(other));
}

TEST_P(PerTier, aForkBombEndsAtItsLimitAndOthersServe) {
  if (tier_.limits == Limits::none && !tier_.own_users) GTEST_SKIP() << "lost in this tier";
  const Cell other = realm().server("other", 0);
  ASSERT_TRUE(realm().start(other));
  Cell bomb = realm().cell("bomb", 1,
                           "exec python3 -c 'import os, time\nwhile True:\n try: os.fork()\n except OSError: "
                           "print(\"limit\", flush=True); time.sleep(0.1)'");
  bomb.processes_max = 20;
  bomb.cores = base::Cores(0.2);
  ASSERT_TRUE(realm().start(bomb));
  EXPECT_TRUE(realm().logs("bomb", "limit"));
  // With the first process, which is ours.
  EXPECT_LE(machine().usage("bomb").processes, 21);
  EXPECT_TRUE(serves(other));
  EXPECT_TRUE(machine().terminate("bomb", 0ms));
}

TEST_P(PerTier, anInstanceIsHeldToItsCpu) {
  if (tier_.limits == Limits::none) GTEST_SKIP() << "lost in this tier";
  Cell cell = realm().cell("busy", 0, "while :; do :; done");
  cell.cores = base::Cores(0.1);
  const auto begin = std::chrono::steady_clock::now();
  ASSERT_TRUE(realm().start(cell));
  EXPECT_TRUE(happens([&] { return machine().usage("busy").throttled > 200ms; }));
  // However busy the machine is: a tenth of the time that has passed, and of a period that has just begun.
  const base::Nanoseconds used = machine().usage("busy").cpu;
  EXPECT_LE(used * 10, std::chrono::steady_clock::now() - begin + 200ms);
}

TEST_P(PerTier, aZoneThatIsCutAnswersNoMoreAndThenAgain) {
  const Cell cell = realm().server("web-1", 0, 1);
  const Cell other = realm().server("web-2", 0, 2);
  ASSERT_TRUE(realm().start(cell));
  ASSERT_TRUE(realm().start(other));
  ASSERT_TRUE(serves(cell));
  const auto cut = machine().cut_zone(1, true);
  if (tier_.network == Network::loopback) {
    ASSERT_FALSE(cut);
    EXPECT_NE(to_string(cut.error()).find("zone 1 cannot be cut off"), std::string::npos);
    return;
  }
  ASSERT_TRUE(cut);
  realm().open();
  EXPECT_EQ(machine().zones(), (std::vector<int>{1, 2}));
  EXPECT_TRUE(machine().is_cut(1));
  EXPECT_FALSE(machine().is_cut(2));
  EXPECT_FALSE(HttpQuestion(machine().address(cell.position), 8080).answered_within(1000));
  // What starts meanwhile is cut off, too.
  const Cell late = realm().server("web-3", 1, 1);
  ASSERT_TRUE(realm().start(late));
  ASSERT_TRUE(realm().logs("web-3", "Serving"));
  EXPECT_FALSE(HttpQuestion(machine().address(late.position), 8080).answered_within(300));
  EXPECT_TRUE(serves(other));
  ASSERT_TRUE(machine().cut_zone(1, false));
  EXPECT_TRUE(serves(cell));
  EXPECT_TRUE(serves(late));
  EXPECT_FALSE(machine().remove_zone(1)) << "it has instances";
}

TEST_P(PerTier, instancesGoOnWhenTheDaemonIsKilled) {
  ASSERT_TRUE(machine().make_zone(0));
  realm().server("web-1", 0);  // makes its folders
  const std::string limits = std::to_string(static_cast<int>(tier_.limits));
  const std::string network = std::to_string(static_cast<int>(tier_.network));
  const auto daemon = run({"/proc/self/exe", "start-and-be-killed", realm().options().realm, realm().state(),
                           limits, network, tier_.own_users ? "1" : "0", tier_.own_files ? "1" : "0"});
  ASSERT_TRUE(daemon) << to_string(daemon.error());
  ASSERT_EQ(daemon->status, 128 + SIGKILL) << daemon->err;
  realm().open();
  EXPECT_EQ(machine().found(), std::vector<std::string>{"web-1"});
  const Cell cell = realm().server("web-1", 0);
  EXPECT_TRUE(serves(cell));
  const State state = machine().state("web-1");
  EXPECT_EQ(state.phase, Phase::running);
  EXPECT_GT(machine().usage("web-1").cpu.count(), 0);
  EXPECT_TRUE(machine().pause("web-1"));
  EXPECT_TRUE(machine().resume("web-1"));
  EXPECT_TRUE(serves(cell));
  EXPECT_TRUE(machine().terminate("web-1", 10s));
  EXPECT_FALSE(runs(*state.process));
}

TEST_P(PerTier, aLogIsBounded) {
  Cell cell =
      realm().cell("talker", 0, "yes some text that nobody reads | head -c 3000000; echo; echo the end");
  cell.log_bytes_max = 100'000;
  ASSERT_TRUE(realm().start(cell));
  (void)realm().ended("talker");
  EXPECT_LE(std::filesystem::file_size(cell.log), 100'000U);
  EXPECT_LE(std::filesystem::file_size(cell.log.string() + ".1"), 100'000U);
  EXPECT_TRUE(realm().log("talker").ends_with("the end"));
}

TEST_P(PerTier, aVolumeGoesFromOneInstanceToTheNext) {
  std::filesystem::create_directory(realm().state() / "volume");
  Cell first = realm().cell("first", 0, "umask 077; mkdir $VOLUME/d; echo kept > $VOLUME/d/file");
  first.volume = realm().state() / "volume";
  first.environment = {{"VOLUME", first.volume->string()}};
  EXPECT_EQ(realm().output(first), "");
  Cell second = realm().cell("second", 1, "cat $VOLUME/d/file && rm $VOLUME/d/file");
  second.volume = first.volume;
  second.environment = first.environment;
  EXPECT_EQ(realm().output(second), "kept");
}

TEST_P(PerTier, aStartThatFailsSaysWhyAndLeavesNothing) {
  Cell cell = realm().cell("web-1", 0, "true");
  cell.log = realm().state() / "log";
  std::filesystem::create_directory(cell.log);
  ASSERT_TRUE(machine().make_zone(0));
  const auto started = machine().start(cell);
  ASSERT_FALSE(started);
  EXPECT_NE(to_string(started.error()).find((realm().state() / "log").string()), std::string::npos)
      << to_string(started.error());
  EXPECT_EQ(machine().found(), std::vector<std::string>{});
}

TEST_P(PerTier, aNameAndASlotAreOfOneInstance) {
  ASSERT_TRUE(realm().start(realm().cell("web-1", 0, "sleep 1000")));
  EXPECT_FALSE(machine().start(realm().cell("web-1", 1, "true")));
  EXPECT_FALSE(machine().start(realm().cell("web-2", 0, "true")));
  EXPECT_EQ(machine().state("web-1").phase, Phase::running);
  EXPECT_EQ(machine().found(), std::vector<std::string>{"web-1"});
}

TEST_P(PerTier, severalAreStartedAndEndedAtOnce) {
  ASSERT_TRUE(machine().make_zone(0));
  std::vector<Cell> cells;
  for (int slot = 0; slot < 4; ++slot) cells.push_back(realm().server(fmt::format("web-{}", slot), slot));
  std::vector<std::thread> threads;
  std::array<std::string, 4> faults;
  for (std::size_t at = 0; at < cells.size(); ++at) {
    threads.emplace_back([&, at] {
      const auto started = machine().start(cells[at]);
      if (!started) faults[at] = to_string(started.error());
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(faults, (std::array<std::string, 4>{}));
  for (const Cell& cell : cells) EXPECT_TRUE(serves(cell)) << cell.name;
  threads.clear();
  for (const Cell& cell : cells)
    threads.emplace_back([&] { EXPECT_TRUE(machine().terminate(cell.name, 10s)); });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(machine().found(), std::vector<std::string>{});
}

// What the machine remembers of the address must stay true, or the second one is not reached for half a
// minute.
TEST_P(PerTier, whoGetsAnAddressNextIsTheSameNeighbour) {
  if (tier_.network != Network::namespaces) GTEST_SKIP() << "all share one interface in this tier";
  const auto hardware_of = [&](const Cell& cell) {
    EXPECT_TRUE(realm().start(cell));
    EXPECT_TRUE(serves(cell));
    const auto shown = run({"ip", "neigh", "show", machine().address(cell.position)});
    const std::string text = shown ? shown->out : "";
    const std::size_t begin = text.find("lladdr ");
    return begin == std::string::npos ? text : text.substr(begin + 7, 17);
  };
  const Cell first = realm().server("web-1", 3);
  EXPECT_EQ(hardware_of(first), hardware_address(machine().address(first.position)));
  EXPECT_TRUE(machine().terminate("web-1", 0ms));
  EXPECT_EQ(hardware_of(realm().server("web-2", 3)), hardware_address(machine().address(first.position)));
}

TEST_P(PerTier, theEnvironmentOfTheDaemonStaysWithIt) {
  ::setenv("HEADROOM_TEST_SECRET", "of the daemon", 1);
  ASSERT_TRUE(realm().start(realm().cell("web-1", 0, "env; echo ready; sleep 1000")));
  ::unsetenv("HEADROOM_TEST_SECRET");
  ASSERT_TRUE(realm().logs("web-1", "ready"));
  EXPECT_EQ(realm().log("web-1").find("of the daemon"), std::string::npos);
  // Nor is it in the memory of the first process.
  const std::string first = fmt::format("/proc/{}/environ", machine().state("web-1").process->pid);
  EXPECT_EQ(text_of(first).value_or("").find("of the daemon"), std::string::npos);
}

TEST_P(PerTier, whatIsNotThereIsAbsent) {
  EXPECT_EQ(machine().state("nobody"), State{});
  EXPECT_EQ(machine().usage("nobody").processes, 0);
  EXPECT_TRUE(machine().remove("nobody"));
  EXPECT_TRUE(machine().terminate("nobody", 1s));
  EXPECT_FALSE(machine().crash("nobody"));
  EXPECT_FALSE(machine().pause("nobody"));
}

TEST_P(PerTier, removeEverythingLeavesNothing) {
  ASSERT_TRUE(realm().start(realm().server("web-1", 0, 0)));
  ASSERT_TRUE(realm().start(realm().server("web-2", 0, 1)));
  ASSERT_TRUE(realm().start(realm().cell("ended", 1, "exit 1", 1)));
  ASSERT_TRUE(machine().pause("web-2"));
  (void)realm().ended("ended");
  EXPECT_FALSE(realm().traces().empty());
  ASSERT_TRUE(machine().remove_everything());
  EXPECT_EQ(realm().traces(), std::vector<std::string>{});
  // And all can be made again.
  const Cell cell = realm().server("web-1", 0);
  ASSERT_TRUE(realm().start(cell));
  EXPECT_TRUE(serves(cell));
}

TEST_P(PerTier, theStateFolderMayBeAmongTheTemporaryFiles) {
  TestRealm below(tier_, "/tmp");
  Cell cell = below.cell("web-1", 7, "pwd; cat $HOME/../../secret; echo; echo x > $HOME/file; echo end");
  std::filesystem::permissions(below.state() / "secret", std::filesystem::perms(0600));
  const std::string output = below.output(cell);
  EXPECT_EQ(output.find(below.state().string() + "/image\n"), 0U) << output;
  if (tier_.own_users || tier_.own_files) {
    EXPECT_EQ(output.find("of the daemon"), std::string::npos) << output;
  }
  EXPECT_TRUE(output.ends_with("\nend")) << output;
}

TEST(Tier, thisMachineHasOne) {
  const auto tier = probe();
  ASSERT_TRUE(tier) << to_string(tier.error());
  std::cout << "This machine: " << describe(*tier) << '\n';
  for (const std::string& sentence : tier->lost) std::cout << "  " << sentence << '\n';
}

TEST(Machine, takesNoRealmThatIsNone) {
  for (const char* realm : {"", "abc", "abcde", "ABCD", "a/.."}) {
    EXPECT_FALSE(Machine::open({realm, {}, "/tmp"})) << realm;
  }
}

// The same rules once more, as somebody who is not root.
TEST(Machine, allThisHoldsWithoutRoot) {
  if (::geteuid() != 0) GTEST_SKIP() << "this is not root";
  const std::string program = std::filesystem::read_symlink("/proc/self/exe");
  const std::vector<std::string> nobody{"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"};
  auto words = nobody;
  words.insert(words.end(), {"test", "-x", program});
  const auto reached = run(words);
  if (!reached || reached->status != 0) GTEST_SKIP() << "no other user may run " << program;
  words = nobody;
  words.insert(words.end(), {program, "--gtest_filter=*/best:*/nothingButUsers:Tier.*"});
  const auto ran = run(words, {}, base::Milliseconds(300'000));
  ASSERT_TRUE(ran) << to_string(ran.error());
  EXPECT_EQ(ran->status, 0) << ran->out << ran->err;
  std::cout << ran->out.substr(ran->out.rfind("[==========]"));
}

// As a daemon that is killed while an instance runs.
int start_and_be_killed(char** words) {
  Tier tier;
  tier.limits = static_cast<Limits>(std::stoi(words[4]));
  tier.network = static_cast<Network>(std::stoi(words[5]));
  tier.own_users = std::string(words[6]) == "1";
  tier.own_files = std::string(words[7]) == "1";
  auto machine = Machine::open({words[2], tier, words[3]});
  if (!machine) return 1;
  const std::filesystem::path state = words[3];
  Cell cell;
  cell.name = "web-1";
  cell.run = "exec python3 -u -m http.server --bind $ADDRESS 8080";
  cell.environment = {{"ADDRESS", machine->address({})}};
  cell.image = state / "image";
  cell.private_folder = state / "private" / "web-1";
  cell.log = state / "web-1.log";
  const auto started = machine->start(cell);
  if (!started) {
    std::cerr << to_string(started.error());
    return 1;
  }
  ::kill(::getpid(), SIGKILL);
  return 1;
}

}  // namespace
}  // namespace headroom::isolation

int main(int argc, char** argv) {
  using namespace headroom::isolation;  // NOLINT
  if (argc > 1 && argv[1] == kLauncherArgument) return launch_main();
  if (argc > 7 && std::string(argv[1]) == "start-and-be-killed") return start_and_be_killed(argv);
  ::testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
