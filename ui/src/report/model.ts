// The page's input, as src/report/page.cpp writes it, and the runs decoded from it.

import { type PackedNumbers, unpackIntegers, unpackNumbers } from "../charts/columns";
import type { Grid } from "../charts/strip";

export interface Summary {
  cpu_percent_mean: number;
  cpu_percent_max: number;
  instances_max: number;
  instances_mean: number;
  instance_hours: number;
  launching_hours: number;
  draining_hours: number;
  cost_usd: number;
  cost_in_service_usd: number;
  cost_launching_usd: number;
  cost_draining_usd: number;
  objective_met: boolean;
  objective_violation_minutes: number;
  objective_violation_percent: number;
  scale_outs: number;
  scale_ins: number;
  minutes_at_max: number;
  minutes_at_min: number;
  p95_ms_max: number | null;
  // Where instances have identities.
  launches?: number;
  charged_hours?: number;
  warnings_at_max?: number;
}

export interface Instance {
  id: string;
  zone: string;
  launches: number;
  runtime_minutes: number;
  charged_hours: number;
  cost_usd: number;
}

// A rehearsed failure, over the ticks [from, to).
export interface Fault {
  from: number;
  to: number;
  kind: string;
  where: string;
}

// What happened and is no decision.
export interface Happening {
  tick: number;
  name: string;
  subject: string;
  why: string;
}

export type Parameters = Record<string, number>;

export interface Score {
  cost_usd: number;
  cost_usd_low: number;
  cost_usd_high: number;
  cost_usd_per_month: number;
  objective_violation_percent: number;
  objective_violation_percent_low: number;
  objective_violation_percent_high: number;
  cpu_percent_mean: number;
  cpu_percent_mean_low: number;
  cpu_percent_mean_high: number;
  cpu_percent_max: number;
  instance_hours: number;
  downtime_minutes: number;
  downtime_minutes_low: number;
  downtime_minutes_high: number;
  downtime_percent: number;
  profit_usd?: number; // where the objective states a profit
  profit_usd_low?: number;
  profit_usd_high?: number;
  profit_usd_per_month?: number;
  objective_met: boolean;
}

export interface Candidate {
  index: number;
  feasible: boolean;
  parameters: Parameters;
  score: Score;
}

export interface Outcome {
  aim: string;
  evaluated: number;
  feasible: number;
  invalid: number;
  stopped_early: boolean;
  found: boolean;
  best: { index: number; feasible_row: number | null; parameters: Parameters; summary: Summary; score: Score };
  front: Candidate[];
  unseen_description: string;
  unseen: { name: string; evaluated: number; parameters: Parameters; score: Score }[];
  binding: string;
  sensitivities: {
    parameter: string;
    value: number;
    unchanged_low: number;
    unchanged_high: number;
    searched: boolean;
    matters: boolean;
    at_edge: boolean;
    cost_usd_per_month_low: number;
    cost_usd_per_month_high: number;
    objective_violation_percent_low: number;
    objective_violation_percent_high: number;
    downtime_percent_low: number;
    downtime_percent_high: number;
    profit_usd_per_month_low?: number;
    profit_usd_per_month_high?: number;
  }[];
  variations: { name: string; tuned: Score; present: Score }[];
  notes: string[];
}

interface PackedDecisions {
  evaluated: number;
  count: number;
  tick: string;
  group?: string;
  cpu_percent_seen: PackedNumbers;
  requests_per_second_per_instance_seen: PackedNumbers;
  recommended: string;
  after_step: string;
  after_rate: string;
  desired: string;
  add: string;
  remove: string;
  policy: string;
  reasons: string;
}

export interface Threshold {
  metric: "cpu" | "requests";
  value: number;
  side: "out" | "in" | "target";
}

