#include "daemon/catalogue.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "isolation/cell.hpp"

namespace headroom::daemon {
namespace {

using base::Milliseconds;
using base::Result;
using store::Row;

constexpr int kFirstPort = 20'000;
constexpr int kLastPort = 29'999;

const std::vector<std::string>& schema() {
  static const std::vector<std::string> kSchema = {R"(
    CREATE TABLE environment (
      name TEXT PRIMARY KEY, file TEXT NOT NULL, variant TEXT NOT NULL,
      removing INTEGER NOT NULL, volumes INTEGER NOT NULL) STRICT;
    CREATE TABLE file (
      environment TEXT NOT NULL REFERENCES environment(name) ON DELETE CASCADE, path TEXT NOT NULL,
      content BLOB NOT NULL, PRIMARY KEY (environment, path)) STRICT;
    CREATE TABLE zone (
      environment TEXT NOT NULL REFERENCES environment(name) ON DELETE CASCADE, name TEXT NOT NULL,
      position INTEGER NOT NULL UNIQUE, PRIMARY KEY (environment, name)) STRICT;
    CREATE TABLE service (
      environment TEXT NOT NULL REFERENCES environment(name) ON DELETE CASCADE, name TEXT NOT NULL,
      internal_port INTEGER NOT NULL UNIQUE, desired INTEGER NOT NULL,
      override_since INTEGER, override_until INTEGER, override_instances INTEGER,
      override_pauses_after INTEGER NOT NULL,
      version TEXT NOT NULL, previous TEXT NOT NULL, versions INTEGER NOT NULL,
      rolling INTEGER NOT NULL, PRIMARY KEY (environment, name)) STRICT;)"};
  return kSchema;
}

template <class Taken>
int lowest_free(const Taken& taken, int first) {
  int free = first;
  while (taken.contains(free)) ++free;
  return free;
}

}  // namespace

Result<Catalogue> Catalogue::open(const std::filesystem::path& file) {
  Result<store::Database> database = store::Database::open(file, schema());
  if (!database) return database.error();
  return Catalogue(std::move(*database));
}

Result<std::vector<EnvironmentRecord>> Catalogue::all() {
  std::vector<EnvironmentRecord> records;
  Result<void> read =
      database_.each("SELECT name, file, variant, removing, volumes FROM environment ORDER BY name", {},
                     [&](const Row& row) {
                       EnvironmentRecord record;
                       record.name = row.text(0);
                       record.file = row.text(1);
                       record.variant = row.text(2);
                       record.removing = row.boolean(3);
                       record.volumes = row.boolean(4);
                       records.push_back(std::move(record));
                     });
  if (!read) return read.error();
  for (EnvironmentRecord& record : records) {
    read =
        database_.each("SELECT name, position FROM zone WHERE environment = ?", {record.name},
                       [&](const Row& row) { record.zones[row.text(0)] = static_cast<int>(row.integer(1)); });
    if (!read) return read.error();
    Files files;
    read = database_.each("SELECT path, content FROM file WHERE environment = ?", {record.name},
                          [&](const Row& row) { files[row.text(0)] = row.bytes(1); });
    if (!read) return read.error();
    record.files = std::make_shared<const Files>(std::move(files));
    read = database_.each(
        "SELECT name, internal_port, desired, version, previous, versions, rolling, override_since, "
        "override_until, override_instances, override_pauses_after FROM service WHERE environment = ?",
        {record.name}, [&](const Row& row) {
          ServiceRecord service;
          service.name = row.text(0);
          service.internal_port = static_cast<int>(row.integer(1));
          service.desired = static_cast<int>(row.integer(2));
          service.version = row.text(3);
          service.previous = row.text(4);
          service.versions = static_cast<int>(row.integer(5));
          service.rolling = row.boolean(6);
          if (!row.is_null(7)) {
            Override& override = service.override.emplace();
            override.since = row.milliseconds(7);
            if (!row.is_null(8)) override.until = row.milliseconds(8);
            if (!row.is_null(9)) override.instances = static_cast<int>(row.integer(9));
            override.pauses_after = row.boolean(10);
          }
          record.services.emplace(service.name, service);
        });
    if (!read) return read.error();
  }
  return records;
}

Result<void> Catalogue::save(const EnvironmentRecord& record) {
  Result<store::Transaction> change = database_.begin();
  if (!change) return change.error();
  const auto run = [&](std::string_view sql, std::initializer_list<store::Value> values) -> Result<void> {
    if (auto done = database_.run(sql, values); !done) return done.error();
    return {};
  };
  Result<void> done =
      run("INSERT INTO environment VALUES (?, ?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET file = "
          "excluded.file, variant = excluded.variant, removing = excluded.removing, "
          "volumes = excluded.volumes",
          {record.name, record.file, record.variant, record.removing ? 1 : 0, record.volumes ? 1 : 0});
  if (done) done = save_files(record);
  if (done) done = run("DELETE FROM zone WHERE environment = ?", {record.name});
  if (done) done = run("DELETE FROM service WHERE environment = ?", {record.name});
  for (const auto& [name, index] : record.zones) {
    if (done) done = run("INSERT INTO zone VALUES (?, ?, ?)", {record.name, name, index});
  }
  for (const auto& [name, service] : record.services) {
    if (!done) break;
    std::optional<Milliseconds> since;
    const Override override = service.override.value_or(Override{});
    if (service.override) since = override.since;
    done = run("INSERT INTO service VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
               {record.name, name, service.internal_port, service.desired, since, override.until,
                override.instances, override.pauses_after ? 1 : 0, service.version, service.previous,
                service.versions, service.rolling ? 1 : 0});
  }
  if (!done) return done;
  if (auto committed = change->commit(); !committed) return committed;
  files_[record.name] = record.files;
  return {};
}

// They can be large, and seldom change.
Result<void> Catalogue::save_files(const EnvironmentRecord& record) {
  const auto kept = files_.find(record.name);
  if (!record.files || (kept != files_.end() && kept->second == record.files)) return {};
  Result<std::int64_t> done = database_.run("DELETE FROM file WHERE environment = ?", {record.name});
  for (const auto& [path, content] : *record.files) {
    if (!done) break;
    done =
        database_.run("INSERT INTO file VALUES (?, ?, ?)", {record.name, path, store::Value::bytes(content)});
  }
  if (!done) return done.error();
  return {};
}

Result<void> Catalogue::remove(const std::string& environment) {
  if (auto done = database_.run("DELETE FROM environment WHERE name = ?", {environment}); !done)
    return done.error();
  files_.erase(environment);
  return {};
}

Result<void> Catalogue::complete(EnvironmentRecord& record, const std::vector<std::string>& zones,
                                 const std::vector<std::string>& services) {
  Result<std::vector<EnvironmentRecord>> others = all();
  if (!others) return others.error();
  std::set<int> indexes;
  std::set<int> ports;
  others->push_back(record);
  for (const EnvironmentRecord& other : *others) {
    for (const auto& [name, index] : other.zones) indexes.insert(index);
    for (const auto& [name, service] : other.services) ports.insert(service.internal_port);
  }
  for (const std::string& zone : zones) {
    if (record.zones.contains(zone)) continue;
    const int index = lowest_free(indexes, 0);
    if (index >= isolation::kZonesMost) {
      return base::bad_input(fmt::format("this machine holds {} zones at most", isolation::kZonesMost),
                             "take another environment down");
    }
    record.zones[zone] = index;
    indexes.insert(index);
  }
  for (const std::string& name : services) {
    if (record.services.contains(name)) continue;
    ServiceRecord service;
    service.name = name;
    service.internal_port = lowest_free(ports, kFirstPort);
    if (service.internal_port > kLastPort)
      return base::bad_input("this machine holds 10000 services at most", "take another environment down");
    ports.insert(service.internal_port);
    record.services.emplace(name, service);
  }
  return {};
}

}  // namespace headroom::daemon
