import { describe, expect, it } from "vitest";
import { DAY, HOUR, MINUTE, WEEK, momentText, spanText, splitLabel, timeSplits, timeStep } from "./time";

// 2014-11-02 01:05 UTC, the hour that New York's clocks repeat; `date -u -d '2014-11-02 01:05' +%s`.
const MOMENT = 1414890300;

describe("time axis", () => {
  it("chooses the smallest step that leaves room for the labels", () => {
    expect(timeStep(HOUR, 12)).toBe(5 * MINUTE);
    expect(timeStep(8 * WEEK, 10)).toBe(WEEK);
    expect(timeStep(300 * WEEK, 2)).toBe(52 * WEEK);
  });

  it("begins weeks on Mondays where there is a calendar", () => {
    for (const split of timeSplits(MOMENT, MOMENT + 4 * WEEK, WEEK, true)) expect(new Date(split * 1000).getUTCDay()).toBe(1);
  });

  it("counts from the start where there is none", () => {
    expect(timeSplits(0, 3 * HOUR, HOUR, false)).toEqual([0, HOUR, 2 * HOUR, 3 * HOUR]);
    expect(splitLabel(90 * MINUTE, 30 * MINUTE, false)).toBe("1 h 30 min");
    expect(splitLabel(0, HOUR, false)).toBe("0");
  });

  it("labels midnight with its day, in UTC", () => {
    const midnight = MOMENT - 65 * MINUTE;
    expect(splitLabel(midnight, HOUR, true)).toBe("Sun 2 Nov");
    expect(splitLabel(midnight, WEEK, true)).toBe("2 Nov");
    expect(splitLabel(MOMENT, 5 * MINUTE, true)).toBe("01:05");
  });

  it("says moments in full and names UTC", () => {
    expect(momentText(MOMENT, true)).toBe("Sun 2 Nov 2014 01:05 UTC");
    expect(momentText(DAY + 2 * HOUR + 5 * MINUTE, false)).toBe("1 d 2 h 5 min from the start");
    expect(momentText(0, false)).toBe("at the start");
  });

  it("says spans in their two largest units", () => {
    expect([spanText(8 * WEEK), spanText(WEEK), spanText(90 * MINUTE), spanText(0.25), spanText(0)]).toEqual(["8 weeks", "1 week", "1 h 30 min", "250 ms", "0 s"]);
  });
});
