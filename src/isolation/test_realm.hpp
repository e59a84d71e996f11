// TestRealm: a state folder, a realm and a Machine of its own for one test; nothing of it stays, and nothing
// of a test that was killed: the next test of any program with a TestRealm removes it.
#pragma once

#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "isolation/command.hpp"
#include "isolation/kernel_file.hpp"
#include "isolation/machine.hpp"

namespace headroom::isolation {

// For what happens in another process: until it has happened, or so late that it never will.
template <class Condition>
bool happens(Condition condition) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(90);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

class TestRealm {
 public:
  static std::string place() { return ::geteuid() == 0 ? "/var/lib" : "/tmp"; }

  explicit TestRealm(const Tier& tier, const std::string& below = place()) {
    static int number = 0;
    std::string pattern = below + "/headroom-test-XXXXXX";
    if (::mkdtemp(pattern.data()) == nullptr) ADD_FAILURE() << "no temporary folder: " << pattern;
    folder_ = pattern;
    std::filesystem::permissions(folder_, std::filesystem::perms(0755));
    std::filesystem::create_directories(state() / "image");
    write(state() / "secret", "of the daemon");
    // Four characters of the process and of the test, so that test programs at the same time do not meet.
    const char* const digits = "0123456789abcdefghijklmnopqrstuvwxyz";
    realm_ = "t";
    for (int rest = static_cast<int>(::getpid()) * 7 + number++, place = 0; place < 3; ++place, rest /= 36) {
      realm_ += digits[rest % 36];
    }
    options_ = {realm_, tier, state()};
    write(folder_ / "owner", realm_ + ' ' + std::to_string(::getpid()));
    remove_what_dead_tests_left(below);
    open();
  }
  TestRealm(const TestRealm&) = delete;
  TestRealm& operator=(const TestRealm&) = delete;
  ~TestRealm() {
    open();
    const auto removed = machine_->remove_everything();
    EXPECT_TRUE(removed) << to_string(removed.error());
    EXPECT_EQ(traces(), std::vector<std::string>{});
    end_processes_of(folder_);
    // What is left needs its records: the next test program tries again.
    std::error_code ignored;
    if (removed) std::filesystem::remove_all(folder_, ignored);
  }

  Machine& machine() { return *machine_; }
  const MachineOptions& options() const { return options_; }
  std::filesystem::path state() const { return folder_ / "state"; }
  std::filesystem::path folder() const { return folder_; }

  // As a daemon that starts again does: what it knew is gone.
  void open() {
    machine_.reset();
    auto opened = Machine::open(options_);
    if (!opened) {
      ADD_FAILURE() << to_string(opened.error());
      std::abort();
    }
    machine_.emplace(std::move(*opened));
  }

  Cell cell(const std::string& name, int slot, std::string run, int zone = 0) const {
    Cell cell;
    cell.name = name;
    cell.position = {zone, slot};
    cell.run = std::move(run);
    cell.image = state() / "image";
    cell.private_folder = state() / "private" / name;
    std::filesystem::create_directories(cell.private_folder);
    cell.log = state() / (name + ".log");
    return cell;
  }
  // Answers requests on its address, port 8080.
  Cell server(const std::string& name, int slot, int zone = 0) const {
    Cell made = cell(name, slot, "exec python3 -u -m http.server --bind $ADDRESS 8080", zone);
    made.environment = {{"ADDRESS", machine_->address(made.position)}};
    return made;
  }

  bool start(const Cell& cell) {
    const auto zone = machine_->make_zone(cell.position.zone);
    EXPECT_TRUE(zone) << to_string(zone.error());
    const auto started = machine_->start(cell);
    EXPECT_TRUE(started) << to_string(started.error());
    return started.has_value();
  }
  State ended(const std::string& name) const {
    EXPECT_TRUE(happens([&] { return machine_->state(name).phase != Phase::running; })) << log(name);
    return machine_->state(name);
  }
  // What the command line prints, run to its end and removed.
  std::string output(Cell cell) {
    if (!start(cell)) return "not started";
    (void)ended(cell.name);
    const auto removed = machine_->remove(cell.name);
    EXPECT_TRUE(removed) << to_string(removed.error());
    return log(cell.name);
  }
  std::string log(const std::string& name) const { return text_of(state() / (name + ".log")).value_or(""); }
  bool logs(const std::string& name, const std::string& text) const {
    return happens([&] { return log(name).find(text) != std::string::npos; });
  }

