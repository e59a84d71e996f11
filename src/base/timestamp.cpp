#include "base/timestamp.hpp"

#include <charconv>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>

namespace headroom::base {
namespace {

constexpr Milliseconds minutes_of(std::int64_t count) { return Milliseconds(count * 60'000); }
constexpr Milliseconds earliest{631'152'000'000};  // 1990-01-01
constexpr Milliseconds latest{4'102'444'800'000};  // 2100-01-01

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Takes characters from the front of a text.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : rest_(text) {}
  bool at_end() const { return rest_.empty(); }
  char peek() const { return rest_.empty() ? '\0' : rest_.front(); }
  std::string_view rest() const { return rest_; }

  bool take(char c) {
    if (peek() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  // Exactly `count` digits.
  std::optional<int> number(std::size_t count) {
    if (rest_.size() < count) return std::nullopt;
    int value = 0;
    for (std::size_t i = 0; i < count; ++i) {
      if (!is_digit(rest_[i])) return std::nullopt;
      value = value * 10 + (rest_[i] - '0');
    }
    rest_.remove_prefix(count);
    return value;
  }
  // The digits after a decimal point as milliseconds; further digits are dropped. Requires: a digit follows.
  int fraction() {
    int value = 0;
    int places = 0;
    for (; is_digit(peek()); rest_.remove_prefix(1)) {
      if (places < 3) value = value * 10 + (peek() - '0');
      ++places;
    }
    for (; places < 3; ++places) value *= 10;
    return value;
  }

 private:
  std::string_view rest_;
};

// Digits with at most one point, such as 1708117200 or 1708117200.250.
bool is_plain_number(std::string_view text) {
  bool point = false;
  for (const char c : text) {
    if (c == '.' && !point) {
      point = true;
    } else if (!is_digit(c)) {
      return false;
    }
  }
  return !text.empty() && is_digit(text.front());
}

tl::expected<Timestamp, std::string> in_range(Timestamp time) {
  if (time.at >= earliest && time.at < latest) return time;
  return tl::unexpected<std::string>("lies outside the years 1990 to 2099");
}

tl::expected<Timestamp, std::string> from_epoch(std::string_view text) {
  const std::size_t point = text.find('.');
  const std::string_view whole = text.substr(0, point);
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(whole.data(), whole.data() + whole.size(), value);
  if (error != std::errc() || end != whole.data() + whole.size()) {
    return tl::unexpected<std::string>("has too many digits for a time since 1970");
  }
  // 1990 to 2099 is 6.3e8 to 4.1e9 in seconds: the ranges of the four units do not touch.
  if (value < 100'000'000'000) {
    int fraction = 0;
    if (point != std::string_view::npos) fraction = Cursor(text.substr(point + 1)).fraction();
    return in_range({Milliseconds(value * 1000 + fraction), true});
  }
  if (value < 100'000'000'000'000) return in_range({Milliseconds(value), true});
  if (value < 100'000'000'000'000'000) return in_range({Milliseconds(value / 1000), true});
  return in_range({Milliseconds(value / 1'000'000), true});
}

}  // namespace

tl::expected<Timestamp, std::string> parse_timestamp(std::string_view text) {
  if (text.empty()) return tl::unexpected<std::string>("is empty");
  if (is_plain_number(text) && text.size() >= 5) return from_epoch(text);

  const auto unreadable = [] {
    return tl::unexpected<std::string>(
        "is not a time; expected such as 2024-02-16 21:00:00, 2024-02-16T21:00:00Z or seconds since 1970");
  };
  Cursor cursor(text);
  const auto year = cursor.number(4);
  const char dash = cursor.peek();
  if (!year || (dash != '-' && dash != '/')) return unreadable();
  cursor.take(dash);
  const auto month = cursor.number(2);
  if (!month || !cursor.take(dash)) return unreadable();
  const auto day = cursor.number(2);
  if (!day) return unreadable();
  const std::chrono::year_month_day date{std::chrono::year(*year),
                                         std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return tl::unexpected<std::string>("names a day that does not exist");
  Timestamp time;
  time.at = Milliseconds(std::chrono::sys_days(date).time_since_epoch());
  if (cursor.at_end()) return in_range(time);

  if (!cursor.take('T') && !cursor.take('t') && !cursor.take(' ')) return unreadable();
  const auto hour = cursor.number(2);
  if (!hour || !cursor.take(':')) return unreadable();
  const auto minute = cursor.number(2);
  if (!minute) return unreadable();
  int second = 0;
  int fraction = 0;
  if (cursor.take(':')) {
    const auto seconds = cursor.number(2);
    if (!seconds) return unreadable();
    second = *seconds;
    if (cursor.take('.') || cursor.take(',')) {
      if (!is_digit(cursor.peek())) return unreadable();
      fraction = cursor.fraction();
    }
  }
  if (*hour > 23 || *minute > 59 || second > 59) {
    return tl::unexpected<std::string>("names a time of day that does not exist");
  }
  time.at += minutes_of(*hour * 60 + *minute) + Milliseconds(second * 1000 + fraction);

  cursor.take(' ');
  if (cursor.rest() == "Z" || cursor.rest() == "z" || cursor.rest() == "UTC" || cursor.rest() == "GMT") {
    time.has_zone = true;
    return in_range(time);
  }
  if (cursor.at_end()) return in_range(time);
  const char sign = cursor.peek();
  if (sign != '+' && sign != '-') return unreadable();
  cursor.take(sign);
  const auto offset_hours = cursor.number(2);
  if (!offset_hours) return unreadable();
  int offset_minutes = 0;
  if (!cursor.at_end()) {
    cursor.take(':');
    const auto minutes = cursor.number(2);
    if (!minutes || !cursor.at_end()) return unreadable();
    offset_minutes = *minutes;
  }
  if (*offset_hours > 14 || offset_minutes > 59) {
    return tl::unexpected<std::string>("has an offset from UTC that no zone uses");
  }
  const Milliseconds offset = minutes_of(*offset_hours * 60 + offset_minutes);
  time.at += sign == '+' ? -offset : offset;
  time.has_zone = true;
  return in_range(time);
}

std::optional<Distance> most_frequent_distance(const std::vector<Milliseconds>& times) {
  std::map<Milliseconds, std::size_t> counts;
  for (std::size_t i = 1; i < times.size(); ++i) ++counts[times[i] - times[i - 1]];
  std::optional<Distance> usual;
  for (const auto& [length, count] : counts) {
    if (!usual || count > usual->times) usual = Distance{length, count};
  }
  return usual;
}

}  // namespace headroom::base
