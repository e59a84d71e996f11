// The balancer with a real HAProxy and instances on the loopback.
#include "balancer/balancer.hpp"

#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "balancer/backend.hpp"
#include "balancer/process.hpp"
#include "balancer/request_log.hpp"
#include "store/file.hpp"
#include "store/temporary_folder.hpp"

namespace headroom::balancer {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

int free_port() {
  Backend taken;
  return taken.port();
}

// Whether it came true within a time that is long for whatever is waited for.
bool eventually(const std::function<bool()>& holds) {
  const auto until = std::chrono::steady_clock::now() + seconds(20);
  while (std::chrono::steady_clock::now() < until) {
    if (holds()) return true;
    std::this_thread::sleep_for(milliseconds(10));
  }
  return holds();
}

class ABalancer : public ::testing::Test {
 protected:
  ABalancer() {
    settings_.service = "web";
    settings_.folder = folder_.path() / "web";
    settings_.binds = {{"127.0.0.1", free_port(), {}}};
    settings_.health.path = "/health";
    settings_.health.interval = milliseconds(500);
    settings_.timeouts.server = seconds(1);
  }
  ~ABalancer() override {
    const auto stopped = stop(settings_, milliseconds(0));
    EXPECT_TRUE(stopped) << base::to_string(stopped.error());
  }

  int port() const { return settings_.binds[0].port; }
  Balancer& start() {
    auto started = Balancer::start(settings_);
    if (!started) {
      ADD_FAILURE() << base::to_string(started.error());
      std::abort();
    }
    balancer_.emplace(std::move(*started));
    return *balancer_;
  }
  static void must(const base::Result<void>& result) {
    EXPECT_TRUE(result) << base::to_string(result.error());
  }
  Server server(const std::string& name) {
    const auto seen = balancer_->observe();
    if (!seen) {
      ADD_FAILURE() << base::to_string(seen.error());
      return {};
    }
    for (const Server& server : seen->servers) {
      if (server.name == name) return server;
    }
    return {};
  }
  bool becomes(const std::string& name, ServerState state) {
    return eventually([&] {
      const Server now = server(name);
      return now.name == name && now.state == state;
    });
  }
  void join_and_wait(const std::string& name, const Backend& backend) {
    must(balancer_->join(name, backend.address()));
    EXPECT_TRUE(becomes(name, ServerState::up));
  }

