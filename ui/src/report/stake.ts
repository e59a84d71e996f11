// What is at stake, by the aim of the search: money to pay and an objective to keep, or money to earn and minutes
// not to be down. Money is US dollars a month, risk is % of the minutes.

import type { Outcome, Score } from "./model";

export interface Range {
  low: number;
  high: number;
}

export interface Stake {
  earns: boolean;
  money: string;
  verb: string;
  risk: string;
  moneyOf(score: Score): number;
  moneyRange(score: Score): Range;
  riskOf(score: Score): number;
  riskRange(score: Score): Range;
  moneySeen(row: Outcome["sensitivities"][number]): Range;
  riskSeen(row: Outcome["sensitivities"][number]): Range;
  // Less than nothing: the first is better.
  byMoney(one: Score, other: Score): number;
}

// The interval of a total in the unit of its mean.
function scaled(mean: number, total: number, low: number, high: number): Range {
  const scale = total === 0 ? 0 : mean / total;
  return { low: low * scale, high: high * scale };
}

const cost: Stake = {
  earns: false,
  money: "cost",
  verb: "costs",
  risk: "violated",
  moneyOf: (score) => score.cost_usd_per_month,
  moneyRange: (score) => scaled(score.cost_usd_per_month, score.cost_usd, score.cost_usd_low, score.cost_usd_high),
  riskOf: (score) => Math.max(0, score.objective_violation_percent),
  riskRange: (score) => ({ low: Math.max(0, score.objective_violation_percent_low), high: Math.max(0, score.objective_violation_percent_high) }),
  moneySeen: (row) => ({ low: row.cost_usd_per_month_low, high: row.cost_usd_per_month_high }),
  riskSeen: (row) => ({ low: row.objective_violation_percent_low, high: row.objective_violation_percent_high }),
  byMoney: (one, other) => one.cost_usd_per_month - other.cost_usd_per_month,
};

const profitOf = (score: Score): number => score.profit_usd_per_month ?? NaN;

const profit: Stake = {
  earns: true,
  money: "profit",
  verb: "earns",
  risk: "down",
  moneyOf: profitOf,
  moneyRange: (score) => scaled(profitOf(score), score.profit_usd ?? NaN, score.profit_usd_low ?? NaN, score.profit_usd_high ?? NaN),
  riskOf: (score) => Math.max(0, score.downtime_percent),
  riskRange: (score) => {
    const { low, high } = scaled(score.downtime_percent, score.downtime_minutes, score.downtime_minutes_low, score.downtime_minutes_high);
    return { low: Math.max(0, low), high: Math.max(0, high) };
  },
  moneySeen: (row) => ({ low: row.profit_usd_per_month_low ?? NaN, high: row.profit_usd_per_month_high ?? NaN }),
  riskSeen: (row) => ({ low: row.downtime_percent_low, high: row.downtime_percent_high }),
  byMoney: (one, other) => profitOf(other) - profitOf(one),
};

export function stakeOf(outcome: { aim: string }): Stake {
  return outcome.aim === "profit" ? profit : cost;
}
