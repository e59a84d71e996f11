#include "load/run.hpp"

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <cmath>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/result.hpp"
#include "load/scripted_server.hpp"

namespace headroom::load {
namespace {

using base::Milliseconds;
using workload::Closed;
using workload::ClosedStage;
using workload::Open;
using workload::Traffic;

Traffic open_traffic(double rate, int milliseconds) {
  Traffic traffic;
  traffic.shape = Open{base::Rate(0),
                       {{Milliseconds(milliseconds), base::Rate(rate), base::Rate(rate)}},
                       workload::SampleAt::mean};
  return traffic;
}

Traffic closed_traffic(int users, int requests_each) {
  ClosedStage stage;
  stage.users = users;
  stage.requests_each = requests_each;
  Traffic traffic;
  traffic.shape = Closed{{stage}, true};
  return traffic;
}

Measured measured(const Traffic& traffic, const std::string& address, const Options& options = {}) {
  const auto url = parse_url(address);
  EXPECT_TRUE(url);
  const auto job = prepare(traffic, *url, options);
  if (!job) {
    ADD_FAILURE() << base::to_string(job.error());
    return {};
  }
  const std::atomic<bool> stop = false;
  auto result = run(*job, stop, {});
  if (!result) {
    ADD_FAILURE() << base::to_string(result.error());
    return {};
  }
  return *result;
}

std::uint64_t count(const Measured& measured, Outcome outcome) {
  return measured.total().counts.outcomes[static_cast<std::size_t>(outcome)];
}

void sleep_ms(int milliseconds) { std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds)); }

TEST(Run, SendsEachRequestOfOpenTrafficOnce) {
  ScriptedServer server([](Visit& visit) { visit.answer(); });
  for (const int threads : {1, 3}) {
    Options options;
    options.threads = threads;
    const std::size_t before = server.requests();
    const Measured result = measured(open_traffic(400, 500), server.url(), options);
    // 400/s for half a second.
    EXPECT_EQ(server.requests() - before, 200U);
    EXPECT_EQ(result.total().counts.all(), 200U);
    EXPECT_EQ(result.total().counts.failed(), 0U);
    EXPECT_EQ(result.total().body_bytes, 200U * 5);
    EXPECT_EQ(result.lateness_ms.count(), 200U);
    std::uint64_t due = 0;
    std::uint64_t answered = 0;
    for (const Second& second : result.seconds) {
      due += second.due;
      answered += second.answered;
    }
    EXPECT_EQ(due, 200U);
    EXPECT_EQ(answered, 200U);
  }
}

TEST(Run, SharesOfATrafficSendTheWholeOfIt) {
  std::mutex mutex;
  std::map<std::string, int> seen;
  ScriptedServer server([&](Visit& visit) {
    {
      const std::lock_guard lock(mutex);
      ++seen[visit.first_line()];
    }
    visit.answer();
  });
  Traffic traffic = open_traffic(300, 500);
  workload::Variables numbers{"n.csv", {"n"}, {}};
  for (int i = 0; i < 150; ++i) numbers.rows.push_back({std::to_string(i)});
  traffic.requests.variables = {numbers};
  traffic.requests.list = {{"", 1, "GET", "/${n}", {}, ""}};
  Measured all;
  for (std::uint64_t index = 0; index < 3; ++index) {
    Options options;
    options.share = {index, 3};
    const Measured part = measured(traffic, server.url(), options);
    EXPECT_EQ(part.total().counts.all(), 50U);
    if (index == 0) {
      all = part;
    } else {
      all.merge(part);
    }
  }
  EXPECT_EQ(all.total().counts.all(), 150U);
  // Each row once.
  EXPECT_EQ(seen.size(), 150U);
}

