#include "cli/override_length.hpp"

#include <fmt/format.h>

#include "cli/duration_option.hpp"
#include "report/words.hpp"

namespace headroom::cli {
namespace {

constexpr base::Milliseconds kYear = std::chrono::hours(24 * 366);

}  // namespace

void add_length_option(Command& command, std::string& length) {
  command.add_option("--for", length, "how long; it ends by itself. Without it: until `headroom resume`")
      .type_name("DURATION");
}

base::Result<std::optional<base::Milliseconds>> override_length(const std::string& written) {
  if (written.empty()) return std::optional<base::Milliseconds>();
  const auto length = duration_of("--for", written);
  if (!length) return length.error();
  if (*length > base::Milliseconds(0) && *length <= kYear) return std::optional(*length);
  return base::bad_input(fmt::format("--for: {} is not more than nothing and at most a year", written),
                         "write --for 2h");
}

std::string length_text(const std::optional<base::Milliseconds>& length) {
  return length ? "for " + report::duration_text(*length) : "until `headroom resume`";
}

void write_length(report::JsonWriter& json, const std::optional<base::Milliseconds>& length) {
  json.key("for_s");
  if (length) {
    json.number(static_cast<double>(length->count()) / 1000);
  } else {
    json.null();
  }
}

}  // namespace headroom::cli
