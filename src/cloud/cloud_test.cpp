#include "cloud/cloud.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

namespace headroom::cloud {
namespace {

using base::Milliseconds;

// An observation that keeps every rule, with something in each part.
Observed sound() {
  Observed observed;
  observed.at = Milliseconds(100'000);
  observed.instances_at = Milliseconds(99'000);
  Instance serving{
      "i-1",
      "web",
      "v1",
      "a",
      "10.0.0.1:80",
      InstanceState::in_service,
      Milliseconds(50'000),
      Milliseconds(10'000),
      "web-1",
      HealthCheck{Milliseconds(98'000), "", 0},
      InstanceMetrics{Milliseconds(90'000), Milliseconds(60'000), base::Percent(40), std::nullopt}};
  Instance launching;
  launching.id = "i-2";
  launching.service = "web";
  observed.instances = {serving, launching};
  observed.zones = {{"a", true}, {"b", false}};
  observed.services = {
      {"web", Milliseconds(95'000), Milliseconds(5'000), base::Rate(12), std::nullopt, std::nullopt}};
  observed.tickets = {{Ticket{"web-1"}, TicketState::done, Milliseconds(20'000), 1, "", false},
                      {Ticket{"web-2"}, TicketState::failed, Milliseconds(60'000), 0, "no capacity", true}};
  return observed;
}

TEST(Observed, a_sound_one_has_no_faults) { EXPECT_TRUE(observed_faults(sound()).empty()); }

TEST(Observed, each_broken_rule_is_one_fault_that_names_it) {
  struct Case {
    const char* expected;
    std::function<void(Observed&)> break_it;
  };
  const Case cases[] = {
      {"instance 'i-1' follows 'i-2'", [](Observed& o) { std::swap(o.instances[0], o.instances[1]); }},
      {"instance 'i-1' follows 'i-1'", [](Observed& o) { o.instances[1].id = "i-1"; }},
      {"instance 0 has no name", [](Observed& o) { o.instances[0].id = ""; }},
      {"zone 'a' follows 'b'", [](Observed& o) { std::swap(o.zones[0], o.zones[1]); }},
      {"service 'web' follows 'web'", [](Observed& o) { o.services.push_back(o.services[0]); }},
      {"ticket 'web-1' follows 'web-2'", [](Observed& o) { std::swap(o.tickets[0], o.tickets[1]); }},
      {"never learned", [](Observed& o) { o.instances_at.reset(); }},
      {"list of instances' is 1 ms later", [](Observed& o) { o.instances_at = Milliseconds(100'001); }},
      {"no service", [](Observed& o) { o.instances[1].service = ""; }},
      {"state of 'i-1' is 1 ms later", [](Observed& o) { o.instances[0].since = Milliseconds(100'001); }},
      {"start of 'i-1'", [](Observed& o) { o.instances[0].started = Milliseconds(100'001); }},
      {"health check of 'i-1'", [](Observed& o) { o.instances[0].health->at = Milliseconds(100'001); }},
      {"-1 checks of 'i-1'", [](Observed& o) { o.instances[0].health->failures = -1; }},
      {"metrics' end of 'i-1'", [](Observed& o) { o.instances[0].metrics->end = Milliseconds(100'001); }},
      {"metrics of 'i-1' cover no time",
       [](Observed& o) { o.instances[0].metrics->length = Milliseconds(0); }},
      {"without an address", [](Observed& o) { o.instances[0].address = ""; }},
      {"metrics' end of 'web'", [](Observed& o) { o.services[0].end = Milliseconds(100'001); }},
      {"metrics of 'web' cover no time", [](Observed& o) { o.services[0].length = Milliseconds(0); }},
      {"ticket of 'web-1' is 1 ms later", [](Observed& o) { o.tickets[0].since = Milliseconds(100'001); }},
      {"'web-2' is failed and does not say why", [](Observed& o) { o.tickets[1].why = ""; }},
  };
  for (const Case& broken : cases) {
    Observed observed = sound();
    broken.break_it(observed);
    const std::vector<std::string> faults = observed_faults(observed);
    ASSERT_EQ(faults.size(), 1U) << broken.expected;
    EXPECT_NE(faults[0].find(broken.expected), std::string::npos) << faults[0];
  }
}

TEST(Observed, nothing_learned_yet_is_sound) { EXPECT_TRUE(observed_faults(Observed{}).empty()); }

TEST(Action, tokens_are_what_every_cloud_takes) {
  const auto faults_of = [](std::string token) {
    return action_faults({std::move(token), Start{"i-1"}, ""}).size();
  };
  EXPECT_EQ(faults_of("web-17"), 0U);
  EXPECT_EQ(faults_of(std::string(64, 'a')), 0U);
  EXPECT_EQ(faults_of(std::string(65, 'a')), 1U);
  EXPECT_EQ(faults_of(""), 1U);
  EXPECT_EQ(faults_of("web 17"), 1U);
  EXPECT_EQ(faults_of("web_17"), 1U);
  EXPECT_EQ(faults_of("d\xc3\xa9j\xc3\xa0"), 1U);
}

TEST(Action, all_faults_are_told_at_once) {
  EXPECT_EQ(action_faults({"", Launch{"", "", "", 0}, ""}).size(), 5U);
  EXPECT_EQ(action_faults({"t", Start{""}, ""}).size(), 1U);
  EXPECT_EQ(action_faults({"t", Retire{"", Milliseconds(-1), Afterwards::gone}, ""}).size(), 2U);
  EXPECT_TRUE(action_faults({"t", Launch{"web", "v1", "a", 1}, ""}).empty());
  EXPECT_TRUE(action_faults({"t", Retire{"i-1", Milliseconds(0), Afterwards::pool}, ""}).empty());
}

TEST(Action, is_told_in_words) {
  EXPECT_EQ(to_string(Action{"web-17", Launch{"web", "v3", "a", 2}, ""}),
            "launch 2 of web v3 in zone a (web-17)");
  EXPECT_EQ(to_string(Action{"web-18", Start{"i-9"}, ""}), "start i-9 from the pool (web-18)");
  EXPECT_EQ(to_string(Action{"web-19", Retire{"i-9", Milliseconds(20'000), Afterwards::inspect}, ""}),
            "drain i-9 for up to 20000 ms, then keep it for inspection (web-19)");
}

TEST(States, are_the_words_of_the_design) {
  EXPECT_EQ(to_string(InstanceState::launching), "launching");
  EXPECT_EQ(to_string(InstanceState::warming), "warming");
  EXPECT_EQ(to_string(InstanceState::in_service), "in service");
  EXPECT_EQ(to_string(InstanceState::draining), "draining");
  EXPECT_EQ(to_string(InstanceState::stopped), "stopped");
  EXPECT_EQ(to_string(InstanceState::failed), "failed");
  EXPECT_EQ(to_string(TicketState::uncertain), "uncertain");
  EXPECT_EQ(to_string(Afterwards::pool), "pool");
}

// The smallest cloud that keeps the contract: shows that the seam can be implemented, and what idempotence
// asks.
class CloudOfNothing : public Cloud {
 public:
  Observed observe() override { return observed_; }
  Ticket submit(const Action& action) override {
    const Ticket ticket{action.token};
    for (const TicketReport& known : observed_.tickets) {
      if (known.ticket == ticket) return ticket;
    }
    observed_.tickets.push_back(
        {ticket, TicketState::failed, observed_.at, 0, "this cloud has no instances", false});
    std::sort(observed_.tickets.begin(), observed_.tickets.end(),
              [](const TicketReport& a, const TicketReport& b) { return a.ticket < b.ticket; });
    return ticket;
  }

 private:
  Observed observed_;
};

TEST(Cloud, a_token_sent_again_changes_nothing) {
  CloudOfNothing nothing;
  Cloud& cloud = nothing;
  const Action start{"b", Start{"i-1"}, "load rises"};
  const Ticket ticket = cloud.submit(start);
  const Observed before = cloud.observe();
  EXPECT_EQ(cloud.submit(start), ticket);
  EXPECT_EQ(cloud.observe(), before);
  cloud.submit({"a", Start{"i-1"}, ""});
  EXPECT_TRUE(observed_faults(cloud.observe()).empty());
}

}  // namespace
}  // namespace headroom::cloud