  store::TemporaryFolder folder_;
  Settings settings_;
  std::optional<Balancer> balancer_;
};

TEST_F(ABalancer, sends_no_request_to_a_server_before_its_checks_have_passed) {
  Balancer& balancer = start();
  Backend first;
  join_and_wait("web-1", first);
  // Leastconn likes the newest best: whoever is let in for a moment gets requests of this crowd.
  Asking crowd(port(), 8, milliseconds(0));
  for (int round = 0; round < 10; ++round) {
    Backend next;
    next.health_status = 503;
    must(balancer.join("next", next.address()));
    EXPECT_TRUE(eventually([&] { return next.checks >= 2; }));
    EXPECT_EQ(next.requests, 0);
    EXPECT_EQ(server("next").state, ServerState::checking);
    next.health_status = 200;
    EXPECT_TRUE(eventually([&] { return next.requests > 0; }));
    EXPECT_GE(next.good_checks_before_first_request, settings_.health.healthy_after);
    must(balancer.drain("next"));
    EXPECT_TRUE(eventually([&] { return balancer.sessions("next").value_or(1) == 0; }));
    must(balancer.leave("next"));
  }
  crowd.end();
  EXPECT_GT(crowd.asked(), 100);
  EXPECT_EQ(crowd.lost(), 0);
}

TEST_F(ABalancer, loses_no_request_of_a_server_that_drains_and_leaves) {
  Balancer& balancer = start();
  Backend stays;
  stays.delay_ms = 20;
  join_and_wait("web-1", stays);
  Asking crowd(port(), 5, milliseconds(30));  // with an answer after 20 ms: 100 a second
  for (int round = 0; round < 5; ++round) {
    Backend leaves;
    leaves.delay_ms = 20;
    join_and_wait("web-2", leaves);
    EXPECT_TRUE(eventually([&] { return leaves.requests > 10; }));
    must(balancer.drain("web-2"));
    EXPECT_TRUE(eventually([&] { return balancer.sessions("web-2").value_or(1) == 0; }));
    leaves.crash();
    must(balancer.leave("web-2"));
    must(balancer.leave("web-2"));
  }
  crowd.end();
  EXPECT_GT(crowd.asked(), 100);
  EXPECT_EQ(crowd.lost(), 0);
}

TEST_F(ABalancer, a_server_that_leaves_while_it_lives_is_let_go_within_seconds) {
  Balancer& balancer = start();
  Backend backend;
  join_and_wait("web-1", backend);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(ask(port()), 200);
  must(balancer.leave("web-1", seconds(10)));
  EXPECT_TRUE(balancer.observe()->servers.empty());
  EXPECT_EQ(ask(port()), 503);
}

TEST_F(ABalancer, notices_a_crash_and_loses_at_most_what_was_in_work) {
  start();
  Backend lives;
  Backend dies;
  lives.delay_ms = 20;
  dies.delay_ms = 20;
  join_and_wait("web-1", lives);
  join_and_wait("web-2", dies);
  Asking crowd(port(), 5, milliseconds(30));
  EXPECT_TRUE(eventually([&] { return dies.requests > 20; }));
  dies.crash();
  EXPECT_TRUE(becomes("web-2", ServerState::down));
  EXPECT_EQ(server("web-2").last_check, "connection refused");
  const int asked = crowd.asked();
  EXPECT_TRUE(eventually([&] { return crowd.asked() > asked + 50; }));
  crowd.end();
  // Requests that can be repeated are, on the other one.
  EXPECT_EQ(crowd.lost(), 0);
  dies.revive();
  EXPECT_TRUE(becomes("web-2", ServerState::up));
}

TEST_F(ABalancer, asks_another_server_where_one_hangs) {
  start();
  Backend lives;
  Backend hangs;
  join_and_wait("web-1", lives);
  join_and_wait("web-2", hangs);
  Asking crowd(port(), 5, milliseconds(40));
  EXPECT_TRUE(eventually([&] { return hangs.requests > 20; }));
  hangs.frozen = true;
  EXPECT_TRUE(becomes("web-2", ServerState::down));
  EXPECT_EQ(server("web-2").last_check, "timeout");
  crowd.end();
  EXPECT_EQ(crowd.lost(), 0);
  hangs.frozen = false;
  EXPECT_TRUE(becomes("web-2", ServerState::up));
}

TEST_F(ABalancer, does_not_repeat_a_request_that_may_have_been_carried_out) {
  start();
  Backend slow;
  Backend other;
  slow.delay_ms = 5'000;  // longer than the balancer waits
  other.delay_ms = 5'000;
  join_and_wait("web-1", slow);
  join_and_wait("web-2", other);
  EXPECT_EQ(ask(port(), "POST"), 504);
  EXPECT_EQ(slow.requests + other.requests, 1);
  EXPECT_EQ(ask(port(), "GET"), 504);
  EXPECT_EQ(slow.requests + other.requests, 4);  // the first time and two more
  const auto seen = balancer_->observe();
  ASSERT_TRUE(seen);
  EXPECT_EQ(seen->balancer_errors, 2U);
  EXPECT_EQ(seen->server_errors, 0U);
}

TEST_F(ABalancer, does_not_take_out_a_server_whose_requests_fail_and_whose_checks_pass) {
  start();
  Backend backend;
  backend.status = 500;
  join_and_wait("web-1", backend);
  const int checks = backend.good_checks;
  for (int i = 0; i < 50; ++i) EXPECT_EQ(ask(port()), 500);
  EXPECT_TRUE(eventually([&] { return backend.good_checks > checks + 3; }));
  EXPECT_EQ(server("web-1").state, ServerState::up);
  EXPECT_EQ(server("web-1").failed_checks, 0);
  for (int i = 0; i < 50; ++i) EXPECT_EQ(ask(port()), 500);
  const auto seen = balancer_->observe();
  ASSERT_TRUE(seen);
  EXPECT_EQ(seen->server_errors, 100U);
  EXPECT_EQ(seen->balancer_errors, 0U);
  EXPECT_EQ(backend.requests, 100);
}

TEST_F(ABalancer, counts_failed_checks_in_a_row_also_once_the_server_is_down) {
  start();
  Backend backend;
  join_and_wait("web-1", backend);
  EXPECT_EQ(server("web-1").failed_checks, 0);
  EXPECT_EQ(server("web-1").last_check, "HTTP 200");
  backend.health_status = 503;
  EXPECT_TRUE(eventually([&] { return server("web-1").failed_checks == 1; }));
  EXPECT_TRUE(becomes("web-1", ServerState::down));
  EXPECT_TRUE(eventually([&] { return server("web-1").failed_checks > 6; }));
  EXPECT_EQ(server("web-1").last_check, "HTTP 503");
  backend.health_status = 200;
  EXPECT_TRUE(eventually([&] { return server("web-1").failed_checks == 0; }));
}

TEST_F(ABalancer, errors_of_servers_that_have_left_stay_errors_of_servers) {
  Balancer& balancer = start();
  Backend backend;
  backend.status = 500;
  join_and_wait("web-1", backend);
  for (int i = 0; i < 7; ++i) EXPECT_EQ(ask(port()), 500);
  backend.crash();
  must(balancer.leave("web-1"));
  EXPECT_EQ(ask(port()), 503);
  const auto seen = balancer.observe();
  ASSERT_TRUE(seen);
  EXPECT_EQ(seen->requests, 8U);
  EXPECT_EQ(seen->server_errors, 7U);
  EXPECT_EQ(seen->balancer_errors, 1U);
  // The next daemon knows it, too.
  EXPECT_EQ(start().observe()->server_errors, 7U);
}

TEST_F(ABalancer, goes_on_when_it_is_forgotten_and_is_adopted_with_its_servers_and_counters) {
  const Process before = start().process();
  Backend first;
  Backend second;
  join_and_wait("web-1", first);
  join_and_wait("web-2", second);
  must(balancer_->drain("web-2"));
  for (int i = 0; i < 10; ++i) EXPECT_EQ(ask(port()), 200);
  balancer_.reset();
  EXPECT_EQ(ask(port()), 200);
  start();
  EXPECT_EQ(balancer_->process(), before);
  EXPECT_EQ(ask(port()), 200);  // no server has lost its place meanwhile
  const auto seen = balancer_->observe();
  ASSERT_TRUE(seen);
  EXPECT_EQ(seen->requests, 12U);
  ASSERT_EQ(seen->servers.size(), 2U);
  EXPECT_EQ(seen->servers[0].state, ServerState::up);
  EXPECT_EQ(seen->servers[0].address, first.address());
  EXPECT_EQ(seen->servers[1].state, ServerState::drain);
}

TEST_F(ABalancer, adoption_finishes_what_was_written_and_not_done) {
  start();
  Backend written;
  Backend left;
  join_and_wait("web-2", left);
  left.crash();
  // As if we had been killed after writing that web-1 joins and that web-2 leaves.
  const auto text = store::read_file(configuration_file(settings_));
  ASSERT_TRUE(text);
  Written file = read_configuration(*text);
  file.members.list = {{"web-1", written.address()}};
  must(store::write_file_atomically(configuration_file(settings_),
                                    file.fixed + members_part(settings_, file.members)));
  balancer_.reset();
  start();
  EXPECT_TRUE(becomes("web-1", ServerState::up));
  EXPECT_EQ(ask(port()), 200);
  EXPECT_EQ(balancer_->observe()->servers.size(), 1U);
  // The name is free again.
  left.revive();
  join_and_wait("web-2", left);
}

TEST_F(ABalancer, killed_it_comes_back_with_its_servers_in_the_state_they_had) {
  const Process before = start().process();
  Backend up;
  Backend down;
  Backend draining;
  Backend cut;
  join_and_wait("up", up);
  join_and_wait("down", down);
  join_and_wait("draining", draining);
  join_and_wait("cut", cut);
  must(balancer_->drain("draining"));
  must(balancer_->cut("cut"));
  down.health_status = 503;
  EXPECT_TRUE(becomes("down", ServerState::down));
  EXPECT_EQ(ask(port()), 200);
  ::kill(before.pid, SIGKILL);
  EXPECT_TRUE(eventually([&] { return !runs(before); }));
  EXPECT_FALSE(balancer_->observe());
  const int had = down.requests + draining.requests + cut.requests;
  start();
  EXPECT_NE(balancer_->process(), before);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(ask(port()), 200);
  EXPECT_EQ(down.requests + draining.requests + cut.requests, had);
  EXPECT_EQ(server("up").state, ServerState::up);
  EXPECT_EQ(server("down").state, ServerState::down);
  EXPECT_EQ(server("draining").state, ServerState::drain);
  EXPECT_EQ(server("cut").state, ServerState::maint);
  // Counters begin anew, and the process tells.
  EXPECT_EQ(balancer_->observe()->requests, 20U);
  EXPECT_GE(balancer_->observe()->started, started_at(before));
  must(balancer_->mend("cut"));
  EXPECT_TRUE(becomes("cut", ServerState::up));
  down.health_status = 200;
  EXPECT_TRUE(becomes("down", ServerState::up));
  // What came back from the file leaves as what joined later does.
  draining.crash();
  must(balancer_->leave("draining"));
}

TEST_F(ABalancer, cut_servers_take_no_requests_and_come_back_after_their_checks) {
  Balancer& balancer = start();
  Backend first;
  Backend second;
  join_and_wait("web-1", first);
  join_and_wait("web-2", second);
  must(balancer.cut("web-2"));
  EXPECT_EQ(server("web-2").state, ServerState::maint);
  const int had = second.requests;
  for (int i = 0; i < 20; ++i) EXPECT_EQ(ask(port()), 200);
  EXPECT_EQ(second.requests, had);
  second.health_status = 503;
  const int checks = second.checks;
  must(balancer.mend("web-2"));
  EXPECT_TRUE(eventually([&] { return second.checks > checks + 2; }));
  for (int i = 0; i < 20; ++i) EXPECT_EQ(ask(port()), 200);
  EXPECT_EQ(second.requests, had);
  second.health_status = 200;
  EXPECT_TRUE(becomes("web-2", ServerState::up));
}

TEST_F(ABalancer, hands_its_port_to_its_successor_without_refusing_a_connection) {
  const Process before = start().process();
  Backend backend;
  join_and_wait("web-1", backend);
  Asking crowd(port(), 4, milliseconds(1));
  settings_.health.interval = milliseconds(400);
  start();
  EXPECT_NE(balancer_->process(), before);
  const int asked = crowd.asked();
  EXPECT_TRUE(eventually([&] { return crowd.asked() > asked + 100; }));
  crowd.end();
  EXPECT_EQ(crowd.lost(), 0);
  EXPECT_TRUE(eventually([&] { return !runs(before); }));
}

TEST_F(ABalancer, says_which_port_is_in_use_and_by_whom) {
  Backend other;
  settings_.binds = {{"127.0.0.1", other.port(), {}}};
  const auto started = Balancer::start(settings_);
  ASSERT_FALSE(started);
  const std::string text = base::to_string(started.error());
  EXPECT_NE(text.find(fmt::format("port {} of 127.0.0.1 is in use by balancer_test (process {})",
                                  other.port(), ::getpid())),
            std::string::npos)
      << text;
  EXPECT_FALSE(find_running(settings_));
}

TEST_F(ABalancer, does_not_share_its_port_with_the_balancer_of_another_service) {
  start();
  Settings other = settings_;
  other.service = "other";
  other.folder = folder_.path() / "other";
  const auto started = Balancer::start(other);
  ASSERT_FALSE(started);
  EXPECT_NE(base::to_string(started.error()).find("is in use by haproxy"), std::string::npos)
      << base::to_string(started.error());
  must(stop(other, milliseconds(0)));
}

TEST_F(ABalancer, says_what_is_wrong_with_a_certificate) {
  const auto file = folder_.path() / "web.pem";
  must(store::write_file_atomically(file, "no certificate\n"));
  settings_.binds[0].certificate = file;
  const auto started = Balancer::start(settings_);
  ASSERT_FALSE(started);
  EXPECT_NE(base::to_string(started.error()).find("web.pem"), std::string::npos)
      << base::to_string(started.error());
}

TEST_F(ABalancer, a_configuration_that_does_not_work_leaves_the_one_that_runs) {
  const Process before = start().process();
  Backend backend;
  join_and_wait("web-1", backend);
  const Settings good = settings_;
  settings_.binds[0].certificate = folder_.path() / "missing.pem";
  EXPECT_FALSE(Balancer::start(settings_));
  EXPECT_EQ(ask(port()), 200);
  settings_ = good;
  EXPECT_EQ(start().process(), before);
  EXPECT_EQ(server("web-1").state, ServerState::up);
}

TEST_F(ABalancer, says_which_package_is_missing) {
  settings_.program = "/nowhere/haproxy";
  const auto started = Balancer::start(settings_);
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().kind, base::ErrorKind::unavailable);
  EXPECT_NE(base::to_string(started.error()).find("install the package haproxy"), std::string::npos);
}

