#include "balancer/configuration.hpp"

#include <fmt/format.h>
#include <pwd.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>

#include "base/units.hpp"

namespace headroom::balancer {
namespace {

constexpr std::string_view kMembersBegin =
    "  # The servers follow the running process: Headroom writes here first, then tells HAProxy.\n";
constexpr std::string_view kDeparted = "  # departed:";

// HAProxy needs two descriptors for each connection that it hands on, and some for itself; it refuses to
// start where the limit of the system is lower. 10,000 are 0.4 GB when all of them are in use (2 buffers of
// 16 KiB).
unsigned connections_max() {
  constexpr rlim_t kWanted = 10'000;
  constexpr rlim_t kOwn = 200;
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 1000;
  if (limit.rlim_max == RLIM_INFINITY || limit.rlim_max >= 2 * kWanted + kOwn) return kWanted;
  return static_cast<unsigned>(std::max<rlim_t>(limit.rlim_max, kOwn + 20) - kOwn) / 2;
}

// A certificate that was renewed under its old name makes another configuration.
std::string age_of(const std::filesystem::path& file) {
  struct stat status {};
  if (::stat(file.c_str(), &status) != 0) return "missing";
  return fmt::format("{}.{:09} {}", status.st_mtim.tv_sec, status.st_mtim.tv_nsec, status.st_size);
}

base::Milliseconds check_timeout(const Health& health) {
  constexpr base::Milliseconds kLongest{5'000};
  return health.timeout.count() > 0 ? health.timeout : std::min(health.interval, kLongest);
}

std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  for (std::size_t at = line.find_first_not_of(' '); at != std::string_view::npos;
       at = line.find_first_not_of(' ', at)) {
    const std::size_t end = std::min(line.find(' ', at), line.size());
    words.push_back(line.substr(at, end - at));
    at = end;
  }
  return words;
}

}  // namespace

base::Result<Account> account_of(const Settings& settings) {
  if (::geteuid() != 0) return Account{};
  std::vector<std::string> names;
  if (settings.user.empty()) {
    names = {"haproxy", "nobody"};
  } else {
    names = {settings.user};
  }
  for (const std::string& name : names) {
    std::array<char, 4096> buffer{};
    passwd entry{};
    passwd* found = nullptr;
    if (::getpwnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found) == 0 && found != nullptr) {
      return Account{true, entry.pw_uid, entry.pw_gid};
    }
  }
  return base::bad_input(
      fmt::format("there is no user {} to run the balancer as", base::in_quotes(names.back())),
      "create it, or name another one");
}

std::string server_options(const Settings& settings) {
  const Health& health = settings.health;
  // What is in between is asked soon, so that a crash and a start are noticed fast; the interval is for what
  // goes on as it is. Three errors in a row of its requests make the next check come soon, and no more:
  // otherwise a request that every server answers with 500 would take out one after the other.
  const base::Milliseconds fast = std::min(health.interval, base::Milliseconds(200));
  const base::Milliseconds down = std::min(health.interval, base::Milliseconds(500));
  return fmt::format(
      "check inter {}ms fastinter {}ms downinter {}ms fall {} rise {} observe layer7 error-limit 3 "
      "on-error fastinter pool-purge-delay 1s",
      health.interval.count(), fast.count(), down.count(), health.unhealthy_after, health.healthy_after);
}

