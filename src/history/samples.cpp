#include "history/samples.hpp"

#include <utility>

namespace headroom::history {
namespace {

using base::Milliseconds;
using base::Result;
using store::Row;

constexpr Milliseconds kMinute{60'000};
constexpr Milliseconds kHour{3'600'000};

// A clock that was set back measures a time again: the later measurement stands.
Result<void> insert(store::Database& database, const Sample& sample) {
  const auto done = database.run(
      "INSERT OR REPLACE INTO sample VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      {sample.service, sample.at, sample.length, sample.requests_per_second, sample.failed_per_second,
       sample.p95_ms, sample.cpu_percent, sample.in_service, sample.launching, sample.stopped});
  if (!done) return done.error();
  return {};
}

}  // namespace

const std::string& Samples::schema() {
  static const std::string kSchema = R"(
    CREATE TABLE sample (
      service TEXT NOT NULL, at_ms INTEGER NOT NULL, length_ms INTEGER NOT NULL, rps REAL, failed_rps REAL,
      p95_ms REAL, cpu_percent REAL, in_service REAL NOT NULL, launching REAL NOT NULL, stopped REAL NOT NULL,
      PRIMARY KEY (service, at_ms)) STRICT, WITHOUT ROWID;)";
  return kSchema;
}

Result<void> Samples::write(store::Database& database) {
  if (waiting_.empty()) return {};
  Result<store::Transaction> change = database.begin();
  if (!change) return change.error();
  for (const Sample& sample : waiting_) {
    if (auto done = insert(database, sample); !done) return done;
  }
  if (auto committed = change->commit(); !committed) return committed;
  waiting_.clear();
  return {};
}

Result<void> Samples::roll_up(store::Database& database, Milliseconds now) {
  const Milliseconds until = (now - kHour) / kMinute * kMinute;
  Result<store::Transaction> change = database.begin();
  if (!change) return change.error();
  std::vector<Sample> minutes;
  auto read = database.each(
      "SELECT service, at_ms / 60000 * 60000, avg(rps), avg(failed_rps), max(p95_ms), avg(cpu_percent), "
      "avg(in_service), avg(launching), avg(stopped) FROM sample WHERE at_ms < ? AND length_ms < 60000 "
      "GROUP BY service, at_ms / 60000",
      {until}, [&](const Row& row) {
        minutes.push_back({row.milliseconds(1), kMinute, row.text(0), row.number_or_null(2),
                           row.number_or_null(3), row.number_or_null(4), row.number_or_null(5), row.number(6),
                           row.number(7), row.number(8)});
      });
  if (!read) return read.error();
  if (auto done = database.run("DELETE FROM sample WHERE (at_ms < ? AND length_ms < 60000) OR at_ms < ?",
                               {until, now - kKept});
      !done)
    return done.error();
  for (const Sample& minute : minutes) {
    if (auto done = insert(database, minute); !done) return done;
  }
  return change->commit();
}

Result<std::vector<Sample>> Samples::read(store::Database& database, const std::string& service,
                                          Milliseconds since) {
  if (auto written = write(database); !written) return written.error();
  std::vector<Sample> samples;
  auto read = database.each(
      "SELECT at_ms, length_ms, rps, failed_rps, p95_ms, cpu_percent, in_service, launching, stopped FROM "
      "sample "
      "WHERE service = ? AND at_ms + length_ms > ? ORDER BY at_ms",
      {service, since}, [&](const Row& row) {
        samples.push_back({row.milliseconds(0), row.milliseconds(1), service, row.number_or_null(2),
                           row.number_or_null(3), row.number_or_null(4), row.number_or_null(5), row.number(6),
                           row.number(7), row.number(8)});
      });
  if (!read) return read.error();
  return samples;
}

}  // namespace headroom::history