TEST(Run, SerialStagesOfClosedTrafficFollowEachOther) {
  // 7 stages, 8,500 requests: as the plan of IN4392, without its pauses.
  const std::array<std::pair<int, int>, 7> plan{
      {{2, 500}, {4, 500}, {2, 250}, {1, 1000}, {8, 250}, {5, 200}, {10, 100}}};
  Closed closed;
  for (const auto& [users, requests] : plan) {
    ClosedStage stage;
    stage.users = users;
    stage.requests_each = requests;
    closed.stages.push_back(stage);
  }
  Traffic traffic;
  traffic.shape = closed;
  std::mutex mutex;
  std::vector<std::chrono::steady_clock::time_point> came;
  ScriptedServer server([&](Visit& visit) {
    {
      const std::lock_guard lock(mutex);
      came.push_back(std::chrono::steady_clock::now());
    }
    visit.answer();
  });
  for (const int threads : {1, 2}) {
    Options options;
    options.threads = threads;
    const std::size_t before = server.requests();
    const Measured result = measured(traffic, server.url(), options);
    EXPECT_EQ(server.requests() - before, 8500U);
    EXPECT_EQ(result.total().counts.failed(), 0U);
    ASSERT_EQ(result.stages.size(), 7U);
    for (std::size_t i = 0; i < plan.size(); ++i) {
      EXPECT_EQ(result.stages[i].tally.counts.all(),
                static_cast<std::uint64_t>(plan[i].first * plan[i].second));
    }
    // Each user has a connection of its own, and no other.
    EXPECT_EQ(result.connections, 2U + 4 + 2 + 1 + 8 + 5 + 10);
  }
}

TEST(Run, UsersSendTheRequestsInOrder) {
  std::mutex mutex;
  std::vector<std::string> seen;
  ScriptedServer server([&](Visit& visit) {
    {
      const std::lock_guard lock(mutex);
      seen.push_back(visit.request);
    }
    visit.answer();
  });
  Traffic traffic = closed_traffic(1, 5);
  traffic.requests.choice = workload::Choice::in_order;
  traffic.requests.list = {{"", 1, "GET", "/a", {{"X-Key", "one"}}, ""},
                           {"", 1, "POST", "/b", {}, "dim=100"}};
  const Measured result = measured(traffic, server.url());
  ASSERT_EQ(seen.size(), 5U);
  const std::string a = fmt::format(
      "GET /a HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nUser-Agent: headroom\r\nAccept: */*\r\nX-Key: one\r\n\r\n",
      server.port());
  const std::string b = fmt::format(
      "POST /b HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nUser-Agent: headroom\r\nAccept: */*\r\nContent-Length: "
      "7\r\n\r\n"
      "dim=100",
      server.port());
  EXPECT_EQ(seen, (std::vector<std::string>{a, b, a, b, a}));
  EXPECT_EQ(result.requests[0].name, "GET /a");
  EXPECT_EQ(result.requests[0].tally.counts.all(), 3U);
  EXPECT_EQ(result.requests[1].tally.counts.all(), 2U);
}

TEST(Run, CountsEachFaultInItsClass) {
  const std::array<std::pair<Outcome, ScriptedServer::Script>, 7> faults{{
      {Outcome::reset, [](Visit& visit) { visit.reset(); }},
      {Outcome::closed,
       [](Visit& visit) {
         visit.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
         visit.close();
       }},
      {Outcome::closed, [](Visit& visit) { visit.close(); }},
      {Outcome::malformed, [](Visit& visit) { visit.send("\x16\x03\x01 no HTTP at all"); }},
      {Outcome::malformed,
       [](Visit& visit) {
         visit.send("HTTP/1.1 200 OK\r\nX: ");
         while (visit.open()) visit.send(std::string(1000, 'x'));  // an endless header
       }},
      {Outcome::timed_out,
       [](Visit& visit) {
         visit.send("HTTP/1.1 200 OK\r\n\r\n");
         while (visit.open()) visit.send(std::string(1000, 'x'));  // an endless body
       }},
      {Outcome::timed_out,
       [](Visit& visit) {
         for (const char byte : std::string("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")) {
           visit.send({&byte, 1});
           sleep_ms(40);
         }
       }},
  }};
  for (std::size_t i = 0; i < faults.size(); ++i) {
    ScriptedServer server(faults[i].second);
    Options options;
    options.timeout = Milliseconds(300);
    const Measured result = measured(closed_traffic(3, 1), server.url(), options);
    EXPECT_EQ(count(result, faults[i].first), 3U) << "fault " << i << ": " << result.first_fault;
    EXPECT_EQ(result.total().counts.all(), 3U) << "fault " << i;
    EXPECT_EQ(result.total().counts.failed(), 3U);
    EXPECT_FALSE(result.first_fault.empty());
    EXPECT_EQ(result.total().from_schedule_ms.count(), 3U);
    EXPECT_EQ(result.total().from_sending_ms.count(), 0U);
  }
}

