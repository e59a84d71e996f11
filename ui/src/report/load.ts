// The page of a load test.

import { numberText, shortText } from "../charts/figures";
import { ZONE_INKS } from "../charts/palette";
import { Stack } from "../charts/stack";
import { type Layer, type Rule, Strip } from "../charts/strip";
import { momentText, spanText } from "../charts/time";
import { View } from "../charts/view";
import { type Tile, h, section, table, tiles, verdictSign } from "./elements";
import { type Latencies, type Latency, type LoadModel, type LoadResult, type LoadSeries, type Tally, type Threshold, unpackLoad } from "./load_model";
import { notesSection } from "./rehearsal";

const LIMIT_DASH = [8, 4];
const SENT_DASH = [3, 3];

const msText = (ms: number | null): string => (ms === null ? "–" : `${shortText(ms)} ms`);
const figure = (ms: number | null): string => (ms === null ? "–" : shortText(ms));
const percentText = (percent: number | null): string => (percent === null ? "–" : `${shortText(percent)} %`);

// "812 ms": what was measured for a threshold.
export function valueText(threshold: Threshold): string {
  if (threshold.value_ms != null) return msText(threshold.value_ms);
  if (threshold.value_percent != null) return percentText(threshold.value_percent);
  if (threshold.value_requests_per_second != null) return `${shortText(threshold.value_requests_per_second)} rps`;
  return "nothing measured";
}

// The moment of the highest value; -1 where there is none.
export function highestAt(values: ArrayLike<number>): number {
  let at = -1;
  for (let i = 0; i < values.length; i++) if (!Number.isNaN(values[i]!) && (at < 0 || values[i]! > values[at]!)) at = i;
  return at;
}

const highest = (values: ArrayLike<number>): number => (values.length === 0 ? NaN : (values[highestAt(values)] ?? NaN));

// The sums of the first one, the first two and so on.
export function sums(series: readonly Float64Array[]): Float64Array[] {
  const stacked: Float64Array[] = [];
  for (const one of series) {
    const below = stacked[stacked.length - 1];
    stacked.push(below ? one.map((value, i) => value + below[i]!) : one);
  }
  return stacked;
}

const fromPower = (power: number): number => 10 ** power;

function latencyReadout(latencies: Latencies, names: readonly (keyof Latencies)[]): (i: number) => string[] {
  return (i) => names.filter((name) => !Number.isNaN(latencies[name][i]!)).map((name) => `${name} ${shortText(fromPower(latencies[name][i]!))} ms`);
}

function charts(model: LoadModel, series: LoadSeries): { element: HTMLElement; start(): void } {
  const { grid } = series;
  const view = new View(0, grid.count, Math.min(8, grid.count));
  const strips: Strip[] = [];
  const add = (spec: ConstructorParameters<typeof Strip>[0]): void => void strips.push(new Strip(spec, grid, view));
  const rules = (fromSending: boolean): Rule[] =>
    model.latency_limits
      .filter((limit) => limit.from_sending === fromSending && limit.ms > 0)
      .map((limit) => ({ label: `fail if ${limit.text}`, value: Math.log10(limit.ms), ink: "objective", dash: LIMIT_DASH }));

  add({
    title: "Requests",
    unit: "per second",
    description: `up to ${shortText(highest(series.due))} due and ${shortText(highest(series.answered))} answered per second`,
    height: 170,
    layers: [
      { label: "due", ink: "traffic", values: series.due, banded: true, dash: SENT_DASH },
      { label: "answered", ink: "cpu", values: series.answered, banded: true },
      { label: "failed", ink: "objective", values: series.failed, banded: true },
    ],
    readout: (i) => [`${shortText(series.due[i]!)} due`, `${shortText(series.answered[i]!)} answered`, `${shortText(series.failed[i]!)} failed`],
  });

  const { fromSchedule, fromSending } = series;
  const percentiles = (latencies: Latencies): Layer[] => [
    { label: "max", ink: "draining", values: latencies.max, width: 1 },
    { label: "p99", ink: "objective", values: latencies.p99 },
    { label: "p95", ink: "cpu", values: latencies.p95 },
    { label: "p50", ink: "cost", values: latencies.p50 },
  ];
  add({
    title: "Latency from schedule",
    unit: "ms, from when a request was due; logarithmic",
    description: `99th percentile of a second up to ${shortText(fromPower(highest(fromSchedule.p99)))} ms`,
    height: 210,
    powersOfTen: true,
    layers: [...percentiles(fromSchedule), { label: "p99 from sending", ink: "compare", values: fromSending.p99, dash: SENT_DASH }],
    rules: rules(false),
    readout: latencyReadout(fromSchedule, ["p50", "p95", "p99", "max"]),
  });
  add({
    title: "Latency from sending",
    unit: "ms, from when a request was sent; logarithmic",
    description: `99th percentile of a second up to ${shortText(fromPower(highest(fromSending.p99)))} ms`,
    height: 170,
    powersOfTen: true,
    layers: percentiles(fromSending),
    rules: rules(true),
    readout: latencyReadout(fromSending, ["p50", "p95", "p99", "max"]),
  });

  if (series.failures.length > 0) {
    const { failures } = series;
    const stacked = sums(failures.map((one) => one.perSecond));
    add({
      title: "Failures",
      unit: "requests per second, by kind",
      description: failures.map((one) => `${one.name}: up to ${shortText(highest(one.perSecond))}`).join(", "),
      height: 120,
      layers: failures.map((one, k): Layer => ({ label: one.name, ink: ZONE_INKS[k % ZONE_INKS.length]!, values: stacked[k]!, filled: true })).reverse(),
      readout: (i) => failures.filter((one) => one.perSecond[i]! > 0).map((one) => `${shortText(one.perSecond[i]!)} ${one.name}`),
    });
  }
  add({
    title: "Under way",
    unit: "requests due and not ended, most of a second",
    description: `up to ${shortText(highest(series.underWay))}`,
    height: 110,
    layers: [{ label: "under way", ink: "traffic", values: series.underWay, banded: true }],
    readout: (i) => [shortText(series.underWay[i]!)],
  });
  add({
    title: "Generator",
    unit: "CPU, % of its threads",
    description: `up to ${shortText(highest(series.generatorPercent))} %`,
    height: 110,
    layers: [{ label: "CPU", ink: "cpu", values: series.generatorPercent, banded: true }],
    readout: (i) => [`${shortText(series.generatorPercent[i]!)} %`],
  });

  const readout = h("div", { class: "readout", "aria-live": "polite" });
  const describe = (): void => {
    const moment = view.cursor;
    readout.replaceChildren(
      h("span", { class: "readout-time" }, moment === null ? `${momentText(view.min, false)} – ${momentText(view.max, false)}` : momentText(Math.floor(moment), false)),
      h("span", { class: "readout-why" }, moment === null ? "Point at a chart to read it." : ""),
    );
  };
  view.onCursor(describe);
  view.onRange(describe);
  describe();
  const bad: number[] = [];
  for (let i = 0; i < grid.count; i++) if (series.failed[i]! > 0 && !(series.failed[i - 1]! > 0)) bad.push(i);
  const stack = new Stack(strips, view, grid.tick, [{ name: "failure", moments: bad, closeUp: 60 }], readout);
  return { element: stack.element, start: () => stack.start() };
}

