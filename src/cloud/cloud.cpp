#include "cloud/cloud.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace headroom::cloud {
namespace {

constexpr std::size_t kLongestToken = 64;

bool is_token(std::string_view token) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
  };
  return !token.empty() && token.size() <= kLongestToken && std::all_of(token.begin(), token.end(), allowed);
}

// Keys must rise strictly: sorted, and each once.
template <class Items, class Key>
void check_order(const Items& items, Key key, std::string_view name, std::vector<std::string>& faults) {
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (key(items[i]).empty()) faults.push_back(fmt::format("{} {} has no name", name, i));
    if (i > 0 && !(key(items[i - 1]) < key(items[i]))) {
      faults.push_back(fmt::format("{} '{}' follows '{}': not in order, or twice", name, key(items[i]),
                                   key(items[i - 1])));
    }
  }
}

}  // namespace

std::string_view to_string(InstanceState state) {
  switch (state) {
    case InstanceState::launching:
      return "launching";
    case InstanceState::warming:
      return "warming";
    case InstanceState::in_service:
      return "in service";
    case InstanceState::draining:
      return "draining";
    case InstanceState::stopped:
      return "stopped";
    case InstanceState::failed:
      return "failed";
  }
  return "unknown";
}

std::string_view to_string(TicketState state) {
  switch (state) {
    case TicketState::pending:
      return "pending";
    case TicketState::done:
      return "done";
    case TicketState::failed:
      return "failed";
    case TicketState::uncertain:
      return "uncertain";
  }
  return "unknown";
}

std::string_view to_string(Afterwards afterwards) {
  switch (afterwards) {
    case Afterwards::pool:
      return "pool";
    case Afterwards::gone:
      return "gone";
    case Afterwards::inspect:
      return "inspect";
  }
  return "unknown";
}

std::string words(const Action& action) {
  struct {
    std::string operator()(const Launch& launch) const {
      return fmt::format("launch {} of {} {} in zone {}", launch.count, launch.service, launch.version,
                         launch.zone);
    }
    std::string operator()(const Start& start) const {
      return fmt::format("start {} from the pool", start.instance);
    }
    std::string operator()(const Retire& retire) const {
      const std::string_view end = retire.afterwards == Afterwards::pool   ? "stop it for the pool"
                                   : retire.afterwards == Afterwards::gone ? "delete it"
                                                                           : "keep it for inspection";
      return fmt::format("drain {} for up to {} ms, then {}", retire.instance, retire.drain.count(), end);
    }
  } as_words;
  return std::visit(as_words, action.what);
}

std::string to_string(const Action& action) { return fmt::format("{} ({})", words(action), action.token); }

std::vector<std::string> observed_faults(const Observed& observed) {
  std::vector<std::string> faults;
  const auto check_time = [&](base::Milliseconds time, std::string_view what, std::string_view of) {
    if (time > observed.at) {
      faults.push_back(fmt::format("{} of '{}' is {} ms later than the observation", what, of,
                                   (time - observed.at).count()));
    }
  };
  // Stamped before that clock was put back, metrics can be later than it shows now.
  const auto check_metrics = [&](const auto& metrics, std::string_view of) {
    if (!observed.metrics_clock) check_time(metrics.end, "the metrics' end", of);
    if (metrics.length.count() <= 0) faults.push_back(fmt::format("the metrics of '{}' cover no time", of));
  };
  check_order(
      observed.instances, [](const Instance& i) -> const std::string& { return i.id; }, "instance", faults);
  check_order(
      observed.zones, [](const Zone& z) -> const std::string& { return z.name; }, "zone", faults);
  check_order(
      observed.services, [](const ServiceMetrics& s) -> const std::string& { return s.service; }, "service",
      faults);
  check_order(
      observed.tickets, [](const TicketReport& t) -> const std::string& { return t.ticket.token; }, "ticket",
      faults);

  if (observed.instances_at) {
    check_time(*observed.instances_at, "the time", "the list of instances");
  } else if (!observed.instances.empty()) {
    faults.push_back("instances are listed that were never learned: instances_at is absent");
  }
  for (const Instance& instance : observed.instances) {
    if (instance.service.empty()) faults.push_back(fmt::format("instance '{}' has no service", instance.id));
    check_time(instance.since, "the state", instance.id);
    check_time(instance.started, "the start", instance.id);
    if (instance.health) {
      check_time(instance.health->at, "the health check", instance.id);
      if (instance.health->failures < 0) {
        faults.push_back(
            fmt::format("{} checks of '{}' failed in a row", instance.health->failures, instance.id));
      }
    }
    if (instance.metrics) check_metrics(*instance.metrics, instance.id);
    if (instance.state == InstanceState::in_service && instance.address.empty()) {
      faults.push_back(fmt::format("instance '{}' is in service without an address", instance.id));
    }
  }
  for (const ServiceMetrics& service : observed.services) check_metrics(service, service.service);
  for (const TicketReport& report : observed.tickets) {
    check_time(report.since, "the ticket", report.ticket.token);
    const bool unsuccessful = report.state == TicketState::failed || report.state == TicketState::uncertain;
    if (unsuccessful && report.why.empty()) {
      faults.push_back(fmt::format("ticket '{}' is {} and does not say why", report.ticket.token,
                                   to_string(report.state)));
    }
  }
  return faults;
}

std::vector<std::string> action_faults(const Action& action) {
  std::vector<std::string> faults;
  if (!is_token(action.token)) {
    faults.push_back(
        fmt::format("token '{}' is not 1 to {} letters, digits and hyphens", action.token, kLongestToken));
  }
  const auto check_name = [&](const std::string& name, std::string_view what) {
    if (name.empty()) faults.push_back(fmt::format("the action names no {}", what));
  };
  if (const auto* launch = std::get_if<Launch>(&action.what)) {
    check_name(launch->service, "service");
    check_name(launch->version, "version");
    check_name(launch->zone, "zone");
    if (launch->count < 1) faults.push_back(fmt::format("a launch of {} instances", launch->count));
  } else if (const auto* start = std::get_if<Start>(&action.what)) {
    check_name(start->instance, "instance");
  } else if (const auto* retire = std::get_if<Retire>(&action.what)) {
    check_name(retire->instance, "instance");
    if (retire->drain.count() < 0) faults.push_back(fmt::format("a drain of {} ms", retire->drain.count()));
  }
  return faults;
}

}  // namespace headroom::cloud
