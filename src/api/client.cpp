#include "api/client.hpp"

#include <curl/curl.h>
#include <fmt/format.h>

#include <memory>

#include "api/listener.hpp"
#include "base/units.hpp"

namespace headroom::api {
namespace {

constexpr long kConnectMilliseconds = 5'000;
constexpr long kAnswerMilliseconds = 60'000;         // of a call that does not take time
constexpr std::size_t kLineMost = 64 * 1024 * 1024;  // status of thousands of instances is a hundredth of it

using Handle = std::unique_ptr<CURL, decltype(&curl_easy_cleanup)>;
using List = std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)>;

// What has come of an answer: whole lines are taken out of it.
struct Answer {
  const daemon::Say* say = nullptr;
  const std::function<bool()>* give_up = nullptr;
  std::string rest;
  std::string last;  // the last line that says nothing

  void take_lines() {
    std::size_t begin = 0;
    for (std::size_t end = 0; (end = rest.find('\n', begin)) != std::string::npos; begin = end + 1) {
      std::string line = rest.substr(begin, end - begin);
      if (const auto said = said_in(line)) {
        if (say != nullptr && *say) (*say)(*said);
      } else {
        last = std::move(line);
      }
    }
    rest.erase(0, begin);
  }
};

std::size_t take(char* bytes, std::size_t size, std::size_t count, void* into) {
  Answer& answer = *static_cast<Answer*>(into);
  if (answer.rest.size() + size * count > kLineMost) return 0;
  answer.rest.append(bytes, size * count);
  answer.take_lines();
  return size * count;
}

int look(void* into, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  const Answer& answer = *static_cast<const Answer*>(into);
  return answer.give_up != nullptr && *answer.give_up && (*answer.give_up)() ? 1 : 0;
}

std::string escaped(CURL* curl, const std::string& text) {
  char* written = curl_easy_escape(curl, text.c_str(), static_cast<int>(text.size()));
  std::string copy = written != nullptr ? written : "";
  curl_free(written);
  return copy;
}

base::Result<void> without_value(const base::Result<Done>& result) {
  if (!result) return result.error();
  return {};
}

}  // namespace

struct Client::Call {
  std::string environment;  // empty: the path names none
  std::string path;         // "/status"; after the environment: "/scale"
  std::vector<std::pair<std::string, std::string>> query;
  std::optional<std::string> body;   // nothing: GET
  const daemon::Say* say = nullptr;  // of a call that takes time
  bool repeatable = false;           // to ask twice is to ask once
};

struct Client::Answered {
  base::Result<std::string> last_line;
  bool unheard = false;  // not a byte of an answer came
};

base::Result<std::optional<Client>> Client::find(const std::filesystem::path& socket) {
  const auto connection = connect_to(socket);
  if (!connection) return connection.error();
  if (!*connection) return std::optional<Client>();
  return std::optional<Client>(Client(socket));
}

base::Result<std::string> Client::last_line(const Call& call) const {
  Answered answered = ask(call);
  if (!answered.unheard || !call.repeatable) return std::move(answered.last_line);
  const auto another = connect_to(socket_);
  if ((another && *another) || (revive_ && revive_())) return ask(call).last_line;
  return std::move(answered.last_line);
}

Client::Answered Client::ask(const Call& call) const {
  const Handle curl(curl_easy_init(), &curl_easy_cleanup);
  if (!curl) return {base::unavailable("libcurl cannot be used"), false};
  std::string url = "http://headroom/v1";
  if (!call.environment.empty()) url += "/environments/" + escaped(curl.get(), call.environment);
  url += call.path;
  for (std::size_t k = 0; k < call.query.size(); ++k) {
    const auto& [name, value] = call.query[k];
    url += fmt::format("{}{}={}", k == 0 ? '?' : '&', name, escaped(curl.get(), value));
  }
  Answer answer;
  answer.say = call.say;
  answer.give_up = &give_up_;
  List headers(nullptr, &curl_slist_free_all);
  curl_easy_setopt(curl.get(), CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_UNIX_SOCKET_PATH, socket_.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_PROTOCOLS_STR, "http");
  curl_easy_setopt(curl.get(), CURLOPT_NOPROXY, "*");
  curl_easy_setopt(curl.get(), CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl.get(), CURLOPT_CONNECTTIMEOUT_MS, kConnectMilliseconds);
  if (call.say == nullptr) curl_easy_setopt(curl.get(), CURLOPT_TIMEOUT_MS, kAnswerMilliseconds);
  if (call.body) {
    headers.reset(curl_slist_append(headers.release(), "Content-Type: application/json"));
    curl_easy_setopt(curl.get(), CURLOPT_HTTPHEADER, headers.get());
    curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDS, call.body->c_str());
    curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDSIZE, static_cast<long>(call.body->size()));
  }
  curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, &take);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEDATA, &answer);
  curl_easy_setopt(curl.get(), CURLOPT_XFERINFOFUNCTION, &look);
  curl_easy_setopt(curl.get(), CURLOPT_XFERINFODATA, &answer);
  curl_easy_setopt(curl.get(), CURLOPT_NOPROGRESS, 0L);
  const CURLcode code = curl_easy_perform(curl.get());
  if (code == CURLE_ABORTED_BY_CALLBACK)
    return {base::unavailable("the answer was not waited for", "what was begun goes on: `headroom status`"),
            false};
  if (code != CURLE_OK || answer.last.empty()) {
    long status = 0;
    curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &status);
    const bool ended = code != CURLE_OK && code != CURLE_OPERATION_TIMEDOUT;
    return {base::unavailable(
                fmt::format("the daemon at {} ended before it had answered{}", socket_.string(),
                            code == CURLE_OK ? std::string() : fmt::format(": {}", curl_easy_strerror(code))),
                "`headroom status` shows what became of it; the next daemon finishes what was begun"),
            ended && status == 0};
  }
  return {std::move(answer.last), false};
}

