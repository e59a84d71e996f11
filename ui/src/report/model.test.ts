import { describe, expect, it } from "vitest";
import { byGroup, decisionAt, decisionWords, reasonText } from "./decisions";
import { type Decisions, type Score, cumulativeCost, desiredPerTick } from "./model";
import { monthly, violationSentence } from "./rehearsal";
import { eventText, faultText, perInstance, repeated, stacked, zoneText } from "./timeline";
import { stakeOf } from "./stake";
import { besidePresent, betterRivals, comparedText, parameterText, rivalSentence } from "./tune";

const ints = (...values: number[]): Int32Array => Int32Array.from(values);

describe("what is derived per tick", () => {
  it("holds the desired number of the last decision", () => {
    const decisions = { tick: ints(1, 3), desired: ints(4, 2), group: ints(0, 0) };
    // Before the first decision: in service and launching.
    expect([...desiredPerTick(decisions, ints(2, 2, 3, 4, 2), ints(1, 2, 1, 0, 0), 0)]).toEqual([3, 4, 4, 2, 2]);
  });

  it("adds up what groups desire once each has decided", () => {
    const decisions = { tick: ints(0, 2, 3), desired: ints(4, 2, 5), group: ints(0, 1, 0) };
    // Until tick 2 the second group has not decided: 3 in service. Then 4 + 2, then 5 + 2.
    expect([...desiredPerTick(decisions, ints(3, 3, 3, 3), ints(0, 0, 0, 0), 2)]).toEqual([3, 3, 6, 7]);
  });

  it("stands areas on each other", () => {
    expect(stacked([ints(1, 2), ints(0, 3), ints(5, 0)]).map((one) => [...one])).toEqual([[1, 2], [1, 5], [6, 5]]);
  });

  it("adds up cost over states", () => {
    // One instance at 6 $/h for a minute costs 0.1 $; two launching at 3 $/h another 0.1 $.
    const cost = cumulativeCost([[ints(1, 1), 6], [ints(0, 2), 3]], 60);
    expect(cost[0]).toBeCloseTo(0.1, 12);
    expect(cost[1]).toBeCloseTo(0.3, 12);
  });

  it("has no rate per instance where none is in service", () => {
    expect([...perInstance(Float64Array.from([10, 10]), ints(2, 0))]).toEqual([5, NaN]);
  });
});

describe("decisions in words", () => {
  const reasons = ["above the threshold", "below the threshold", "bounded by max"];
  const decisions: Decisions = {
    evaluated: 2, count: 2, tick: ints(0, 5), group: ints(0, 0), cpuSeen: Float64Array.from([NaN, 71.25]), requestsSeen: Float64Array.from([1, 2]),
    recommended: ints(3, 9), afterStep: ints(3, 9), afterRate: ints(3, 6), desired: ints(3, 5), add: ints(0, 2), remove: ints(0, 0),
    policy: ints(-1, 0), reasons: ints(0, 0b101),
  };

  it("names the reasons by their bits", () => {
    expect(reasonText(0b101, reasons)).toBe("above the threshold; bounded by max");
  });

  it("says what was seen, asked, bounded and done", () => {
    expect(decisionWords(decisions, 1, reasons, false)).toEqual({
      done: "added 2",
      why: "above the threshold; bounded by max",
      detail: "saw CPU 71.3 %; policy asked for 9, rate limit left 6, min and max left 5",
    });
    expect(decisionWords(decisions, 0, reasons, false)).toMatchObject({ done: "no change", detail: "saw no metric; policy asked for 3" });
  });

  it("finds the decision in force", () => {
    const [all] = byGroup(decisions, []);
    expect([0, 4, 5, 99].map((tick) => decisionAt(all!, tick))).toEqual([0, 0, 1, 1]);
    expect(decisionAt(byGroup({ tick: ints(3), group: ints(0) }, [])[0]!, 2)).toBe(-1);
  });

  it("finds that of each group", () => {
    const [a, b] = byGroup({ tick: ints(0, 0, 4), group: ints(0, 1, 1) }, ["a", "b"]);
    expect([a, b].map((group) => [group!.name, decisionAt(group!, 3), decisionAt(group!, 4)])).toEqual([["a", 0, 0], ["b", 1, 2]]);
  });
});

