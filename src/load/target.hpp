// Target: the address that is driven, from a URL to sockets' addresses.
#pragma once

#include <sys/socket.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace headroom::load {

struct Url {
  bool tls = false;
  std::string host;  // without the brackets of an IPv6 address
  int port = 80;
  std::string path = "/";  // with the query, without the fragment

  // As the Host field has it: the port only where it is not the usual one.
  std::string authority() const;
  bool operator==(const Url&) const = default;
};

// "http://127.0.0.1:8080/", "https://shop.example/search?q=1", "http://[::1]:8080"; a name without a scheme
// is http; of its path and query what is beyond ASCII is escaped. Errors: another scheme, a user name, an
// impossible port, blanks and control characters, a host beyond ASCII.
base::Result<Url> parse_url(std::string_view text);

// The URL that `written`, a Location field, means when it comes from `from`. Unset where it is none.
// Source: RFC 3986, section 5.
std::optional<Url> redirected(const Url& from, std::string_view written);

struct Address {
  sockaddr_storage storage{};
  socklen_t length = 0;
};

// All addresses of the host; asks the name service, so it can take seconds. Errors: unavailable.
base::Result<std::vector<Address>> resolve(const Url& url);

// An address of this machine to send from, port 0. Errors: no address.
base::Result<Address> source_address(const std::string& text);

}  // namespace headroom::load
