// Records: what the local cloud has been told and not forgotten, in one file: instances, orders, versions,
// drills.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "cloud/cloud.hpp"
#include "cloud_local/specification.hpp"
#include "store/database.hpp"

namespace headroom::cloud_local {

struct InstanceRecord {
  std::int64_t number = 0;  // never used again
  std::string service;
  std::string version;
  std::string zone;
  int slot = 0;  // of the zone; of one instance at a time
  std::optional<int> volume;
  cloud::InstanceState state = cloud::InstanceState::launching;
  base::Milliseconds since{0};
  base::Milliseconds started{0};
  std::string token;                   // that launched it
  base::Milliseconds boots_until{0};   // while launching
  base::Milliseconds drains_until{0};  // while draining
  cloud::Afterwards afterwards = cloud::Afterwards::gone;

  std::string why;         // of a failed one
  std::string id() const;  // "web-17"
  bool operator==(const InstanceRecord&) const = default;
};

struct TicketRecord {
  cloud::Action action;
  cloud::TicketReport report;
  bool operator==(const TicketRecord&) const = default;
};

// A planned failure.
struct DrillRecord {
  std::string subject = {};             // a zone or an instance
  std::optional<Trouble> trouble = {};  // of an instance; nothing: the zone is cut
  base::Milliseconds until{0};
  bool operator==(const DrillRecord&) const = default;
};

class Records {
 public:
  static base::Result<Records> open(const std::filesystem::path& file);

  base::Result<std::vector<InstanceRecord>> instances();
  base::Result<std::vector<TicketRecord>> tickets();
  base::Result<std::vector<Version>> versions();
  base::Result<std::vector<DrillRecord>> drills();

  // Gives `instance` its number.
  base::Result<void> add(InstanceRecord& instance);
  base::Result<void> save(const InstanceRecord& instance);
  base::Result<void> remove(const InstanceRecord& instance);
  base::Result<void> save(const TicketRecord& ticket);
  // Those that finished before then.
  base::Result<void> remove_tickets_before(base::Milliseconds then);
  base::Result<void> save(const Version& version);
  base::Result<void> remove(const Version& version);
  base::Result<void> save(const DrillRecord& drill);
  base::Result<void> remove(const DrillRecord& drill);
  base::Result<store::Transaction> begin() { return database_.begin(); }

 private:
  explicit Records(store::Database database) : database_(std::move(database)) {}
  store::Database database_;
};

}  // namespace headroom::cloud_local