function verdict(result: LoadResult): HTMLElement {
  const { thresholds } = result;
  if (thresholds.length === 0) {
    return h("div", { class: "verdict" }, h("div", {}, h("strong", {}, "No threshold is set"), h("p", {}, "Nothing was asked of the service: --fail-if sets a condition.")));
  }
  const failed = thresholds.filter((one) => one.failed);
  const kept = failed.length === 0;
  const sentence = kept ? `None of ${thresholds.length} conditions is true.` : failed.map((one) => `${one.fail_if}: ${valueText(one)}`).join("; ");
  return h(
    "div",
    { class: `verdict ${kept ? "kept" : "missed"}` },
    verdictSign(kept),
    h("div", {}, h("strong", {}, kept ? "Thresholds held" : failed.length === 1 ? "A threshold failed" : `${failed.length} thresholds failed`), h("p", {}, sentence)),
  );
}

const PERCENTILES = [["p50", "p50_ms"], ["p90", "p90_ms"], ["p95", "p95_ms"], ["p99", "p99_ms"], ["p99.9", "p99_9_ms"], ["max", "max_ms"], ["mean", "mean_ms"]] as const;

function latencySection(summary: Tally): HTMLElement {
  const row = (name: string, latency: Latency) => ({ cells: [name, ...PERCENTILES.map(([, key]) => figure(latency[key]))] });
  return section(
    "Latency",
    "In milliseconds. From schedule counts from when a request was due, and what had no answer with the time it was given; the difference to from sending is what requests waited before they were sent.",
    table(
      [{ title: "Counted" }, ...PERCENTILES.map(([title]) => ({ title, numeric: true }))],
      [row("from schedule", summary.from_schedule), row("from sending", summary.from_sending)],
      "Percentiles of latency",
    ),
  );
}

function groupsSection(title: string, groups: (Tally & { name: string })[]): HTMLElement | null {
  if (groups.length < 2) return null;
  const columns = ["Requests", "Failed", "p50", "p95", "p99", "p99 from sending"];
  return section(
    title,
    null,
    table(
      [{ title: title === "Stages" ? "Stage" : "Request" }, ...columns.map((name) => ({ title: name, numeric: true }))],
      groups.map((group) => ({
        cells: [
          group.name,
          numberText(group.requests, 0),
          group.failed_requests === 0 ? "0" : `${numberText(group.failed_requests, 0)} (${percentText(group.failed_percent)})`,
          msText(group.from_schedule.p50_ms),
          msText(group.from_schedule.p95_ms),
          msText(group.from_schedule.p99_ms),
          msText(group.from_sending.p99_ms),
        ],
      })),
      title,
    ),
  );
}

