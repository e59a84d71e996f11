// Text of quantities: "5m", "25%", "30000 rpm", "0.0104 USD/h", "256MiB", read strictly and written back.
//
// Nothing here depends on the locale. A text is read as a whole: leading or trailing characters, NaN,
// infinity and what does not fit the type are faults. The Error of a Result holds one fault without a
// place; use `at` to give it one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/quantity.hpp"
#include "base/result.hpp"

namespace headroom::base {

// "12", "-3.5", "1e-4"; finite. No hexadecimal, no "+", no blanks.
std::optional<double> parse_number(std::string_view text);
std::optional<std::int64_t> parse_integer(std::string_view text);
std::optional<std::uint64_t> parse_unsigned(std::string_view text);

// "250ms", "5s", "4m", "2h", "14d", "8w"; several in falling order: "1h30m"; one part may have decimals as
// long as the whole comes to whole milliseconds: "1.5h". Not negative.
Result<Milliseconds> parse_duration(std::string_view text);
// The same with an optional "-" or "+" before it.
Result<Milliseconds> parse_signed_duration(std::string_view text);

// "25%", "99.9 %".
Result<Percent> parse_percent(std::string_view text);
// "25%" as 0.25, or "0.25".
Result<double> parse_ratio(std::string_view text);
// "99.9% of minutes" as 0.999.
Result<double> parse_share_of_minutes(std::string_view text);

// "12.5 rps", "30000 rpm", "3/s", "3/min". Not negative.
Result<Rate> parse_rate(std::string_view text);

// "0.0104 USD/h"; "200 USD". Not negative.
Result<UsdPerHour> parse_price(std::string_view text);
Result<Usd> parse_money(std::string_view text);

// "512B", "64kB", "1GB" (powers of 1000), "256MiB" (powers of 1024); whole bytes.
Result<std::int64_t> parse_bytes(std::string_view text);

// "08:00", "23:59:30"; "24:00" is the end of the day.
Result<Milliseconds> parse_time_of_day(std::string_view text);
// "2014-07-01", "2014-07-01 00:30[:00]", "2014-07-01T00:30:00[.250][Z|+02:00]": since 1970-01-01 UTC.
// A time without a zone is UTC.
Result<Milliseconds> parse_instant(std::string_view text);

// The shortest text that reads back to the same number; no exponent for magnitudes people write.
std::string format_number(double value);
// "1h30m", "250ms", "0s", "2w"; negative ones with "-".
std::string format_duration(Milliseconds duration);
// The same in one unit ("90m"), if that is exact with at most three decimals. Unit: ms, s, m, h, d or w.
std::optional<std::string> format_duration_in(Milliseconds duration, std::string_view unit);
std::string format_percent(Percent value);            // "25%"
std::string format_rate(Rate value);                  // "12.5 rps"
std::string format_rate_per_minute(Rate value);       // "750 rpm"
std::string format_price(UsdPerHour value);           // "0.0104 USD/h"
std::string format_money(Usd value);                  // "200 USD"
std::string format_bytes(std::int64_t value);         // "256MiB"; the largest unit that is exact
std::string format_instant(Milliseconds since_1970);  // "2014-07-01T00:30:00Z"

// The unit that a duration text ends in ("m" of "1h30m"), as used by format_duration_in; empty: none.
std::string_view duration_unit(std::string_view text);

// The same error with this place for every fault that has none.
Error at(const Place& place, Error error);

// The text in quotes for a message, shortened and with control characters escaped.
std::string in_quotes(std::string_view text);

}  // namespace headroom::base
