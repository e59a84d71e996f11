// The contract of cloud/cloud.hpp as tests, for every implementation of it.
//
// A cloud's own test program says how to make one, and runs the suite on it:
//
//   #include "tests/cloud_conformance.hpp"
//   INSTANTIATE_TEST_SUITE_P(Simulated, CloudConformance, testing::Values(&simulated_cloud));
//
// Requires of the cloud: room for six instances, at most two of them there at the start.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "cloud/cloud.hpp"

namespace headroom::cloud {

struct CloudUnderTest {
  std::unique_ptr<Cloud> cloud;
  std::string service;  // one that the cloud knows
  std::string version;
  std::string zone;
  // Lets some time pass in the cloud: a tick of a simulated one, a short wait for a real one.
  std::function<void()> pass_time;
  // After so many of them everything asked for has happened.
  int patience = 100;
  // And what was wrongly started would show after so many.
  int a_while = 25;
  // By its own clock a call takes no longer than this.
  base::Milliseconds instant{0};
  // Lets so much time pass at once, where the time of the cloud can be moved on; else empty.
  std::function<void(base::Milliseconds)> skip_time = {};
  // How many instances it has room for, where it is known.
  std::optional<int> room = {};
};

class CloudConformance : public testing::TestWithParam<CloudUnderTest (*)()> {
 protected:
  // What holds of every observation, and of every two that follow each other.
  Observed look() {
    Observed observed = under_.cloud->observe();
    EXPECT_EQ(observed_faults(observed), std::vector<std::string>{});
    if (before_) {
      EXPECT_GE(observed.at, before_->at);
      if (before_->instances_at) {
        EXPECT_TRUE(observed.instances_at) << "what was learned cannot be unknown again";
        EXPECT_GE(observed.instances_at.value_or(base::Milliseconds(0)), *before_->instances_at);
      }
    }
    for (const Instance& instance : observed.instances) {
      EXPECT_GE(instance.since, instance.started) << instance.id;
      EXPECT_TRUE(instance.launched_by.empty() || tokens_.contains(instance.launched_by))
          << instance.id << " was launched by a token that nobody sent: " << instance.launched_by;
    }
    before_ = observed;
    return observed;
  }

  Ticket submit(const std::string& token, std::variant<Launch, Start, Retire> what) {
    const Action action{token, std::move(what), "conformance"};
    EXPECT_EQ(action_faults(action), std::vector<std::string>{});
    tokens_.insert(token);
    const Ticket ticket = under_.cloud->submit(action);
    EXPECT_EQ(ticket.token, token);
    return ticket;
  }

  // Looks, again and again, until `happened` of what is seen. False: it did not happen in time.
  bool wait_until(const std::function<bool(const Observed&)>& happened) {
    for (int k = 0; k < under_.patience; ++k) {
      if (happened(look())) return true;
      under_.pass_time();
    }
    return happened(look());
  }

  void pass_a_while() {
    for (int k = 0; k < under_.a_while; ++k) {
      under_.pass_time();
      look();
    }
  }

  static const Instance* find(const Observed& observed, const std::string& id) {
    const auto found = std::find_if(observed.instances.begin(), observed.instances.end(),
                                    [&](const Instance& instance) { return instance.id == id; });
    return found == observed.instances.end() ? nullptr : &*found;
  }
  static const TicketReport* find_ticket(const Observed& observed, const std::string& token) {
    const auto found = std::find_if(observed.tickets.begin(), observed.tickets.end(),
                                    [&](const TicketReport& report) { return report.ticket.token == token; });
    return found == observed.tickets.end() ? nullptr : &*found;
  }
  static std::vector<Instance> launched_by(const Observed& observed, const std::string& token) {
    std::vector<Instance> launched;
    for (const Instance& instance : observed.instances) {
      if (instance.launched_by == token) launched.push_back(instance);
    }
    return launched;
  }
  static bool is_finished(const Observed& observed, const std::string& token, TicketState state) {
    const TicketReport* report = find_ticket(observed, token);
    return report != nullptr && report->state == state;
  }
  static bool all_in(const std::vector<Instance>& instances, InstanceState state) {
    return std::all_of(instances.begin(), instances.end(),
                       [&](const Instance& instance) { return instance.state == state; });
  }