function answersSection(summary: Tally): HTMLElement {
  const share = (requests: number): string => (summary.requests > 0 ? percentText((100 * requests) / summary.requests) : "–");
  const rows = [
    ...summary.statuses.map((one) => ({ cells: [`status ${one.status}`, numberText(one.requests, 0), share(one.requests)] })),
    ...summary.without_answer.map((one) => ({ cells: [one.outcome.replaceAll("_", " "), numberText(one.requests, 0), share(one.requests)] })),
  ];
  return section("Answers", null, table([{ title: "What came" }, { title: "Requests", numeric: true }, { title: "Share", numeric: true }], rows, "Answers"));
}

function generatorSection(result: LoadResult): HTMLElement {
  const { generator } = result;
  const row = (name: string, value: string, more: string) => ({ cells: [name, value, more] });
  return section(
    "The generator itself",
    null,
    table(
      [{ title: "What" }, { title: "Value", numeric: true }, { title: "Meaning" }],
      [
        row("CPU", `${shortText(generator.cpu_percent)} %`, `of ${generator.threads === 1 ? "its thread" : `its ${generator.threads} threads`}; above 70 % it may have been the limit`),
        row("lateness, p99", msText(generator.late_p99_ms), "from when a request was due to when the generator turned to it"),
        row("lateness, most", msText(generator.late_max_ms), ""),
        row("late requests", numberText(generator.late_requests, 0), `by more than 10 ms: ${percentText(generator.late_percent)}`),
        row("connections", numberText(generator.connections, 0), "opened"),
        row("sent again", numberText(generator.retried_requests, 0), "for the server had closed an idle connection just then"),
      ],
      "The generator itself",
    ),
  );
}

export function loadPage(model: LoadModel): { element: DocumentFragment; start: () => void } {
  const { result } = model;
  const { summary, generator } = result;
  const page = document.createDocumentFragment();
  const shards = result.shards_of === 1 ? "" : model.missing_shards.length === 0 ? ` · all ${result.shards_of} shards` : ` · shard ${result.shards.join(", ")} of ${result.shards_of}`;
  page.append(
    h(
      "header",
      {},
      h("p", { class: "brand" }, "Headroom · load test"),
      h("h1", {}, result.name),
      h("p", { class: "span" }, `${result.traffic} traffic to ${result.url} · ${spanText(Math.round(result.duration_seconds * 10) / 10)} from ${result.start_utc} · seed ${result.seed}${shards}`),
    ),
    verdict(result),
  );
  const warnings = [...result.warnings];
  if (result.stopped_early) warnings.push(`The test was stopped early: ${numberText(summary.interrupted_requests, 0)} requests were under way and are not counted.`);
  if (model.missing_shards.length > 0) warnings.push(`This is a part of the traffic: shard ${result.shards.join(", ")} of ${result.shards_of}.`);
  for (const warning of warnings) page.append(h("p", { class: "warning" }, warning));
  const list: Tile[] = [
    { label: "Requests", value: numberText(summary.requests, 0) },
    { label: "Answered", value: `${shortText(summary.answered_per_second)} /s`, note: `${numberText(summary.answered_requests, 0)} in all` },
    { label: "Failed", value: percentText(summary.failed_percent), note: numberText(summary.failed_requests, 0) },
    { label: "p50 from schedule", value: msText(summary.from_schedule.p50_ms), note: `from sending ${msText(summary.from_sending.p50_ms)}` },
    { label: "p99 from schedule", value: msText(summary.from_schedule.p99_ms), note: `from sending ${msText(summary.from_sending.p99_ms)}` },
    { label: "Generator", value: `${shortText(generator.cpu_percent)} %`, note: "CPU of its threads" },
  ];
  page.append(tiles(list));
  const drawn = model.seconds > 0 ? charts(model, unpackLoad(model)) : null;
  if (drawn) page.append(drawn.element);
  if (result.thresholds.length > 0) {
    page.append(
      section(
        "Thresholds",
        "Each says when the test has failed.",
        table(
          [{ title: "Fail if" }, { title: "Measured", numeric: true }, { title: "" }],
          result.thresholds.map((one) => ({ cells: [one.fail_if, valueText(one), h("span", { class: one.failed ? "missed" : "kept" }, one.failed ? "✕ failed" : "✓ held")] })),
          "Thresholds",
        ),
      ),
    );
  }
  page.append(latencySection(summary), answersSection(summary));
  for (const part of [groupsSection("Stages", result.stages), groupsSection("Requests", result.each_request)]) if (part) page.append(part);
  page.append(generatorSection(result));
  if (summary.first_fault !== "") page.append(section("The first request without an answer", null, h("p", {}, summary.first_fault)));
  const notes = notesSection(result.notes);
  if (notes) page.append(notes);
  return { element: page, start: () => drawn?.start() };
}
