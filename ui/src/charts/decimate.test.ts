import { describe, expect, it } from "vitest";
import { decimate, sumEvents, upperBound } from "./decimate";

describe("decimate", () => {
  it("keeps every value where they fit, and holds the last to its end", () => {
    const drawn = decimate([Float64Array.from([3, 1, 2])], 0, 3, 10);
    expect(drawn).toMatchObject({ indices: [0, 1, 2, 3], values: [[3, 1, 2, 2]], bucket: 1 });
  });

  it("keeps the lowest and the highest of each bucket in the order they came", () => {
    // Twelve values in two buckets of six: 0..5 falls (highest first), 6..11 rises.
    const values = Float64Array.from([5, 4, 3, 2, 1, 0, 6, 7, 8, 9, 10, 11]);
    const drawn = decimate([values], 0, 12, 2);
    expect(drawn.bucket).toBe(6);
    expect(drawn.indices).toEqual([0, 3, 6, 9, 12]);
    expect(drawn.values).toEqual([[5, 0, 6, 11, 11]]);
    expect(drawn.low).toEqual([[0, 0, 6, 6, 6]]);
    expect(drawn.high).toEqual([[5, 5, 11, 11, 11]]);
    expect(drawn.mean).toEqual([[2.5, 2.5, 8.5, 8.5, 8.5]]);
  });

  it("loses no peak, however many values share a pixel", () => {
    const values = new Float64Array(160_000).fill(1);
    values[123_456] = 99;
    const drawn = decimate([values], 0, values.length, 900);
    expect(Math.max(...(drawn.values[0] as number[]))).toBe(99);
    expect(drawn.indices.length).toBeLessThanOrEqual(2 * 900 + 1);
  });

  it("begins buckets at the same places wherever the view begins", () => {
    const values = Float64Array.from({ length: 100 }, (_, i) => i);
    const inner = (from: number, to: number): number[] => decimate([values], from, to, 5).indices.filter((i) => i % 10 === 0 && i > from);
    expect(inner(3, 53)).toEqual([10, 20, 30, 40, 50]);
    expect(inner(7, 57)).toEqual([10, 20, 30, 40, 50]);
  });

  it("shows missing values as gaps", () => {
    expect(decimate([Float64Array.from([1, NaN, 3])], 0, 3, 10).values).toEqual([[1, null, 3, 3]]);
    expect(decimate([new Float64Array(30).fill(NaN)], 0, 30, 3).mean[0]).toEqual(new Array(7).fill(null));
  });

  it("draws nothing of an empty view", () => {
    expect(decimate([new Float64Array(5)], 3, 3, 10).indices).toEqual([]);
  });
});

describe("upperBound", () => {
  it("finds the first index beyond a value", () => {
    const sorted = [1, 3, 3, 8];
    expect([0, 1, 3, 7, 8].map((wanted) => upperBound(sorted, wanted))).toEqual([0, 1, 3, 3, 4]);
  });
});

describe("sumEvents", () => {
  it("sums what falls into one span, and keeps single ticks apart", () => {
    const ticks = Int32Array.from([1, 4, 11]);
    const up = Int32Array.from([2, 3, 0]);
    const down = Int32Array.from([0, 0, 1]);
    const summed = sumEvents(ticks, up, down, 10);
    expect([[...summed.first], [...summed.up], [...summed.down]]).toEqual([[0, 10], [5, 0], [0, 1]]);
    expect([...sumEvents(ticks, up, down, 1).first]).toEqual([1, 4, 11]);
  });
});