std::string fixed_part(const Settings& settings, const Account& account) {
  const Timeouts& timeouts = settings.timeouts;
  std::string text = fmt::format(
      "# The balancer of the service {} (docs/local-balancer.md). Written by Headroom: changes are lost.\n"
      "global\n",
      settings.service);
  if (account.change) text += fmt::format("  uid {}\n  gid {}\n", account.user, account.group);
  text += fmt::format(
      "  nbthread 1\n"
      "  maxconn {}\n"
      "  noreuseport\n"
      "  spread-checks 0\n"
      "  stats socket '{}' mode 600 level admin expose-fd listeners\n"
      "  stats timeout 1d\n"
      "  hard-stop-after 5m\n"
      "  ssl-default-bind-options ssl-min-ver TLSv1.2\n"
      "ring {}\n"
      "  format raw\n"
      "  maxlen 256\n"
      "  size 1048576\n",
      connections_max(), admin_socket_file(settings).string(), kRing);
  text += fmt::format(
      "defaults\n"
      "  mode http\n"
      "  timeout connect {}ms\n"
      "  timeout server {}ms\n"
      "  timeout client {}ms\n"
      "  timeout http-request {}ms\n"
      "  timeout http-keep-alive {}ms\n"
      "  timeout check {}ms\n"
      "  timeout tunnel 1h\n",
      timeouts.connect.count(), timeouts.server.count(), timeouts.client.count(), timeouts.request.count(),
      timeouts.keep_alive.count(), check_timeout(settings.health).count());
  text += "frontend service\n";
  for (const Bind& bind : settings.binds) {
    text += fmt::format("  bind {}", to_string(bind));
    if (!bind.certificate.empty()) {
      text += fmt::format(" ssl crt '{}' alpn h2,http/1.1 # {}", bind.certificate.string(),
                          age_of(bind.certificate));
    }
    text += '\n';
  }
  text += fmt::format(
      "  option dontlognull\n"
      "  option forwardfor\n"
      "  http-request set-header X-Forwarded-Proto https if {{ ssl_fc }}\n"
      "  http-request set-header X-Forwarded-Proto http unless {{ ssl_fc }}\n"
      "  http-request set-var(txn.begin) date(0,us)\n"
      "  log ring@{} local0\n"
      "  log-format '%[date(0,us)] %[date(0,us),sub(txn.begin)] %ST %ts %rc %s'\n"
      "  default_backend servers\n"
      "backend servers\n"
      "  balance {}\n"
      "  retries 2\n"
      "  option redispatch 1\n"
      "  retry-on conn-failure empty-response junk-response response-timeout\n"
      "  http-request disable-l7-retry unless {{ method GET HEAD OPTIONS PUT DELETE TRACE }}\n"
      "  option httpchk\n"
      "  http-check send meth GET uri '{}' ver HTTP/1.1 hdr Host localhost hdr User-Agent "
      "headroom-health-check\n"
      "  http-check expect status 200-399\n",
      kRing, to_string(settings.algorithm), settings.health.path);
  return text;
}

std::string members_part(const Settings& settings, const Members& members) {
  std::string text(kMembersBegin);
  text += fmt::format("{} {} answers with 5xx by servers that left process {} of {}\n", kDeparted,
                      members.departed_server_errors, members.process.pid, members.process.start_ticks);
  const std::string options = server_options(settings);
  for (const Member& member : members.list) {
    const bool at_once = member.up && !member.draining && !member.cut;
    text += fmt::format("  server {} {} {}{} #{}{}{}{}\n", member.name, member.address, options,
                        at_once ? "" : " disabled", member.draining ? " draining" : "",
                        member.cut ? " cut" : "", member.up ? " up" : "", member.served ? " served" : "");
  }
  return text;
}

Written read_configuration(std::string_view text) {
  Written written;
  const std::size_t begin = text.find(kMembersBegin);
  written.fixed = std::string(text.substr(0, begin));
  if (begin == std::string_view::npos) return written;
  text.remove_prefix(begin + kMembersBegin.size());
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const std::vector<std::string_view> words = words_of(line);
    if (line.starts_with(kDeparted) && words.size() >= 4) {
      const auto errors = base::parse_unsigned(words[2]);
      const auto pid = base::parse_integer(words[words.size() - 3]);
      const auto ticks = base::parse_unsigned(words.back());
      if (!errors || !pid || !ticks) continue;
      written.members.departed_server_errors = *errors;
      written.members.process = {static_cast<int>(*pid), *ticks};
    }
    if (words.size() < 3 || words[0] != "server" || !is_name(words[1]) || !is_address(words[2])) continue;
    const auto comment = std::find(words.begin(), words.end(), "#");
    const auto says = [&](std::string_view word) {
      return std::find(comment, words.end(), word) != words.end();
    };
    written.members.list.push_back({std::string(words[1]), std::string(words[2]), says("draining"),
                                    says("cut"), says("up"), says("served")});
  }
  return written;
}

}  // namespace headroom::balancer
