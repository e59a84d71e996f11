// Orders: what was asked of the cloud and is not yet seen to be carried out, followed up until it is.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "control/step.hpp"

namespace headroom::control {

const cloud::Instance* find_instance(const cloud::Observed& observed, const std::string& id);
bool is_on_its_way(const cloud::Instance& instance);  // launching or warming
bool contains(const std::vector<std::string>& names, const std::string& name);

// The wait after so many failures in a row, the present one not counted.
base::Milliseconds wait_after(int failures, const Settings& settings);
// The state's entry of this zone, made where there is none.
Avoided& avoided(State& state, const std::string& zone);

// For the first step, which is also the one after all was forgotten: what of an earlier self's orders is not
// finished, or cannot be judged by the list of instances yet; empty: nothing. Deciding before would order the
// same again. Its tokens are kept from being used again.
std::string unsettled(const cloud::Observed& observed, const Settings& settings, State& state);

// Over the orders of one step's state; what is submitted and noted goes into the step.
class Orders {
 public:
  Orders(base::Milliseconds now, const cloud::Observed& observed, const Settings& settings, Step& next);

  // Goes through the orders: drops those that are carried out or lost, sends again what had no answer, lets
  // what failed wait. Returns those whose wait is over, to be placed anew where there is room now.
  std::vector<Order> follow_up();

  void place(Order order);
  void place_later(Order order, base::Milliseconds wait);  // still without a token

  // Takes back up to `count` instances of this kind of action (Launch, Start, Retire) from orders in these
  // zones that wait to be placed, the latest first: nothing of them has reached the cloud. An instance that
  // has failed is not taken back. Returns how many.
  template <class Kind>
  int take_back(int count, const std::vector<std::string>& zones);

  // Ordered out of service: it no longer counts, seen or not.
  bool is_leaving(const std::string& instance) const;
  // Ordered to start, and not seen to.
  bool is_starting(const std::string& instance) const;
  // Instances of this order that are still to appear: of a launch those that nobody has seen, of a start one
  // until it is seen to start.
  static int outstanding(const Order& order);
  // The same, where the order is for one of these zones.
  int outstanding(const Order& order, const std::vector<std::string>& zones) const;
  std::string zone_of(const Order& order) const;  // empty: its instance is not known

  void note(Happened happened, const std::string& subject, std::string why);

 private:
  std::string next_token();
  void submit(Order& order);
  void note_appearance(Order& order) const;
  bool is_carried_out(const Order& order) const;
  bool is_draining(const Order& order) const;
  bool judge(Order& order);
  bool judge_unlisted(Order& order);
  void send_again(Order& order, std::string why);
  // Not shown though the cloud has had its time since then. Notes it with what was said of it.
  bool is_lost(const Order& order, base::Milliseconds since, std::string_view said);
  bool after_failure(Order& order, const cloud::TicketReport& report);
  void order_anew(const Order& failed, int count, const std::string& why);

  base::Milliseconds now_;
  const cloud::Observed& observed_;
  const Settings& settings_;
  Step& next_;
  State& state_;
};

}  // namespace headroom::control
