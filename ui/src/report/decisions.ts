// A decision in words: what was seen, what was asked for, what bounded it, what was done, and why.

import { upperBound } from "../charts/decimate";
import { shortText } from "../charts/figures";
import type { Decisions } from "./model";

export function reasonText(bits: number, reasons: readonly string[]): string {
  return reasons.filter((_, bit) => (bits & (1 << bit)) !== 0).join("; ");
}

// The decision in force at a tick; -1 before the first.
export function decisionAt(decisions: Pick<Decisions, "tick">, tick: number): number {
  return upperBound(decisions.tick, tick) - 1;
}

export interface DecisionWords {
  done: string; // "added 4", "removed 1", "no change"
  why: string;
  detail: string; // "saw CPU 71.2 %; policy asked for 36, limits left 34"
}

export function decisionWords(decisions: Decisions, k: number, reasons: readonly string[], seesRequests: boolean): DecisionWords {
  const add = decisions.add[k]!;
  const remove = decisions.remove[k]!;
  const done = add > 0 && remove > 0 ? `added ${add}, removed ${remove}` : add > 0 ? `added ${add}` : remove > 0 ? `removed ${remove}` : "no change";
  const cpu = decisions.cpuSeen[k]!;
  const requests = decisions.requestsSeen[k]!;
  const saw = seesRequests
    ? Number.isNaN(requests) ? "saw no metric" : `saw ${shortText(requests)} req/s per instance`
    : Number.isNaN(cpu) ? "saw no metric" : `saw CPU ${shortText(cpu)} %`;
  const steps: string[] = [`policy asked for ${decisions.recommended[k]!}`];
  let before = decisions.recommended[k]!;
  for (const [value, name] of [
    [decisions.afterStep[k]!, "step limit"],
    [decisions.afterRate[k]!, "rate limit"],
    [decisions.desired[k]!, "min and max"],
  ] as const) {
    if (value !== before) steps.push(`${name} left ${value}`);
    before = value;
  }
  return { done, why: reasonText(decisions.reasons[k]!, reasons), detail: `${saw}; ${steps.join(", ")}` };
}
