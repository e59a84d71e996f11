#include "policy/reasons.hpp"

#include <array>

namespace headroom::policy {
namespace {

struct Words {
  std::string_view name;
  std::string_view sentence;
};

constexpr std::array<Words, kReasonCount> kWords{{
    {"above_threshold", "above the threshold"},
    {"below_threshold", "below the threshold"},
    {"within_band", "within the band"},
    {"missing_metric", "the metric is missing"},
    {"not_enough_datapoints", "breached in too few periods yet"},
    {"cooldown", "held by the cooldown"},
    {"in_progress", "held while instances are starting"},
    {"stabilised", "held by the stabilisation window"},
    {"scale_in_disabled", "scale-in is disabled"},
    {"schedule", "asked for by the schedule"},
    {"step_limit", "bounded by the limit per decision"},
    {"rate_limit", "bounded by the rate limit"},
    {"at_max", "bounded by max"},
    {"at_min", "bounded by min"},
    {"not_due", "between evaluations"},
    {"newest_unmeasured", "held until the newest instance is measured"},
    {"standing_order", "ordered at every evaluation"},
}};

}  // namespace

std::string_view name(Reason reason) {
  for (std::size_t i = 0; i < kWords.size(); ++i) {
    if (static_cast<std::uint32_t>(reason) == (1u << i)) return kWords[i].name;
  }
  return "unknown";
}

std::vector<std::string_view> names(Reasons reasons) {
  std::vector<std::string_view> found;
  for (std::size_t i = 0; i < kWords.size(); ++i) {
    if ((reasons.bits & (1u << i)) != 0) found.push_back(kWords[i].name);
  }
  return found;
}

std::string sentence(Reasons reasons) {
  std::string text;
  for (std::size_t i = 0; i < kWords.size(); ++i) {
    if ((reasons.bits & (1u << i)) == 0) continue;
    if (!text.empty()) text += "; ";
    text += kWords[i].sentence;
  }
  return text;
}

}  // namespace headroom::policy
