#include "isolation/launcher.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <ftw.h>
#include <sched.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "isolation/command.hpp"
#include "isolation/confine.hpp"
#include "isolation/init.hpp"
#include "isolation/kernel_file.hpp"

namespace headroom::isolation {

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Order, name, groups, network, own_files, user, hidden, image,
                                   private_folder, volume, log, log_bytes_max, record, hosts, run,
                                   environment, shared_memory_bytes, memory_bytes, processes_max)

namespace {

using base::Result;

constexpr int kReport = 3;  // where the descriptor of the report goes; those behind it are opened later

std::string read_all(int descriptor) {
  std::string text;
  std::array<char, 4096> piece{};
  ssize_t count = 0;
  while ((count = ::read(descriptor, piece.data(), piece.size())) > 0 || (count < 0 && errno == EINTR)) {
    if (count > 0) text.append(piece.data(), static_cast<std::size_t>(count));
  }
  return text;
}

// A line for launch(): one write, shorter than what a pipe keeps together.
void report(const nlohmann::json& line) {
  const std::string text = line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + '\n';
  (void)!::write(kReport, text.data(), text.size());
}

void report(const base::Error& error) {
  report({{"what", error.faults.front().what}, {"fix", error.faults.front().fix}});
}

// The folder with all in it belongs to the instance. Looked at from the top only: where that is right, the
// instance itself made what is below.
Result<void> give(const std::string& folder, std::int64_t user) {
  static uid_t owner = 0;  // nftw hands on no argument
  struct stat found {};
  if (user < 0 || folder.empty()) return {};
  owner = static_cast<uid_t>(user);
  const auto to_owner = [](const char* path, const struct stat*, int, struct FTW*) {
    return ::lchown(path, owner, owner) == 0 || errno == ENOENT ? 0 : -1;
  };
  if (::stat(folder.c_str(), &found) == 0 && found.st_uid == owner) return {};
  // The folder itself last (FTW_DEPTH): an attempt that was interrupted is made again. Never through a link.
  if (::nftw(folder.c_str(), to_owner, 32, FTW_PHYS | FTW_DEPTH | FTW_MOUNT) != 0) {
    return failed(fmt::format("{} cannot be given to user {}", folder, owner), errno,
                  "is its file system read-only?");
  }
  return {};
}

Result<void> make_private(const Order& order) {
  if (auto given = give(order.private_folder, order.user); !given) return given;
  if (auto given = give(order.volume, order.user); !given) return given;
  ::chmod(order.private_folder.c_str(), 0700);
  for (const char* name : {"tmp", "var-tmp"}) {
    const std::string folder = order.private_folder + '/' + name;
    // The instance had the folder before, maybe: nothing is done through a link that it left.
    if (::mkdir(folder.c_str(), 0700) == 0) {
      if (order.user >= 0)
        (void)!::lchown(folder.c_str(), static_cast<uid_t>(order.user), static_cast<gid_t>(order.user));
      continue;
    }
    struct stat found {};
    if (::lstat(folder.c_str(), &found) != 0 || !S_ISDIR(found.st_mode)) {
      return base::unavailable(fmt::format("{} is not a folder", folder),
                               "remove it: it is where TMPDIR points");
    }
  }
  return {};
}

Result<int> open_for(const std::string& file, int flags) {
  const int descriptor = ::open(file.c_str(), flags | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (descriptor < 0) return failed(fmt::format("{} cannot be opened", file), errno, "check its folder");
  return descriptor;
}

// All that is opened while the files of the machine are still seen.
struct Opened {
  std::vector<int> groups;
  InitFiles init;
  int process = -1;
};

Result<Opened> open_all(const Order& order) {
  Opened opened;
  struct Wanted {
    std::string file;
    int flags;
    int* into;
  };
  opened.groups.resize(order.groups.size());
  std::vector<Wanted> all{{order.log, O_RDWR | O_CREAT | O_APPEND, &opened.init.log},
                          {order.log + ".1", O_WRONLY | O_CREAT, &opened.init.older_log},
                          {order.record + "/exit", O_WRONLY | O_CREAT | O_TRUNC, &opened.init.exit},
                          {order.record + "/process", O_WRONLY | O_CREAT | O_TRUNC, &opened.process}};
  for (std::size_t at = 0; at < order.groups.size(); ++at) {
    all.push_back({order.groups[at] + "/cgroup.procs", O_WRONLY, &opened.groups[at]});
  }
  for (const Wanted& wanted : all) {
    auto descriptor = open_for(wanted.file, wanted.flags);
    if (!descriptor) return descriptor.error();
    *wanted.into = *descriptor;
  }
  return opened;
}

Result<void> enter_groups(const Opened& opened) {
  for (const int group : opened.groups) {
    if (::write(group, "0", 1) < 0) {
      return failed("its control group cannot be entered", errno, "has it been removed meanwhile?");
    }
    ::close(group);
  }
  return {};
}

// From here on as the first process of the instance; returns only where something failed.
base::Error become_instance(const Order& order, const Opened& opened) {
  if (auto entered = enter_groups(opened); !entered) return entered.error();
  // The kernel, short of memory, shall end the application and not the one that tells of it.
  (void)set("/proc/self/oom_score_adj", "-1000");
  if (order.own_files) {
    if (auto seen = take_own_view(order); !seen) return seen.error();
  }
  if (auto dropped = drop_rights(order.user); !dropped) return dropped.error();
  if (::chdir(order.image.c_str()) != 0) {
    return failed(fmt::format("the instance cannot enter its image {}", order.image), errno,
                  "let everybody read it (chmod -R a+rX) and pass through the folders above it");
  }
  return init(order, opened.init, kReport);
}

// Own session, no signal blocked or ignored, no descriptor but the report: nothing of the daemon stays.
void leave_the_daemon() {
  ::setsid();
  ::umask(022);
  for (int signal = 1; signal < NSIG; ++signal) {
    if (signal != SIGKILL && signal != SIGSTOP) ::signal(signal, SIG_DFL);
  }
  ::signal(SIGPIPE, SIG_IGN);  // the daemon may be gone
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::dup3(1, kReport, O_CLOEXEC);
  const int nothing = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  ::dup2(nothing, 0);
  ::dup2(nothing, 1);
  ::close_range(kReport + 1, UINT_MAX, 0);
}

Result<void> launch_from(const Order& order) {
  if (auto made = make_private(order); !made) return made;
  auto opened = open_all(order);
  if (!opened) return opened.error();
  if (!order.network.empty()) {
    if (auto entered = enter_network(order.network); !entered) return entered;
  }
  if (order.own_files) {
    if (auto apart = separate(order.name); !apart) return apart;
  }
  std::array<int, 2> go{};
  if (::pipe2(go.data(), O_CLOEXEC) != 0) return failed("no pipe can be made", errno, "raise ulimit -n");
  const pid_t child = ::fork();
  if (child < 0) return failed("the instance cannot be forked", errno, "are there too many processes?");
  if (child == 0) {
    ::close(go[1]);
    char byte = 0;
    if (::read(go[0], &byte, 1) != 1) ::_exit(1);  // the launcher has failed
    ::close(go[0]);
    ::close(opened->process);
    ::dup2(0, 2);
    report(become_instance(order, *opened));
    ::_exit(1);
  }
  // Written before the application starts: whatever is killed when, what runs is on record.
  const auto found = process(child);
  if (!found) return base::unavailable("the first process of the instance has gone", "was it killed?");
  const std::string line = fmt::format("{} {} {}\n", child, found->identity.start_ticks,
                                       text_of("/proc/sys/kernel/random/boot_id").value_or("-"));
  if (::write(opened->process, line.data(), line.size()) < 0) {
    return failed(fmt::format("{}/process cannot be written", order.record), errno, "is the disk full?");
  }
  report({{"pid", child}, {"start", found->identity.start_ticks}});
  (void)!::write(go[1], "g", 1);
  return {};
}

}  // namespace

int launch_main() {
  const std::string text = read_all(0);
  leave_the_daemon();
  Order order;
  try {
    nlohmann::json::parse(text).get_to(order);
  } catch (const nlohmann::json::exception& wrong) {
    report(base::bad_input(fmt::format("the order for the launcher cannot be read: {}", wrong.what()),
                           "this argument is not for people"));
    ::_exit(2);
  }
  const auto launched = launch_from(order);
  if (!launched) report(launched.error());
  // Without what main() would still do: checks of memory for leaks, say, which look at the child.
  ::_exit(launched ? 0 : 1);
}

Result<Identity> launch(const Order& order) {
  const nlohmann::json text = order;
  auto ran =
      run({"/proc/self/exe", std::string(kLauncherArgument)},
          text.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace), base::Milliseconds(60'000));
  if (!ran) return ran.error();
  Identity identity;
  std::size_t start = 0;
  while (start < ran->out.size()) {
    const std::size_t end = std::min(ran->out.find('\n', start), ran->out.size());
    const auto line = nlohmann::json::parse(ran->out.substr(start, end - start), nullptr, false);
    start = end + 1;
    if (!line.is_object()) continue;
    if (line.contains("what")) {
      return base::unavailable(
          fmt::format("instance '{}' cannot be started: {}", order.name, line.value("what", "")),
          line.value("fix", ""));
    }
    identity = {line.value("pid", 0), line.value("start", std::uint64_t{0})};
  }
  if (identity.pid > 0) return identity;
  return base::unavailable(
      fmt::format("instance '{}' cannot be started: the launcher ended with {} and said nothing{}",
                  order.name, ran->status, ran->err.empty() ? "" : ": " + ran->err),
      "does main() hand over to the launcher? was it killed for want of memory?");
}

}  // namespace headroom::isolation
