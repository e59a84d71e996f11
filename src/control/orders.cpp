#include "control/orders.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

#include "base/units.hpp"

namespace headroom::control {
namespace {

using base::Milliseconds;
using cloud::Afterwards;
using cloud::Instance;
using cloud::InstanceState;
using cloud::Launch;
using cloud::Retire;
using cloud::Start;
using cloud::TicketState;

const cloud::TicketReport* find_ticket(const cloud::Observed& observed, const std::string& token) {
  const auto found = std::lower_bound(
      observed.tickets.begin(), observed.tickets.end(), token,
      [](const cloud::TicketReport& report, const std::string& t) { return report.ticket.token < t; });
  return found != observed.tickets.end() && found->ticket.token == token ? &*found : nullptr;
}

// The time and number of a token of this prefix, as next_token() makes it.
std::optional<std::pair<Milliseconds, std::int32_t>> parse_token(std::string_view token,
                                                                 std::string_view prefix) {
  if (!token.starts_with(prefix)) return std::nullopt;
  token.remove_prefix(prefix.size());
  std::int64_t parts[2] = {};
  for (std::int64_t& part : parts) {
    if (!token.starts_with('-')) return std::nullopt;
    token.remove_prefix(1);
    const auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), part);
    if (error != std::errc() || part < 0) return std::nullopt;
    token.remove_prefix(static_cast<std::size_t>(end - token.data()));
  }
  if (!token.empty()) return std::nullopt;
  return std::pair(Milliseconds(parts[0]), static_cast<std::int32_t>(parts[1]));
}

}  // namespace

const Instance* find_instance(const cloud::Observed& observed, const std::string& id) {
  const auto found =
      std::lower_bound(observed.instances.begin(), observed.instances.end(), id,
                       [](const Instance& instance, const std::string& key) { return instance.id < key; });
  return found != observed.instances.end() && found->id == id ? &*found : nullptr;
}

bool is_on_its_way(const Instance& instance) {
  return instance.state == InstanceState::launching || instance.state == InstanceState::warming;
}

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

Milliseconds wait_after(int failures, const Settings& settings) {
  Milliseconds wait = settings.retry_after;
  for (int k = 0; k < failures && wait < settings.retry_at_most; ++k) wait *= 2;
  return std::min(wait, std::max(settings.retry_after, settings.retry_at_most));
}

Avoided& avoided(State& state, const std::string& zone) {
  const auto place =
      std::lower_bound(state.avoided.begin(), state.avoided.end(), zone,
                       [](const Avoided& known, const std::string& z) { return known.zone < z; });
  if (place != state.avoided.end() && place->zone == zone) return *place;
  return *state.avoided.insert(place, Avoided{zone, Milliseconds(0), 0});
}

std::string unsettled(const cloud::Observed& observed, const Settings& settings, State& state) {
  std::string why;
  for (const cloud::TicketReport& report : observed.tickets) {
    const auto token = parse_token(report.ticket.token, settings.token_prefix);
    if (!token) continue;
    // Its tokens are not used again, whatever the clock says.
    if (*token >= std::pair(state.token_at, state.token_number)) {
      state.token_at = token->first;
      state.token_number = token->second + 1;
    }
    const bool pending = report.state == cloud::TicketState::pending;
    const bool uncertain = report.state == cloud::TicketState::uncertain;
    const Milliseconds shown_by = report.since + (uncertain ? settings.appear_within : Milliseconds(0));
    if (why.empty() && (pending || *observed.instances_at < shown_by)) {
      why = fmt::format("ordered before a restart: {} {}", report.ticket.token,
                        pending ? "is not finished" : "may not show in the list of instances yet");
    }
  }
  return why;
}

Orders::Orders(Milliseconds now, const cloud::Observed& observed, const Settings& settings, Step& next)
    : now_(now), observed_(observed), settings_(settings), next_(next), state_(next.state) {}

void Orders::note(Happened happened, const std::string& subject, std::string why) {
  next_.notes.push_back({happened, subject, std::move(why)});
}

// Tokens name the time and, within it, a number: none is used twice, even if the state were lost.
std::string Orders::next_token() {
  if (now_ > state_.token_at) {
    state_.token_at = now_;
    state_.token_number = 0;
  }
  return fmt::format("{}-{}-{}", settings_.token_prefix, state_.token_at.count(), state_.token_number++);
}

void Orders::submit(Order& order) {
  order.submitted = now_;
  next_.actions.push_back(order.action);
}

