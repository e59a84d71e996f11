// An axis of powers of ten: its values are logarithms, its labels what they stand for.

import { axisText } from "./figures";

const WITHIN = [1, 2, 5].map((factor) => Math.log10(factor));

// At most about `count` of them within [min, max], all whole powers or 1, 2 and 5 of each.
export function powerSplits(min: number, max: number, count: number): number[] {
  const within = (value: number): boolean => value >= min - 1e-9 && value <= max + 1e-9;
  const first = Math.floor(min);
  const powers = Math.ceil(max) - first + 1;
  const fine = Array.from({ length: powers }, (_, k) => WITHIN.map((part) => first + k + part)).flat().filter(within);
  if (fine.length <= count) return fine;
  const step = Math.max(1, Math.ceil(powers / count));
  return Array.from({ length: powers }, (_, k) => first + k).filter((power) => within(power) && (power - first) % step === 0);
}

export function powerText(power: number): string {
  return axisText(Number((10 ** power).toPrecision(3)));
}
