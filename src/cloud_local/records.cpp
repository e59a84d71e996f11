#include "cloud_local/records.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <utility>

namespace headroom::cloud_local {
namespace {

using base::Milliseconds;
using base::Result;
using nlohmann::json;
using store::Row;

const std::vector<std::string>& schema() {
  static const std::vector<std::string> kSchema = {R"(
    CREATE TABLE instance (
      number INTEGER PRIMARY KEY AUTOINCREMENT, service TEXT NOT NULL, version TEXT NOT NULL, zone TEXT NOT NULL,
      slot INTEGER NOT NULL, volume INTEGER, state INTEGER NOT NULL, since_ms INTEGER NOT NULL,
      started_ms INTEGER NOT NULL, token TEXT NOT NULL, boots_until_ms INTEGER NOT NULL,
      drains_until_ms INTEGER NOT NULL, afterwards INTEGER NOT NULL, why TEXT NOT NULL) STRICT;
    CREATE TABLE ticket (
      token TEXT PRIMARY KEY, action TEXT NOT NULL, state INTEGER NOT NULL, since_ms INTEGER NOT NULL,
      affected INTEGER NOT NULL, why TEXT NOT NULL, retriable INTEGER NOT NULL) STRICT;
    CREATE TABLE version (
      service TEXT NOT NULL, name TEXT NOT NULL, content TEXT NOT NULL, PRIMARY KEY (service, name)) STRICT;
    CREATE TABLE drill (
      subject TEXT PRIMARY KEY, what TEXT NOT NULL, until_ms INTEGER NOT NULL) STRICT;)"};
  return kSchema;
}

std::string text_of(const cloud::Action& action) {
  json text = {{"why", action.why}};
  if (const auto* launch = std::get_if<cloud::Launch>(&action.what)) {
    text["launch"] = {{"service", launch->service},
                      {"version", launch->version},
                      {"zone", launch->zone},
                      {"count", launch->count}};
  } else if (const auto* start = std::get_if<cloud::Start>(&action.what)) {
    text["start"] = {{"instance", start->instance}};
  } else if (const auto* retire = std::get_if<cloud::Retire>(&action.what)) {
    text["retire"] = {{"instance", retire->instance},
                      {"drain_ms", retire->drain.count()},
                      {"afterwards", static_cast<int>(retire->afterwards)}};
  }
  return text.dump();
}

cloud::Action action_of(const std::string& token, const std::string& text) {
  const json read = json::parse(text);
  cloud::Action action{token, cloud::Start{}, read.at("why")};
  if (read.contains("launch")) {
    const json& launch = read["launch"];
    action.what =
        cloud::Launch{launch.at("service"), launch.at("version"), launch.at("zone"), launch.at("count")};
  } else if (read.contains("start")) {
    action.what = cloud::Start{read["start"].at("instance")};
  } else {
    const json& retire = read.at("retire");
    action.what =
        cloud::Retire{retire.at("instance"), Milliseconds(retire.at("drain_ms").get<std::int64_t>()),
                      static_cast<cloud::Afterwards>(retire.at("afterwards").get<int>())};
  }
  return action;
}

std::string text_of(const Version& version) {
  json text = {{"image", version.image.string()},    {"run", version.run},
               {"environment", version.environment}, {"secrets", version.secrets},
               {"cores", version.cores.value()},     {"processes_max", version.processes_max},
               {"boot_ms", version.boot.count()}};
  if (version.memory_bytes) text["memory_bytes"] = *version.memory_bytes;
  return text.dump();
}

Version version_of(const std::string& service, const std::string& name, const std::string& text) {
  const json read = json::parse(text);
  Version version;
  version.service = service;
  version.name = name;
  version.image = read.at("image").get<std::string>();
  version.run = read.at("run");
  version.environment = read.at("environment").get<Variables>();
  version.secrets = read.at("secrets").get<Variables>();
  version.cores = base::Cores(read.at("cores").get<double>());
  if (read.contains("memory_bytes")) version.memory_bytes = read["memory_bytes"].get<std::int64_t>();
  version.processes_max = read.at("processes_max");
  version.boot = Milliseconds(read.at("boot_ms").get<std::int64_t>());
  return version;
}

std::optional<Trouble> trouble_of(std::string_view what) {
  for (const Trouble trouble : {Trouble::crash, Trouble::hang, Trouble::pause}) {
    if (what == to_string(trouble)) return trouble;
  }
  return {};
}

// Rows into values; a text that is not what this program writes is a damaged file.
template <class T, class Make>
Result<std::vector<T>> all(store::Database& database, std::string_view sql, const Make& make) {
  std::vector<T> values;
  std::string fault;
  const Result<void> read = database.each(sql, {}, [&](const Row& row) {
    try {
      values.push_back(make(row));
    } catch (const json::exception& error) {
      fault = error.what();
    }
  });
  if (!read) return read.error();
  if (!fault.empty()) {
    return base::unavailable(fmt::format("{}: damaged: {}", database.path().string(), fault),
                             "`headroom down` and `up` make the environment anew");
  }
  return values;
}

Result<void> nothing(const Result<std::int64_t>& changed) {
  if (!changed) return changed.error();
  return {};
}

}  // namespace

std::string_view to_string(Trouble trouble) {
  switch (trouble) {
    case Trouble::crash:
      return "crash";
    case Trouble::hang:
      return "hang";
    case Trouble::pause:
      break;
  }
  return "pause";
}

std::string InstanceRecord::id() const { return fmt::format("{}-{}", service, number); }

Result<Records> Records::open(const std::filesystem::path& file) {
  Result<store::Database> database = store::Database::open(file, schema());
  if (!database) return database.error();
  return Records(std::move(*database));
}

Result<std::vector<InstanceRecord>> Records::instances() {
  return all<InstanceRecord>(database_,
                             "SELECT number, service, version, zone, slot, volume, state, since_ms, "
                             "started_ms, token, boots_until_ms, "
                             "drains_until_ms, afterwards, why FROM instance ORDER BY number",
                             [](const Row& row) {
                               InstanceRecord instance;
                               instance.number = row.integer(0);
                               instance.service = row.text(1);
                               instance.version = row.text(2);
                               instance.zone = row.text(3);
                               instance.slot = static_cast<int>(row.integer(4));
                               if (!row.is_null(5)) instance.volume = static_cast<int>(row.integer(5));
                               instance.state = static_cast<cloud::InstanceState>(row.integer(6));
                               instance.since = row.milliseconds(7);
                               instance.started = row.milliseconds(8);
                               instance.token = row.text(9);
                               instance.boots_until = row.milliseconds(10);
                               instance.drains_until = row.milliseconds(11);
                               instance.afterwards = static_cast<cloud::Afterwards>(row.integer(12));
                               instance.why = row.text(13);
                               return instance;
                             });
}

Result<std::vector<TicketRecord>> Records::tickets() {
  return all<TicketRecord>(
      database_, "SELECT token, action, state, since_ms, affected, why, retriable FROM ticket ORDER BY token",
      [](const Row& row) {
        TicketRecord ticket;
        ticket.action = action_of(row.text(0), row.text(1));
        ticket.report = {{row.text(0)},       static_cast<cloud::TicketState>(row.integer(2)),
                         row.milliseconds(3), static_cast<int>(row.integer(4)),
                         row.text(5),         row.boolean(6)};
        return ticket;
      });
}

Result<std::vector<Version>> Records::versions() {
  return all<Version>(database_, "SELECT service, name, content FROM version ORDER BY rowid",
                      [](const Row& row) { return version_of(row.text(0), row.text(1), row.text(2)); });
}

Result<std::vector<DrillRecord>> Records::drills() {
  return all<DrillRecord>(database_, "SELECT subject, what, until_ms FROM drill ORDER BY subject",
                          [](const Row& row) {
                            return DrillRecord{row.text(0), trouble_of(row.text(1)), row.milliseconds(2)};
                          });
}

Result<void> Records::add(InstanceRecord& instance) {
  const Result<std::int64_t> added = database_.run(
      "INSERT INTO instance (service, version, zone, slot, volume, state, since_ms, started_ms, token, "
      "boots_until_ms, drains_until_ms, afterwards, why) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, "
      "?)",
      {instance.service, instance.version, instance.zone, instance.slot, instance.volume,
       static_cast<int>(instance.state), instance.since, instance.started, instance.token,
       instance.boots_until, instance.drains_until, static_cast<int>(instance.afterwards), instance.why});
  if (!added) return added.error();
  instance.number = database_.last_key();
  return {};
}

Result<void> Records::save(const InstanceRecord& instance) {
  return nothing(database_.run(
      "UPDATE instance SET state = ?, since_ms = ?, started_ms = ?, boots_until_ms = ?, drains_until_ms = ?, "
      "afterwards = ?, why = ?, volume = ? WHERE number = ?",
      {static_cast<int>(instance.state), instance.since, instance.started, instance.boots_until,
       instance.drains_until, static_cast<int>(instance.afterwards), instance.why, instance.volume,
       instance.number}));
}

Result<void> Records::remove(const InstanceRecord& instance) {
  return nothing(database_.run("DELETE FROM instance WHERE number = ?", {instance.number}));
}

Result<void> Records::save(const TicketRecord& ticket) {
  const cloud::TicketReport& report = ticket.report;
  return nothing(
      database_.run("INSERT INTO ticket VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (token) DO UPDATE SET state "
                    "= excluded.state, "
                    "since_ms = excluded.since_ms, affected = excluded.affected, why = excluded.why, "
                    "retriable = excluded.retriable",
                    {report.ticket.token, text_of(ticket.action), static_cast<int>(report.state),
                     report.since, report.affected, report.why, report.retriable ? 1 : 0}));
}

Result<void> Records::remove_tickets_before(Milliseconds then) {
  return nothing(database_.run("DELETE FROM ticket WHERE state <> ? AND since_ms < ?",
                               {static_cast<int>(cloud::TicketState::pending), then}));
}

Result<void> Records::save(const Version& version) {
  return nothing(database_.run("INSERT OR REPLACE INTO version VALUES (?, ?, ?)",
                               {version.service, version.name, text_of(version)}));
}

Result<void> Records::remove(const Version& version) {
  return nothing(
      database_.run("DELETE FROM version WHERE service = ? AND name = ?", {version.service, version.name}));
}

Result<void> Records::save(const DrillRecord& drill) {
  return nothing(
      database_.run("INSERT OR REPLACE INTO drill VALUES (?, ?, ?)",
                    {drill.subject, drill.trouble ? to_string(*drill.trouble) : "cut", drill.until}));
}

Result<void> Records::remove(const DrillRecord& drill) {
  return nothing(database_.run("DELETE FROM drill WHERE subject = ?", {drill.subject}));
}

}  // namespace headroom::cloud_local
