import { describe, expect, it } from "vitest";
import { decisionAt, decisionWords, reasonText } from "./decisions";
import { type Decisions, cumulativeCost, desiredPerTick } from "./model";
import { monthly, violationSentence } from "./rehearsal";
import { perInstance } from "./timeline";
import { comparedText, parameterText } from "./tune";

const ints = (...values: number[]): Int32Array => Int32Array.from(values);

describe("what is derived per tick", () => {
  it("holds the desired number of the last decision", () => {
    const decisions = { tick: ints(1, 3), desired: ints(4, 2) };
    // Before the first decision: in service and launching.
    expect([...desiredPerTick(decisions, ints(2, 2, 3, 4, 2), ints(1, 2, 1, 0, 0))]).toEqual([3, 4, 4, 2, 2]);
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
    evaluated: 2, count: 2, tick: ints(0, 5), cpuSeen: Float64Array.from([NaN, 71.25]), requestsSeen: Float64Array.from([1, 2]),
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
    expect([0, 4, 5, 99].map((tick) => decisionAt(decisions, tick))).toEqual([0, 0, 1, 1]);
    expect(decisionAt({ tick: ints(3) }, 2)).toBe(-1);
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

  it("lists parameters", () => {
    expect(parameterText({ "out.add": 2, "out.above": 15 })).toBe("out.add 2 · out.above 15");
  });
});