void Orders::place(Order order) {
  // What leaves by order is no longer looked after.
  if (const auto* retire = std::get_if<Retire>(&order.action.what)) {
    std::erase_if(state_.watched, [&](const Watched& known) { return known.id == retire->instance; });
  }
  order.action.token = next_token();
  order.listed = now_;
  order.not_before.reset();
  submit(order);
  state_.orders.push_back(std::move(order));
}

void Orders::place_later(Order order, Milliseconds wait) {
  order.action.token.clear();
  order.submitted = now_;
  order.not_before = now_ + wait;
  state_.orders.push_back(std::move(order));
}

std::vector<Order> Orders::follow_up() {
  std::vector<Order> due;
  std::vector<Order> before = std::exchange(state_.orders, {});
  for (Order& order : before) {
    if (order.not_before) {
      (now_ >= *order.not_before ? due : state_.orders).push_back(std::move(order));
      continue;
    }
    note_appearance(order);
    if (is_carried_out(order)) continue;
    if (is_draining(order) || judge(order)) state_.orders.push_back(std::move(order));
  }
  return due;
}

// An instance that has appeared is counted by its state from then on, also when it disappears again.
void Orders::note_appearance(Order& order) const {
  if (!std::holds_alternative<Launch>(order.action.what)) return;
  for (const Instance& instance : observed_.instances) {
    if (instance.launched_by == order.action.token && !contains(order.appeared, instance.id)) {
      order.appeared.push_back(instance.id);
    }
  }
}

bool Orders::is_carried_out(const Order& order) const {
  if (const auto* retire = std::get_if<Retire>(&order.action.what)) {
    const Instance* instance = find_instance(observed_, retire->instance);
    if (instance == nullptr) return true;
    switch (instance->state) {
      case InstanceState::launching:
      case InstanceState::warming:
      case InstanceState::in_service:
        return false;
      case InstanceState::draining:
        // The rest happens by itself. One that drains towards the pool has its place there already.
        return retire->afterwards != Afterwards::pool;
      case InstanceState::stopped:
      case InstanceState::failed:
        return retire->afterwards != Afterwards::gone;
    }
  }
  if (const auto* start = std::get_if<Start>(&order.action.what)) {
    const Instance* instance = find_instance(observed_, start->instance);
    return instance == nullptr || instance->state != InstanceState::stopped;
  }
  return outstanding(order) == 0;
}

bool Orders::is_draining(const Order& order) const {
  const auto* retire = std::get_if<Retire>(&order.action.what);
  const Instance* instance = retire == nullptr ? nullptr : find_instance(observed_, retire->instance);
  return instance != nullptr && instance->state == InstanceState::draining;
}

int Orders::outstanding(const Order& order) {
  if (std::holds_alternative<Start>(order.action.what)) return order.expected;
  if (!std::holds_alternative<Launch>(order.action.what)) return 0;
  return std::max(0, order.expected - static_cast<int>(order.appeared.size()));
}

int Orders::outstanding(const Order& order, const std::vector<std::string>& zones) const {
  const int some = outstanding(order);
  return some > 0 && contains(zones, zone_of(order)) ? some : 0;
}

std::string Orders::zone_of(const Order& order) const {
  if (const auto* launch = std::get_if<Launch>(&order.action.what)) return launch->zone;
  const auto* start = std::get_if<Start>(&order.action.what);
  const auto* retire = std::get_if<Retire>(&order.action.what);
  const Instance* instance = find_instance(observed_, start != nullptr ? start->instance : retire->instance);
  return instance == nullptr ? "" : instance->zone;
}

// What the cloud says of an order that the instances do not show to be carried out. Returns whether the
// order stands.
bool Orders::judge(Order& order) {
  if (observed_.at <= order.submitted) return true;  // seen before it was sent: says nothing of it
  const cloud::TicketReport* report = find_ticket(observed_, order.action.token);
  if (report == nullptr) return judge_unlisted(order);
  order.listed = observed_.at;
  switch (report->state) {
    case TicketState::pending:
      return true;
    case TicketState::uncertain:
      if (is_lost(order, report->since, "no clear answer, and")) return false;
      send_again(order, report->why);
      return true;
    case TicketState::failed:
      return after_failure(order, *report);
    case TicketState::done:
      return !is_lost(order, report->since, "confirmed, but");
  }
  return true;
}

// It was never sent, or has been forgotten. One that is sent again and still not listed is forgotten: what
// became of it happened before, and the instances will show.
bool Orders::judge_unlisted(Order& order) {
  const bool is_forgotten = order.submitted > order.listed;
  if (is_forgotten && is_lost(order, order.listed, "the cloud no longer lists it, and")) return false;
  send_again(order, "the cloud does not list it");
  return true;
}

