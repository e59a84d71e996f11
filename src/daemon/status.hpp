// Status: what there is to know of the environments of a daemon, as values for the interface and for people.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/quantity.hpp"

namespace headroom::daemon {

struct InstanceStatus {
  std::string id;  // "web-17"
  std::string service;
  std::string version;  // "v3"
  std::string zone;
  std::string address;  // host:port
  std::string state;    // "in service", as cloud::to_string
  base::Milliseconds since{0};
  std::optional<double> cpu_percent;  // of what it is allowed, over the last metric period
  std::optional<double> requests_per_second;
  std::int64_t memory_bytes = 0;
  std::string health;  // of the last check: "HTTP 200"; empty: none yet
  int failed_checks = 0;
  std::string why;    // of a failed one
  std::string drill;  // "hang", "pause"; empty: none
};

// What a person has put over the policy.
struct OverrideStatus {
  std::optional<int> instances;  // exactly so many; none: it is paused
  base::Milliseconds since{0};
  std::optional<base::Milliseconds> until;  // none: until it is resumed
};

// The latest decision of what scales as one.
struct DecisionStatus {
  std::string group;  // a zone, where each scales apart; empty: the whole service
  base::Milliseconds at{0};
  std::optional<double> cpu_percent;  // that it saw
  std::optional<double> requests_per_second_per_instance;
  int recommended = 0;                     // instances that the policies ask for, before any limit
  int desired = 0;                         // what it came to
  std::string why;                         // "above the threshold; bounded by max"
  std::optional<base::Milliseconds> next;  // when a policy is asked again; none: there is none
};

struct ServiceStatus {
  std::string name;
  int desired = 0;
  int in_service = 0;
  std::string address;   // where clients reach it: "http://127.0.0.1:8080"; empty: not published
  std::string version;   // what new instances run; empty: none was deployed so far
  std::string previous;  // what `rollback` goes back to; empty: nothing
  std::string doing;     // in one line: what goes on, or what hinders it; empty: all is as desired
  std::optional<OverrideStatus> override;
  std::vector<DecisionStatus> decisions;  // in the order of the zones; empty: none so far
  std::optional<double> requests_per_second;
  std::optional<double> failed_per_second;
  std::optional<double> p95_ms;
};

struct ZoneStatus {
  std::string name;
  bool cut = false;
};

struct EnvironmentStatus {
  std::string name;
  std::string file;                     // its headroom.yaml
  std::string variant;                  // -e; empty: none
  std::string fault;                    // why it does not run; empty: it does
  std::vector<std::string> hindrances;  // what its cloud cannot do at present, in sentences
  std::vector<ZoneStatus> zones;
  std::vector<ServiceStatus> services;    // in file order
  std::vector<InstanceStatus> instances;  // by service, in the order of their launch
};

struct Status {
  std::string version;  // of the program
  std::string state_folder;
  std::string tier;               // as isolation::describe
  std::vector<std::string> lost;  // what this machine cannot give, in sentences
  double machine_cores = 0;
  double promised_cores = 0;                    // to the instances that run
  std::vector<EnvironmentStatus> environments;  // by name
};

}  // namespace headroom::daemon