  Launch launch(int count) const { return {under_.service, under_.version, under_.zone, count}; }

  // The ids of `count` new instances, in service.
  std::vector<std::string> in_service(const std::string& token, int count) {
    submit(token, launch(count));
    const bool serve = wait_until([&](const Observed& observed) {
      const auto launched = launched_by(observed, token);
      return launched.size() == static_cast<std::size_t>(count) &&
             all_in(launched, InstanceState::in_service);
    });
    EXPECT_TRUE(serve) << "a launch of " << count << " did not come into service";
    std::vector<std::string> ids;
    for (const Instance& instance : launched_by(look(), token)) ids.push_back(instance.id);
    return ids;
  }

  void expect_failure(const std::string& token) {
    EXPECT_TRUE(wait_until([&](const Observed& observed) {
      return is_finished(observed, token, TicketState::failed);
    })) << token
        << " did not fail";
    const Observed observed = look();
    const TicketReport* report = find_ticket(observed, token);
    if (report == nullptr) return;
    EXPECT_FALSE(report->why.empty());
    EXPECT_FALSE(report->retriable) << "asking again would not help";
    EXPECT_EQ(report->affected, 0);
  }

  CloudUnderTest under_ = GetParam()();
  std::set<std::string> tokens_;

 private:
  std::optional<Observed> before_;
};

// Neither function waits for the cloud: with no time passing in it, both return, and the order is pending or,
// in a cloud that is quick, further.
TEST_P(CloudConformance, neither_function_waits) {
  const base::Milliseconds before = look().at;
  submit("t-1", launch(1));
  submit("t-2", Retire{"no-such-instance", base::Milliseconds(0), Afterwards::gone});
  const Observed observed = look();
  EXPECT_NE(find_ticket(observed, "t-1"), nullptr) << "what was submitted is not listed";
  EXPECT_NE(find_ticket(observed, "t-2"), nullptr);
  EXPECT_LE(observed.at - before, 4 * under_.instant) << "two looks and two orders";
}

TEST_P(CloudConformance, a_finished_ticket_is_listed_for_an_hour) {
  if (!under_.skip_time) GTEST_SKIP() << "nobody waits an hour for a test";
  in_service("t-1", 1);
  submit("t-2", Start{"no-such-instance"});
  expect_failure("t-2");
  under_.skip_time(base::Milliseconds(3'500'000));
  const Observed observed = look();
  EXPECT_TRUE(is_finished(observed, "t-1", TicketState::done));
  EXPECT_TRUE(is_finished(observed, "t-2", TicketState::failed));
}

TEST_P(CloudConformance, a_launch_of_more_than_there_is_room_for_fails_for_now_and_tells_how_many_there_are) {
  if (!under_.room) GTEST_SKIP() << "its room is not known";
  const int fit = *under_.room - static_cast<int>(look().instances.size());
  submit("t-1", launch(fit + 2));
  EXPECT_TRUE(wait_until([&](const Observed& observed) {
    return is_finished(observed, "t-1", TicketState::failed) &&
           launched_by(observed, "t-1").size() == static_cast<std::size_t>(fit);
  }));
  const Observed observed = look();
  const TicketReport* report = find_ticket(observed, "t-1");
  ASSERT_NE(report, nullptr);
  EXPECT_EQ(report->affected, fit);
  EXPECT_TRUE(report->retriable);
}

TEST_P(CloudConformance, its_zones_are_told_and_what_serves_is_measured_again_and_again) {
  const std::vector<std::string> ids = in_service("t-1", 1);
  ASSERT_EQ(ids.size(), 1U);
  const Observed observed = look();
  EXPECT_TRUE(std::any_of(observed.zones.begin(), observed.zones.end(),
                          [&](const Zone& zone) { return zone.name == under_.zone && zone.in_rotation; }));
  std::set<base::Milliseconds> ends;
  EXPECT_TRUE(wait_until([&](const Observed& seen) {
    const Instance* instance = find(seen, ids[0]);
    if (instance == nullptr || !instance->metrics) return false;
    EXPECT_TRUE(ends.empty() || instance->metrics->end >= *ends.rbegin()) << "older metrics than the last";
    ends.insert(instance->metrics->end);
    return ends.size() >= 3;
  }));
}

TEST_P(CloudConformance, a_launch_appears_and_comes_into_service) {
  std::map<std::string, InstanceState> states;
  submit("t-1", launch(3));
  EXPECT_TRUE(wait_until([&](const Observed& observed) {
    const auto launched = launched_by(observed, "t-1");
    for (const Instance& instance : launched) {
      EXPECT_LE(instance.state, InstanceState::in_service) << instance.id;  // launching, warming, in service
      EXPECT_GE(instance.state, states[instance.id]) << instance.id << " went back";
      states[instance.id] = instance.state;
      EXPECT_EQ(instance.service, under_.service);
      EXPECT_EQ(instance.version, under_.version);
      EXPECT_EQ(instance.zone, under_.zone);
    }
    return launched.size() == 3 && all_in(launched, InstanceState::in_service);
  }));
  EXPECT_TRUE(
      wait_until([&](const Observed& observed) { return is_finished(observed, "t-1", TicketState::done); }));
  const Observed observed = look();
  const TicketReport* report = find_ticket(observed, "t-1");
  ASSERT_NE(report, nullptr);
  EXPECT_EQ(report->affected, 3);
  EXPECT_EQ(states.size(), 3U) << "other instances than three appeared";
}

TEST_P(CloudConformance, a_token_sent_again_launches_nothing_more) {
  submit("t-1", launch(2));
  submit("t-1", launch(2));  // while it is pending
  EXPECT_TRUE(wait_until([&](const Observed& observed) {
    return launched_by(observed, "t-1").size() == 2 &&
           all_in(launched_by(observed, "t-1"), InstanceState::in_service);
  }));
  submit("t-1", launch(2));  // after it is done
  pass_a_while();
  EXPECT_EQ(launched_by(look(), "t-1").size(), 2U);
  // Also when what it launched is gone.
  for (const Instance& instance : launched_by(look(), "t-1")) {
    submit("gone-" + instance.id, Retire{instance.id, base::Milliseconds(0), Afterwards::gone});
  }
  EXPECT_TRUE(wait_until([&](const Observed& observed) { return launched_by(observed, "t-1").empty(); }));
  submit("t-1", launch(2));
  pass_a_while();
  EXPECT_TRUE(launched_by(look(), "t-1").empty());
}

TEST_P(CloudConformance, a_failed_token_sent_again_stays_failed) {
  submit("t-1", Start{"no-such-instance"});
  expect_failure("t-1");
  submit("t-1", Start{"no-such-instance"});
  pass_a_while();
  expect_failure("t-1");
}

TEST_P(CloudConformance, two_tokens_are_two_launches) {
  submit("t-2", launch(1));
  submit("t-10", launch(1));
  submit("t-1", launch(1));
  EXPECT_TRUE(wait_until([&](const Observed& observed) {
    return launched_by(observed, "t-2").size() == 1 && launched_by(observed, "t-10").size() == 1 &&
           launched_by(observed, "t-1").size() == 1;
  }));
}

TEST_P(CloudConformance, a_retired_instance_drains_and_is_gone) {
  const std::vector<std::string> ids = in_service("t-1", 2);
  ASSERT_EQ(ids.size(), 2U);
  submit("t-2", Retire{ids[0], base::Milliseconds(1), Afterwards::gone});
  bool has_left = false;
  EXPECT_TRUE(wait_until([&](const Observed& observed) {
    const Instance* instance = find(observed, ids[0]);
    if (instance == nullptr) return true;
    EXPECT_TRUE(instance->state == InstanceState::draining ||
                (instance->state == InstanceState::in_service && !has_left))
        << to_string(instance->state);
    has_left = has_left || instance->state == InstanceState::draining;
    return false;
  }));
  EXPECT_TRUE(
      wait_until([&](const Observed& observed) { return is_finished(observed, "t-2", TicketState::done); }));
  const Observed observed = look();
  const Instance* other = find(observed, ids[1]);
  ASSERT_NE(other, nullptr) << "another instance went with it";
  EXPECT_EQ(other->state, InstanceState::in_service);
}

TEST_P(CloudConformance, what_is_draining_can_be_retired_again) {
  const std::vector<std::string> ids = in_service("t-1", 1);
  ASSERT_EQ(ids.size(), 1U);
  submit("t-2", Retire{ids[0], base::Milliseconds(3'600'000), Afterwards::gone});
  under_.pass_time();
  submit("t-3", Retire{ids[0], base::Milliseconds(0), Afterwards::gone});
  EXPECT_TRUE(wait_until([&](const Observed& observed) { return find(observed, ids[0]) == nullptr; }));
}

TEST_P(CloudConformance, the_pool_keeps_an_instance_that_can_be_started_again) {
  const std::vector<std::string> ids = in_service("t-1", 1);
  ASSERT_EQ(ids.size(), 1U);
  const auto is = [&](InstanceState state) {
    return [&, state](const Observed& observed) {
      const Instance* instance = find(observed, ids[0]);
      return instance != nullptr && instance->state == state;
    };
  };
  submit("t-2", Retire{ids[0], base::Milliseconds(0), Afterwards::pool});
  ASSERT_TRUE(wait_until(is(InstanceState::stopped)));
  const Observed stopped = look();
  const base::Milliseconds stopped_since = find(stopped, ids[0])->since;
  submit("t-3", Start{ids[0]});
  EXPECT_TRUE(wait_until(is(InstanceState::in_service)));
  EXPECT_TRUE(
      wait_until([&](const Observed& observed) { return is_finished(observed, "t-3", TicketState::done); }));
  const Observed observed = look();
  EXPECT_GE(find(observed, ids[0])->started, stopped_since) << "its paid time begins anew";
  EXPECT_EQ(find(observed, ids[0])->launched_by, "t-1")
      << "the token that launched it, not the one that started it";
}

// Each of the three actions has its effect once, also where a later action has undone it.
TEST_P(CloudConformance, what_is_sent_again_after_it_was_undone_has_no_effect) {
  const std::vector<std::string> ids = in_service("t-1", 1);
  ASSERT_EQ(ids.size(), 1U);
  const auto is = [&](InstanceState state) {
    return [&, state](const Observed& observed) {
      const Instance* instance = find(observed, ids[0]);
      return instance != nullptr && instance->state == state;
    };
  };
  const auto stays = [&](InstanceState state) {
    pass_a_while();
    return is(state)(look());
  };
  submit("t-2", Retire{ids[0], base::Milliseconds(0), Afterwards::pool});
  ASSERT_TRUE(wait_until(is(InstanceState::stopped)));
  submit("t-3", Start{ids[0]});
  ASSERT_TRUE(wait_until(is(InstanceState::in_service)));
  submit("t-2", Retire{ids[0], base::Milliseconds(0), Afterwards::pool});
  EXPECT_TRUE(stays(InstanceState::in_service)) << "an old removal was carried out again";
  submit("t-4", Retire{ids[0], base::Milliseconds(0), Afterwards::pool});
  ASSERT_TRUE(wait_until(is(InstanceState::stopped)));
  submit("t-3", Start{ids[0]});
  EXPECT_TRUE(stays(InstanceState::stopped)) << "an old start was carried out again";
}

TEST_P(CloudConformance, a_stopped_instance_can_be_deleted) {
  const std::vector<std::string> ids = in_service("t-1", 1);
  ASSERT_EQ(ids.size(), 1U);
  submit("t-2", Retire{ids[0], base::Milliseconds(0), Afterwards::pool});
  ASSERT_TRUE(wait_until([&](const Observed& observed) {
    const Instance* instance = find(observed, ids[0]);
    return instance != nullptr && instance->state == InstanceState::stopped;
  }));
  submit("t-3", Retire{ids[0], base::Milliseconds(0), Afterwards::gone});
  EXPECT_TRUE(wait_until([&](const Observed& observed) { return find(observed, ids[0]) == nullptr; }));
}

TEST_P(CloudConformance, what_is_retired_while_it_starts_never_serves) {
  submit("t-1", launch(1));
  std::string id;
  ASSERT_TRUE(wait_until([&](const Observed& observed) {
    const auto launched = launched_by(observed, "t-1");
    if (!launched.empty()) id = launched.front().id;
    return !id.empty();
  }));
  const Observed starting = look();
  const Instance* instance = find(starting, id);
  ASSERT_NE(instance, nullptr);
  if (instance->state == InstanceState::in_service) GTEST_SKIP() << "it served before it was seen to start";
  submit("t-2", Retire{id, base::Milliseconds(1), Afterwards::gone});
  bool served = false;
  EXPECT_TRUE(wait_until([&](const Observed& observed) {
    const Instance* seen = find(observed, id);
    served = served || (seen != nullptr && seen->state == InstanceState::in_service);
    return seen == nullptr;
  }));
  EXPECT_FALSE(served);
}

// How the controller learns that an instance has failed: checks that can be told apart, none from before it
// entered service.
TEST_P(CloudConformance, what_is_in_service_is_checked_again_and_again) {
  const std::vector<std::string> ids = in_service("t-1", 1);
  ASSERT_EQ(ids.size(), 1U);
  std::set<base::Milliseconds> checks;
  EXPECT_TRUE(wait_until([&](const Observed& observed) {
    const Instance* instance = find(observed, ids[0]);
    if (instance == nullptr || !instance->health) return false;
    EXPECT_TRUE(instance->health->healthy()) << instance->health->detail;
    EXPECT_GE(instance->health->at, instance->since);
    EXPECT_TRUE(checks.empty() || instance->health->at >= *checks.rbegin()) << "an older check than the last";
    checks.insert(instance->health->at);
    return checks.size() >= 3;
  }));
}

TEST_P(CloudConformance, an_instance_kept_for_inspection_is_failed_and_can_be_deleted) {
  const std::vector<std::string> ids = in_service("t-1", 1);
  ASSERT_EQ(ids.size(), 1U);
  submit("t-2", Retire{ids[0], base::Milliseconds(0), Afterwards::inspect});
  EXPECT_TRUE(wait_until([&](const Observed& observed) {
    const Instance* instance = find(observed, ids[0]);
    return instance != nullptr && instance->state == InstanceState::failed;
  }));
  submit("t-3", Start{ids[0]});
  expect_failure("t-3");
  submit("t-4", Retire{ids[0], base::Milliseconds(0), Afterwards::gone});
  EXPECT_TRUE(wait_until([&](const Observed& observed) { return find(observed, ids[0]) == nullptr; }));
}

TEST_P(CloudConformance, only_a_stopped_instance_can_be_started) {
  const std::vector<std::string> ids = in_service("t-1", 1);
  ASSERT_EQ(ids.size(), 1U);
  submit("t-2", Start{ids[0]});
  expect_failure("t-2");
}

TEST_P(CloudConformance, what_is_not_known_fails_by_its_ticket) {
  submit("t-1", Start{"no-such-instance"});
  submit("t-2", Retire{"no-such-instance", base::Milliseconds(0), Afterwards::gone});
  submit("t-3", Launch{"no-such-service", under_.version, under_.zone, 1});
  submit("t-4", Launch{under_.service, under_.version, "no-such-zone", 1});
  for (const char* token : {"t-1", "t-2", "t-3", "t-4"}) expect_failure(token);
}

// An observation is a value: what happens afterwards does not reach it.
TEST_P(CloudConformance, an_observation_does_not_change_afterwards) {
  in_service("t-1", 1);
  const Observed observed = look();
  const Observed copy = observed;
  submit("t-2", launch(1));
  pass_a_while();
  EXPECT_EQ(observed, copy);
}

}  // namespace headroom::cloud