// Sending a token again has no effect where the first had one, so this cannot launch twice.
void Orders::send_again(Order& order, std::string why) {
  if (now_ - order.submitted < settings_.retry_after) return;
  note(Happened::sent_again, order.action.token, std::move(why));
  submit(order);
}

bool Orders::is_lost(const Order& order, Milliseconds since, std::string_view said) {
  if (*observed_.instances_at < since + settings_.appear_within) return false;
  note(Happened::given_up, order.action.token,
       std::holds_alternative<Launch>(order.action.what)
           ? fmt::format("{} {} did not appear", said, outstanding(order))
       : std::holds_alternative<Start>(order.action.what)
           ? fmt::format("{} the instance is still stopped", said)
           : fmt::format("{} the instance is still there", said));
  return true;
}

bool Orders::after_failure(Order& order, const cloud::TicketReport& report) {
  const bool is_launch = std::holds_alternative<Launch>(order.action.what);
  // Of an instance that a late list still shows the cloud may say that there is none: that list tells nothing
  // of it, so the order stands until a newer one has come.
  if (!is_launch && !report.retriable && *observed_.instances_at < report.since) return true;
  const int affected = is_launch ? std::max(report.affected, static_cast<int>(order.appeared.size())) : 0;
  const int refused = order.expected - affected;
  if (refused > 0) {
    if (report.retriable) {
      order_anew(order, refused, report.why);
    } else {
      note(Happened::given_up, order.action.token, report.why);
    }
    order.expected = affected;
  }
  return outstanding(order) > 0 && !is_lost(order, report.since, "confirmed, but");
}

void Orders::order_anew(const Order& failed, int count, const std::string& why) {
  Order again;
  again.action = failed.action;
  again.attempts = failed.attempts + 1;
  again.expected = count;
  const Milliseconds wait = wait_after(failed.attempts - 1, settings_);
  if (auto* launch = std::get_if<Launch>(&again.action.what)) {
    launch->count = count;
    launch->version = settings_.version;
    Avoided& zone = avoided(state_, launch->zone);
    zone.until = std::max(zone.until, now_ + std::min(2 * wait, std::max(wait, settings_.retry_at_most)));
  }
  note(Happened::ordered_anew, failed.action.token,
       fmt::format("{}; again in {}", why, base::format_duration(wait)));
  place_later(std::move(again), wait);
}

template <class Kind>
int Orders::take_back(int count, const std::vector<std::string>& zones) {
  int taken = 0;
  for (std::size_t k = state_.orders.size(); k-- > 0 && taken < count;) {
    Order& order = state_.orders[k];
    if (!order.not_before || !std::holds_alternative<Kind>(order.action.what)) continue;
    const auto* retire = std::get_if<Retire>(&order.action.what);
    if (retire != nullptr && retire->afterwards == Afterwards::inspect) continue;  // failed: of no use
    if (!contains(zones, zone_of(order))) continue;
    const int some = std::min(order.expected, count - taken);
    taken += some;
    order.expected -= some;
    auto* launch = std::get_if<Launch>(&order.action.what);
    if (launch != nullptr) launch->count = order.expected;
    // It has no token while it waits.
    const char* what = launch != nullptr ? "the launch" : retire != nullptr ? "its removal" : "its start";
    const auto* start = std::get_if<Start>(&order.action.what);
    const std::string& subject = launch != nullptr   ? launch->zone
                                 : retire != nullptr ? retire->instance
                                                     : start->instance;
    note(Happened::taken_back, subject, fmt::format("{} waited, and is no longer wanted", what));
  }
  std::erase_if(state_.orders, [](const Order& order) { return order.not_before && order.expected == 0; });
  return taken;
}
template int Orders::take_back<Launch>(int count, const std::vector<std::string>& zones);
template int Orders::take_back<Start>(int count, const std::vector<std::string>& zones);
template int Orders::take_back<Retire>(int count, const std::vector<std::string>& zones);

bool Orders::is_leaving(const std::string& instance) const {
  return std::any_of(state_.orders.begin(), state_.orders.end(), [&](const Order& order) {
    const auto* retire = std::get_if<Retire>(&order.action.what);
    return retire != nullptr && retire->instance == instance;
  });
}

bool Orders::is_starting(const std::string& instance) const {
  return std::any_of(state_.orders.begin(), state_.orders.end(), [&](const Order& order) {
    const auto* start = std::get_if<Start>(&order.action.what);
    return start != nullptr && start->instance == instance;
  });
}

}  // namespace headroom::control