base::Result<daemon::Status> Client::status() const {
  const auto line = last_line({{}, "/status", {}, {}, nullptr, true});
  if (!line) return line.error();
  return result_of<daemon::Status>(*line);
}

base::Result<daemon::UpResult> Client::up(const daemon::UpRequest& request, const daemon::Say& say) const {
  const auto line = last_line({{}, "/environments", {}, to_json(request), &say, true});
  if (!line) return line.error();
  return result_of<daemon::UpResult>(*line);
}

base::Result<daemon::Preview> Client::preview(const daemon::UpRequest& request) const {
  const auto line = last_line({{}, "/preview", {}, to_json(request), nullptr, true});
  if (!line) return line.error();
  return result_of<daemon::Preview>(*line);
}

base::Result<void> Client::rollback(const std::string& environment, const RollbackRequest& request,
                                    const daemon::Say& say) const {
  const auto line = last_line({environment, "/rollback", {}, to_json(request), &say});
  if (!line) return line.error();
  return without_value(result_of<Done>(*line));
}

template <class Request>
base::Result<void> Client::tell(const std::string& environment, const char* path,
                                const Request& request) const {
  const auto line = last_line({environment, path, {}, to_json(request), nullptr});
  if (!line) return line.error();
  return without_value(result_of<Done>(*line));
}

base::Result<void> Client::scale(const std::string& environment, const ScaleRequest& request) const {
  return tell(environment, "/scale", request);
}

base::Result<void> Client::pause(const std::string& environment, const PauseRequest& request) const {
  return tell(environment, "/pause", request);
}

base::Result<void> Client::resume(const std::string& environment, const ResumeRequest& request) const {
  return tell(environment, "/resume", request);
}

base::Result<void> Client::drill(const std::string& environment, const DrillRequest& request) const {
  return tell(environment, "/drill", request);
}

base::Result<void> Client::down(const std::string& environment, const DownRequest& request,
                                const daemon::Say& say) const {
  const auto line = last_line({environment, "/down", {}, to_json(request), &say});
  if (!line) return line.error();
  return without_value(result_of<Done>(*line));
}

base::Result<std::vector<daemon::LogPiece>> Client::logs(const std::string& environment,
                                                         const LogsRequest& request) const {
  const auto line = last_line({environment,
                               "/logs",
                               {{"of", request.of},
                                {"tail_bytes", fmt::format("{}", request.tail_bytes)},
                                {"from", write_positions(request.from)}},
                               {},
                               nullptr});
  if (!line) return line.error();
  auto logs = result_of<Logs>(*line);
  if (!logs) return logs.error();
  return std::move(logs->pieces);
}

base::Result<std::vector<history::Entry>> Client::events(const std::string& environment,
                                                         const history::Query& query) const {
  const auto line = last_line({environment,
                               "/events",
                               {{"service", query.service},
                                {"since_ms", fmt::format("{}", query.since.count())},
                                {"most", fmt::format("{}", query.most)}},
                               {},
                               nullptr});
  if (!line) return line.error();
  auto events = result_of<Events>(*line);
  if (!events) return events.error();
  return std::move(events->entries);
}

base::Result<std::vector<history::Sample>> Client::samples(const std::string& environment,
                                                           const SamplesRequest& request) const {
  const auto line =
      last_line({environment,
                 "/samples",
                 {{"service", request.service}, {"since_ms", fmt::format("{}", request.since.count())}},
                 {},
                 nullptr});
  if (!line) return line.error();
  auto measured = result_of<Measured>(*line);
  if (!measured) return measured.error();
  return std::move(measured->samples);
}

}  // namespace headroom::api
