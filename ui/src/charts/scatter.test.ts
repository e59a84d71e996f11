import { describe, expect, it } from "vitest";
import { extent, roundSplits } from "./scatter";

describe("scatter axes", () => {
  it("splits at round numbers", () => {
    expect(roundSplits(0, 1, 5)).toEqual([0, 0.2, 0.4, 0.6, 0.8, 1]);
    expect(roundSplits(23, 47, 5)).toEqual([25, 30, 35, 40, 45]);
    expect(roundSplits(5, 5, 5)).toEqual([5]);
  });

  it("leaves room around the points, even around one", () => {
    expect(extent([0, 10], 0.1)).toEqual([-1, 11]);
    expect(extent([10], 0.1)).toEqual([9, 11]);
    expect(extent([], 0.1)).toEqual([0, 1]);
    expect(extent([NaN, Infinity, 4], 0.1)).toEqual([3.5, 4.5]);
  });
});
