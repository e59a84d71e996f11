// The input of the page of a load test, as src/report/load_page.cpp writes it, and its series decoded.

import { type PackedNumbers, unpackNumbers } from "../charts/columns";
import type { Grid } from "../charts/strip";

// docs/reference/json.md states these names.
export interface Latency {
  mean_ms: number | null;
  p50_ms: number | null;
  p90_ms: number | null;
  p95_ms: number | null;
  p99_ms: number | null;
  p99_9_ms: number | null;
  max_ms: number | null;
}

export interface Tally {
  requests: number;
  answered_requests: number;
  failed_requests: number;
  failed_percent: number | null;
  body_bytes: number;
  statuses: { status: number; requests: number }[];
  without_answer: { outcome: string; requests: number }[];
  from_schedule: Latency;
  from_sending: Latency;
}

export interface Threshold {
  fail_if: string;
  value_ms?: number | null;
  value_percent?: number | null;
  value_requests_per_second?: number | null;
  failed: boolean;
}

export interface LoadResult {
  name: string;
  url: string;
  traffic: "open" | "closed";
  seed: number;
  start_utc: string;
  duration_seconds: number;
  shards: number[];
  shards_of: number;
  stopped_early: boolean;
  summary: Tally & { answered_per_second: number; interrupted_requests: number; first_fault: string };
  stages: (Tally & { name: string })[];
  each_request: (Tally & { name: string })[];
  generator: {
    threads: number;
    cpu_seconds: number;
    cpu_percent: number;
    late_p99_ms: number | null;
    late_max_ms: number | null;
    late_requests: number;
    late_percent: number | null;
    connections: number;
    retried_requests: number;
  };
  thresholds: Threshold[];
  warnings: string[];
  notes: string[];
}

interface PackedLatencies {
  p50: PackedNumbers;
  p95: PackedNumbers;
  p99: PackedNumbers;
  max: PackedNumbers;
}

export interface LoadModel {
  format: number;
  kind: "load";
  result: LoadResult;
  missing_shards: number[];
  latency_limits: { text: string; ms: number; from_sending: boolean }[];
  seconds: number;
  due: PackedNumbers;
  sent: PackedNumbers;
  answered: PackedNumbers;
  failed: PackedNumbers;
  under_way_max: PackedNumbers;
  log10_ms_from_schedule: PackedLatencies;
  log10_ms_from_sending: PackedLatencies;
  generator_percent: PackedNumbers;
  failures: { name: string; per_second: PackedNumbers }[];
}

// Logarithms to the base of ten of milliseconds.
export interface Latencies {
  p50: Float64Array;
  p95: Float64Array;
  p99: Float64Array;
  max: Float64Array;
}

export interface LoadSeries {
  grid: Grid;
  due: Float64Array;
  sent: Float64Array;
  answered: Float64Array;
  failed: Float64Array;
  underWay: Float64Array;
  fromSchedule: Latencies;
  fromSending: Latencies;
  generatorPercent: Float64Array;
  failures: { name: string; perSecond: Float64Array }[];
}

export function unpackLoad(model: LoadModel): LoadSeries {
  const count = model.seconds;
  const numbers = (packed: PackedNumbers): Float64Array => unpackNumbers(packed, count);
  const latencies = (packed: PackedLatencies): Latencies => ({
    p50: numbers(packed.p50),
    p95: numbers(packed.p95),
    p99: numbers(packed.p99),
    max: numbers(packed.max),
  });
  return {
    grid: { start: 0, tick: 1, count, calendar: false },
    due: numbers(model.due),
    sent: numbers(model.sent),
    answered: numbers(model.answered),
    failed: numbers(model.failed),
    underWay: numbers(model.under_way_max),
    fromSchedule: latencies(model.log10_ms_from_schedule),
    fromSending: latencies(model.log10_ms_from_sending),
    generatorPercent: numbers(model.generator_percent),
    failures: model.failures.map(({ name, per_second }) => ({ name, perSecond: numbers(per_second) })),
  };
}