TEST(Run, CountsWhoIsRefused) {
  int port = 0;
  {
    ScriptedServer gone([](Visit&) {});
    port = gone.port();
  }
  const Measured result = measured(open_traffic(100, 200), fmt::format("http://127.0.0.1:{}/", port));
  EXPECT_EQ(count(result, Outcome::refused), 20U);
}

TEST(Run, StatusesOf400AndMoreAreFailuresThatWereAnswered) {
  ScriptedServer server([](Visit& visit) { visit.answer(visit.number % 2 == 0 ? 200 : 503); });
  const Measured result = measured(closed_traffic(1, 10), server.url());
  const Counts counts = result.total().counts;
  EXPECT_EQ(counts.statuses, (std::map<int, std::uint64_t>{{200, 5}, {503, 5}}));
  EXPECT_EQ(counts.failed(), 5U);
  EXPECT_EQ(count(result, Outcome::answered), 10U);
}

TEST(Run, NoticesThatTheServerClosedAnIdleConnection) {
  // Each answer promises to keep the connection and closes it all the same.
  ScriptedServer server([](Visit& visit) {
    visit.answer();
    visit.close();
  });
  Traffic traffic = closed_traffic(2, 20);
  std::get<Closed>(traffic.shape).stages[0].think = Milliseconds(2);
  const Measured result = measured(traffic, server.url());
  EXPECT_EQ(result.total().counts.failed(), 0U) << result.first_fault;
  EXPECT_EQ(result.total().counts.all(), 40U);
  EXPECT_EQ(result.connections, 40U);
}

TEST(Run, FollowsRedirectionsWithinTheHost) {
  ScriptedServer server([](Visit& visit) {
    const std::string line = visit.first_line();
    if (line == "POST /one HTTP/1.1") return visit.answer(303, "", "Location: sub/two\r\n");
    if (line == "GET /sub/two HTTP/1.1")
      return visit.answer(302, "", "Location: ../three?x=1\r\nConnection: close\r\n");
    if (line == "GET /three?x=1 HTTP/1.1") return visit.answer(200, "there");
    if (line == "POST /kept HTTP/1.1") return visit.answer(307, "", "Location: /posted\r\n");
    if (line == "POST /posted HTTP/1.1") return visit.answer(200, "posted");
    if (line == "GET /loop HTTP/1.1") return visit.answer(302, "", "Location: /loop\r\n");
    if (line == "GET /away HTTP/1.1") return visit.answer(302, "", "Location: http://127.0.0.9/\r\n");
    visit.answer(500);
  });
  const auto of = [&](const std::string& method, const std::string& path) {
    Traffic traffic = closed_traffic(1, 1);
    traffic.requests.list = {{"", 1, method, path, {}, method == "POST" ? "body" : ""}};
    return measured(traffic, server.url());
  };
  EXPECT_EQ(of("POST", "/one").total().counts.statuses, (std::map<int, std::uint64_t>{{200, 1}}));
  EXPECT_EQ(of("POST", "/kept").total().counts.statuses, (std::map<int, std::uint64_t>{{200, 1}}));
  EXPECT_EQ(count(of("GET", "/loop"), Outcome::redirected), 1U);
  EXPECT_EQ(count(of("GET", "/away"), Outcome::redirected), 1U);
  Options options;
  options.redirects = 0;
  EXPECT_EQ(measured(closed_traffic(1, 1), server.url("/loop"), options).total().counts.statuses,
            (std::map<int, std::uint64_t>{{302, 1}}));
}

