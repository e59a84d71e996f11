#include "base/units.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <limits>

namespace headroom::base {
namespace {

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::string_view trimmed_right(std::string_view text) {
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

// A decimal number at the start of a text: digits with at most one point, no sign, no exponent.
struct Decimal {
  std::string_view text;  // as written
  std::int64_t whole = 0;
  std::int64_t fraction = 0;  // of 10^digits
  int digits = 0;
};

std::optional<Decimal> take_decimal(std::string_view& text) {
  Decimal decimal;
  std::size_t i = 0;
  // 15 and 9 digits: whole and fraction then stay far from the end of int64 in the products below.
  while (i < text.size() && is_digit(text[i])) {
    if (i >= 15) return std::nullopt;
    decimal.whole = decimal.whole * 10 + (text[i] - '0');
    ++i;
  }
  if (i == 0) return std::nullopt;
  if (i + 1 < text.size() && text[i] == '.' && is_digit(text[i + 1])) {
    ++i;
    while (i < text.size() && is_digit(text[i])) {
      if (decimal.digits >= 9) return std::nullopt;
      decimal.fraction = decimal.fraction * 10 + (text[i] - '0');
      ++decimal.digits;
      ++i;
    }
  }
  decimal.text = text.substr(0, i);
  text.remove_prefix(i);
  return decimal;
}

// decimal * unit where that is a whole number that fits.
std::optional<std::int64_t> times(const Decimal& decimal, std::int64_t unit) {
  std::int64_t scale = 1;
  for (int i = 0; i < decimal.digits; ++i) scale *= 10;
  if (decimal.whole > std::numeric_limits<std::int64_t>::max() / 4 / unit) return std::nullopt;
  // fraction < 10^9 and unit <= 10^12 (a terabyte): the product may pass int64, so it goes through 128 bits.
  __extension__ using Wide = __int128;
  const Wide part = static_cast<Wide>(decimal.fraction) * unit;
  if (part % scale != 0) return std::nullopt;
  return decimal.whole * unit + static_cast<std::int64_t>(part / scale);
}

Error expected(std::string_view what, std::string_view found, std::string fix) {
  return bad_input(fmt::format("expected {}, found {}", what, in_quotes(found)), std::move(fix));
}

struct TimeUnit {
  std::string_view name;
  std::int64_t ms;
};
constexpr std::array<TimeUnit, 6> kTimeUnits{
    {{"w", 604'800'000}, {"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1'000}, {"ms", 1}}};
// 100 years: nothing that is simulated or operated lasts longer, and sums of such stay inside int64.
constexpr std::int64_t kLongestMs = 36'525 * std::int64_t{86'400'000};

constexpr std::string_view kDuration = "a duration such as 250ms, 5s, 4m, 2h, 14d or 1h30m";

// What people write for the units.
std::string_view unit_meant(std::string_view word) {
  if (word == "min" || word == "mins" || word == "minute" || word == "minutes" || word == "M") return "m";
  if (word == "sec" || word == "secs" || word == "second" || word == "seconds" || word == "S") return "s";
  if (word == "hr" || word == "hrs" || word == "hour" || word == "hours" || word == "H") return "h";
  if (word == "day" || word == "days" || word == "D") return "d";
  if (word == "week" || word == "weeks" || word == "W") return "w";
  if (word == "msec" || word == "millis" || word == "milliseconds") return "ms";
  return {};
}

std::string_view take_letters(std::string_view& text) {
  std::size_t i = 0;
  while (i < text.size() && !is_digit(text[i]) && text[i] != '.') ++i;
  const std::string_view letters = text.substr(0, i);
  text.remove_prefix(i);
  return letters;
}

// A number that may carry a sign and an exponent, then blanks, then `unit`.
std::optional<double> number_before(std::string_view text, std::string_view unit) {
  if (!text.ends_with(unit)) return std::nullopt;
  text.remove_suffix(unit.size());
  return parse_number(trimmed_right(text));
}

// Days since 1970-01-01 of a date of the proleptic Gregorian calendar.
// Source: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", days_from_civil.
std::int64_t days_from_civil(std::int64_t year, int month, int day) {
  year -= month <= 2 ? 1 : 0;
  const std::int64_t era = (year >= 0 ? year : year - 399) / 400;
  const std::int64_t of_era = year - era * 400;
  const std::int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  return era * 146'097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719'468;
}

// Exactly `count` digits at the start of a text.
std::optional<int> take_digits(std::string_view& text, std::size_t count) {
  if (text.size() < count) return std::nullopt;
  int value = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (!is_digit(text[i])) return std::nullopt;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(count);
  return value;
}

bool take(std::string_view& text, char c) {
  if (text.empty() || text.front() != c) return false;
  text.remove_prefix(1);
  return true;
}

// "08:00", "08:00:30", "08:00:30.250" at the start of a text, in milliseconds.
std::optional<std::int64_t> take_clock(std::string_view& text) {
  const auto hour = take_digits(text, 2);
  if (!hour || *hour > 24 || !take(text, ':')) return std::nullopt;
  const auto minute = take_digits(text, 2);
  if (!minute || *minute > 59) return std::nullopt;
  std::int64_t ms = *hour * std::int64_t{3'600'000} + *minute * std::int64_t{60'000};
  if (take(text, ':')) {
    const auto second = take_digits(text, 2);
    if (!second || *second > 59) return std::nullopt;
    ms += *second * std::int64_t{1'000};
    if (take(text, '.')) {
      // A fraction of a second down to what int64 milliseconds hold; further digits must be zero.
      std::int64_t unit = 100;
      std::size_t digits = 0;
      while (!text.empty() && is_digit(text.front())) {
        if (unit == 0 && text.front() != '0') return std::nullopt;
        ms += unit * (text.front() - '0');
        unit /= 10;
        text.remove_prefix(1);
        ++digits;
      }
      if (digits == 0 || digits > 9) return std::nullopt;
    }
  }
  if (ms > 86'400'000) return std::nullopt;
  return ms;
}

}  // namespace

std::optional<double> parse_number(std::string_view text) {
  // from_chars also reads "inf", "nan" and "nan(...)": a number starts with a digit, a point or a minus.
  std::string_view digits = text;
  if (!digits.empty() && digits.front() == '-') digits.remove_prefix(1);
  if (digits.empty() || (!is_digit(digits.front()) && digits.front() != '.')) return std::nullopt;
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(value)) return std::nullopt;
  return value;
}

std::optional<std::int64_t> parse_integer(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return value;
}

std::optional<std::uint64_t> parse_unsigned(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return value;
}

Result<Milliseconds> parse_duration(std::string_view text) {
  std::string_view rest = text;
  std::int64_t total = 0;
  std::size_t next_unit = 0;  // the parts come in falling order of their units
  bool fraction = false;
  int parts = 0;
  if (rest.empty()) return expected(kDuration, text, {});
  if (rest.starts_with('-') && parse_duration(rest.substr(1)))
    return expected(kDuration, text, "it must not be negative");
  while (!rest.empty()) {
    const auto decimal = take_decimal(rest);
    if (!decimal) return expected(kDuration, text, {});
    const std::string_view letters = take_letters(rest);
    if (letters.empty()) {
      return expected(
          kDuration, text,
          fmt::format("write its unit: {0}s, {0}m or {0}h for seconds, minutes or hours", decimal->text));
    }
    std::size_t unit = next_unit;
    while (unit < kTimeUnits.size() && kTimeUnits[unit].name != letters) ++unit;
    if (unit == kTimeUnits.size()) {
      std::string_view word = letters;
      while (word.starts_with(' ')) word.remove_prefix(1);
      word = trimmed_right(word);
      const std::string_view meant = unit_meant(word).empty() ? word : unit_meant(word);
      for (const TimeUnit& known : kTimeUnits) {
        if (known.name == meant && parts == 0) {
          return expected(kDuration, text, fmt::format("write {}{}", decimal->text, meant));
        }
      }
      return expected(kDuration, text, parts > 0 ? "write the larger units first, each once: 1h30m" : "");
    }
    next_unit = unit + 1;
    fraction = fraction || decimal->digits > 0;
    ++parts;
    const auto ms = times(*decimal, kTimeUnits[unit].ms);
    if (!ms) {
      return expected("a duration of whole milliseconds, at most 100 years", text, {});
    }
    total += *ms;
    if (total > kLongestMs) return expected("a duration of at most 100 years", text, {});
  }
  if (fraction && parts > 1) {
    return expected(kDuration, text, "decimals only where there is one unit: 1.5h, or 1h30m");
  }
  return Milliseconds(total);
}

Result<Milliseconds> parse_signed_duration(std::string_view text) {
  const bool negative = text.starts_with('-');
  auto duration = parse_duration(negative || text.starts_with('+') ? text.substr(1) : text);
  if (!duration) return expected(kDuration, text, duration.error().faults.front().fix);
  return negative ? -*duration : *duration;
}

Result<Percent> parse_percent(std::string_view text) {
  if (const auto value = number_before(text, "%")) return Percent(*value);
  std::string fix;
  if (const auto value = parse_number(text)) {
    // 0.99 may be meant as a share of 1 or as less than one percent; the two differ by a hundred times.
    fix = *value > 0 && *value < 1
              ? fmt::format("write {}% for that share of all, or {}%", format_number(*value * 100), text)
              : fmt::format("write {}%", text);
  }
  return expected("a percentage such as 25%", text, std::move(fix));
}

Result<double> parse_ratio(std::string_view text) {
  if (const auto value = parse_number(text)) return *value;
  if (text.ends_with('%')) {
    // Shifting the decimal point in the text rounds once: 99.9% is the double nearest to 0.999, where
    // 99.9 / 100 is its neighbour.
    const std::string_view digits = trimmed_right(text.substr(0, text.size() - 1));
    if (parse_number(digits)) {
      const bool exponent = digits.find_first_of("eE") != std::string_view::npos;
      const auto value = exponent ? parse_number(digits) : parse_number(std::string(digits) + "e-2");
      if (value) return exponent ? *value / 100.0 : *value;
    }
  }
  return expected("a share such as 10% or 0.1", text, {});
}

Result<double> parse_share_of_minutes(std::string_view text) {
  constexpr std::string_view kExpected = "a share of the minutes such as \"99.9% of minutes\"";
  constexpr std::string_view kSuffix = "of minutes";
  if (text.ends_with(kSuffix)) {
    const std::string_view share = trimmed_right(text.substr(0, text.size() - kSuffix.size()));
    if (share.ends_with('%')) {
      const auto ratio = parse_ratio(share);
      if (ratio && *ratio >= 0 && *ratio <= 1) return *ratio;
    }
  }
  std::string fix;
  if (parse_percent(text)) fix = fmt::format("write {} of minutes", text);
  return expected(kExpected, text, std::move(fix));
}

Result<Rate> parse_rate(std::string_view text) {
  constexpr std::string_view kExpected = "a request rate such as 12.5 rps or 30000 rpm";
  std::optional<Rate> rate;
  for (const std::string_view unit : {"rps", "/s"}) {
    if (const auto value = number_before(text, unit)) rate = per_second(*value);
  }
  for (const std::string_view unit : {"rpm", "/min"}) {
    if (const auto value = number_before(text, unit)) rate = per_minute(*value);
  }
  if (rate && rate->value() < 0) return expected("a request rate of 0 or more", text, {});
  if (rate) return *rate;
  std::string fix;
  if (parse_number(text)) fix = fmt::format("write its unit: {0} rps or {0} rpm", text);
  return expected(kExpected, text, std::move(fix));
}

Result<UsdPerHour> parse_price(std::string_view text) {
  const auto value = number_before(text, "USD/h");
  if (value && *value >= 0) return UsdPerHour(*value);
  std::string fix;
  if (parse_number(text)) fix = fmt::format("write {} USD/h", text);
  return expected("a price such as 0.0104 USD/h", text, std::move(fix));
}

Result<Usd> parse_money(std::string_view text) {
  const auto value = number_before(text, "USD");
  if (value && *value >= 0) return Usd(*value);
  std::string fix;
  if (parse_number(text)) fix = fmt::format("write {} USD", text);
  return expected("an amount such as 200 USD", text, std::move(fix));
}

namespace {
struct ByteUnit {
  std::string_view name;
  std::int64_t bytes;
};
constexpr std::array<ByteUnit, 9> kByteUnits{{{"TiB", std::int64_t{1} << 40},
                                              {"TB", 1'000'000'000'000},
                                              {"GiB", std::int64_t{1} << 30},
                                              {"GB", 1'000'000'000},
                                              {"MiB", std::int64_t{1} << 20},
                                              {"MB", 1'000'000},
                                              {"KiB", std::int64_t{1} << 10},
                                              {"kB", 1'000},
                                              {"B", 1}}};
}  // namespace

Result<std::int64_t> parse_bytes(std::string_view text) {
  std::string_view rest = text;
  if (const auto decimal = take_decimal(rest)) {
    while (rest.starts_with(' ')) rest.remove_prefix(1);
    for (const ByteUnit& unit : kByteUnits) {
      if (rest != unit.name) continue;
      if (const auto bytes = times(*decimal, unit.bytes)) return *bytes;
      return expected("a size in whole bytes that fits 64 bits", text, {});
    }
    if (rest.empty()) {
      return expected("a size such as 256MiB or 1GB", text,
                      fmt::format("write its unit: {}MiB, say", decimal->text));
    }
  }
  return expected("a size such as 256MiB or 1GB", text, {});
}

Result<Milliseconds> parse_time_of_day(std::string_view text) {
  std::string_view rest = text;
  const auto ms = take_clock(rest);
  if (!ms || !rest.empty()) return expected("a time of day such as 08:00", text, {});
  return Milliseconds(*ms);
}

Result<Milliseconds> parse_instant(std::string_view text) {
  const auto fault = [&] { return expected("a date such as 2014-07-01 or 2014-07-01T08:00:00Z", text, {}); };
  std::string_view rest = text;
  const auto year = take_digits(rest, 4);
  if (!year || *year < 1970 || !take(rest, '-')) return fault();
  const auto month = take_digits(rest, 2);
  if (!month || *month < 1 || *month > 12 || !take(rest, '-')) return fault();
  const auto day = take_digits(rest, 2);
  const bool leap = (*year % 4 == 0 && *year % 100 != 0) || *year % 400 == 0;
  constexpr std::array<int, 12> kDays{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const int days = kDays[static_cast<std::size_t>(*month - 1)] + (leap && *month == 2 ? 1 : 0);
  if (!day || *day < 1 || *day > days) return fault();
  std::int64_t ms = days_from_civil(*year, *month, *day) * 86'400'000;
  if (rest.empty()) return Milliseconds(ms);
  if (!take(rest, 'T') && !take(rest, ' ')) return fault();
  const auto clock = take_clock(rest);
  if (!clock) return fault();
  ms += *clock;
  if (take(rest, 'Z') || rest.empty()) return rest.empty() ? Result<Milliseconds>(Milliseconds(ms)) : fault();
  const bool west = rest.front() == '-';
  if (!west && rest.front() != '+') return fault();
  rest.remove_prefix(1);
  const auto hours_off = take_digits(rest, 2);
  if (!hours_off || *hours_off > 14) return fault();
  take(rest, ':');
  const auto minutes_off = take_digits(rest, 2);
  if (!minutes_off || *minutes_off > 59 || !rest.empty()) return fault();
  const std::int64_t offset = *hours_off * std::int64_t{3'600'000} + *minutes_off * std::int64_t{60'000};
  return Milliseconds(west ? ms + offset : ms - offset);
}

std::string format_number(double value) {
  std::array<char, 400> text{};  // fixed notation of the largest double has 309 digits
  const double magnitude = std::fabs(value);
  const bool plain = magnitude == 0 || (magnitude >= 1e-7 && magnitude < 1e15);
  const auto result =
      plain ? std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed)
            : std::to_chars(text.data(), text.data() + text.size(), value);
  return std::string(text.data(), result.ptr);
}

std::string format_duration(Milliseconds duration) {
  std::int64_t ms = duration.count();
  if (ms == 0) return "0s";
  std::string text;
  if (ms < 0) {
    text = "-";
    ms = -ms;
  }
  if (ms % kTimeUnits[0].ms == 0) return text + fmt::format("{}w", ms / kTimeUnits[0].ms);
  for (std::size_t i = 1; i < kTimeUnits.size(); ++i) {
    if (ms >= kTimeUnits[i].ms) {
      text += fmt::format("{}{}", ms / kTimeUnits[i].ms, kTimeUnits[i].name);
      ms %= kTimeUnits[i].ms;
    }
  }
  return text;
}

std::optional<std::string> format_duration_in(Milliseconds duration, std::string_view unit) {
  for (const TimeUnit& known : kTimeUnits) {
    if (known.name != unit) continue;
    const bool negative = duration.count() < 0;
    const std::int64_t ms = negative ? -duration.count() : duration.count();
    std::int64_t whole = ms / known.ms;
    const std::int64_t rest = (ms % known.ms) * 1000;
    if (rest % known.ms != 0) return std::nullopt;
    std::string text = fmt::format("{}{}", negative ? "-" : "", whole);
    if (rest != 0) {
      std::string decimals = fmt::format("{:03}", rest / known.ms);
      while (decimals.back() == '0') decimals.pop_back();
      text += "." + decimals;
    }
    return text.append(unit);
  }
  return std::nullopt;
}

std::string format_percent(Percent value) { return format_number(value.value()) + "%"; }
std::string format_rate(Rate value) { return format_number(value.value()) + " rps"; }
std::string format_rate_per_minute(Rate value) { return format_number(value.value() * 60.0) + " rpm"; }
std::string format_price(UsdPerHour value) { return format_number(value.value()) + " USD/h"; }
std::string format_money(Usd value) { return format_number(value.value()) + " USD"; }

std::string format_bytes(std::int64_t value) {
  for (const ByteUnit& unit : kByteUnits) {
    if (value != 0 && value % unit.bytes == 0) return fmt::format("{}{}", value / unit.bytes, unit.name);
  }
  return fmt::format("{}B", value);
}

std::string format_instant(Milliseconds since_1970) {
  std::int64_t days = since_1970.count() / 86'400'000;
  std::int64_t ms = since_1970.count() % 86'400'000;
  if (ms < 0) {
    ms += 86'400'000;
    --days;
  }
  // Source: as above, civil_from_days.
  const std::int64_t shifted = days + 719'468;
  const std::int64_t era = (shifted >= 0 ? shifted : shifted - 146'096) / 146'097;
  const std::int64_t of_era = shifted - era * 146'097;
  const std::int64_t year_of_era = (of_era - of_era / 1460 + of_era / 36'524 - of_era / 146'096) / 365;
  const std::int64_t of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const std::int64_t month_from_march = (5 * of_year + 2) / 153;
  const std::int64_t day = of_year - (153 * month_from_march + 2) / 5 + 1;
  const std::int64_t month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
  const std::int64_t year = year_of_era + era * 400 + (month <= 2 ? 1 : 0);
  std::string text = fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", year, month, day, ms / 3'600'000,
                                 ms / 60'000 % 60, ms / 1000 % 60);
  if (ms % 1000 != 0) text += fmt::format(".{:03}", ms % 1000);
  return text + "Z";
}

std::string_view duration_unit(std::string_view text) {
  std::size_t i = text.size();
  while (i > 0 && text[i - 1] >= 'a' && text[i - 1] <= 'z') --i;
  for (const TimeUnit& unit : kTimeUnits) {
    if (text.substr(i) == unit.name) return unit.name;
  }
  return {};
}

Error at(const Place& place, Error error) {
  for (Fault& fault : error.faults) {
    if (fault.place == Place{}) fault.place = place;
  }
  return error;
}

std::string in_quotes(std::string_view text) {
  constexpr std::size_t kLongest = 60;  // a message stays on one line of a terminal
  std::string result = "\"";
  std::size_t length = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (length >= kLongest && (byte & 0xC0u) != 0x80u) return result + "...\"";
    if (byte == '\n') {
      result += "\\n";
    } else if (byte < 0x20 || byte == 0x7F) {
      result += fmt::format("\\x{:02X}", byte);
    } else {
      result += text[i];
    }
    ++length;
  }
  return result + "\"";
}

}  // namespace headroom::base
