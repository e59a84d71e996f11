#include "report/load_sample.hpp"

#include <cmath>

#include "base/philox.hpp"

namespace headroom::report {
namespace {

constexpr std::uint32_t kStream = 0x5a3e;

}  // namespace

LoadRun sample_load(int seconds, std::uint64_t shard, std::uint64_t shards_of) {
  LoadRun run;
  run.name = "sample";
  run.url = "http://127.0.0.1:8080/shop";
  run.fingerprint = "00112233445566778899aabbccddeeff";
  run.seed = 7;
  run.start = base::Milliseconds{1'798'761'600'250};  // 2027-01-01T00:00:00.250Z
  run.shards = {shard};
  run.shards_of = shards_of;
  run.notes = {"The interval of the recorded traffic was taken to be a minute."};
  load::Measured& measured = run.measured;
  measured.duration = std::chrono::seconds(seconds) + std::chrono::milliseconds(40);
  measured.generator_cpu = std::chrono::milliseconds(90 * seconds);
  measured.generator_threads = 1;
  measured.connections = 31;
  measured.retried = 2;
  measured.first_fault = "GET /: no complete answer within the time limit";
  measured.stages = {{"1: 100 rps for 30s", {}}, {"2: 100 to 50 rps in 30s", {}}};
  measured.requests = {{"GET /", {}}, {"POST /orders", {}}};
  measured.seconds.resize(static_cast<std::size_t>(seconds));
  for (std::size_t second = 0; second < measured.seconds.size(); ++second) {
    load::Second& now = measured.seconds[second];
    // A fifth of the way in, the server stands still for two seconds.
    const bool stands = second >= measured.seconds.size() / 5 && second < measured.seconds.size() / 5 + 2;
    now.due = now.sent = 100;
    now.under_way_most = stands ? 180 : 9;
    now.generator_cores = 0.09;
    for (std::uint64_t k = 0; k < 100; ++k) {
      const auto block = base::random_block(shard, kStream, 100 * second + k);
      const double uniform = base::uniform(block.bits64(0));
      const double sending = 4 - 3 * std::log(1 - 0.999 * uniform);
      const double schedule = sending + (stands ? 10.0 * static_cast<double>(100 - k) : 0.05);
      const bool hangs = k == 17 && second % 7 == 3;
      const int status = k == 50 && second % 5 == 0 ? 503 : 200;
      auto& stage = measured.stages[2 * second < measured.seconds.size() ? 0 : 1].tally;
      auto& request = measured.requests[k % 4 == 0 ? 1 : 0].tally;
      const auto outcome =
          static_cast<std::size_t>(hangs ? load::Outcome::timed_out : load::Outcome::answered);
      for (load::Tally* tally : {&stage, &request}) {
        ++tally->counts.outcomes[outcome];
        if (!hangs) ++tally->counts.statuses[status];
        tally->from_schedule_ms.add(hangs ? 30'000 : schedule);
        if (!hangs) tally->from_sending_ms.add(sending);
        tally->body_bytes += hangs ? 0 : 512;
      }
      ++(hangs || status == 503 ? now.failed : now.answered);
      ++now.counts.outcomes[outcome];
      if (!hangs) ++now.counts.statuses[status];
      now.from_schedule_ms.add(hangs ? 30'000 : schedule);
      if (!hangs) now.from_sending_ms.add(sending);
      measured.lateness_ms.add(0.02 + 0.1 * uniform);
    }
  }
  for (const char* text : {"p99 > 500ms", "errors > 5%", "rate < 90 rps"}) {
    run.verdicts.push_back(load::judge(*load::parse_threshold(text), measured));
  }
  return run;
}

}  // namespace headroom::report
