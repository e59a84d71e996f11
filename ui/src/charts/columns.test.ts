import { describe, expect, it } from "vitest";
import { unpackIntegers, unpackNumbers } from "./columns";

// src/report/columns_test.cpp writes the same texts: the two must stay alike.
describe("packed columns", () => {
  it("reads runs of equal differences", () => {
    // The worked example of src/report/columns.hpp: bytes 10 1, 0 2, 2 1.
    expect([...unpackIntegers("CgEAAgIB", 4)]).toEqual([5, 5, 5, 6]);
  });

  it("reads negative and long numbers", () => {
    // -1 is zigzag 1 (bytes 1 1), then 300 - -1 = 301 is zigzag 602 = 0b100_1011010 (bytes DA 04 01).
    expect([...unpackIntegers("AQHaBAE=", 2)]).toEqual([-1, 300]);
  });

  it("reads an empty column", () => {
    expect(unpackIntegers("", 0)).toHaveLength(0);
    expect(unpackNumbers({ scale: 1, text: "" }, 0)).toHaveLength(0);
  });

  it("reads scaled differences with gaps", () => {
    // 1.5, missing, 1.25 at scale 100: 150 is zigzag 300 + 1 = 301 (AD 02), 0 is missing (00), -25 is zigzag
    // 49 + 1 = 50 (32).
    expect([...unpackNumbers({ scale: 100, text: "rQIAMg==" }, 3)]).toEqual([1.5, NaN, 1.25]);
  });

  it("refuses a column of another length, and one that is cut", () => {
    expect(() => unpackIntegers("CgEAAgIB", 5)).toThrow(/holds 4 values, expected 5/);
    expect(() => unpackNumbers({ scale: 1, text: "rQ==" }, 1)).toThrow(/ends within a number/);
  });
});
