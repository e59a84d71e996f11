#include "isolation/confine.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <optional>
#include <system_error>
#include <vector>

#include "isolation/kernel_file.hpp"

namespace headroom::isolation {
namespace {

namespace fs = std::filesystem;
using base::Result;

constexpr const char* kNoFiles = "use a tier without own files, or a kernel of 5.12 or newer";

// A tree of files that is mounted nowhere yet; closes itself.
class Tree {
 public:
  Tree() = default;
  explicit Tree(int descriptor) : descriptor_(descriptor) {}
  Tree(Tree&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  Tree(const Tree&) = delete;
  Tree& operator=(const Tree&) = delete;
  Tree& operator=(Tree&&) = delete;
  ~Tree() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  int number() const { return descriptor_; }

 private:
  int descriptor_ = -1;
};

Result<Tree> tree_of(const std::string& path, std::uint64_t attributes) {
  Tree tree(::open_tree(AT_FDCWD, path.c_str(), OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE));
  if (tree.number() < 0)
    return failed(fmt::format("{} cannot be given to the instance", path), errno, kNoFiles);
  mount_attr wanted{};
  wanted.attr_set = attributes;
  if (::mount_setattr(tree.number(), "", AT_EMPTY_PATH | AT_RECURSIVE, &wanted, sizeof wanted) != 0) {
    return failed(fmt::format("{} cannot be restricted for the instance", path), errno, kNoFiles);
  }
  return tree;
}

Result<void> place(const Tree& tree, const std::string& path) {
  if (::move_mount(tree.number(), "", AT_FDCWD, path.c_str(), MOVE_MOUNT_F_EMPTY_PATH) == 0) return {};
  return failed(fmt::format("{} cannot be mounted for the instance", path), errno, kNoFiles);
}

Result<void> empty_folder(const std::string& path, const std::string& options) {
  if (::mount("tmpfs", path.c_str(), "tmpfs", MS_NOSUID | MS_NODEV, options.c_str()) == 0) return {};
  return failed(fmt::format("no empty folder can be mounted at {}", path), errno, kNoFiles);
}

// The folder with all above it. Not through links: /tmp belongs to the instance and may hold some that it
// made when it ran before.
Result<void> make_folders(const fs::path& path) {
  int folder = ::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
  int number = 0;
  for (const fs::path& part : path.relative_path()) {
    ::mkdirat(folder, part.c_str(), 0755);  // what matters is whether it opens
    const int next = ::openat(folder, part.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    number = errno;
    ::close(folder);
    folder = next;
    if (folder < 0) break;
  }
  if (folder < 0) {
    return failed(fmt::format("{} cannot be made in the view of the instance", path.string()), number,
                  "name its folders without symbolic links");
  }
  ::close(folder);
  return {};
}

bool is_folder(const std::string& path) {
  struct stat found {};
  return ::stat(path.c_str(), &found) == 0 && S_ISDIR(found.st_mode);
}

Result<void> own_devices(std::int64_t shared_memory_bytes) {
  std::vector<std::pair<std::string, Tree>> devices;
  for (const char* name : {"null", "zero", "full", "random", "urandom", "tty"}) {
    std::string path = std::string("/dev/") + name;
    if (::access(path.c_str(), F_OK) != 0) continue;
    auto device = tree_of(path, MOUNT_ATTR_NOSUID);
    if (!device) return device.error();
    devices.emplace_back(std::move(path), std::move(*device));
  }
  if (auto made = empty_folder("/dev", "mode=755,size=64k"); !made) return made;
  for (const auto& [path, device] : devices) {
    ::close(::open(path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0666));
    if (auto placed = place(device, path); !placed) return placed;
  }
  for (const auto& [from, to] :
       {std::pair("/proc/self/fd", "/dev/fd"), std::pair("/proc/self/fd/0", "/dev/stdin"),
        std::pair("/proc/self/fd/1", "/dev/stdout"), std::pair("/proc/self/fd/2", "/dev/stderr")}) {
    (void)!::symlink(from, to);
  }
  ::mkdir("/dev/shm", 0755);
  return empty_folder("/dev/shm", fmt::format("mode=1777,size={}", shared_memory_bytes));
}

// What is seen at `path` (or where it leads, if it is a link into a folder that is empty now).
Result<void> own_file(const fs::path& path, std::string_view content) {
  std::error_code ignored;
  const fs::path source = fs::path("/run") / ("headroom-" + path.filename().string());
  const auto write = [&](const fs::path& file) {
    const int descriptor = ::open(file.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0644);
    const bool done = descriptor >= 0 && ::write(descriptor, content.data(), content.size()) >= 0;
    if (descriptor >= 0) ::close(descriptor);
    return done;
  };
  if (fs::exists(path, ignored)) {
    if (!write(source)) return failed(fmt::format("{} cannot be written", source.string()), errno, kNoFiles);
    auto tree = tree_of(source, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_RDONLY);
    if (!tree) return tree.error();
    return place(*tree, path);
  }
  // A machine that has no such file does without; of a link only the last step is followed.
  const fs::path link = fs::read_symlink(path, ignored);
  const fs::path target = (path.parent_path() / link).lexically_normal();
  if (!link.empty() && make_folders(target.parent_path())) (void)write(target);
  return {};
}

Result<void> read_only(const char* path, unsigned flags, std::uint64_t attributes) {
  mount_attr wanted{};
  wanted.attr_set = attributes;
  if (::mount_setattr(AT_FDCWD, path, flags, &wanted, sizeof wanted) == 0) return {};
  return failed(fmt::format("{} cannot be made read-only for the instance", path), errno, kNoFiles);
}

}  // namespace

Result<void> enter_network(const std::string& namespace_file) {
  const int descriptor = ::open(namespace_file.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0 || ::setns(descriptor, CLONE_NEWNET) != 0) {
    return failed(fmt::format("the network namespace {} cannot be entered", namespace_file), errno,
                  "run as root, or use the loopback tier");
  }
  ::close(descriptor);
  // The address is the instance's own, so it may listen on port 80 without being root.
  (void)set("/proc/sys/net/ipv4/ip_unprivileged_port_start", "0");
  return {};
}

Result<void> separate(const std::string& host_name) {
  const uid_t user = ::geteuid();
  const gid_t group = ::getegid();
  const int users = user == 0 ? 0 : CLONE_NEWUSER;
  if (::unshare(users | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS) != 0) {
    return failed(
        "no namespaces for files and processes can be made", errno,
        "run as root, let users make namespaces (sysctl user.max_user_namespaces, "
        "kernel.unprivileged_userns_clone, kernel.apparmor_restrict_unprivileged_userns), or use a tier "
        "without own files");
  }
  if (users != 0) {
    if (auto users_mapped = set("/proc/self/uid_map", fmt::format("{} {} 1", user, user)); !users_mapped) {
      return users_mapped;
    }
    (void)set("/proc/self/setgroups", "deny");
    if (auto groups = set("/proc/self/gid_map", fmt::format("{} {} 1", group, group)); !groups) return groups;
  }
  if (::sethostname(host_name.data(), host_name.size()) != 0) {
    return failed(fmt::format("the host cannot be named {}", host_name), errno, "use a shorter name");
  }
  return {};
}

Result<void> take_own_view(const Order& order) {
  // Nothing that is mounted here may appear on the machine.
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
    return failed("the mounts cannot be separated from those of the machine", errno, kNoFiles);
  }
  struct Kept {
    std::string path;
    Tree tree;
  };
  const std::uint64_t harmless = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;
  std::vector<Kept> own;   // of the private folder, at other places
  std::vector<Kept> kept;  // at their places
  struct Wanted {
    std::string from;
    std::string to;
    std::uint64_t attributes;
    std::vector<Kept>* into;
  };
  std::vector<Wanted> all{{order.private_folder + "/tmp", "/tmp", harmless, &own},
                          {order.private_folder + "/var-tmp", "/var/tmp", harmless, &own},
                          {order.image, order.image, harmless | MOUNT_ATTR_RDONLY, &kept},
                          {order.private_folder, order.private_folder, harmless, &kept}};
  if (!order.volume.empty()) all.push_back({order.volume, order.volume, harmless, &kept});
  for (const Wanted& wanted : all) {
    auto tree = tree_of(wanted.from, wanted.attributes);
    if (!tree) return tree.error();
    wanted.into->push_back({wanted.to, std::move(*tree)});
  }