TEST_F(ABalancer, stops_as_often_as_it_is_told_and_leaves_nothing) {
  Balancer& balancer = start();
  Backend backend;
  join_and_wait("web-1", backend);
  const Process process = balancer.process();
  must(balancer.stop(seconds(2)));
  EXPECT_FALSE(runs(process));
  EXPECT_EQ(ask(port()), 0);
  EXPECT_TRUE(folder_.names("web").empty());
  must(balancer.stop(seconds(2)));
}

TEST_F(ABalancer, finishes_the_requests_it_has_when_it_stops) {
  Balancer& balancer = start();
  Backend backend;
  backend.delay_ms = 500;
  join_and_wait("web-1", backend);
  int status = 0;
  std::thread last([&] { status = ask(port()); });
  EXPECT_TRUE(eventually([&] { return backend.requests == 1; }));
  must(balancer.stop(seconds(10)));
  last.join();
  EXPECT_EQ(status, 200);
}

TEST_F(ABalancer, refuses_what_is_no_name_or_address_and_a_name_that_is_taken) {
  Balancer& balancer = start();
  Backend backend;
  must(balancer.join("web-1", backend.address()));
  must(balancer.join("web-1", backend.address()));
  EXPECT_FALSE(balancer.join("web-1", "127.0.0.1:1"));
  EXPECT_FALSE(balancer.join("web 1", backend.address()));
  EXPECT_FALSE(balancer.join("web-2", "127.0.0.1:1;show info"));
  EXPECT_FALSE(balancer.drain("web-9"));
  must(balancer.leave("web-9"));
  EXPECT_EQ(balancer.observe()->servers.size(), 1U);
}

