// Worker: the thread of a LocalCloud, which brings what runs to what is written.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <filesystem>
#include <functional>
#include <future>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "balancer/balancer.hpp"
#include "balancer/request_log.hpp"
#include "cloud_local/local_cloud.hpp"
#include "cloud_local/meter.hpp"
#include "cloud_local/records.hpp"

namespace headroom::cloud_local {

// Between SIGTERM and SIGKILL.
inline constexpr base::Milliseconds kGrace{10'000};

class LocalCloud::Worker {
 public:
  Worker(isolation::Machine& machine, std::filesystem::path folder, std::filesystem::path sockets,
         Specification specification, Clock clock, Records records);
  ~Worker();

  base::Result<void> begin();  // before the thread runs
  void run();

  cloud::Observed observe();
  cloud::Ticket submit(const cloud::Action& action);
  base::Result<void> define(const Version& version);
  std::vector<Version> versions();
  base::Result<void> change(Specification specification);
  std::vector<Details> details();
  std::vector<std::string> cut_zones();
  base::Result<void> keep_versions(const std::string& service, const std::set<std::string>& names);
  std::vector<std::string> hindrances();
  base::Result<void> drill(const DrillRecord& drill);
  base::Result<void> remove(bool volumes);

 private:
  struct Instance {
    InstanceRecord record;
    std::future<base::Result<void>> work;  // its start or its end, in a thread of its own
    std::string fault;                     // why its last end failed; empty: it did not
    bool joined = false;                   // the balancer has it
    std::optional<cloud::HealthCheck> health;
    std::optional<cloud::InstanceMetrics> metrics;
    Meter meter;
    isolation::Usage usage;
  };
  struct Front {  // of a service
    std::optional<balancer::Balancer> balancer;
    std::optional<balancer::RequestLog> log;
    std::optional<balancer::Seen> seen;
    std::deque<balancer::Second> seconds;
    struct Totals {
      base::Milliseconds end{0};
      base::Nanoseconds at{0};
      std::uint64_t requests = 0;
      std::uint64_t failed = 0;
      std::int64_t counter_of = 0;
    };
    std::optional<Totals> totals;
    std::optional<cloud::ServiceMetrics> waiting;  // for the last second of its requests
    std::optional<cloud::ServiceMetrics> metrics;
    std::string fault;  // why there is no balancer now
  };

  base::Milliseconds now() const { return clock_(); }
  const Zone* find_zone(const std::string& name) const;
  const Service* find_service(const std::string& name) const;
  const Version* find_version(const std::string& service, const std::string& name) const;
  Instance* find(const std::string& id);
  std::string cell_of(const Instance& instance) const;
  bool is_job(const Instance& instance) const;

  void remove_unknown_cells();
  void compare_with_balancers();
  void step();
  bool is_at_rest() const;
  bool wrote(const base::Result<void>& written);

  // orders.cpp
  void carry_out_tickets();
  void carry_out(TicketRecord& ticket, const cloud::Launch& launch);
  void carry_out(TicketRecord& ticket, const cloud::Start& start);
  void carry_out(TicketRecord& ticket, const cloud::Retire& retire);
  bool write(TicketRecord& ticket, TicketRecord next_ticket, Instance& instance, InstanceRecord next_record);
  void finish(TicketRecord& ticket, cloud::TicketState state, std::string why = {});
  void forget_old_tickets();

  // lifecycle.cpp
  void advance(Instance& instance);
  void launch(Instance& instance);
  bool has_volume(Instance& instance);
  void warm(Instance& instance);
  void watch(Instance& instance);
  void drain(Instance& instance);
  void clear(Instance& instance);
  void begin_work(Instance& instance, std::function<base::Result<void>()> work);
  void begin_to_end(Instance& instance);
  void note_end(Instance& instance);
  static bool is_at_work(const Instance& instance);
  static void has_entered(Instance& instance, cloud::InstanceState state);
  void enter(Instance& instance, cloud::InstanceState state);
  void fail(Instance& instance, std::string why);
  bool leave_balancer(Instance& instance);
  void forget(Instance& instance);
  void forget_old_failures();

  // fronts.cpp
  balancer::Settings settings_of(const Service& service) const;
  Front* find_front(const std::string& service);
  base::Result<void> raise(const Service& service);
  void look_at_balancers();
  void measure();

  // drills.cpp
  base::Result<void> begin_drill(const DrillRecord& drill);
  base::Result<void> end_drill(const DrillRecord& drill);
  void end_drills_that_are_over();

  isolation::Machine& machine_;
  std::filesystem::path folder_;
  std::filesystem::path sockets_;
  Clock clock_;
  Records records_;

  // What follows is changed with both mutexes held, and so may be read with either. But submit(), which
  // waits for no step, adds tickets with the first one only.
  std::mutex mutex_;
  Specification specification_;
  std::map<std::int64_t, Instance> instances_;
  std::map<std::string, TicketRecord> tickets_;
  std::vector<Version> versions_;
  std::map<std::string, DrillRecord> drills_;
  std::map<std::string, Front> fronts_;
  std::set<std::int64_t> gone_;  // to be erased at the end of the step
  std::optional<base::Milliseconds> listed_at_;
  base::Milliseconds period_end_{0};
  base::Milliseconds tickets_forgotten_at_{0};
  std::string record_fault_;  // of the last write; empty: it went well

  std::mutex step_mutex_;  // held for a step by the thread, and by what must not happen during one
  std::atomic<bool> stop_ = false;
  bool is_asked_ = false;  // there is a ticket that the thread has not seen
  std::condition_variable_any wake_;
  std::thread thread_;
};

// The smallest number from 0 that is not taken, taken from now on.
int lowest_free(std::set<int>& taken);

}  // namespace headroom::cloud_local
