// Server and client over a real socket: with a daemon that says what a test wants, and with a real one.
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <fstream>
#include <future>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>

#include "api/client.hpp"
#include "api/listener.hpp"
#include "api/server.hpp"
#include "daemon/daemon.hpp"
#include "isolation/launcher.hpp"
#include "store/temporary_folder.hpp"

namespace headroom::api {
namespace {

using nlohmann::json;

history::Entry sample_decision() {
  history::Entry entry;
  entry.event = {base::Milliseconds(5'000), "web", "decision", "", "above the threshold"};
  entry.until = base::Milliseconds(10'000);
  entry.times = 2;
  history::Decision& decision = entry.decision.emplace();
  decision.group = "a";
  decision.cpu_percent = 71.5;
  decision.recommended = 3;
  decision.reasons.bits = static_cast<std::uint32_t>(policy::Reason::above_threshold) |
                          static_cast<std::uint32_t>(policy::Reason::cooldown);
  return entry;
}

// Remembers what it was asked.
struct FakeDaemon {
  std::mutex mutex;
  std::vector<std::string> asked;
  std::function<base::Result<daemon::UpResult>(const daemon::Say&)> up = [](const daemon::Say&) {
    return daemon::UpResult{"shop", {"web: version v1"}, {}};
  };

  daemon::Left left;  // of the last up

  void note(std::string text) {
    const std::lock_guard lock(mutex);
    asked.push_back(std::move(text));
  }

  Operations operations() {
    Operations all;
    all.status = [] {
      daemon::Status status;
      status.version = "test";
      return status;
    };
    all.up = [this](const daemon::UpRequest& request, const daemon::Say& say, const daemon::Left& has_left) {
      note("up " + request.file.string() + " " + request.variant);
      left = has_left;
      return up(say);
    };
    all.preview = [this](const daemon::UpRequest& request) {
      note("preview " + request.file.string() + " " + request.variant);
      daemon::Preview preview;
      preview.environment = "shop";
      preview.services.resize(1);
      preview.services[0].version = "v2";
      preview.services[0].zones = {{"a", 2}};
      preview.promised_cores = 0.5;
      return base::Result<daemon::Preview>(preview);
    };
    all.rollback = [this](const std::string& environment, const RollbackRequest& request,
                          const daemon::Say& say) {
      note("rollback " + environment + " " + request.service);
      say("back to v1");
      return base::Result<void>();
    };
    all.scale = [this](const std::string& environment, const ScaleRequest& request) {
      note("scale " + environment + " " + request.service + " " + std::to_string(request.instances) +
           (request.length ? " for " + std::to_string(request.length->count()) : ""));
      return base::Result<void>();
    };
    all.pause = [this](const std::string& environment, const PauseRequest& request) {
      note("pause " + environment + " " + request.service);
      return base::Result<void>();
    };
    all.resume = [this](const std::string& environment, const ResumeRequest& request) {
      note("resume " + environment + " " + request.service);
      return base::Result<void>();
    };
    all.events = [this](const std::string& environment,
                        const history::Query& query) -> base::Result<std::vector<history::Entry>> {
      note("events " + environment + " " + query.service + " " + std::to_string(query.since.count()) + " " +
           std::to_string(query.most));
      return std::vector<history::Entry>{sample_decision()};
    };
    all.samples = [this](const std::string& environment,
                         const SamplesRequest& request) -> base::Result<std::vector<history::Sample>> {
      note("samples " + environment + " " + request.service + " " + std::to_string(request.since.count()));
      history::Sample sample;
      sample.at = base::Milliseconds(5'000);
      sample.cpu_percent = 12.5;
      sample.in_service = 2;
      return std::vector<history::Sample>{sample};
    };
    all.drill = [this](const std::string& environment, const DrillRequest& request) -> base::Result<void> {
      note("drill " + environment);
      return base::bad_input("there is no zone \"" + request.zone + "\"", "the zones are a, b");
    };
    all.down = [this](const std::string& environment, const DownRequest&,
                      const daemon::Say&) -> base::Result<void> {
      note("down " + environment);
      return base::unavailable("the disk is full", "make room");
    };
    all.logs = [this](const std::string& environment,
                      const LogsRequest& request) -> base::Result<std::vector<daemon::LogPiece>> {
      note("logs " + environment + " " + request.of + " " + std::to_string(request.tail_bytes) + " " +
           write_positions(request.from));
      return std::vector<daemon::LogPiece>{{"web-1", "hello\n", 126}};
    };
    return all;
  }
};

class Api : public testing::Test {
 protected:
  void open(Server::Options options = {}) {
    options.socket = socket();
    auto opened = Server::open(daemon_.operations(), options);
    ASSERT_TRUE(opened) << base::to_string(opened.error());
    server_ = std::move(*opened);
  }
  std::filesystem::path socket() const { return folder_.path() / "api.sock"; }
  Client client() const { return Client::find(socket()).value().value(); }

  // What comes back for bytes that no client of ours would send, to the end of the connection.
  std::string answer_to(const std::string& bytes) const {
    const auto connection = connect_to(socket()).value();
    send_all(*connection, bytes);
    return rest_of(*connection);
  }
  static void send_all(const store::Descriptor& connection, const std::string& bytes) {
    std::size_t sent = 0;
    while (sent < bytes.size()) {
      const ssize_t count =
          ::send(connection.number(), bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
      if (count <= 0) return;  // the server has closed; it may
      sent += static_cast<std::size_t>(count);
    }
  }
  static std::string rest_of(const store::Descriptor& connection) {
    std::string text;
    char bytes[4096];
    for (;;) {
      const ssize_t count = ::recv(connection.number(), bytes, sizeof bytes, 0);
      if (count <= 0) return text;
      text.append(bytes, static_cast<std::size_t>(count));
    }
  }
  static std::string post(const std::string& path, const std::string& body) {
    return "POST " + path + " HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(body.size()) +
           "\r\n\r\n" + body;
  }
  // Expects an error of this status, and returns the first thing that is wrong.
  static std::string fault_in(const std::string& answer, int status) {
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 " + std::to_string(status) + " ")) << answer;
    const std::size_t body = answer.find("\r\n\r\n");
    if (body == std::string::npos) return "no body";
    const json object = json::parse(answer.substr(body + 4), nullptr, false);
    if (!object.is_object() || !object.contains("error")) return "no error: " + answer;
    return object["error"]["faults"].at(0)["what"].get<std::string>();
  }

  store::TemporaryFolder folder_;
  FakeDaemon daemon_;
  std::unique_ptr<Server> server_;
};

TEST_F(Api, CallsArriveAsTheyWereMade) {
  open();
  EXPECT_EQ(client().status().value().version, "test");
  std::vector<std::string> said;
  const daemon::Say say = [&](std::string_view line) { said.emplace_back(line); };
  const auto up = client().up({"/srv/shop/headroom.yaml", "prod", false}, say);
  ASSERT_TRUE(up) << base::to_string(up.error());
  EXPECT_EQ(up->changes, std::vector<std::string>{"web: version v1"});
  const auto preview = client().preview({"/srv/shop/headroom.yaml", "prod", false});
  ASSERT_TRUE(preview) << base::to_string(preview.error());
  EXPECT_EQ(preview->services.at(0).version, "v2");
  EXPECT_EQ(preview->services[0].zones.at(0).instances, 2);
  EXPECT_EQ(preview->services[0].replaces, "");
  EXPECT_EQ(preview->promised_cores, 0.5);
  EXPECT_TRUE(client().rollback("shop", {"web"}, say));
  EXPECT_TRUE(client().scale("shop", {"web", 5, base::Milliseconds(60'000)}));
  EXPECT_TRUE(client().pause("shop", {"web"}));
  EXPECT_TRUE(client().resume("shop", {"web"}));
  const auto events = client().events("shop", {"web", base::Milliseconds(7), 20});
  ASSERT_TRUE(events) << base::to_string(events.error());
  EXPECT_EQ(events->at(0), sample_decision());
  const auto samples = client().samples("shop", {"web", base::Milliseconds(9)});
  ASSERT_TRUE(samples) << base::to_string(samples.error());
  EXPECT_EQ(samples->at(0).cpu_percent, 12.5);
  EXPECT_FALSE(samples->at(0).p95_ms);
  EXPECT_EQ(samples->at(0).in_service, 2);
  const auto pieces = client().logs("shop", {"web", 100, {{"web-1", "", 120}}});
  ASSERT_TRUE(pieces) << base::to_string(pieces.error());
  EXPECT_EQ(pieces->at(0).text, "hello\n");
  EXPECT_EQ(pieces->at(0).next, 126);
  EXPECT_EQ(said, std::vector<std::string>{"back to v1"});
  EXPECT_EQ(daemon_.asked,
            (std::vector<std::string>{
                "up /srv/shop/headroom.yaml prod", "preview /srv/shop/headroom.yaml prod",
                "rollback shop web", "scale shop web 5 for 60000", "pause shop web", "resume shop web",
                "events shop web 7 20", "samples shop web 9", "logs shop web 100 web-1:120"}));
}

TEST_F(Api, ErrorsOfTheDaemonArriveWhole) {
  open();
  const auto drilled = client().drill("shop", {"c", "", {}, base::Milliseconds(1000)});
  ASSERT_FALSE(drilled);
  EXPECT_EQ(drilled.error(), base::bad_input("there is no zone \"c\"", "the zones are a, b"));
  const auto down = client().down("shop", {}, {});
  ASSERT_FALSE(down);
  EXPECT_EQ(down.error(), base::unavailable("the disk is full", "make room"));
  const base::Error faults{
      base::ErrorKind::bad_input,
      {{{"/srv/headroom.yaml", 3, 7}, "one", "fix"}, {{"/srv/headroom.yaml", 9, 1}, "two", ""}}};
  daemon_.up = [&](const daemon::Say&) { return base::Result<daemon::UpResult>(faults); };
  const auto up = client().up({"/srv/headroom.yaml", "", false}, {});
  ASSERT_FALSE(up);
  EXPECT_EQ(up.error(), faults);
}

TEST_F(Api, LinesArriveWhileTheWorkGoesOn) {
  open();
  std::promise<void> heard;
  daemon_.up = [&](const daemon::Say& say) {
    say("first");
    heard.get_future().wait();  // for ever, where lines are kept back
    return daemon::UpResult{"shop", {}, {}};
  };
  const auto up = client().up({"/srv/headroom.yaml", "", false}, [&](std::string_view line) {
    if (line == "first") heard.set_value();
  });
  EXPECT_TRUE(up);
}

TEST_F(Api, OthersAreAnsweredWhileTheWorkGoesOn) {
  open();
  daemon_.up = [&](const daemon::Say&) {
    EXPECT_TRUE(client().status());
    return daemon::UpResult{"shop", {}, {}};
  };
  EXPECT_TRUE(client().up({"/srv/headroom.yaml", "", false}, {}));
}

TEST_F(Api, ClientThatGoesAwayDoesNotStopTheWork) {
  open();
  std::promise<void> begun;
  std::promise<void> gone;
  std::promise<void> finished;
  daemon_.up = [&](const daemon::Say& say) {
    begun.set_value();
    gone.get_future().wait();
    for (int k = 0; k < 1000; ++k) say("nobody hears this");
    finished.set_value();
    return daemon::UpResult{"shop", {}, {}};
  };
  {
    const auto connection = connect_to(socket()).value();
    send_all(*connection, post("/v1/environments", R"({"file": "/srv/headroom.yaml"})"));
    begun.get_future().wait();
  }
  gone.set_value();
  finished.get_future().wait();
  EXPECT_TRUE(client().status());
}

// As of a daemon that ends because nobody has used it: the connection is there, and nobody ever takes it.
TEST_F(Api, UpIsAskedOfTheNextDaemonWhereTheLastOneEndedUnheard) {
  open();
  Client early = client();
  server_.reset();
  auto dying = std::make_unique<Listener>(Listener::open(socket()).value());
  std::thread end([&] {
    pollfd waited{dying->number(), POLLIN, 0};
    ::poll(&waited, 1, -1);
    dying.reset();
  });
  int revived = 0;
  early.revive_with([&] {
    ++revived;
    open();
    return true;
  });
  const auto up = early.up({"/srv/headroom.yaml", "", false}, {});
  end.join();
  ASSERT_TRUE(up) << base::to_string(up.error());
  EXPECT_EQ(revived, 1);
  // What may have been done is not asked for twice.
  server_.reset();
  EXPECT_FALSE(early.scale("shop", {"web", 2}));
  EXPECT_EQ(revived, 1);
}

// Whoever has only closed its half that sends still listens.
TEST_F(Api, WorkIsToldWhenItsClientHasGone) {
  open();
  std::promise<void> begun;
  std::promise<void> half_closed;
  std::promise<bool> first;
  std::promise<void> gone;
  std::promise<bool> last;
  daemon_.up = [&](const daemon::Say&) {
    begun.set_value();
    half_closed.get_future().wait();
    first.set_value(daemon_.left());
    gone.get_future().wait();
    last.set_value(daemon_.left());
    return daemon::UpResult{"shop", {}, {}};
  };
  {
    const auto connection = connect_to(socket()).value();
    send_all(*connection, post("/v1/environments", R"({"file": "/srv/headroom.yaml"})"));
    begun.get_future().wait();
    ::shutdown(connection->number(), SHUT_WR);
    half_closed.set_value();
    EXPECT_FALSE(first.get_future().get());
  }
  gone.set_value();
  EXPECT_TRUE(last.get_future().get());
}

TEST_F(Api, ClientCanGiveUpWhileTheWorkGoesOn) {
  open();
  std::promise<void> given_up;
  std::atomic<bool> enough = false;
  std::atomic<bool> finished = false;
  daemon_.up = [&](const daemon::Say& say) {
    say("begun");
    given_up.get_future().wait();
    finished = true;
    return daemon::UpResult{"shop", {}, {}};
  };
  Client caller = client();
  caller.give_up_when([&] { return enough.load(); });
  const auto up = caller.up({"/srv/headroom.yaml", "", false}, [&](std::string_view) { enough = true; });
  ASSERT_FALSE(up);
  EXPECT_NE(base::to_string(up.error()).find("goes on"), std::string::npos);
  EXPECT_FALSE(finished);
  given_up.set_value();
  server_.reset();  // waits for the work
  EXPECT_TRUE(finished);
}

TEST_F(Api, StopWaitsForWorkAndSaysWhenItDidNotEnd) {
  open();
  std::promise<void> begun;
  std::promise<void> end;
  daemon_.up = [&](const daemon::Say&) {
    begun.set_value();
    end.get_future().wait();
    return daemon::UpResult{"shop", {}, {}};
  };
  std::thread caller([caller = client()] { EXPECT_TRUE(caller.up({"/srv/headroom.yaml", "", false}, {})); });
  begun.get_future().wait();
  EXPECT_FALSE(server_->stop(base::Milliseconds(10)));
  end.set_value();
  EXPECT_TRUE(server_->stop(base::Milliseconds(60'000)));
  caller.join();
}

TEST_F(Api, NoDaemonIsAValue) {
  const auto none = Client::find(socket());
  ASSERT_TRUE(none);
  EXPECT_FALSE(*none);
  open();
  EXPECT_TRUE(*Client::find(socket()));
  server_.reset();
  EXPECT_FALSE(*Client::find(socket()));
}

TEST_F(Api, DaemonThatEndsWithinAnAnswerIsAnErrorOfTheMachine) {
  auto listener = Listener::open(socket());
  ASSERT_TRUE(listener);
  const Client caller = client();
  std::thread daemon([&] {
    int accepted = 0;
    while (accepted < 4) {  // that of find(), the call; whether another daemon is there, and the call again
      pollfd waited{listener->number(), POLLIN, 0};
      ::poll(&waited, 1, -1);
      const auto connection = listener->accept();
      if (connection) ++accepted;
    }
  });
  const auto status = caller.status();
  daemon.join();
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().kind, base::ErrorKind::unavailable);
}

TEST_F(Api, SecondServerIsRefusedAndTheFirstGoesOn) {
  open();
  FakeDaemon other;
  Server::Options options;
  options.socket = socket();
  const auto second = Server::open(other.operations(), options);
  ASSERT_FALSE(second);
  EXPECT_EQ(client().status().value().version, "test");
}

TEST_F(Api, UnknownPathIsToldWhichThereAre) {
  open();
  for (const char* path :
       {"/", "/v1", "/v2/status", "/v1/status/", "/v1/environments//scale", "/v1/environments/a/b/scale",
        "/v1/environments/a%2Fb/scale", "/v1/environments/a/dance"}) {
    const std::string answer = answer_to(std::string("GET ") + path + " HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_TRUE(fault_in(answer, 404).starts_with("there is no \"")) << answer;
    EXPECT_NE(answer.find("POST /v1/environments/NAME/rollback"), std::string::npos);
  }
}

TEST_F(Api, WrongMethodIsToldTheRightOne) {
  open();
  for (const char* method : {"GET", "PUT", "DELETE", "PATCH", "OPTIONS"}) {
    const std::string answer =
        answer_to(std::string(method) + " /v1/environments HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_NE(fault_in(answer, 405).find(method), std::string::npos);
    EXPECT_NE(answer.find("Allow: POST\r\n"), std::string::npos) << answer;
  }
  EXPECT_NE(fault_in(answer_to(post("/v1/status", "{}")), 405), "");
}

TEST_F(Api, MalformedBodyIsBadInputAndNothingIsDone) {
  open();
  EXPECT_EQ(fault_in(answer_to(post("/v1/environments", "{")), 400), "the body is no JSON");
  EXPECT_EQ(fault_in(answer_to(post("/v1/environments", "")), 400), "the body is no JSON");
  EXPECT_EQ(fault_in(answer_to(post("/v1/environments/shop/scale", R"({"service": "web"})")), 400),
            "\"instances\" is missing");
  EXPECT_EQ(fault_in(answer_to("GET /v1/environments/shop/logs?of=web&tail_bytes=-1 HTTP/1.1\r\n\r\n"), 400),
            "\"tail_bytes\" must be from 0 to 4194304");
  EXPECT_EQ(fault_in(answer_to("GET /v1/environments/shop/events?most=-1 HTTP/1.1\r\n\r\n"), 400),
            "\"most\" must be from 0 to 100000");
  EXPECT_EQ(fault_in(answer_to("GET /v1/environments/shop/samples HTTP/1.1\r\n\r\n"), 400),
            "\"service\" is missing");
  EXPECT_EQ(fault_in(answer_to("GET /v1/environments/shop/logs HTTP/1.1\r\n\r\n"), 400), "\"of\" is missing");
  EXPECT_TRUE(daemon_.asked.empty());
}

TEST_F(Api, KindOfAnErrorIsInTheStatus) {
  open();
  const std::string answer =
      answer_to(post("/v1/environments/shop/drill", R"({"zone": "c", "length_ms": 1})"));
  EXPECT_EQ(fault_in(answer, 400), "there is no zone \"c\"");
}

TEST_F(Api, BodyThatIsTooLargeIsRefused) {
  open();
  const std::string large = "{\"file\": \"/" + std::string(64 * 1024, 'x') + "\"}";
  EXPECT_EQ(fault_in(answer_to(post("/v1/environments", large)), 413), "the body has more than 65536 bytes");
  EXPECT_TRUE(daemon_.asked.empty());
}

TEST_F(Api, BodyWithoutLengthOrPackedIsRefused) {
  open();
  EXPECT_NE(
      fault_in(answer_to("POST /v1/environments HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n"),
               411),
      "");
  EXPECT_NE(fault_in(answer_to("POST /v1/environments HTTP/1.1\r\nContent-Encoding: gzip\r\nContent-Length: "
                               "2\r\n\r\n{}"),
                     411),
            "");
}

TEST_F(Api, WhatIsNoHttpEndsTheConnectionOnly) {
  open();
  for (const std::string& bytes :
       {std::string("\x16\x03\x01 hello\r\n\r\n"), std::string("GET\r\n\r\n"), std::string(100'000, 'x'),
        "GET /" + std::string(20'000, 'y') + " HTTP/1.1\r\n\r\n",
        // Heads without an end: the server reads no more of it than its limit.
        "GET /v1/status HTTP/1.1\r\n" + [] {
          std::string heads;
          for (int k = 0; k < 20'000; ++k) heads += "X-A: 1\r\n";
          return heads;
        }()}) {
    EXPECT_EQ(answer_to(bytes).find("HTTP/1.1 200"), std::string::npos) << bytes.substr(0, 40);
    EXPECT_TRUE(client().status());
  }
}

TEST_F(Api, RequestThatDoesNotComeIsNotWaitedForForEver) {
  Server::Options options;
  options.request_max = base::Milliseconds(50);
  open(options);
  const auto connection = connect_to(socket()).value();
  send_all(*connection, "GET /v1/sta");
  EXPECT_EQ(rest_of(*connection).find("200"), std::string::npos);  // returns: the server has closed
}

TEST_F(Api, ClientThatTakesNothingHindersTheWorkOnlyOnce) {
  Server::Options options;
  options.write_max = base::Milliseconds(20);
  open(options);
  std::promise<void> finished;
  daemon_.up = [&](const daemon::Say& say) {
    // 3 MB: more than a socket holds. With a wait for each line this would take a minute.
    for (int k = 0; k < 3000; ++k) say(std::string(1000, 'x'));
    finished.set_value();
    return daemon::UpResult{"shop", {}, {}};
  };
  const auto connection = connect_to(socket()).value();
  send_all(*connection, post("/v1/environments", R"({"file": "/srv/headroom.yaml"})"));
  finished.get_future().wait();
}

TEST_F(Api, MoreConnectionsThanAllowedWaitForTheirTurn) {
  Server::Options options;
  options.connections_max = 1;
  open(options);
  std::vector<std::thread> callers;
  for (int k = 0; k < 8; ++k) callers.emplace_back([caller = client()] { EXPECT_TRUE(caller.status()); });
  for (std::thread& caller : callers) caller.join();
}

TEST_F(Api, WhatChangesSomethingIsLogged) {
  std::mutex mutex;
  std::vector<std::string> lines;
  Server::Options options;
  options.log = [&](std::string_view line) {
    const std::lock_guard lock(mutex);
    lines.emplace_back(line);
  };
  open(options);
  EXPECT_TRUE(client().status());
  EXPECT_TRUE(client().scale("shop", {"web", 5}));
  EXPECT_EQ(lines, std::vector<std::string>{
                       R"(POST /v1/environments/shop/scale {"service": "web", "instances": 5}: done)"});
}

// A real daemon, in a folder of its own where nothing runs.
class RealDaemon : public testing::Test {
 protected:
  void SetUp() override {
    const daemon::Variable variable = [this](const std::string& name) -> std::optional<std::string> {
      if (name == "HEADROOM_STATE") return state_.path().string();
      return std::nullopt;
    };
    const auto folder = daemon::locate(variable, ::geteuid() == 0);
    ASSERT_TRUE(folder) << base::to_string(folder.error());
    auto daemon = daemon::Daemon::open({*folder, "test"});
    ASSERT_TRUE(daemon) << base::to_string(daemon.error());
    daemon_ = std::move(*daemon);
    Server::Options options;
    options.socket = folder->api_socket();
    auto server = Server::open(operations_of(*daemon_), options);
    ASSERT_TRUE(server) << base::to_string(server.error());
    server_ = std::move(*server);
    client_ = Client::find(folder->api_socket()).value();
  }

  store::TemporaryFolder state_;
  std::unique_ptr<daemon::Daemon> daemon_;
  std::unique_ptr<Server> server_;
  std::optional<Client> client_;
};

TEST_F(RealDaemon, StatusHasThisMachineAndNoEnvironment) {
  const auto status = client_->status();
  ASSERT_TRUE(status) << base::to_string(status.error());
  EXPECT_EQ(status->version, "test");
  EXPECT_EQ(status->state_folder, state_.path().string());
  EXPECT_NE(status->tier, "");
  EXPECT_GT(status->machine_cores, 0);
  EXPECT_TRUE(status->environments.empty());
}

TEST_F(RealDaemon, WhatDoesNotRunIsBadInputForEveryCall) {
  const daemon::Say none = [](std::string_view) {};
  const auto kind = [](const auto& result) {
    return result ? std::optional<base::ErrorKind>() : result.error().kind;
  };
  EXPECT_EQ(kind(client_->rollback("shop", {"web"}, none)), base::ErrorKind::bad_input);
  EXPECT_EQ(kind(client_->scale("shop", {"web", 1})), base::ErrorKind::bad_input);
  EXPECT_EQ(kind(client_->drill("shop", {"a", "", {}, base::Milliseconds(1000)})),
            base::ErrorKind::bad_input);
  EXPECT_EQ(kind(client_->drill("shop", {"", "web-1", cloud_local::Trouble::hang, base::Milliseconds(1000)})),
            base::ErrorKind::bad_input);
  EXPECT_EQ(kind(client_->down("shop", {}, none)), base::ErrorKind::bad_input);
  EXPECT_EQ(kind(client_->logs("shop", {"web", 100, {}})), base::ErrorKind::bad_input);
  EXPECT_EQ(kind(client_->up({state_.path() / "none.yaml", "", false}, none)), base::ErrorKind::bad_input);
}

TEST_F(RealDaemon, FaultsOfAFileComeWithTheirPlaces) {
  const auto file = state_.path() / "headroom.yaml";
  std::ofstream(file) << "name: shop\nservices:\n  web:\n    lissten: 8080\n";
  const auto up = client_->up({file, "", false}, [](std::string_view) {});
  ASSERT_FALSE(up);
  EXPECT_EQ(up.error().kind, base::ErrorKind::bad_input);
  const auto& faults = up.error().faults;
  const bool placed = std::any_of(faults.begin(), faults.end(), [&](const base::Fault& fault) {
    return fault.place == base::Place{file.string(), 4, 5};
  });
  EXPECT_TRUE(placed) << base::to_string(up.error());
  EXPECT_TRUE(client_->status()->environments.empty());
}

}  // namespace
}  // namespace headroom::api

int main(int argc, char** argv) {
  // The daemon tries what this machine can do, with this program as the first process of an instance.
  if (argc > 1 && argv[1] == headroom::isolation::kLauncherArgument)
    return headroom::isolation::launch_main();
  ::testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
