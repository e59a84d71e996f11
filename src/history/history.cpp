#include "history/history.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace headroom::history {
namespace {

using base::Milliseconds;
using base::Result;
using store::Row;

constexpr Milliseconds kWriteEvery{60'000};
constexpr Milliseconds kWriteSamplesEvery{10'000};
constexpr Milliseconds kForgetEvery{3'600'000};

const std::vector<std::string>& schema() {
  static const std::vector<std::string> kSchema = {std::string(R"(
    CREATE TABLE event (
      id INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, service TEXT NOT NULL, kind TEXT NOT NULL,
      subject TEXT NOT NULL, text TEXT NOT NULL) STRICT;
    CREATE INDEX event_at ON event(at_ms);
    CREATE TABLE decision (
      id INTEGER PRIMARY KEY, service TEXT NOT NULL, of_group TEXT NOT NULL, first_ms INTEGER NOT NULL,
      last_ms INTEGER NOT NULL, times INTEGER NOT NULL, cpu_percent REAL, instance_rps REAL, rps REAL,
      in_service INTEGER NOT NULL, launching INTEGER NOT NULL, recommended INTEGER NOT NULL,
      after_step INTEGER NOT NULL, after_rate INTEGER NOT NULL, desired INTEGER NOT NULL,
      added INTEGER NOT NULL, removed INTEGER NOT NULL, policy INTEGER, reasons INTEGER NOT NULL, text TEXT NOT NULL) STRICT;
    CREATE INDEX decision_last ON decision(last_ms);)") +
                                                   Samples::schema()};
  return kSchema;
}

std::optional<double> seen_of(const policy::Observation<base::One>& seen, int signal) {
  if (seen.missing[signal]) return std::nullopt;
  return seen.value[signal];
}

// The same but for what was measured.
bool is_as(const Decision& a, Decision b) {
  b.cpu_percent = a.cpu_percent;
  b.requests_per_second_per_instance = a.requests_per_second_per_instance;
  b.requests_per_second = a.requests_per_second;
  return a == b;
}

bool acts(const Decision& decision) { return decision.add != 0 || decision.remove != 0; }

int count(const Row& row, int column) { return static_cast<int>(row.integer(column)); }

Entry decision_from(const Row& row) {
  Entry entry;
  Decision& decision = entry.decision.emplace();
  entry.event.service = row.text(0);
  decision.group = row.text(1);
  entry.event.at = row.milliseconds(2);
  entry.until = row.milliseconds(3);
  entry.times = row.integer(4);
  decision.cpu_percent = row.number_or_null(5);
  decision.requests_per_second_per_instance = row.number_or_null(6);
  decision.requests_per_second = row.number_or_null(7);
  decision.in_service = count(row, 8);
  decision.launching = count(row, 9);
  decision.recommended = count(row, 10);
  decision.after_step = count(row, 11);
  decision.after_rate = count(row, 12);
  decision.desired = count(row, 13);
  decision.add = count(row, 14);
  decision.remove = count(row, 15);
  if (!row.is_null(16)) decision.policy = count(row, 16);
  decision.reasons = {static_cast<std::uint32_t>(row.integer(17))};
  entry.event.kind = "decision";
  entry.event.text = row.text(18);
  return entry;
}

}  // namespace

Decision decision_of(const std::string& group, const control::Decided& decided) {
  const policy::Decision<base::One>& made = decided.decision;
  Decision decision;
  decision.group = group;
  decision.cpu_percent = seen_of(decided.seen, static_cast<int>(policy::Metric::cpu));
  decision.requests_per_second_per_instance =
      seen_of(decided.seen, static_cast<int>(policy::Metric::requests));
  decision.requests_per_second = seen_of(decided.seen, policy::kLoad);
  decision.in_service = decided.seen.in_service;
  decision.launching = decided.seen.launching;
  decision.recommended = made.recommended;
  decision.after_step = made.after_step;
  decision.after_rate = made.after_rate;
  decision.desired = made.desired;
  decision.add = made.add;
  decision.remove = made.remove;
  if (made.policy >= 0) decision.policy = made.policy;
  decision.reasons = {static_cast<std::uint32_t>(made.reasons)};
  return decision;
}

Result<std::unique_ptr<History>> History::open(const std::filesystem::path& file) {
  Result<store::Database> database = store::Database::open(file, schema());
  if (!database) return database.error();
  return std::unique_ptr<History>(new History(std::move(*database)));
}

History::~History() {
  [[maybe_unused]] const auto decisions = write_all();
  [[maybe_unused]] const auto samples = samples_.write(database_);
}

Result<void> History::add(const Event& event) {
  const std::lock_guard lock(mutex_);
  const auto done =
      database_.run("INSERT INTO event (at_ms, service, kind, subject, text) VALUES (?, ?, ?, ?, ?)",
                    {event.at, event.service, event.kind, event.subject, event.text});
  if (!done) return done.error();
  return {};
}

Result<void> History::decided(const std::string& service, const std::string& group,
                              const control::Decided& decided, const std::string& why) {
  Decision decision = decision_of(group, decided);
  if (!decided.decision.due && !acts(decision)) return {};
  const std::lock_guard lock(mutex_);
  Run& run = runs_[{service, group}];
  if (run.entry.decision && !acts(decision) && run.entry.event.text == why &&
      is_as(*run.entry.decision, decision)) {
    run.entry.until = decided.at;
    ++run.entry.times;
    run.entry.decision = std::move(decision);
    run.changed = true;
    return {};
  }
  if (run.entry.decision && run.changed) {
    if (auto written = write(run); !written) return written;
  }
  run = Run{};
  run.entry.event = {decided.at, service, "decision", "", why};
  run.entry.until = decided.at;
  run.kept_at = decided.at;
  const bool at_once = acts(decision);
  run.entry.decision = std::move(decision);
  return at_once ? write(run) : Result<void>();
}

// Requires: the mutex.
Result<void> History::write(Run& run) {
  const Entry& entry = run.entry;
  const Decision& decision = *entry.decision;
  if (run.id != 0) {
    const auto done = database_.run(
        "UPDATE decision SET last_ms = ?, times = ?, cpu_percent = ?, instance_rps = ?, rps = ? WHERE id = ?",
        {entry.until, entry.times, decision.cpu_percent, decision.requests_per_second_per_instance,
         decision.requests_per_second, run.id});
    if (!done) return done.error();
  } else {
    const auto done = database_.run(
        "INSERT INTO decision (service, of_group, first_ms, last_ms, times, cpu_percent, instance_rps, rps, "
        "in_service, launching, recommended, after_step, after_rate, desired, added, removed, policy, "
        "reasons, text) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        {entry.event.service, decision.group, entry.event.at, entry.until, entry.times, decision.cpu_percent,
         decision.requests_per_second_per_instance, decision.requests_per_second, decision.in_service,
         decision.launching, decision.recommended, decision.after_step, decision.after_rate, decision.desired,
         decision.add, decision.remove, decision.policy, decision.reasons.bits, entry.event.text});
    if (!done) return done.error();
    run.id = database_.last_key();
  }
  run.changed = false;
  run.kept_at = entry.until;
  return {};
}

Result<void> History::keep(Milliseconds now) {
  const std::lock_guard lock(mutex_);
  for (auto& [key, run] : runs_) {
    if (!run.entry.decision || !run.changed || now - run.kept_at < kWriteEvery) continue;
    if (auto written = write(run); !written) return written;
  }
  if (now - wrote_samples_at_ >= kWriteSamplesEvery) {
    wrote_samples_at_ = now;
    if (auto written = samples_.write(database_); !written) return written;
  }
  if (now - forgot_at_ < kForgetEvery) return {};
  forgot_at_ = now;
  if (auto done = samples_.roll_up(database_, now); !done) return done;
  if (auto done = database_.run("DELETE FROM event WHERE at_ms < ?", {now - kKept}); !done)
    return done.error();
  if (auto done = database_.run("DELETE FROM decision WHERE last_ms < ?", {now - kKept}); !done)
    return done.error();
  return {};
}

// Requires: the mutex.
Result<void> History::write_all() {
  for (auto& [key, run] : runs_) {
    if (!run.entry.decision || !run.changed) continue;
    if (auto written = write(run); !written) return written;
  }
  return {};
}

void History::add(Sample sample) {
  const std::lock_guard lock(mutex_);
  samples_.add(std::move(sample));
}

Result<std::vector<Sample>> History::samples(const std::string& service, Milliseconds since) {
  const std::lock_guard lock(mutex_);
  return samples_.read(database_, service, since);
}

Result<std::vector<Entry>> History::entries(const Query& query) {
  const std::lock_guard lock(mutex_);
  if (auto written = write_all(); !written) return written.error();
  std::vector<Entry> entries;
  const std::string& service = query.service;
  auto read = database_.each(
      "SELECT at_ms, service, kind, subject, text FROM event WHERE at_ms >= ? AND (? = '' OR service IN (?, "
      "'')) "
      "ORDER BY at_ms DESC, id DESC LIMIT ?",
      {query.since, service, service, query.most}, [&](const Row& row) {
        Entry entry;
        entry.event = {row.milliseconds(0), row.text(1), row.text(2), row.text(3), row.text(4)};
        entry.until = entry.event.at;
        entries.push_back(std::move(entry));
      });
  if (!read) return read.error();
  std::reverse(entries.begin(), entries.end());
  std::vector<Entry> decisions;
  read = database_.each(
      "SELECT service, of_group, first_ms, last_ms, times, cpu_percent, instance_rps, rps, in_service, "
      "launching, "
      "recommended, after_step, after_rate, desired, added, removed, policy, reasons, text FROM decision "
      "WHERE last_ms >= ? AND (? = '' OR service = ?) ORDER BY first_ms DESC, id DESC LIMIT ?",
      {query.since, service, service, query.most},
      [&](const Row& row) { decisions.push_back(decision_from(row)); });
  if (!read) return read.error();
  std::reverse(decisions.begin(), decisions.end());
  // A decision comes before what it led to at the same time.
  decisions.insert(decisions.end(), std::make_move_iterator(entries.begin()),
                   std::make_move_iterator(entries.end()));
  std::stable_sort(decisions.begin(), decisions.end(),
                   [](const Entry& a, const Entry& b) { return a.event.at < b.event.at; });
  const auto most = static_cast<std::size_t>(std::max(query.most, 0));
  if (decisions.size() > most)
    decisions.erase(decisions.begin(), decisions.end() - static_cast<std::ptrdiff_t>(most));
  return decisions;
}

}  // namespace headroom::history
