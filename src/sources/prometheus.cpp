#include "sources/prometheus.hpp"

#include <curl/curl.h>
#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/units.hpp"

namespace headroom::sources {
namespace {

constexpr long kTimeoutSeconds = 10;
// A number takes a few hundred bytes; what is longer is another answer.
constexpr std::size_t kAnswerMost = 1 << 20;

using Handle = std::unique_ptr<CURL, decltype(&curl_easy_cleanup)>;

std::size_t take(char* bytes, std::size_t size, std::size_t count, void* into) {
  auto& text = *static_cast<std::string*>(into);
  if (text.size() + size * count > kAnswerMost) return 0;
  text.append(bytes, size * count);
  return size * count;
}

std::string decoded(const std::string& text) {
  int length = 0;
  char* plain = curl_easy_unescape(nullptr, text.c_str(), static_cast<int>(text.size()), &length);
  if (plain == nullptr) return text;
  std::string result(plain, static_cast<std::size_t>(length));
  curl_free(plain);
  return result;
}

base::Result<std::string> answer(const std::string& server, const std::string& query) {
  const Handle curl(curl_easy_init(), &curl_easy_cleanup);
  if (!curl) return base::unavailable("libcurl cannot be used");
  char* escaped = curl_easy_escape(curl.get(), query.c_str(), static_cast<int>(query.size()));
  const std::string url = fmt::format("{}/api/v1/query?query={}", server, escaped != nullptr ? escaped : "");
  curl_free(escaped);
  std::string text;
  curl_easy_setopt(curl.get(), CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl.get(), CURLOPT_TIMEOUT, kTimeoutSeconds);
  curl_easy_setopt(curl.get(), CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, &take);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEDATA, &text);
  const CURLcode code = curl_easy_perform(curl.get());
  if (code != CURLE_OK) {
    return base::unavailable(
        fmt::format("Prometheus at {} does not answer: {}", server, curl_easy_strerror(code)),
        "is the address right, and the server running?");
  }
  return text;
}

}  // namespace

base::Result<double> number_of_answer(const std::string& json) {
  const auto parsed = nlohmann::json::parse(json, nullptr, false);
  const auto not_one = [](const std::string& what) {
    return base::unavailable("Prometheus gives " + what, "the query must have one number as its result");
  };
  if (!parsed.is_object() || !parsed.contains("status")) return not_one("no answer of its own kind");
  if (parsed["status"] != "success") {
    const bool says_why = parsed.contains("error") && parsed["error"].is_string();
    const std::string error = says_why ? parsed["error"].get<std::string>() : "no reason";
    return not_one(fmt::format("an error: {}", base::in_quotes(error)));
  }
  const auto& data = parsed.contains("data") ? parsed["data"] : nlohmann::json();
  if (!data.is_object() || !data.contains("result") || !data["result"].is_array())
    return not_one("no result");
  const auto& result = data["result"];
  const bool scalar = data.contains("resultType") && data["resultType"] == "scalar";
  if (!scalar && result.size() != 1) return not_one(fmt::format("{} series instead of one", result.size()));
  const auto& value = scalar                                                 ? result
                      : result[0].is_object() && result[0].contains("value") ? result[0]["value"]
                                                                             : result;
  if (!value.is_array() || value.size() != 2 || !value[1].is_string()) return not_one("no number");
  const auto number = base::parse_number(value[1].get<std::string>());
  if (!number || !std::isfinite(*number)) return not_one("no number");
  return *number;
}

base::Result<std::unique_ptr<Utilisation>> Prometheus::open(const std::string& address) {
  const std::size_t mark = address.find("?query=");
  if (mark == std::string::npos || mark == 0) {
    return base::bad_input(fmt::format("{} names no query", base::in_quotes(address)),
                           "write prometheus:http://HOST:PORT?query=EXPRESSION");
  }
  std::string server = address.substr(0, mark);
  while (server.ends_with('/')) server.pop_back();
  if (!server.starts_with("http://") && !server.starts_with("https://")) server.insert(0, "http://");
  std::string query = address.substr(mark + 7);
  double factor = 1;
  constexpr std::string_view kRatio = "&unit=ratio";
  if (query.ends_with(kRatio)) {
    query.resize(query.size() - kRatio.size());
    factor = 100;
  }
  std::unique_ptr<Prometheus> source(new Prometheus(server, decoded(query), factor));
  if (auto asked = source->since_last(); !asked) return asked.error();
  return std::unique_ptr<Utilisation>(std::move(source));
}

base::Result<base::Percent> Prometheus::since_last() {
  const auto text = answer(server_, query_);
  if (!text) return text.error();
  const auto number = number_of_answer(*text);
  if (!number) return number.error();
  return base::Percent(*number * factor_);
}

}  // namespace headroom::sources
