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
  base::Result<void> drill(const DrillRecord& drill, Trouble trouble);
  base::Result<void> remove(bool volumes);

 private:
  // Blocking work on one instance, in a thread of its own.
  struct Work {
    enum class Kind { start, end } kind = Kind::start;
    std::future<base::Result<void>> result;
  };
  struct Instance {
    InstanceRecord record;
    std::optional<Work> work;
    bool joined = false;  // the balancer has it
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

  balancer::Settings settings_of(const Service& service) const;
  base::Result<void> raise(const Service& service);
  void look_at_balancers();
  void adopt_strangers();

  void step();
  void carry_out_tickets();
  void carry_out(TicketRecord& ticket, const cloud::Launch& launch);
  void carry_out(TicketRecord& ticket, const cloud::Start& start);
  void carry_out(TicketRecord& ticket, const cloud::Retire& retire);
  void finish(TicketRecord& ticket, cloud::TicketState state, std::string why = {}, bool retriable = false);
  void finish(const std::string& token, cloud::TicketState state, std::string why = {});

  void advance(Instance& instance);
  void launch(Instance& instance);
  bool has_volume(Instance& instance);
  void warm(Instance& instance);
  void watch(Instance& instance);
  void drain(Instance& instance);
  void clear(Instance& instance);
  void begin_work(Instance& instance, Work::Kind kind, std::function<base::Result<void>()> work);
  bool has_finished(Instance& instance);
  void enter(Instance& instance, cloud::InstanceState state);
  void fail(Instance& instance, std::string why);
  bool leave_balancer(Instance& instance);
  void forget(Instance& instance);
  void forget_old_failures();

  void keep_drills();
  void measure();

  isolation::Machine& machine_;
  std::filesystem::path folder_;
  std::filesystem::path sockets_;
  Clock clock_;
  Records records_;

  // What follows is changed by the thread with the mutex held, and so may be read by it without. Only
  // submit() adds tickets, define() versions, drill() drills.
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
  base::Milliseconds cleaned_at_{0};
  std::string record_fault_;  // the last write that failed

  std::mutex step_mutex_;  // held by the thread for a step, by change(), drill() and remove() for theirs
  std::atomic<bool> stop_ = false;
  std::condition_variable_any wake_;
  std::thread thread_;
};

}  // namespace headroom::cloud_local
