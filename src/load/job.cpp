#include "load/job.hpp"

#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

#include "base/units.hpp"
#include "workload/compile.hpp"

namespace headroom::load {
namespace {

// More pieces than this are a curve, not stages that somebody wrote.
constexpr std::size_t kStagesMost = 100;

// Why the address is none of this machine; unset: it is.
std::optional<std::string> not_here(const Address& address) {
  const int socket = ::socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (socket < 0) return std::nullopt;  // the test itself will say so
  const int bound = bind(socket, reinterpret_cast<const sockaddr*>(&address.storage), address.length);
  const int error = errno;
  ::close(socket);
  return bound == 0 ? std::nullopt : std::optional<std::string>(std::strerror(error));
}

std::string name_of(std::size_t number, const workload::Piece& piece) {
  const auto rate = [](double rps) { return base::format_number(rps); };
  const std::string length = base::format_duration(piece.to - piece.from);
  if (piece.rate_from == piece.rate_to) {
    return fmt::format("{}: {} rps for {}", number, rate(piece.rate_from), length);
  }
  return fmt::format("{}: {} to {} rps in {}", number, rate(piece.rate_from), rate(piece.rate_to), length);
}

std::string name_of(std::size_t number, const workload::ClosedStage& stage) {
  return fmt::format("{}: {} {}", number, stage.users, stage.users == 1 ? "user" : "users");
}

}  // namespace

base::Result<Job> prepare(const workload::Traffic& traffic, const Url& url, const Options& options) {
  Job job;
  job.url = url;
  job.options = options;
  auto requests = Prepared::of(traffic.requests, url);
  if (!requests) return requests.error();
  job.requests = std::move(*requests);
  if (const auto* closed = std::get_if<workload::Closed>(&traffic.shape)) {
    job.shape = *closed;
    for (const auto& stage : closed->stages) job.stages.push_back(name_of(job.stages.size() + 1, stage));
  } else {
    auto offered = workload::offered(traffic);
    if (!offered) return offered.error();
    job.notes = std::move(offered->notes);
    const auto& pieces = offered->profile.pieces;
    if (std::holds_alternative<workload::Open>(traffic.shape) && pieces.size() <= kStagesMost) {
      for (const auto& piece : pieces) job.stages.push_back(name_of(job.stages.size() + 1, piece));
    } else {
      job.stages.emplace_back("all");
    }
    job.shape = std::move(offered->profile);
    job.arrivals = traffic.arrivals;
    if (traffic.shift != base::Milliseconds{0}) {
      job.notes.emplace_back(
          "The shift of the traffic is not waited for: the test begins with its first request.");
    }
  }
  for (const std::string& text : options.sources) {
    auto source = source_address(text);
    if (!source) return source.error();
    if (auto fault = not_here(*source))
      return base::bad_input(fmt::format("nothing can be sent from {}: {}", text, *fault),
                             "name an address of this machine");
    job.sources.push_back(*source);
  }
  auto addresses = resolve(url);
  if (!addresses) return addresses.error();
  job.addresses = std::move(*addresses);
  return job;
}

}  // namespace headroom::load
