#include "load/fingerprint.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <array>
#include <variant>

namespace headroom::load {
namespace {

// 128 bits: nobody attacks it, and it is short enough to be read.
constexpr std::size_t kBytes = 16;

// Each value with its length before it, so that no two lists of values give the same text.
void add(std::string& text, std::string_view value) { text += fmt::format("{}:{},", value.size(), value); }
void add(std::string& text, double value) { text += fmt::format("{},", value); }
template <class Integer>
requires std::is_integral_v<Integer>
void add(std::string& text, Integer value) { text += fmt::format("{},", value); }
void add(std::string& text, base::Milliseconds value) { add(text, value.count()); }

void add(std::string& text, const workload::Closed& closed) {
  add(text, closed.serial);
  for (const workload::ClosedStage& stage : closed.stages) {
    add(text, stage.users);
    add(text, stage.requests_each);
    add(text, stage.think);
    add(text, static_cast<int>(stage.think_distribution));
    add(text, stage.ramp_up);
    add(text, stage.think_least);
    add(text, stage.deviation);
    add(text, stage.think_first);
    add(text, stage.duration.value_or(base::Milliseconds{-1}));
  }
}

void add(std::string& text, const workload::Profile& profile) {
  for (const workload::Piece& piece : profile.pieces) {
    add(text, piece.from);
    add(text, piece.to);
    add(text, piece.rate_from);
    add(text, piece.rate_to);
  }
}

void add(std::string& text, const workload::Requests& requests) {
  add(text, static_cast<int>(requests.choice));
  for (const workload::Request& request : requests.list) {
    add(text, request.name);
    add(text, request.weight);
    add(text, request.method);
    add(text, request.path);
    for (const workload::Header& header : request.headers) add(text, header.name);
    add(text, request.body);
  }
  for (const workload::Variables& variables : requests.variables) {
    for (const std::string& name : variables.names) add(text, name);
    for (const auto& row : variables.rows) {
      for (const std::string& value : row) add(text, value);
    }
  }
}

}  // namespace

std::string fingerprint(const workload::Traffic& traffic, const Job& job) {
  std::string text;
  add(text, job.options.seed);
  add(text, static_cast<int>(job.arrivals));
  add(text, job.open());
  std::visit([&](const auto& shape) { add(text, shape); }, job.shape);
  add(text, traffic.requests);

  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha256(), nullptr);
  std::string digits;
  for (std::size_t i = 0; i < kBytes; ++i) digits += fmt::format("{:02x}", digest[i]);
  return digits;
}

}  // namespace headroom::load
