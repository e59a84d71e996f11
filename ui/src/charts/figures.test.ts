import { describe, expect, it } from "vitest";
import { axisText, moneyText, numberText, shortText } from "./figures";

describe("figures", () => {
  it("groups thousands and never writes minus zero", () => {
    expect(numberText(1234567.891, 2)).toBe("1,234,567.89");
    expect(numberText(-0.001, 1)).toBe("0.0");
    expect(numberText(-1234, 0)).toBe("−1,234");
    expect(numberText(NaN, 0)).toBe("–");
  });

  it("keeps about three digits", () => {
    expect([0, 0.012345, 4.567, 12, 45.12, 99.96, 1234.5].map(shortText)).toEqual(["0", "0.0123", "4.57", "12", "45.1", "100", "1,235"]);
  });

  it("shows cents, and fractions of a cent below a dollar", () => {
    expect([0, 0.05512, 512.345, 12345.6, -2].map(moneyText)).toEqual(["$0.00", "$0.0551", "$512.35", "$12,346", "−$2.00"]);
  });

  it("shortens axes", () => {
    expect([0, 250, 0.1 + 0.2, 15_000, 3_000_000].map(axisText)).toEqual(["0", "250", "0.3", "15k", "3M"]);
  });
});
