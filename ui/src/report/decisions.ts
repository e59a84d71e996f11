// A decision in words: what was seen, what was asked for, what bounded it, what was done, and why.

import { upperBound } from "../charts/decimate";
import { shortText } from "../charts/figures";
import type { Decisions } from "./model";

export function reasonText(bits: number, reasons: readonly string[]): string {
  return reasons.filter((_, bit) => (bits & (1 << bit)) !== 0).join("; ");
}

// The decisions of each group: positions in `decisions`, and their ticks.
export interface GroupDecisions {
  name: string; // empty: the whole fleet is one
  positions: Int32Array;
  tick: Int32Array;
}

export function byGroup(decisions: Pick<Decisions, "tick" | "group">, groups: readonly string[]): GroupDecisions[] {
  const names = groups.length > 0 ? groups : [""];
  return names.map((name, group) => {
    const positions: number[] = [];
    decisions.group.forEach((of, k) => {
      if (of === group) positions.push(k);
    });
    return { name, positions: Int32Array.from(positions), tick: Int32Array.from(positions, (k) => decisions.tick[k]!) };
  });
}

// The position of a group's decision in force at a tick; -1 before the first.
export function decisionAt(group: GroupDecisions, tick: number): number {
  const at = upperBound(group.tick, tick) - 1;
  return at < 0 ? -1 : group.positions[at]!;
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
