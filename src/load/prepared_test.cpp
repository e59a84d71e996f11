#include "load/prepared.hpp"

#include <gtest/gtest.h>

namespace headroom::load {
namespace {

const Url kUrl{false, "shop.example", 8080, "/"};

std::string bytes_of(const Prepared& prepared, std::size_t request, std::uint64_t row) {
  std::string storage;
  return std::string(prepared.bytes(request, row, storage));
}

TEST(Prepared, WithoutAListIsAGetOfTheAddress) {
  const auto prepared = Prepared::of({}, Url{false, "shop.example", 8080, "/cart?x=1"});
  ASSERT_TRUE(prepared);
  EXPECT_EQ(prepared->name(0), "GET /cart?x=1");
  EXPECT_EQ(
      bytes_of(*prepared, 0, 0),
      "GET /cart?x=1 HTTP/1.1\r\nHost: shop.example:8080\r\nUser-Agent: headroom\r\nAccept: */*\r\n\r\n");
}

TEST(Prepared, PutsTheValuesOfARowInTheirPlaces) {
  workload::Requests requests;
  requests.variables = {{"users.csv", {"user", "word"}, {{"ann", "long"}, {"bo", ""}}}};
  requests.list = {
      {"login", 1, "POST", "/u/${user}", {{"X-Word", "<${word}>"}, {"host", "other"}}, "w=${word}&${"}};
  const auto prepared = Prepared::of(requests, Url{false, "a", 80, "/api"});
  ASSERT_TRUE(prepared) << base::to_string(prepared.error());
  // The length is that of the body with its values: "w=long&${" and "w=&${".
  EXPECT_EQ(
      bytes_of(*prepared, 0, 0),
      "POST /api/u/ann HTTP/1.1\r\nUser-Agent: headroom\r\nAccept: */*\r\nX-Word: <long>\r\nhost: other\r\n"
      "Content-Length: 9\r\n\r\nw=long&${");
  EXPECT_EQ(bytes_of(*prepared, 0, 3),
            "POST /api/u/bo HTTP/1.1\r\nUser-Agent: headroom\r\nAccept: */*\r\nX-Word: <>\r\nhost: other\r\n"
            "Content-Length: 5\r\n\r\nw=&${");
}

TEST(Prepared, RefusesAVariableThatNobodyNamed) {
  workload::Requests requests;
  requests.list = {{"", 1, "GET", "/${who}", {}, ""}};
  const auto prepared = Prepared::of(requests, kUrl);
  ASSERT_FALSE(prepared);
  EXPECT_NE(prepared.error().faults[0].what.find("\"who\""), std::string::npos);
}

TEST(Prepared, ChoosesByTheSharesOfTheWeights) {
  workload::Requests requests;
  requests.list = {{"a", 1, "GET", "/", {}, ""}, {"b", 2, "GET", "/", {}, ""}, {"c", 1, "GET", "/", {}, ""}};
  const auto prepared = Prepared::of(requests, kUrl);
  ASSERT_TRUE(prepared);
  EXPECT_EQ(prepared->chosen(0), 0U);
  EXPECT_EQ(prepared->chosen(0.2499), 0U);
  EXPECT_EQ(prepared->chosen(0.25), 1U);
  EXPECT_EQ(prepared->chosen(0.7499), 1U);
  EXPECT_EQ(prepared->chosen(0.75), 2U);
  EXPECT_EQ(prepared->chosen(0.9999999), 2U);
}

TEST(Prepared, ARedirectedRequestKeepsItsFieldsAndPerhapsItsBody) {
  workload::Requests requests;
  requests.list = {{"", 1, "PUT", "/a", {{"X", "y"}}, "body"}};
  const auto prepared = Prepared::of(requests, kUrl);
  ASSERT_TRUE(prepared);
  const std::string fields = "Host: shop.example:8080\r\nUser-Agent: headroom\r\nAccept: */*\r\nX: y\r\n";
  EXPECT_EQ(prepared->redirected(0, 0, "/b", true), "GET /b HTTP/1.1\r\n" + fields + "\r\n");
  EXPECT_EQ(prepared->redirected(0, 0, "/b", false),
            "PUT /b HTTP/1.1\r\n" + fields + "Content-Length: 4\r\n\r\nbody");
}

TEST(Prepared, AppendsPathsToThatOfTheAddress) {
  workload::Requests requests;
  requests.list = {{"", 1, "GET", "/x", {}, ""}};
  for (const auto& [path, name] :
       {std::pair("/", "GET /x"), std::pair("/base/", "GET /base/x"), std::pair("/base", "GET /base/x"),
        std::pair("/base?q=1", "GET /base/x")}) {
    EXPECT_EQ(Prepared::of(requests, Url{false, "a", 80, path})->name(0), name);
  }
}

}  // namespace
}  // namespace headroom::load
