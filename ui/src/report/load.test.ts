import { describe, expect, it } from "vitest";
import { powerSplits, powerText } from "../charts/powers";
import { highestAt, sums, valueText } from "./load";

describe("the page of a load test", () => {
  it("says what was measured for a threshold in its unit", () => {
    expect(valueText({ fail_if: "p99 > 1s", value_ms: 812.4, failed: false })).toBe("812 ms");
    expect(valueText({ fail_if: "errors > 1%", value_percent: 0, failed: false })).toBe("0 %");
    expect(valueText({ fail_if: "rate < 1 rps", value_requests_per_second: 99.5, failed: false })).toBe("99.5 rps");
    expect(valueText({ fail_if: "p99 > 1s", value_ms: null, failed: true })).toBe("nothing measured");
  });

  it("finds the highest value among missing ones", () => {
    expect(highestAt([NaN, 3, NaN, 7, 1])).toBe(3);
    expect(highestAt([NaN])).toBe(-1);
  });

  it("stands areas on each other", () => {
    expect(sums([Float64Array.from([1, 2]), Float64Array.from([3, 0])]).map((one) => [...one])).toEqual([[1, 2], [4, 2]]);
  });
});

describe("an axis of powers of ten", () => {
  it("has 1, 2 and 5 of each power where there is room", () => {
    // 10 to 100: 10, 20, 50, 100.
    expect(powerSplits(1, 2, 8).map(powerText)).toEqual(["10", "20", "50", "100"]);
  });

  it("has whole powers, or every second of them, where there is not", () => {
    expect(powerSplits(0, 4, 5).map(powerText)).toEqual(["1", "10", "100", "1000", "10k"]);
    expect(powerSplits(-2, 4, 4).map(powerText)).toEqual(["0.01", "1", "100", "10k"]);
  });
});
