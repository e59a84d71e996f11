#include "load/target.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

#include <cstring>

namespace headroom::load {
namespace {

TEST(ParseUrl, TakesHostPortAndPath) {
  EXPECT_EQ(*parse_url("http://127.0.0.1:8080/a?b=1#c"), (Url{false, "127.0.0.1", 8080, "/a?b=1"}));
  EXPECT_EQ(*parse_url("HTTPS://Shop.Example"), (Url{true, "shop.example", 443, "/"}));
  EXPECT_EQ(*parse_url("localhost:81?x"), (Url{false, "localhost", 81, "/?x"}));
  EXPECT_EQ(*parse_url("http://[::1]:8080"), (Url{false, "::1", 8080, "/"}));
  EXPECT_EQ(parse_url("http://[::1]:8080")->authority(), "[::1]:8080");
  EXPECT_EQ(parse_url("https://a:443")->authority(), "a");
}

// The bytes of UTF-8 of u with dots are C3 BC.
TEST(ParseUrl, EscapesWhatIsBeyondAsciiInThePathAndRefusesItInTheHost) {
  EXPECT_EQ(parse_url("http://a/\xC3\xBC?q=\xC3\xBC")->path, "/%C3%BC?q=%C3%BC");
  EXPECT_EQ(redirected(Url{}, "/\xC3\xBC")->path, "/%C3%BC");
  const auto host = parse_url("http://\xC3\xBC.example/");
  ASSERT_FALSE(host);
  EXPECT_NE(base::to_string(host.error()).find("xn--"), std::string::npos);
}

TEST(ParseUrl, RefusesWhatIsNone) {
  for (const std::string_view text :
       {"", "http://", "ftp://a/", "http://a:0/", "http://a:65536/", "http://a:b/", "http://user@a/",
        "http://[::1", "http://a b/", "http://a/\r\nX: y"}) {
    EXPECT_FALSE(parse_url(text)) << text;
  }
}

// Cases of RFC 3986, section 5.4.
TEST(Redirected, FollowsReferencesFromThePage) {
  const Url from{false, "a", 80, "/b/c/d;p?q"};
  const auto path = [&](std::string_view location) { return redirected(from, location)->path; };
  EXPECT_EQ(path("g"), "/b/c/g");
  EXPECT_EQ(path("./g"), "/b/c/g");
  EXPECT_EQ(path("g/"), "/b/c/g/");
  EXPECT_EQ(path("/g"), "/g");
  EXPECT_EQ(path("?y"), "/b/c/d;p?y");
  EXPECT_EQ(path("g?y#s"), "/b/c/g?y");
  EXPECT_EQ(path("."), "/b/c/");
  EXPECT_EQ(path(".."), "/b/");
  EXPECT_EQ(path("../g"), "/b/g");
  EXPECT_EQ(path("../../../g"), "/g");
  EXPECT_EQ(*redirected(from, "//g"), (Url{false, "g", 80, "/"}));
  EXPECT_EQ(*redirected(from, "https://g/x"), (Url{true, "g", 443, "/x"}));
  EXPECT_FALSE(redirected(from, ""));
  EXPECT_FALSE(redirected(from, "/a\nb"));
}

TEST(Resolve, FindsTheLoopback) {
  const auto addresses = resolve(*parse_url("http://127.0.0.1:8080/"));
  ASSERT_TRUE(addresses);
  ASSERT_EQ(addresses->size(), 1U);
  sockaddr_in address{};
  std::memcpy(&address, &addresses->front().storage, sizeof address);
  EXPECT_EQ(ntohs(address.sin_port), 8080);
  EXPECT_EQ(ntohl(address.sin_addr.s_addr), INADDR_LOOPBACK);
}

TEST(Resolve, SaysThatAHostHasNoAddress) {
  // Reserved to never exist: RFC 6761.
  const auto addresses = resolve(*parse_url("http://shop.invalid/"));
  ASSERT_FALSE(addresses);
  EXPECT_EQ(addresses.error().kind, base::ErrorKind::unavailable);
}

TEST(SourceAddress, IsAnAddressOfEitherFamily) {
  EXPECT_TRUE(source_address("127.0.0.2"));
  EXPECT_TRUE(source_address("::1"));
  EXPECT_FALSE(source_address("localhost"));
}

}  // namespace
}  // namespace headroom::load