// It says that it keeps the connection, and closes it with the redirection or when it is asked again.
TEST(Run, FollowsARedirectionThoughTheServerClosesTheConnection) {
  for (const bool at_once : {true, false}) {
    std::atomic<int> asked_again = 0;
    ScriptedServer server([&](Visit& visit) {
      if (visit.first_line() == "GET /old HTTP/1.1") {
        visit.answer(302, "", "Location: /new\r\n");
        if (at_once) visit.close();
      } else if (!at_once && asked_again++ == 0) {
        visit.close();
      } else {
        visit.answer();
      }
    });
    const Measured result = measured(closed_traffic(1, 1), server.url("/old"));
    EXPECT_EQ(count(result, Outcome::answered), 1U) << at_once << result.first_fault;
    EXPECT_EQ(result.total().counts.statuses, (std::map<int, std::uint64_t>{{200, 1}})) << at_once;
    EXPECT_EQ(result.connections, 2U) << at_once;
  }
}

// The byte of urgent data is no part of the answer, and what follows it comes with no event of its own.
TEST(Run, UrgentDataDoesNotHoldUpAnAnswer) {
  ScriptedServer server(
      [](Visit& visit) { visit.send_urgent("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe!", "llo"); });
  Options options;
  options.timeout = Milliseconds(2000);
  for (const bool open : {true, false}) {
    const Measured result =
        measured(open ? open_traffic(20, 200) : closed_traffic(1, 4), server.url(), options);
    EXPECT_EQ(count(result, Outcome::answered), 4U) << open << result.first_fault;
  }
}

// Nobody listens at 127.0.0.2, whose port is that of a server at 127.0.0.1.
TEST(Run, TriesTheNextAddressOfAHostWhereOneRefuses) {
  ScriptedServer server([](Visit& visit) { visit.answer(200, "", "Connection: close\r\n"); });
  auto job = prepare(open_traffic(40, 500), *parse_url(server.url()), {});
  ASSERT_TRUE(job);
  auto refusing = resolve(*parse_url("http://127.0.0.2:" + std::to_string(server.port())));
  ASSERT_TRUE(refusing);
  job->addresses.insert(job->addresses.begin(), refusing->front());
  const std::atomic<bool> stop = false;
  const auto result = run(*job, stop, {});
  ASSERT_TRUE(result);
  EXPECT_EQ(count(*result, Outcome::answered), 20U) << result->first_fault;
  // Where all of them refuse, the request is refused.
  job->addresses.pop_back();
  job->addresses.push_back(refusing->front());
  const auto none = run(*job, stop, {});
  ASSERT_TRUE(none);
  EXPECT_EQ(count(*none, Outcome::refused), 20U);
}

// Its buckets take at most two bytes of distance and two of count for each request; a range of 0.1 ms to 20
// ms is about 1,000 buckets of 8 bytes.
TEST(Run, ASecondThatIsOverIsKeptSmall) {
  ScriptedServer server([](Visit& visit) {
    if (visit.number % 20 == 0) sleep_ms(20);
    visit.answer();
  });
  const Measured result = measured(open_traffic(200, 1500), server.url());
  ASSERT_GE(result.seconds.size(), 2U);
  for (const Second& second : result.seconds) {
    EXPECT_LE(second.from_schedule_ms.bytes(), 4 * second.from_schedule_ms.count());
    EXPECT_LE(second.from_sending_ms.bytes(), 4 * second.from_sending_ms.count());
  }
}

TEST(Run, SeesWhatAServerSaysBeforeItIsAsked) {
  LoopbackListener listener;
  std::thread server([&listener] {
    for (int i = 0; i < 2; ++i) {
      const int socket = listener.accepted();
      if (i == 0) ::send(socket, "220 mail\r\n", 10, MSG_NOSIGNAL);
      ::close(socket);
    }
  });
  Options options;
  options.timeout = Milliseconds(2000);
  const Measured result =
      measured(closed_traffic(1, 2), fmt::format("http://127.0.0.1:{}/", listener.port()), options);
  server.join();
  // Whatever is first, the greeting or the end: neither waits for the time limit.
  EXPECT_EQ(result.total().counts.failed(), 2U);
  EXPECT_EQ(count(result, Outcome::timed_out), 0U);
}

