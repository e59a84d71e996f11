// Quantities with their unit in the type: no conversion to or from a bare number but by name.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>

namespace headroom::base {

// Simulated and real time alike: a duration, and a point in time as the duration since 1970-01-01 UTC.
using Milliseconds = std::chrono::duration<std::int64_t, std::milli>;

// Of events within simulated or real traffic, since its start. Whole numbers: a time is never a sum of
// rounded steps.
using Nanoseconds = std::chrono::duration<std::int64_t, std::nano>;
inline constexpr Nanoseconds kNever = Nanoseconds::max();

template <class Unit>
class Quantity {
 public:
  constexpr Quantity() = default;
  constexpr explicit Quantity(double value) : value_(value) {}
  constexpr double value() const { return value_; }

  constexpr auto operator<=>(const Quantity&) const = default;
  friend constexpr Quantity operator+(Quantity a, Quantity b) { return Quantity(a.value_ + b.value_); }
  friend constexpr Quantity operator-(Quantity a, Quantity b) { return Quantity(a.value_ - b.value_); }
  friend constexpr Quantity operator*(Quantity a, double factor) { return Quantity(a.value_ * factor); }
  friend constexpr Quantity operator*(double factor, Quantity a) { return Quantity(a.value_ * factor); }
  friend constexpr double operator/(Quantity a, Quantity b) { return a.value_ / b.value_; }

 private:
  double value_ = 0;
};

using Rate = Quantity<struct RequestsPerSecond>;       // value() in requests per second
using Percent = Quantity<struct PercentUnit>;          // value() 25 means 25 %
using Cores = Quantity<struct CoresUnit>;              // value() in processor cores
using Usd = Quantity<struct UsDollars>;                // value() in US dollars
using UsdPerHour = Quantity<struct UsDollarsPerHour>;  // value() in US dollars per hour

constexpr Rate per_second(double requests) { return Rate(requests); }
constexpr Rate per_minute(double requests) { return Rate(requests / 60.0); }

constexpr double hours(Milliseconds duration) { return static_cast<double>(duration.count()) / 3'600'000.0; }
constexpr double seconds(Milliseconds duration) { return static_cast<double>(duration.count()) / 1000.0; }
constexpr double minutes(Milliseconds duration) { return static_cast<double>(duration.count()) / 60'000.0; }

}  // namespace headroom::base
