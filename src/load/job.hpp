// Job: everything a load test needs, read and resolved before its first request.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/result.hpp"
#include "load/prepared.hpp"
#include "load/target.hpp"
#include "workload/profile.hpp"
#include "workload/share.hpp"
#include "workload/traffic.hpp"

namespace headroom::load {

// Of one test: more machines than this are a slip of the keyboard.
inline constexpr std::uint64_t kShardsMost = 100'000;

struct Options {
  int threads = 1;
  std::size_t connections = 10'000;  // most at the same time, in open traffic; a closed user has its own
  base::Milliseconds timeout{30'000};
  int redirects = 10;                // followed at most, to the same host only
  std::vector<std::string> sources;  // addresses to send from, in turn; empty: the system chooses
  bool verify = true;                // the certificate of the service
  std::string certificates;          // a file of those to trust; empty: the system's
  workload::Share share;             // of several machines
  std::uint64_t seed = 1;
};

struct Job {
  Url url;
  std::vector<Address> addresses;
  std::vector<Address> sources;
  Prepared requests;
  // Open: the rate over time. Closed: the users.
  std::variant<workload::Profile, workload::Closed> shape;
  workload::Arrivals arrivals = workload::Arrivals::exact;
  std::vector<std::string> stages;  // names, in order
  Options options;
  std::vector<std::string> notes;

  bool open() const { return std::holds_alternative<workload::Profile>(shape); }
};

// Asks the name service for the host. Errors: faults of the traffic, of the options, no address.
base::Result<Job> prepare(const workload::Traffic& traffic, const Url& url, const Options& options);

}  // namespace headroom::load
