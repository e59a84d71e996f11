#include "report/outcome_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string_view>
#include <vector>

#include "report/layout.hpp"
#include "report/per_tick.hpp"
#include "report/words.hpp"

namespace headroom::report {
namespace {

// What is at stake, by the aim of the search: money to pay and an objective to keep, or money to earn and
// minutes not to be down. Money is US dollars a month, risk is % of the minutes.
class Stake {
 public:
  explicit Stake(const tune::Outcome& outcome) : earns_(outcome.aim == "profit") {}

  const char* money_name() const { return earns_ ? "profit a month" : "cost a month"; }
  const char* risk_name() const { return earns_ ? "down" : "violated"; }
  const char* verb() const { return earns_ ? "earns" : "costs"; }
  bool earns() const { return earns_; }

  tune::Estimate money(const tune::Score& score) const {
    const tune::Estimate& usd = earns_ && score.profit_usd ? *score.profit_usd : score.cost_usd;
    return {month(usd.mean, score.duration), month(usd.low, score.duration), month(usd.high, score.duration)};
  }
  tune::Estimate risk(const tune::Score& score) const {
    if (!earns_) return at_least_zero(score.objective_violation_percent);
    const tune::Estimate& minutes = score.downtime_minutes;
    return at_least_zero({percent_of(minutes.mean, score.duration), percent_of(minutes.low, score.duration),
                          percent_of(minutes.high, score.duration)});
  }
  tune::Range money(const tune::Sensitivity& sensitivity, base::Milliseconds duration) const {
    const tune::Range& usd =
        earns_ && sensitivity.profit_usd ? *sensitivity.profit_usd : sensitivity.cost_usd;
    return {month(usd.low, duration), month(usd.high, duration)};
  }
  tune::Range risk(const tune::Sensitivity& sensitivity, base::Milliseconds duration) const {
    if (!earns_) return sensitivity.violation_percent;
    const tune::Range& minutes = sensitivity.downtime_minutes;
    return {percent_of(minutes.low, duration), percent_of(minutes.high, duration)};
  }

 private:
  static double month(double usd, base::Milliseconds duration) { return usd_per_month(usd, duration); }
  // An interval of a mean near zero may reach below it.
  static tune::Estimate at_least_zero(const tune::Estimate& value) {
    return {std::max(0.0, value.mean), std::max(0.0, value.low), std::max(0.0, value.high)};
  }