TEST_F(ABalancer, tells_each_request_to_the_request_log) {
  start();
  Backend backend;
  backend.delay_ms = 30;
  join_and_wait("web-1", backend);
  auto log = RequestLog::open(settings_);
  ASSERT_TRUE(log) << base::to_string(log.error());
  Second all;
  const auto read_until = [&](std::uint64_t requests) {
    return eventually([&] {
      const auto now = std::chrono::system_clock::now().time_since_epoch();
      for (const Second& second : log->take(std::chrono::duration_cast<base::Milliseconds>(now))) {
        all.requests += second.requests;
        all.failed += second.failed;
        all.latency_ms.merge(second.latency_ms);
        for (std::size_t i = 0; i < all.answers.size(); ++i) all.answers[i] += second.answers[i];
      }
      return all.requests >= requests;
    });
  };
  for (int i = 0; i < 10; ++i) EXPECT_EQ(ask(port()), 200);
  backend.crash();
  EXPECT_TRUE(becomes("web-1", ServerState::down));
  EXPECT_EQ(ask(port()), 503);
  EXPECT_TRUE(read_until(11));
  EXPECT_EQ(all.requests, 11U);
  EXPECT_EQ(all.failed, 1U);
  EXPECT_EQ(all.answers, (ByClass{0, 0, 10, 0, 0, 1}));
  EXPECT_EQ(all.latency_ms.count(), 10U);
  EXPECT_GE(all.latency_ms.min(), 29.0);  // the instance waits 30 ms
  EXPECT_EQ(log->unusable(), 0U);
  EXPECT_EQ(balancer_->observe()->lost_log_lines, 0U);

  // Of a process that gives way to another one, or was killed, it finds the next one.
  const Process before = balancer_->process();
  settings_.health.interval = milliseconds(400);
  start();
  EXPECT_NE(balancer_->process(), before);
  EXPECT_TRUE(eventually([&] { return !runs(before); }));
  EXPECT_TRUE(eventually([&] {
    EXPECT_EQ(ask(port()), 503);
    return read_until(all.requests + 1);
  }));
  ::kill(balancer_->process().pid, SIGKILL);
  EXPECT_TRUE(eventually([&] { return !runs(balancer_->process()); }));
  start();
  EXPECT_TRUE(eventually([&] {
    EXPECT_EQ(ask(port()), 503);
    return read_until(all.requests + 1);
  }));
  // And does not keep it from ending.
  const Process last = balancer_->process();
  must(balancer_->stop(seconds(60)));
  EXPECT_FALSE(runs(last));
}

}  // namespace
}  // namespace headroom::balancer