  static void write(const std::filesystem::path& file, const std::string& text) {
    std::ofstream(file) << text;
  }

  // What carries the name of a realm on this machine, or was started with a file of its folder.
  static std::vector<std::string> traces_of(const std::string& realm, const std::filesystem::path& folder) {
    std::vector<std::string> found;
    const auto names = [&](const std::filesystem::path& place, const std::string& part) {
      std::error_code ignored;
      for (const auto& entry : std::filesystem::directory_iterator(place, ignored)) {
        if (entry.path().filename().string().find(part) != std::string::npos) found.push_back(entry.path());
      }
    };
    names("/sys/class/net", "hr-" + realm);
    names("/run/netns", "headroom-" + realm);
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator("/sys/fs/cgroup", ignored)) {
      names(entry.path(), "headroom-" + realm);
    }
    names("/sys/fs/cgroup", "headroom-" + realm);
    std::istringstream mounts(text_of("/proc/self/mountinfo").value_or(""));
    for (std::string line; std::getline(mounts, line);) {
      if (line.find(folder) != std::string::npos || line.find("headroom-" + realm) != std::string::npos)
        found.push_back(line);
    }
    const std::string marker = "HEADROOM_INSTANCE=" + realm;
    for (const pid_t pid : all_processes()) {
      const std::string environment = text_of("/proc/" + std::to_string(pid) + "/environ").value_or("");
      if (environment.find(marker) != std::string::npos || names_file_in(pid, folder))
        found.push_back("process " + std::to_string(pid));
    }
    return found;
  }
  std::vector<std::string> traces() const {
    std::vector<std::string> found = traces_of(realm_, folder_);
    if (options_.tier.network == Network::namespaces) {
      const std::string address = machine_->gateway(0);  // "10.77.0.1"
      const auto routes = run({"ip", "route", "show", "table", "all"});
      const std::string block = address.substr(0, address.size() - 3);
      if (routes && routes->out.find(block) != std::string::npos) found.push_back("a route to " + block);
    }
    return found;
  }

  // A test that aborted, or was killed, and has left its folder and perhaps more.
  struct Dead {
    std::string realm;
    std::filesystem::path folder;
  };
  static std::vector<Dead> dead_tests(const std::string& below = place()) {
    std::vector<Dead> found;
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator(below, ignored)) {
      std::istringstream owner(text_of(entry.path() / "owner").value_or(""));
      Dead dead{{}, entry.path()};
      pid_t pid = 0;
      if (entry.path().filename().string().starts_with("headroom-test-") && owner >> dead.realm >> pid &&
          ::kill(pid, 0) != 0 && errno == ESRCH)
        found.push_back(dead);
    }
    return found;
  }

 private:
  // One of the words that it was started with, as of a balancer its configuration.
  static bool names_file_in(pid_t pid, const std::filesystem::path& folder) {
    const std::string words = '\0' + text_of("/proc/" + std::to_string(pid) + "/cmdline").value_or("");
    return words.find('\0' + folder.string() + '/') != std::string::npos;
  }
  // Those which are no instances, and so go on when the machine has removed everything.
  static void end_processes_of(const std::filesystem::path& folder) {
    for (const pid_t pid : all_processes()) {
      const auto one = process(pid);
      if (!one || !names_file_in(pid, folder)) continue;
      send(one->identity, SIGKILL);
      EXPECT_TRUE(wait_for_end(one->identity, base::Milliseconds(10'000))) << "process " << pid;
    }
  }
  static void remove_what_dead_tests_left(const std::string& below) {
    for (const Dead& dead : dead_tests(below)) {
      end_processes_of(dead.folder);
      // The best tier finds what the others have made, too.
      auto machine = Machine::open({dead.realm, probe().value(), dead.folder / "state"});
      std::error_code ignored;
      if (machine && machine->remove_everything()) std::filesystem::remove_all(dead.folder, ignored);
    }
  }

  std::filesystem::path folder_;
  std::string realm_;
  MachineOptions options_;
  std::optional<Machine> machine_;
};

}  // namespace headroom::isolation
