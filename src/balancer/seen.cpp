#include "balancer/seen.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <utility>

#include "base/csv.hpp"
#include "base/units.hpp"

namespace headroom::balancer {
namespace {

std::string_view text_of(const Row& row, std::string_view column) {
  const auto found = row.find(column);
  return found == row.end() ? std::string_view() : std::string_view(found->second);
}

std::uint64_t number_of(const Row& row, std::string_view column) {
  return base::parse_unsigned(text_of(row, column)).value_or(0);
}

const Row* row_of(const std::vector<Row>& rows, std::string_view server) {
  const auto found = std::find_if(rows.begin(), rows.end(), [&](const Row& row) {
    return text_of(row, "pxname") == "servers" && text_of(row, "svname") == server;
  });
  return found == rows.end() ? nullptr : &*found;
}

ByClass answers_of(const Row& row) {
  return {number_of(row, "hrsp_other"), number_of(row, "hrsp_1xx"), number_of(row, "hrsp_2xx"),
          number_of(row, "hrsp_3xx"),   number_of(row, "hrsp_4xx"), number_of(row, "hrsp_5xx")};
}

enum class CheckResult { none, passed, failed };

struct Check {
  CheckResult result = CheckResult::none;
  std::string text;
};

// Source: HAProxy 2.6 Management Guide, 9.1 "CSV format", field 36; "* " before it: the next one is on its
// way.
Check check_of(const Row& row) {
  std::string_view status = text_of(row, "check_status");
  if (status.starts_with("* ")) status.remove_prefix(2);
  std::string description(text_of(row, "last_chk"));
  std::transform(description.begin(), description.end(), description.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const std::string_view code = text_of(row, "check_code");
  const std::string http = code.empty() ? std::string() : fmt::format("HTTP {}", code);
  if (status == "L7OK" || status == "L7OKC" || status == "L4OK" || status == "L6OK") {
    return {CheckResult::passed, http.empty() ? "passed" : http};
  }
  if (status == "L4TOUT" || status == "L6TOUT" || status == "L7TOUT") return {CheckResult::failed, "timeout"};
  if (status == "L7STS") return {CheckResult::failed, http.empty() ? "wrong status" : http};
  if (status == "L7RSP" || status == "L6RSP") {
    return {CheckResult::failed, description.empty() ? "invalid answer" : description};
  }
  if (status == "L4CON" || status == "SOCKERR") {
    return {CheckResult::failed, description.empty() ? "no connection" : description};
  }
  // Errors of its requests took it out (HANA): no check was involved.
  if (status == "HANA") return {CheckResult::none, "errors of its requests"};
  return {};
}

}  // namespace

std::string_view to_string(ServerState state) {
  switch (state) {
    case ServerState::checking:
      return "checking";
    case ServerState::up:
      return "up";
    case ServerState::down:
      return "down";
    case ServerState::drain:
      return "drain";
    case ServerState::maint:
      return "maint";
  }
  return "";
}

int FailedChecks::count(const Look& look, base::Milliseconds interval) {
  if (!look.checked) {
    counted_ = 0;
    began_.reset();
  } else if (!look.failed) {
    passed_ = look.at;
    counted_ = 0;
    began_.reset();
  } else {
    // A check that passed while it was down ended the row that HAProxy's time of going down belongs to.
    if (!began_) began_ = std::clamp(look.down_since.value_or(look.at), passed_, look.at);
    counted_ = static_cast<int>(1 + (look.at - *began_) / interval);
  }
  return counted_;
}

base::Milliseconds FailedChecks::last(base::Milliseconds interval) const {
  return began_ ? *began_ + (counted_ - 1) * interval : passed_;
}

base::Result<std::vector<Row>> read_statistics(const std::string& csv) {
  const auto error = [] {
    return base::unavailable("the balancer's statistics are not what HAProxy 2.6 prints",
                             "see which version of HAProxy is installed");
  };
  if (!csv.starts_with("# pxname,")) return error();
  const base::CsvTable table = base::read_csv(std::string_view(csv).substr(2), "show stat");
  if (table.rows.empty() || !table.faults.empty()) return error();
  std::vector<Row> rows;
  const std::vector<base::CsvField>& heading = table.rows.front().fields;
  for (std::size_t i = 1; i < table.rows.size(); ++i) {
    const std::vector<base::CsvField>& fields = table.rows[i].fields;
    Row row;
    for (std::size_t k = 0; k < std::min(heading.size(), fields.size()); ++k) {
      row[heading[k].text] = fields[k].text;
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

std::uint64_t sessions_of(const std::vector<Row>& rows, std::string_view server) {
  const Row* row = row_of(rows, server);
  return row == nullptr ? 0 : number_of(*row, "scur") + number_of(*row, "qcur");
}

std::uint64_t server_errors_of(const std::vector<Row>& rows, std::string_view server) {
  const Row* row = row_of(rows, server);
  return row == nullptr ? 0 : number_of(*row, "hrsp_5xx");
}

std::optional<std::uint64_t> read_info(std::string_view info, std::string_view name) {
  while (!info.empty()) {
    const std::size_t end = std::min(info.find('\n'), info.size());
    const std::string_view line = info.substr(0, end);
    info.remove_prefix(std::min(end + 1, info.size()));
    if (line.starts_with(name) && line.substr(name.size()).starts_with(": ")) {
      return base::parse_unsigned(line.substr(name.size() + 2));
    }
  }
  return std::nullopt;
}

std::uint64_t read_dropped(std::string_view rings) {
  // "    requests   : type=buffer, 0 dropped, requests"
  const std::size_t ring = rings.find(fmt::format("\n    {} ", kRing));
  if (ring == std::string_view::npos) return 0;
  rings.remove_prefix(ring + 1);
  rings = rings.substr(0, rings.find('\n'));
  const std::size_t end = rings.find(" dropped,");
  if (end == std::string_view::npos) return 0;
  const std::size_t begin = rings.substr(0, end).rfind(' ') + 1;
  return base::parse_unsigned(rings.substr(begin, end - begin)).value_or(0);
}

Seen seen_from(const Looked& looked, FailedChecksByServer& counts) {
  Seen seen;
  seen.at = looked.now;
  seen.process = looked.members.process;
  seen.server_errors = looked.members.departed_server_errors;
  std::map<std::string_view, const Row*> servers;
  std::uint64_t errors_to_clients = 0;
  for (const Row& row : looked.rows) {
    const std::string_view proxy = text_of(row, "pxname");
    const std::string_view name = text_of(row, "svname");
    if (proxy == "service" && name == "FRONTEND") {
      seen.requests = number_of(row, "req_tot");
      seen.answers = answers_of(row);
    } else if (proxy == "servers" && name == "BACKEND") {
      errors_to_clients = number_of(row, "hrsp_5xx");
    } else if (proxy == "servers") {
      servers[name] = &row;
      seen.server_errors += number_of(row, "hrsp_5xx");
    }
  }
  // The balancer counts what it answered, its servers what they did.
  seen.balancer_errors = errors_to_clients - std::min(errors_to_clients, seen.server_errors);

  FailedChecksByServer kept;
  for (const Member& member : looked.members.list) {
    const auto found = servers.find(member.name);
    if (found == servers.end()) continue;
    const Row& row = *found->second;
    const std::string_view status = text_of(row, "status");
    Server server;
    server.name = member.name;
    server.address = member.address;
    server.since =
        looked.now - base::Milliseconds(1000 * static_cast<std::int64_t>(number_of(row, "lastchg")));
    server.sessions = number_of(row, "scur");
    server.requests = number_of(row, "stot");
    server.answers = answers_of(row);
    // "UP", "UP 2/3" (going down), "DRAIN", "NOLB": it answers its checks.
    const bool up = status.starts_with("UP") || status.starts_with("DRAIN") || status.starts_with("NOLB");
    if (member.cut || status.starts_with("MAINT")) {
      server.state = ServerState::maint;
    } else if (member.draining) {
      server.state = ServerState::drain;
    } else if (up) {
      server.state = ServerState::up;
    } else {
      server.state = member.served ? ServerState::down : ServerState::checking;
    }
    const Check check = check_of(row);
    server.last_check = check.text;
    FailedChecks& count = kept[member.name] = counts[member.name];
    FailedChecks::Look look;
    look.at = looked.now;
    look.checked = check.result != CheckResult::none && server.state != ServerState::maint;
    look.failed = check.result == CheckResult::failed;
    if (status.starts_with("DOWN")) look.down_since = server.since;
    server.failed_checks = count.count(look, looked.interval);
    server.checked_at = count.last(looked.interval);
    seen.servers.push_back(std::move(server));
  }
  counts = std::move(kept);
  return seen;
}

}  // namespace headroom::balancer