interface PackedRun {
  name: string;
  traffic_text: string;
  traffic: number;
  seed: number;
  summary: Summary;
  policies: string[];
  limits: { text: string; min: number; max: number };
  thresholds: Threshold[];
  cpu_percent: PackedNumbers;
  p95_ms: PackedNumbers;
  in_service: string;
  launching: string;
  draining: string;
  usd_per_in_service_hour: number;
  usd_per_launching_hour: number;
  usd_per_draining_hour: number;
  violation_count: number;
  violations: string;
  decisions: PackedDecisions;
  groups?: string[];
  zones?: { zone: string; in_service: string; launching: string; draining: string; stopped: string; failed: string }[];
  failed_requests_per_second?: PackedNumbers;
  faults?: Fault[];
  event_count?: number;
  events?: Happening[];
  instance_count?: number;
  instances?: Instance[];
  notes: string[];
}

interface PackedTraffic {
  start_ms: number;
  tick_ms: number;
  calendar: boolean;
  count: number;
  requests_per_second: PackedNumbers;
}

export interface PageModel {
  format: number;
  kind: "rehearsal" | "tune";
  environment: string;
  service: string;
  objective: {
    text: string;
    cpu_percent: number | null;
    p95_ms: number | null;
    violation_percent_allowed: number;
  };
  reasons: string[];
  runs: PackedRun[];
  traffics: PackedTraffic[];
  outcome: Outcome | null;
  sample?: {
    index: number;
    feasible: boolean;
    parameters: Parameters;
    cost_usd_per_month: number;
    objective_violation_percent: number;
    downtime_percent: number;
    cpu_percent_mean: number;
  }[];
}

export interface Decisions {
  evaluated: number;
  count: number;
  tick: Int32Array;
  group: Int32Array; // index into Run.groups; all 0 where the whole fleet is one
  cpuSeen: Float64Array;
  requestsSeen: Float64Array;
  recommended: Int32Array;
  afterStep: Int32Array;
  afterRate: Int32Array;
  desired: Int32Array;
  add: Int32Array;
  remove: Int32Array;
  policy: Int32Array;
  reasons: Int32Array;
}

export interface Zone {
  name: string;
  inService: Int32Array;
  launching: Int32Array;
  draining: Int32Array;
  stopped: Int32Array;
  failed: Int32Array;
}

export interface Run {
  name: string;
  trafficText: string;
  seed: number;
  grid: Grid;
  summary: Summary;
  policies: string[];
  limits: { text: string; min: number; max: number };
  thresholds: Threshold[];
  requestsPerSecond: Float64Array;
  cpuPercent: Float64Array;
  p95Ms: Float64Array | null;
  inService: Int32Array;
  launching: Int32Array;
  draining: Int32Array;
  desired: Int32Array;
  costUsd: Float64Array;
  violations: Int32Array;
  decisions: Decisions;
  groups: string[]; // that scale apart; empty: the whole fleet is one
  // Empty where the rehearsal knew counts only.
  zones: Zone[];
  failedRequests: Float64Array | null;
  faults: Fault[];
  events: Happening[]; // the first of them
  eventCount: number;
  instances: Instance[]; // the first of them
  instanceCount: number;
  notes: string[];
}

function unpackDecisions(packed: PackedDecisions): Decisions {
  const integers = (text: string): Int32Array => unpackIntegers(text, packed.count);
  return {
    evaluated: packed.evaluated,
    count: packed.count,
    tick: integers(packed.tick),
    group: packed.group === undefined ? new Int32Array(packed.count) : integers(packed.group),
    cpuSeen: unpackNumbers(packed.cpu_percent_seen, packed.count),
    requestsSeen: unpackNumbers(packed.requests_per_second_per_instance_seen, packed.count),
    recommended: integers(packed.recommended),
    afterStep: integers(packed.after_step),
    afterRate: integers(packed.after_rate),
    desired: integers(packed.desired),
    add: integers(packed.add),
    remove: integers(packed.remove),
    policy: integers(packed.policy),
    reasons: integers(packed.reasons),
  };
}