  bool earns_;
};

// "out.add 2, out.above 15".
std::string parameters_text(const tune::Parameters& parameters) {
  std::string text;
  for (const auto& [name, value] : parameters) {
    if (!text.empty()) text += ", ";
    text += name + " " + exact_text(value);
  }
  return text;
}

std::string search_text(const tune::Outcome& outcome, Timing timing) {
  std::string tried =
      fmt::format("{} policies tried on {}", number_text(static_cast<double>(outcome.evaluated), 0),
                  duration_text(outcome.rehearsal.requests_per_second.duration()));
  if (timing == Timing::shown && outcome.seconds > 0)
    tried += fmt::format(" in {} s", short_text(outcome.seconds));
  tried += fmt::format("; {} keep the objective", number_text(static_cast<double>(outcome.feasible), 0));
  if (outcome.invalid > 0) {
    tried += fmt::format("; {} more combinations are no valid policy",
                         number_text(static_cast<double>(outcome.invalid), 0));
  }
  std::string text = wrapped("  search:    ", tried);
  if (outcome.stopped_early) text += wrapped("  ", "STOPPED EARLY: this is the best of what was tried.");
  return text;
}

// The best of those that keep the objective on the unseen traffic and beat the winner's money by more than
// chance: the intervals do not touch. Null where there is none.
const tune::Contender* better_than_winner(const tune::Outcome& outcome, const Stake& stake) {
  const tune::Contender* best = nullptr;
  for (std::size_t i = 1; i < outcome.unseen.size(); ++i) {
    const tune::Contender& other = outcome.unseen[i];
    const tune::Estimate theirs = stake.money(other.score);
    const tune::Estimate winners = stake.money(outcome.unseen.front().score);
    const bool beats = stake.earns() ? theirs.low > winners.high : theirs.high < winners.low;
    if (!other.score.objective_met || !beats) continue;
    const auto first = [&](double a, double b) { return stake.earns() ? a > b : a < b; };
    if (best == nullptr || first(theirs.mean, stake.money(best->score).mean)) best = &other;
  }
  return best;
}

std::string rival_text(const tune::Outcome& outcome, const Stake& stake) {
  const tune::Contender* other = better_than_winner(outcome, stake);
  if (other == nullptr) return "";
  const tune::Score& winner = outcome.unseen.front().score;
  const std::string better = stake.earns() ? "MORE PROFITABLE" : "CHEAPER";
  const double risk = stake.risk(other->score).mean;
  const double winners_risk = stake.risk(winner).mean;
  const char* const safety = !winner.objective_met  ? ", AND KEEPS THE OBJECTIVE"
                             : risk <= winners_risk ? " AND SAFER"
                                                    : ", THOUGH NEARER TO THE LIMIT";
  return wrapped("  ", fmt::format("{} THAN THE {}{}: {}", better, outcome.found ? "WINNER" : "NEAREST MISS",
                                   safety, visible(other->name))) +
         wrapped("    ",
                 fmt::format("on unseen traffic {} a month against {}, {} {} of the minutes against "
                             "{}; its values stand below",
                             money_text(stake.money(other->score).mean), money_text(stake.money(winner).mean),
                             stake.risk_name(), percent_text(risk), percent_text(winners_risk)));
}

std::string winner_text(const tune::Outcome& outcome) {
  std::string text =
      outcome.found ? "  WINNER\n" : "  NO POLICY KEEPS THE OBJECTIVE: this is the nearest miss\n";
  int widest = 0;
  for (const auto& [name, value] : outcome.best.parameters) widest = std::max(widest, columns_of(name));
  for (const auto& [name, value] : outcome.best.parameters) {
    text += wrapped("    " + left(visible(name), widest) + "  ", exact_text(value));
  }
  if (!outcome.binding.empty()) text += wrapped("  ", outcome.binding);
  return text;
}

// "tuned costs $30.42 a month (33.3 %) less than present, which misses the objective."
std::string difference_text(const tune::Contender& tuned, const tune::Contender& other, const Stake& stake) {
  const double mine = stake.money(tuned.score).mean;
  const double theirs = stake.money(other.score).mean;
  std::string line;
  if (mine == theirs) {
    line = fmt::format("{} {} as much as {}", tuned.name, stake.verb(), other.name);
  } else {
    const std::string share = theirs > 0
                                  ? fmt::format(" ({})", percent_text(100 * std::abs(mine - theirs) / theirs))
                                  : std::string();
    line =
        fmt::format("{} {} {} a month{} {} than {}", tuned.name, stake.verb(),
                    money_text(std::abs(mine - theirs)), share, mine > theirs ? "more" : "less", other.name);
  }
  if (!other.score.objective_met && tuned.score.objective_met) line += ", which misses the objective";
  return line + ".";
}

std::string unseen_text(const tune::Outcome& outcome, const Stake& stake) {
  if (outcome.unseen.empty()) return "";
  std::string text = "\n" + wrapped("  ", fmt::format("ON UNSEEN TRAFFIC: {} (95 % intervals in the lines "
                                                      "below)",
                                                      outcome.unseen_description));
  constexpr int kName = 16;
  constexpr int kMoney = 22;
  constexpr int kRisk = 18;
  constexpr int kCpu = 9;
  const auto cells = [&](std::string_view name, std::string_view money, std::string_view risk,
                         std::string_view cpu, std::string_view verdict) {
    std::string line = "  " + left(cut(name, kName), kName) + right(money, kMoney) + right(risk, kRisk) +
                       right(cpu, kCpu) + (verdict.empty() ? "" : "   ") + std::string(verdict);
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + '\n';
  };
  cells("", stake.money_name(), stake.risk_name(), "CPU mean", "objective");
  for (const tune::Contender& contender : outcome.unseen) {
    const tune::Score& score = contender.score;
    const tune::Estimate money = stake.money(score);
    const tune::Estimate risk = stake.risk(score);
    cells(visible(contender.name), money_cell(money.mean), percent_text(risk.mean),
          percent_text(score.cpu_percent_mean.mean), score.objective_met ? "kept" : "MISSED");
    const std::string tries =
        contender.evaluated > 1
            ? fmt::format("  best of {}", number_text(static_cast<double>(contender.evaluated), 0))
            : std::string();
    const std::string money_range = interval_text(money.low, money.high, money_cell);
    const std::string risk_range = interval_text(risk.low, risk.high, short_text);
    if (!tries.empty() || !money_range.empty() || !risk_range.empty()) {
      cells(tries, money_range, risk_range, "", "");
    }
  }
  text += '\n';
  const tune::Contender& tuned = outcome.unseen.front();
  for (std::size_t i = 1; i < outcome.unseen.size(); ++i) {
    text += wrapped("  ", difference_text(tuned, outcome.unseen[i], stake));
  }
  for (const tune::Contender& contender : outcome.unseen) {
    if (contender.parameters.empty() || &contender == &tuned) continue;
    text += wrapped(fmt::format("  {}: ", cut(visible(contender.name), kName)),
                    parameters_text(contender.parameters));
  }
  return text;
}

std::string sensitivities_text(const tune::Outcome& outcome, const Stake& stake) {
  if (outcome.sensitivities.empty()) return "";
  constexpr int kParameter = 22;
  std::string text = fmt::format("\n  WHAT MATTERS, one parameter at a time: {} on the tuning traffic\n",
                                 stake.money_name());
  std::string idle;
  for (const tune::Sensitivity& sensitivity : outcome.sensitivities) {
    const std::string name = visible(sensitivity.parameter);
    if (!sensitivity.matters) {
      if (!idle.empty()) idle += ", ";
      idle += name;
      if (sensitivity.unchanged_low < sensitivity.unchanged_high) {
        idle += fmt::format(" ({} to {})", exact_text(sensitivity.unchanged_low),
                            exact_text(sensitivity.unchanged_high));
      }
      continue;
    }
    const base::Milliseconds duration = outcome.best.score.duration;
    const tune::Range money = stake.money(sensitivity, duration);
    const tune::Range risk = stake.risk(sensitivity, duration);
    text += wrapped(
        "    " + left(cut(name, kParameter), kParameter) + right(short_text(sensitivity.value), 8) + "   ",
        fmt::format("{}..{}, {} {}..{} %", money_cell(money.low), money_cell(money.high), stake.risk_name(),
                    short_text(risk.low), short_text(risk.high)));
    if (sensitivity.at_edge) {
      text += wrapped("      ", "stands at the end of its range: a wider one may hold a better policy");
    }
  }
  if (!idle.empty()) text += wrapped("  do not matter: ", idle);
  return text;
}

std::string variations_text(const tune::Outcome& outcome, const Stake& stake) {
  if (outcome.variations.empty()) return "";
  constexpr int kName = 22;
  std::string text =
      fmt::format("\n  IF THINGS TURN OUT OTHERWISE: {} on the tuning traffic\n", stake.money_name());
  text += "  " + left("", kName) + right("tuned", 14) + right(stake.risk_name(), 12) + right("present", 16) +
          right(stake.risk_name(), 12) + "\n";
  const auto money = [&](const tune::Score& score) { return right(money_cell(stake.money(score).mean), 14); };
  const auto risk = [&](const tune::Score& score) {
    return right(percent_text(stake.risk(score).mean) + (score.objective_met ? "  " : " !"), 14);
  };
  bool missed = false;
  for (const tune::Variation& variation : outcome.variations) {
    missed = missed || !variation.tuned.objective_met || !variation.present.objective_met;
    std::string line = "  " + left(cut(visible(variation.name), kName), kName) + money(variation.tuned) +
                       risk(variation.tuned) + money(variation.present) + risk(variation.present);
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + '\n';
  }
  if (missed) text += "  ! misses the objective\n";
  return text;
}

}  // namespace

std::string outcome_text(const tune::Outcome& outcome, const environment::Objective& objective,
                         Timing timing) {
  const Stake stake(outcome);
  const std::string_view aim = outcome.aim == "utilisation"
                                   ? "the highest mean utilisation that keeps the objective"
                               : stake.earns() ? "the most profitable policy"
                                               : "the cheapest policy that keeps the objective";
  const std::string promise = objective_text(objective);
  return heading(outcome.environment, outcome.service, aim) +
         (promise.empty() ? promise : wrapped("  objective: ", promise)) + search_text(outcome, timing) +
         rival_text(outcome, stake) + '\n' + winner_text(outcome) + unseen_text(outcome, stake) +
         sensitivities_text(outcome, stake) + variations_text(outcome, stake) + notes_text(outcome.notes);
}

}  // namespace headroom::report