TEST(Run, ARateBeyondAllMeansEndsAtAStopAndInBoundedMemory) {
  ScriptedServer server([](Visit& visit) { visit.answer(); });
  Options options;
  options.connections = 4;
  const auto job = prepare(open_traffic(50e6, 60'000), *parse_url(server.url()), options);
  ASSERT_TRUE(job);
  std::atomic<bool> stop = false;
  const auto result =
      run(*job, stop,
          {[&](const Progressed& progressed) { stop = progressed.since_start > std::chrono::seconds(1); }});
  ASSERT_TRUE(result);
  EXPECT_GT(result->total().counts.all(), 0U);
  EXPECT_LE(result->interrupted, 500'004U);
}

TEST(Run, ARedirectionBeforeTheWholeBodyIsSentUsesAnotherConnection) {
  // Answers the header of a long body at once, and reads no more of it.
  LoopbackListener listener;
  std::string second_line;
  std::thread early([&] {
    std::array<char, 4096> buffer{};
    const int first = listener.accepted();
    recv(first, buffer.data(), buffer.size(), 0);
    const std::string answer = "HTTP/1.1 303 See\r\nLocation: /done\r\nContent-Length: 0\r\n\r\n";
    ::send(first, answer.data(), answer.size(), MSG_NOSIGNAL);
    const int second = listener.accepted();
    const auto got = recv(second, buffer.data(), buffer.size(), 0);
    second_line = std::string(buffer.data(), static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    const std::string done = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    ::send(second, done.data(), done.size(), MSG_NOSIGNAL);
    ::close(second);
    ::close(first);
  });
  Traffic traffic = closed_traffic(1, 1);
  traffic.requests.list = {{"", 1, "POST", "/long", {}, std::string(20'000'000, 'x')}};
  const Measured result = measured(traffic, fmt::format("http://127.0.0.1:{}/", listener.port()));
  early.join();
  EXPECT_EQ(result.total().counts.statuses, (std::map<int, std::uint64_t>{{200, 1}})) << result.first_fault;
  EXPECT_TRUE(second_line.starts_with("GET /done HTTP/1.1\r\n")) << second_line.substr(0, 60);
}

TEST(Run, ChoosesRequestsByWeight) {
  ScriptedServer server([](Visit& visit) { visit.answer(); });
  Traffic traffic = closed_traffic(4, 500);
  traffic.requests.list = {{"often", 3, "GET", "/a", {}, ""}, {"seldom", 1, "GET", "/b", {}, ""}};
  const Measured result = measured(traffic, server.url());
  // 1500 of 2000, standard deviation sqrt(2000 * 0.75 * 0.25) = 19.
  EXPECT_NEAR(static_cast<double>(result.requests[0].tally.counts.all()), 1500, 80);
  EXPECT_EQ(result.total().counts.all(), 2000U);
}

TEST(Run, SendsFromTheAddressesInTurn) {
  std::mutex mutex;
  std::map<std::string, int> peers;
  ScriptedServer server([&](Visit& visit) {
    {
      const std::lock_guard lock(mutex);
      ++peers[visit.peer];
    }
    visit.answer();
  });
  Options options;
  options.sources = {"127.0.0.2", "127.0.0.3"};
  measured(closed_traffic(4, 10), server.url(), options);
  EXPECT_EQ(peers, (std::map<std::string, int>{{"127.0.0.2", 20}, {"127.0.0.3", 20}}));
}

TEST(Run, KeepsToTheConnectionsItIsAllowed) {
  std::atomic<int> now = 0;
  std::atomic<int> most = 0;
  ScriptedServer server([&](Visit& visit) {
    most = std::max<int>(most, ++now);
    sleep_ms(10);
    --now;
    visit.answer();
  });
  Options options;
  options.connections = 3;
  const Measured result = measured(open_traffic(500, 200), server.url(), options);
  EXPECT_EQ(result.total().counts.failed(), 0U);
  EXPECT_EQ(result.total().counts.all(), 100U);
  EXPECT_LE(most, 3);
  EXPECT_EQ(result.connections, 3U);
}

TEST(Run, RequestsThatFindNoConnectionInTimeAreNotSent) {
  ScriptedServer server([](Visit& visit) {
    sleep_ms(400);
    visit.answer();
  });
  Options options;
  options.connections = 1;
  options.timeout = Milliseconds(200);
  const Measured result = measured(open_traffic(50, 400), server.url(), options);
  EXPECT_EQ(result.total().counts.all(), 20U);
  EXPECT_GT(count(result, Outcome::not_sent), 0U);
  EXPECT_EQ(count(result, Outcome::not_sent) + count(result, Outcome::timed_out), 20U);
}

TEST(Run, AStopEndsItWithWhatWasMeasured) {
  ScriptedServer server([](Visit& visit) {
    if (visit.number >= 10) sleep_ms(500);
    visit.answer();
  });
  const auto job = prepare(closed_traffic(1, 1000), *parse_url(server.url()), {});
  ASSERT_TRUE(job);
  std::atomic<bool> stop = false;
  const auto result = run(*job, stop, {[&](const Progressed&) { stop = server.requests() > 10; }});
  ASSERT_TRUE(result);
  EXPECT_GE(result->total().counts.all(), 10U);
  EXPECT_LT(result->total().counts.all(), 1000U);
  EXPECT_EQ(result->interrupted, 1U);
}

// The honesty of the measurement. A server that answers at once but stands still for a second: of 12,000
// requests at 2,000/s those due in the stall wait from 1 s down to nothing, so the slowest 1 % (120 requests)
// are those due in its first 60 ms, and p99 from the schedule is 1000 - 60 = 940 ms. Of those under way in
// the stall there are 64 at most, so 99 % of all (the others) look fast from sending.
TEST(Run, AStallIsSeenFromTheScheduleThoughFewRequestsAreSentInIt) {
  std::mutex mutex;
  ScriptedServer server([&](Visit& visit) {
    {
      const std::lock_guard lock(mutex);  // all connections stand still
      if (visit.number == 4000) sleep_ms(1000);
    }
    visit.answer();
  });
  Options options;
  options.connections = 64;
  const Measured result = measured(open_traffic(2000, 6000), server.url(), options);
  const Tally total = result.total();
  EXPECT_EQ(total.counts.all(), 12'000U);
  EXPECT_EQ(total.counts.failed(), 0U);
  EXPECT_NEAR(*total.from_schedule_ms.quantile(0.99), 940, 0.07 * 940);
  EXPECT_LT(*total.from_sending_ms.quantile(0.99), 300);
}

// Request k waits 500 ms + (7 k mod 400) * 2.5 ms: each of 400 values from 500 to 1497.5 ms once.
TEST(Run, GivesBackTheLatencyDistributionOfTheServer) {
  ScriptedServer server([](Visit& visit) {
    const auto came = std::chrono::steady_clock::now();
    const std::size_t place = (7 * visit.number) % 400;
    std::this_thread::sleep_until(came + std::chrono::microseconds(500'000 + 2500 * place));
    visit.answer();
  });
  const Measured result = measured(open_traffic(200, 2000), server.url());
  const telemetry::Histogram& latency = result.total().from_schedule_ms;
  ASSERT_EQ(latency.count(), 400U);
  for (const double share : {0.1, 0.5, 0.9, 0.95, 0.99}) {
    const double expected = 500 + 2.5 * (400 * share - 1);
    // Within 1 % on an idle machine. A busy one answers later than the script says, never earlier.
    EXPECT_GT(*latency.quantile(share), 0.99 * expected) << share;
    EXPECT_LT(*latency.quantile(share), 1.1 * expected) << share;
  }
}

TEST(Run, RefusesAStartThatIsOver) {
  const auto job = prepare(closed_traffic(1, 1), *parse_url("127.0.0.1:9"), {});
  ASSERT_TRUE(job);
  const std::atomic<bool> stop = false;
  EXPECT_FALSE(run(*job, stop, {}, Milliseconds(1)));
}

}  // namespace
}  // namespace headroom::load