  if (auto done = read_only("/", AT_RECURSIVE, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID); !done) return done;
  if (auto done = own_devices(order.shared_memory_bytes); !done) return done;
  if (auto done = empty_folder("/run", "mode=755,size=1m"); !done) return done;
  for (const Kept& one : own) {
    if (!is_folder(one.path)) continue;
    if (auto done = place(one.tree, one.path); !done) return done;
  }
  // Where it stood in /tmp or /run it is hidden already.
  const bool covered = is_folder(order.hidden);
  if (covered) {
    if (auto done = empty_folder(order.hidden, "mode=755,size=1m"); !done) return done;
  }
  for (const Kept& one : kept) {
    if (auto made = make_folders(one.path); !made) return made;
    if (auto done = place(one.tree, one.path); !done) return done;
  }
  if (covered) {
    if (auto done = read_only(order.hidden.c_str(), 0, MOUNT_ATTR_RDONLY); !done) return done;
  }
  if (::mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr) != 0) {
    return failed("/proc cannot be mounted for the instance", errno, kNoFiles);
  }
  // Without a name server a look-up fails at once, instead of waiting for one that cannot be reached.
  if (auto done = own_file("/etc/resolv.conf", "options timeout:1 attempts:1\n"); !done) return done;
  if (auto done = own_file("/etc/hosts", order.hosts); !done) return done;
  return read_only("/run", 0, MOUNT_ATTR_RDONLY);
}

Result<void> drop_rights(std::int64_t user) {
  constexpr const char* fix = "use a tier without own users";
  // Keys that the daemon was given are not for the instance. Some machines have none: then there is nothing
  // to hide.
  ::syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, nullptr);
  for (int capability = 0; ::prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; ++capability) {
    ::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
  }
  if (user >= 0) {
    const auto id = static_cast<uid_t>(user);
    if (::setgroups(0, nullptr) != 0 || ::setresgid(id, id, id) != 0 || ::setresuid(id, id, id) != 0) {
      return failed(fmt::format("the instance cannot become user {}", id), errno, fix);
    }
  }
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, 2> none{};
  ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  if (::syscall(SYS_capset, &header, none.data()) != 0 || ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
    return failed("the instance cannot give up its rights", errno, fix);
  }
  return {};
}

}  // namespace headroom::isolation
