// History: what happened to the services of one environment, and what was decided for them and why, in
// SQLite.
//
//   History history = History::open(folder / "history.db").value();
//   history.add({now, "web", "paused", "", "by hand"});
//   history.decided("web", "", step.decided.front());
//   history.add(sample);                        // one for each metric period of each service
//   history.keep(now);                          // once a second or so
//   history.entries({.service = "web"})         // oldest first
//
// Most decisions are that nothing is to be done, for the same reason as the time before: such a row of them
// is one entry, with how often and until when. It is written when it ends and every minute, and samples every
// ten seconds; so a kill can cost the last minute of "nothing" and ten seconds of measurements, and nothing
// else.
//
// Threads: all functions may be called from any thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/quantity.hpp"
#include "base/result.hpp"
#include "control/step.hpp"
#include "history/samples.hpp"
#include "store/database.hpp"

namespace headroom::history {

struct Event {
  base::Milliseconds at{0};
  std::string service;  // empty: it concerns the whole environment
  std::string kind;     // a stable name: that of a control::Happened, "action", "scaled", "paused", ...
  std::string subject;  // an instance, a token, a version; may be empty
  std::string text;     // for people
  bool operator==(const Event&) const = default;
};

// What a decision saw, asked for and came to; counts of instances.
struct Decision {
  std::string group;  // a zone, where each scales apart; empty: the whole fleet
  std::optional<double> cpu_percent;
  std::optional<double> requests_per_second_per_instance;
  std::optional<double> requests_per_second;  // of the service
  int in_service = 0;
  int launching = 0;
  int recommended = 0;  // by the policies
  int after_step = 0;   // after the limit per decision
  int after_rate = 0;   // after the limit per time
  int desired = 0;      // in service and launching afterwards
  int add = 0;
  int remove = 0;
  std::optional<int> policy;  // index of the one that counted
  policy::Reasons reasons;
  bool operator==(const Decision&) const = default;
};

Decision decision_of(const std::string& group, const control::Decided& decided);

struct Entry {
  Event event;                       // of a decision: kind "decision", its text the reasons
  base::Milliseconds until{0};       // of decisions in a row: the last one
  std::int64_t times = 1;            // so many of them
  std::optional<Decision> decision;  // its figures are those of the last one
  bool operator==(const Entry&) const = default;
};

struct Query {
  std::string service;          // and what concerns the whole environment; empty: all
  base::Milliseconds since{0};  // what was still so then, or later
  int most = 1000;              // the newest of them
};

class History {
 public:
  // Errors: as store::Database::open.
  static base::Result<std::unique_ptr<History>> open(const std::filesystem::path& file);
  // Writes what waits.
  ~History();

  base::Result<void> add(const Event& event);
  // One that no policy was asked for, and that changed nothing, is left out. `why`: for people.
  base::Result<void> decided(const std::string& service, const std::string& group,
                             const control::Decided& decided, const std::string& why);
  void add(Sample sample);
  // Writes what is due, makes minutes of samples that are older than an hour, and forgets what ended more
  // than a week ago.
  base::Result<void> keep(base::Milliseconds now);

  // In the order in which they began. Also those that go on.
  base::Result<std::vector<Entry>> entries(const Query& query);
  // Of one service, oldest first, those that ended after `since`.
  base::Result<std::vector<Sample>> samples(const std::string& service, base::Milliseconds since);

 private:
  struct Run {
    Entry entry;
    std::int64_t id = 0;  // 0: not written yet
    bool changed = true;  // since it was written
    base::Milliseconds kept_at{0};
  };

  explicit History(store::Database database) : database_(std::move(database)) {}
  base::Result<void> write(Run& run);
  base::Result<void> write_all();

  std::mutex mutex_;
  store::Database database_;
  std::map<std::pair<std::string, std::string>, Run> runs_;  // by service and group
  Samples samples_;
  base::Milliseconds wrote_samples_at_{0};
  base::Milliseconds forgot_at_{0};
};

}  // namespace headroom::history
