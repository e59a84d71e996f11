#include "load/target.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netdb.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <optional>

#include "base/units.hpp"

namespace headroom::load {
namespace {

constexpr int kPortMost = 65'535;

base::Error not_a_url(std::string_view text, const std::string& why) {
  return base::bad_input(fmt::format("{} is not the address of a service: {}", base::in_quotes(text), why),
                         "write it as http://HOST:PORT/PATH or https://HOST:PORT/PATH");
}

bool is_ascii(char c) { return static_cast<unsigned char>(c) < 0x80; }

bool is_printable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return !is_ascii(c) || (c > ' ' && c != 127); });
}

// What is beyond ASCII, as UTF-8 most likely, escaped: RFC 3987, section 3.1.
std::string percent_encoded(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (is_ascii(c)) {
      result += c;
    } else {
      result += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return result;
}

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

// "/a/../b" as "/b".
std::string without_dots(std::string_view path) {
  const std::size_t query = std::min(path.find('?'), path.size());
  std::string_view rest = path.substr(0, query);
  std::string result;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('/', 1), rest.size());
    const std::string_view segment = rest.substr(0, end);
    rest.remove_prefix(end);
    if (segment == "/." || segment == "/..") {
      if (segment == "/..")
        result.resize(result.find_last_of('/') == std::string::npos ? 0 : result.find_last_of('/'));
      if (rest.empty()) result += '/';
    } else {
      result += segment;
    }
  }
  if (result.empty()) result = "/";
  return result.append(path.substr(query));
}

}  // namespace

std::string Url::authority() const {
  const std::string name = host.find(':') == std::string::npos ? host : '[' + host + ']';
  return port == (tls ? 443 : 80) ? name : fmt::format("{}:{}", name, port);
}

base::Result<Url> parse_url(std::string_view text) {
  Url url;
  std::string_view rest = text;
  if (!is_printable(text)) return not_a_url(text, "it holds blanks or control characters");
  if (const std::size_t scheme_end = rest.find("://"); scheme_end != std::string_view::npos) {
    const std::string scheme = lower(rest.substr(0, scheme_end));
    if (scheme != "http" && scheme != "https") {
      return not_a_url(text,
                       fmt::format("its scheme is {}, expected http or https", base::in_quotes(scheme)));
    }
    url.tls = scheme == "https";
    rest.remove_prefix(scheme_end + 3);
  }
  url.port = url.tls ? 443 : 80;
  const std::size_t authority_end = std::min(rest.find_first_of("/?#"), rest.size());
  std::string_view authority = rest.substr(0, authority_end);
  rest.remove_prefix(authority_end);
  if (authority.find('@') != std::string_view::npos) {
    return not_a_url(text, "a user name in it is not supported; give a header Authorization instead");
  }
  std::string_view port;
  if (authority.starts_with('[')) {
    const std::size_t end = authority.find(']');
    if (end == std::string_view::npos) return not_a_url(text, "the bracket of its address is not closed");
    url.host = authority.substr(1, end - 1);
    port = authority.substr(end + 1);
  } else {
    const std::size_t colon = std::min(authority.find(':'), authority.size());
    url.host = lower(authority.substr(0, colon));
    port = authority.substr(colon);
  }
  if (url.host.empty()) return not_a_url(text, "it names no host");
  if (!std::all_of(url.host.begin(), url.host.end(), is_ascii)) {
    return not_a_url(text,
                     "its host has letters beyond ASCII; write it as the name service has it (xn--...)");
  }
  if (!port.empty()) {
    const auto number = port.starts_with(':') ? base::parse_integer(port.substr(1)) : std::nullopt;
    if (!number || *number < 1 || *number > kPortMost)
      return not_a_url(text, "its port is none of 1 to 65535");
    url.port = static_cast<int>(*number);
  }
  rest = rest.substr(0, rest.find('#'));
  url.path = rest.empty() ? "/" : percent_encoded(rest);
  if (url.path.front() != '/') url.path.insert(0, "/");
  return url;
}

std::optional<Url> redirected(const Url& from, std::string_view written) {
  if (written.empty() || !is_printable(written)) return std::nullopt;
  const std::string escaped = percent_encoded(written);
  std::string_view location = escaped;
  if (location.find("://") < location.find_first_of("/?#")) {
    auto url = parse_url(location);
    return url ? std::optional(*url) : std::nullopt;
  }
  if (location.starts_with("//")) {
    auto url = parse_url(fmt::format("{}:{}", from.tls ? "https" : "http", location));
    return url ? std::optional(*url) : std::nullopt;
  }
  Url url = from;
  location = location.substr(0, location.find('#'));
  const std::string path = from.path.substr(0, from.path.find('?'));
  if (location.empty()) return url;
  if (location.front() == '/') {
    url.path = without_dots(location);
  } else if (location.front() == '?') {
    url.path = path + std::string(location);
  } else {
    url.path = without_dots(path.substr(0, path.find_last_of('/') + 1) + std::string(location));
  }
  return url;
}

base::Result<std::vector<Address>> resolve(const Url& url) {
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int fault = getaddrinfo(url.host.c_str(), std::to_string(url.port).c_str(), &wanted, &found);
  if (fault != 0) {
    return base::unavailable(fmt::format("the host {} has no address: {}", base::in_quotes(url.host),
                                         fault == EAI_SYSTEM ? std::strerror(errno) : gai_strerror(fault)),
                             "check the name, and that this machine can resolve it");
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found, &freeaddrinfo);
  std::vector<Address> addresses;
  for (const addrinfo* entry = found; entry != nullptr; entry = entry->ai_next) {
    Address address;
    std::memcpy(&address.storage, entry->ai_addr, entry->ai_addrlen);
    address.length = entry->ai_addrlen;
    addresses.push_back(address);
  }
  return addresses;
}

base::Result<Address> source_address(const std::string& text) {
  Address address;
  sockaddr_in four{};
  sockaddr_in6 six{};
  if (inet_pton(AF_INET, text.c_str(), &four.sin_addr) == 1) {
    four.sin_family = AF_INET;
    std::memcpy(&address.storage, &four, sizeof four);
    address.length = sizeof four;
  } else if (inet_pton(AF_INET6, text.c_str(), &six.sin6_addr) == 1) {
    six.sin6_family = AF_INET6;
    std::memcpy(&address.storage, &six, sizeof six);
    address.length = sizeof six;
  } else {
    return base::bad_input(fmt::format("{} is no address to send from", base::in_quotes(text)),
                           "write an address of this machine, such as 127.0.0.2");
  }
  return address;
}

}  // namespace headroom::load