describe("sentences", () => {
  it("brings money to a month of 730 hours", () => {
    expect(monthly(1, 3600)).toBe(730);
  });

  it("compares money", () => {
    expect([comparedText(67, 100), comparedText(105, 100), comparedText(100, 100), comparedText(1, 0)]).toEqual(["33 % less", "5 % more", "the same", "–"]);
  });

  it("says how long the objective was violated, and how long it may be", () => {
    expect(violationSentence(0, 0, 0)).toBe("never violated");
    // 100 * (1 - 0.999) is 0.10000000000000009 in floating point.
    expect(violationSentence(12, 0.0149, 100 * (1 - 0.999))).toBe("violated for 12 min, 0.0149 % of the time; 0.1 % is allowed");
  });

  it("takes the same event again and again as one", () => {
    const refused = (tick: number, subject: string, why = "no capacity") => ({ tick, name: "order_refused", subject, why });
    const other = { tick: 3, name: "instance_failed", subject: "i-3", why: "it is gone" };
    const groups = repeated([refused(1, "t-1"), refused(2, "t-2"), other, refused(4, "t-3"), refused(5, "t-4", "throttled")]);
    expect(groups.map(({ event, count, last }) => [event.tick, count, last])).toEqual([[1, 2, 2], [3, 1, 3], [4, 1, 4], [5, 1, 5]]);
  });

  it("names faults, events and what a zone holds", () => {
    expect([faultText({ kind: "cut", where: "b" }), faultText({ kind: "metrics", where: "" })]).toEqual(["cut b", "metrics"]);
    expect(eventText({ name: "instance_failed", subject: "i-3" })).toBe("instance failed: i-3");
    expect(eventText({ name: "list_outdated", subject: "" })).toBe("list outdated");
    const zone = { name: "b", inService: ints(3), launching: ints(1), draining: ints(0), stopped: ints(2), failed: ints(0) };
    expect(zoneText(zone, 0)).toBe("b 3, 1 launching, 2 in the pool");
  });

  it("names rivals that beat the winner on unseen traffic", () => {
    const one = (name: string, cost: number, violated: number, met = true) => ({
      name, evaluated: 1, parameters: {}, score: { cost_usd_per_month: cost, objective_violation_percent: violated, objective_met: met } as Score,
    });
    const tuned = one("tuned", 100, 0.05);
    const stake = stakeOf({ aim: "cheapest" });
    expect(betterRivals([], stake)).toEqual([]);
    // Dearer, missing the objective, or the present settings: no rival to tell of.
    expect(betterRivals([tuned, one("present", 50, 0), one("dear", 120, 0), one("misses", 80, 3, false)], stake)).toEqual([]);
    const found = betterRivals([tuned, one("present", 50, 0), one("risky", 95, 0.08), one("target", 92, 0.01), one("same", 90, 0.05)], stake);
    expect(found).toEqual([
      { name: "same", money: "10 % less", risk: "as safe" },
      { name: "target", money: "8 % less", risk: "safer" },
      { name: "risky", money: "5 % less", risk: "less safe" },
    ]);
    expect(found.map((rival) => rivalSentence(rival, stake))).toEqual([
      "same costs 10 % less than the winner and violates the objective as little",
      "target costs 8 % less than the winner and violates the objective less",
      "risky costs 5 % less than the winner, though it violates the objective more",
    ]);
    // A winner that misses the objective is beaten by a cheaper miss too.
    expect(betterRivals([one("tuned", 100, 5, false), one("miss", 80, 6, false)], stake)).toHaveLength(1);
  });

  it("speaks of what is earned where profit is the aim", () => {
    const one = (name: string, earned: number, down: number) => ({
      name, evaluated: 1, parameters: {}, score: { cost_usd_per_month: 1, profit_usd_per_month: earned, downtime_percent: down, objective_met: true } as Score,
    });
    const stake = stakeOf({ aim: "profit" });
    const tuned = one("tuned", 100, 0.2);
    const rivals = betterRivals([tuned, one("present", 50, 1), one("less", 90, 0), one("more", 110, 0.4)], stake);
    expect(rivals).toEqual([{ name: "more", money: "10 % more", risk: "less safe" }]);
    expect(rivalSentence(rivals[0]!, stake)).toBe("more earns 10 % more than the winner, though it is down more");
    expect(besidePresent(tuned.score, one("present", 50, 1).score, stake)).toBe(", and earns 100 % more than the present settings");
    expect(besidePresent(tuned.score, tuned.score, stake)).toBe(", and earns the same as the present settings");
    expect(besidePresent(tuned.score, one("present", -50, 1).score, stake)).toBe("");
  });

  it("brings intervals to the unit of their mean", () => {
    const score = { profit_usd: 10, profit_usd_low: 8, profit_usd_high: 12, profit_usd_per_month: 100, downtime_minutes: 6, downtime_minutes_low: -3, downtime_minutes_high: 12, downtime_percent: 10 } as Score;
    const stake = stakeOf({ aim: "profit" });
    expect([stake.moneyRange(score), stake.riskRange(score)]).toEqual([{ low: 80, high: 120 }, { low: 0, high: 20 }]);
  });

  it("lists parameters", () => {
    expect(parameterText({ "out.add": 2, "out.above": 15 })).toBe("out.add 2 · out.above 15");
  });
});
