// How the figures of HAProxy are read, without one.
#include "balancer/seen.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

namespace headroom::balancer {
namespace {

using base::Milliseconds;
using std::chrono::seconds;

constexpr Milliseconds kInterval = seconds(5);

FailedChecks::Look failed_at(Milliseconds at) { return {at, true, true, {}}; }
FailedChecks::Look passed_at(Milliseconds at) { return {at, true, false, {}}; }

TEST(FailedChecksInARow, are_the_first_one_and_one_more_for_each_whole_interval) {
  FailedChecks checks;
  EXPECT_EQ(checks.count(failed_at(seconds(100)), kInterval), 1);
  EXPECT_EQ(checks.count(failed_at(Milliseconds(104'999)), kInterval), 1);
  EXPECT_EQ(checks.count(failed_at(seconds(105)), kInterval), 2);
  // 11 s after the first: at 100, 105 and 110.
  EXPECT_EQ(checks.count(failed_at(seconds(111)), kInterval), 3);
  EXPECT_EQ(checks.last(kInterval), Milliseconds(seconds(110)));
}

TEST(FailedChecksInARow, end_with_one_that_passes) {
  FailedChecks checks;
  checks.count(failed_at(seconds(100)), kInterval);
  EXPECT_EQ(checks.count(passed_at(seconds(107)), kInterval), 0);
  EXPECT_EQ(checks.last(kInterval), Milliseconds(seconds(107)));
  EXPECT_EQ(checks.count(failed_at(seconds(120)), kInterval), 1);
}

TEST(FailedChecksInARow, of_a_server_that_was_down_before_begin_when_it_went_down) {
  FailedChecks checks;
  // Down since 88 and looked at first at 100: 88, 93, 98.
  EXPECT_EQ(checks.count({seconds(100), true, true, Milliseconds(seconds(88))}, kInterval), 3);
}

TEST(FailedChecksInARow, do_not_reach_back_beyond_one_that_passed_while_the_server_was_down) {
  FailedChecks checks;
  checks.count({seconds(100), true, true, Milliseconds(seconds(88))}, kInterval);
  checks.count({seconds(101), true, false, Milliseconds(seconds(88))}, kInterval);
  EXPECT_EQ(checks.count({seconds(102), true, true, Milliseconds(seconds(88))}, kInterval), 1);
}

TEST(FailedChecksInARow, are_none_before_the_first_check_has_ended) {
  FailedChecks checks;
  EXPECT_EQ(checks.count({seconds(100), false, false, Milliseconds(seconds(88))}, kInterval), 0);
}

const std::string kHeading =
    "# "
    "pxname,svname,qcur,scur,stot,status,lastchg,check_status,check_code,last_chk,req_tot,hrsp_1xx,hrsp_2xx,"
    "hrsp_3xx,hrsp_4xx,hrsp_5xx,hrsp_other,\n";

Seen seen(const std::string& lines, const Members& members) {
  const auto rows = read_statistics(kHeading + lines);
  if (!rows) {
    ADD_FAILURE() << base::to_string(rows.error());
    return {};
  }
  FailedChecksByServer counts;
  return seen_from({*rows, members, kInterval, seconds(1000)}, counts);
}

TEST(Statistics, become_servers_with_their_last_check_in_words) {
  Members members;
  for (const char* name : {"a", "b", "c", "d", "e"}) members.list.push_back({name, "127.0.0.1:80"});
  members.list[1].served = true;
  members.list[2].served = true;
  members.list[3].draining = true;
  members.list[4].cut = true;
  const Seen all = seen(
      "servers,a,0,0,0,DOWN,3,L4CON,,Connection refused,,0,0,0,0,0,0,\n"
      "servers,b,0,2,9,UP 2/3,60,* L7TOUT,,,,0,7,0,0,1,0,\n"
      "servers,c,0,0,5,DOWN,10,L7STS,503,Service Unavailable,,0,5,0,0,0,0,\n"
      "servers,d,0,1,5,DRAIN,10,L7OK,200,OK,,0,5,0,0,0,0,\n"
      "servers,e,0,0,5,MAINT,10,L7OK,200,OK,,0,5,0,0,0,0,\n",
      members);
  ASSERT_EQ(all.servers.size(), 5U);
  EXPECT_EQ(all.servers[0].state, ServerState::checking);
  EXPECT_EQ(all.servers[0].last_check, "connection refused");
  EXPECT_EQ(all.servers[0].since, Milliseconds(seconds(997)));
  EXPECT_EQ(all.servers[1].state, ServerState::up);
  EXPECT_EQ(all.servers[1].last_check, "timeout");
  EXPECT_EQ(all.servers[1].failed_checks, 1);
  EXPECT_EQ(all.servers[1].sessions, 2U);
  EXPECT_EQ(all.servers[1].answers, (ByClass{0, 0, 7, 0, 0, 1}));
  EXPECT_EQ(all.servers[2].state, ServerState::down);
  EXPECT_EQ(all.servers[2].last_check, "HTTP 503");
  EXPECT_EQ(all.servers[2].failed_checks, 3);  // at 990, 995, 1000
  EXPECT_EQ(all.servers[3].state, ServerState::drain);
  EXPECT_EQ(all.servers[4].state, ServerState::maint);
}

TEST(Statistics, tell_errors_of_servers_from_those_of_the_balancer) {
  Members members;
  members.list = {{"a", "127.0.0.1:80"}};
  members.departed_server_errors = 2;
  const Seen all = seen(
      "service,FRONTEND,,1,40,OPEN,,,,,100,0,80,0,10,10,0,\n"
      "servers,a,0,0,80,UP,3,L7OK,200,OK,,0,80,0,0,5,0,\n"
      "servers,BACKEND,0,0,100,UP,3,,,,100,0,80,0,0,10,0,\n",
      members);
  EXPECT_EQ(all.requests, 100U);
  EXPECT_EQ(all.answers, (ByClass{0, 0, 80, 0, 10, 10}));
  EXPECT_EQ(all.server_errors, 7U);    // 5 of a, 2 of servers that have left
  EXPECT_EQ(all.balancer_errors, 3U);  // the other ones of 10
}

TEST(Statistics, of_something_else_are_refused) {
  EXPECT_FALSE(read_statistics(""));
  EXPECT_FALSE(read_statistics("Unknown command: 'show stat'\n"));
  EXPECT_TRUE(read_statistics("# pxname,svname,\n"));
}

TEST(Statistics, lost_lines_are_those_of_the_ring_of_requests) {
  EXPECT_EQ(
      read_dropped("Supported events sinks...\n    stdout     : type=fd, 3 dropped, standard output (fd#1)\n"
                   "    requests   : type=buffer, 12 dropped, requests\n"),
      12U);
  EXPECT_EQ(read_dropped("    requests : nonsense"), 0U);
  EXPECT_EQ(read_dropped("\n    requests : nonsense"), 0U);
  EXPECT_EQ(read_dropped(""), 0U);
}

TEST(Statistics, information_is_found_by_its_whole_name) {
  EXPECT_EQ(read_info("Name: HAProxy\nPid: 12\nDroppedLogs: 7\n", "Pid"), 12U);
  EXPECT_EQ(read_info("CumReq: 1\nReq: 2\n", "Req"), 2U);
  EXPECT_EQ(read_info("Pid: x\n", "Pid"), std::nullopt);
  EXPECT_EQ(read_info("", "Pid"), std::nullopt);
}

}  // namespace
}  // namespace headroom::balancer