// Of the last decision at or before each tick; before the first, what was in service and launching. Of groups that
// scale apart it is the sum, from the tick on at which the last of them has decided.
export function desiredPerTick(
  decisions: Pick<Decisions, "tick" | "desired" | "group">,
  inService: Int32Array,
  launching: Int32Array,
  groups: number,
): Int32Array {
  const desired = new Int32Array(inService.length);
  const last: (number | undefined)[] = Array.from({ length: Math.max(1, groups) }, () => undefined);
  let undecided = last.length;
  let sum = 0;
  let next = 0;
  for (let i = 0; i < desired.length; i++) {
    for (; next < decisions.tick.length && decisions.tick[next]! <= i; next++) {
      const group = decisions.group[next]!;
      if (last[group] === undefined) undecided--;
      sum += decisions.desired[next]! - (last[group] ?? 0);
      last[group] = decisions.desired[next]!;
    }
    desired[i] = undecided === 0 ? sum : inService[i]! + launching[i]!;
  }
  return desired;
}

// The cost until the end of each tick.
export function cumulativeCost(
  counts: [Int32Array, number][], // instances in a state, and dollars per hour of it
  tickSeconds: number,
): Float64Array {
  const length = counts[0]?.[0].length ?? 0;
  const cost = new Float64Array(length);
  const ticks = counts.map(() => 0);
  for (let i = 0; i < length; i++) {
    let total = 0;
    counts.forEach(([instances, usdPerHour], k) => {
      ticks[k]! += instances[i]!;
      total += ticks[k]! * usdPerHour;
    });
    cost[i] = (total * tickSeconds) / 3600;
  }
  return cost;
}

export function unpackRun(model: PageModel, index: number): Run {
  const packed = model.runs[index]!;
  const traffic = model.traffics[packed.traffic]!;
  const count = traffic.count;
  const grid = { start: traffic.start_ms / 1000, tick: traffic.tick_ms / 1000, count, calendar: traffic.calendar };
  const inService = unpackIntegers(packed.in_service, count);
  const launching = unpackIntegers(packed.launching, count);
  const draining = unpackIntegers(packed.draining, count);
  const decisions = unpackDecisions(packed.decisions);
  return {
    name: packed.name,
    trafficText: packed.traffic_text,
    seed: packed.seed,
    grid,
    summary: packed.summary,
    policies: packed.policies,
    limits: packed.limits,
    thresholds: packed.thresholds,
    requestsPerSecond: unpackNumbers(traffic.requests_per_second, count),
    cpuPercent: unpackNumbers(packed.cpu_percent, count),
    p95Ms: packed.p95_ms.text === "" ? null : unpackNumbers(packed.p95_ms, count),
    inService,
    launching,
    draining,
    desired: desiredPerTick(decisions, inService, launching, packed.groups?.length ?? 1),
    costUsd: cumulativeCost(
      [
        [inService, packed.usd_per_in_service_hour],
        [launching, packed.usd_per_launching_hour],
        [draining, packed.usd_per_draining_hour],
      ],
      grid.tick,
    ),
    violations: unpackIntegers(packed.violations, 2 * packed.violation_count),
    decisions,
    groups: packed.groups ?? [],
    zones: (packed.zones ?? []).map((zone) => ({
      name: zone.zone,
      inService: unpackIntegers(zone.in_service, count),
      launching: unpackIntegers(zone.launching, count),
      draining: unpackIntegers(zone.draining, count),
      stopped: unpackIntegers(zone.stopped, count),
      failed: unpackIntegers(zone.failed, count),
    })),
    failedRequests: packed.failed_requests_per_second ? unpackNumbers(packed.failed_requests_per_second, count) : null,
    faults: packed.faults ?? [],
    events: packed.events ?? [],
    eventCount: packed.event_count ?? 0,
    instances: packed.instances ?? [],
    instanceCount: packed.instance_count ?? 0,
    notes: packed.notes,
  };
}
