// The page of one rehearsal.

import { moneyText, numberText, shortText } from "../charts/figures";
import { dayText, momentText, spanText } from "../charts/time";
import { type Tile, h, section, table, tiles, verdictSign } from "./elements";
import { type PageModel, type Run, unpackRun } from "./model";
import { eventText, faultText, repeated, timeline } from "./timeline";

// A month of money, as the price lists of the clouds have it (8,760 hours a year / 12).
export const HOURS_PER_MONTH = 730;

export function monthly(usd: number, seconds: number): number {
  return seconds > 0 ? (usd / (seconds / 3600)) * HOURS_PER_MONTH : NaN;
}

export function spanSentence(run: Run): string {
  const { grid } = run;
  const seconds = grid.count * grid.tick;
  const length = `${spanText(seconds)} in steps of ${spanText(grid.tick)}`;
  return grid.calendar ? `${dayText(grid.start)} to ${dayText(grid.start + seconds - 1)}, UTC · ${length}` : length;
}

export function violationSentence(violationMinutes: number, violationPercent: number, allowedPercent: number): string {
  if (violationMinutes === 0) return "never violated";
  const allowed = allowedPercent > 0 ? `; ${shortText(Number(allowedPercent.toPrecision(10)))} % is allowed` : "";
  return `violated for ${numberText(violationMinutes, Number.isInteger(violationMinutes) ? 0 : 1)} min, ${shortText(violationPercent)} % of the time${allowed}`;
}

export function policySection(runs: Run[]): HTMLElement {
  const list = runs.map((run) =>
    h(
      "div",
      { class: "policy" },
      runs.length > 1 ? h("h3", {}, run.name) : null,
      ...(run.policies.length > 0 ? run.policies.map((text) => h("p", {}, text)) : [h("p", { class: "muted" }, "The policies are not stated in this outcome.")]),
      run.policies.length > 0 ? h("p", { class: "muted" }, `Limits: ${run.limits.text}`) : null,
    ),
  );
  return section(runs.length > 1 ? "Policies" : "Policy", null, h("div", { class: "policies" }, ...list));
}

export function notesSection(notes: string[]): HTMLElement | null {
  const distinct = [...new Set(notes)];
  if (distinct.length === 0) return null;
  return section("Assumed, inferred and extrapolated", null, h("ul", { class: "notes" }, ...distinct.map((note) => h("li", {}, note))));
}

// Rehearsed failures and what happened, in the order of time.
export function happeningsSection(run: Run): HTMLElement | null {
  if (run.faults.length === 0 && run.events.length === 0) return null;
  const { grid } = run;
  const rows = [
    ...run.faults.map((fault) => ({
      tick: fault.from,
      cells: [`fault: ${faultText(fault)}`, `for ${spanText((fault.to - fault.from) * grid.tick)}`],
    })),
    ...repeated(run.events).map(({ event, count, last }) => ({
      tick: event.tick,
      cells: count === 1 ? [eventText(event), event.why]
        : [`${eventText({ ...event, subject: "" })}, ${count} times until ${momentText(grid.start + last * grid.tick, grid.calendar)}`, event.why],
    })),
  ].sort((a, b) => a.tick - b.tick);
  const missing = run.eventCount - run.events.length;
  return section(
    run.faults.length === 0 ? "Events" : run.events.length === 0 ? "Faults" : "Faults and events",
    missing > 0 ? `The first ${numberText(run.events.length, 0)} of ${numberText(run.eventCount, 0)} events; summary.json has all.` : null,
    table(
      [{ title: "When" }, { title: "What" }, { title: "Why" }],
      rows.map((row) => ({ cells: [momentText(grid.start + row.tick * grid.tick, grid.calendar), ...row.cells] })),
      "Faults and events in the order of time",
    ),
  );
}

// What became of each instance, and what it cost.
export function instancesSection(run: Run): HTMLElement | null {
  if (run.instances.length === 0) return null;
  const { instances, summary } = run;
  const zones = instances.some((one) => one.zone !== "");
  const columns = [{ title: "Instance" }, ...(zones ? [{ title: "Zone" }] : []), ...["Launches", "Runtime", "Charged", "Cost"].map((name) => ({ title: name, numeric: true }))];
  const minutes = (value: number): string => `${numberText(value, 1)} min`;
  const row = (name: string, zone: string, launches: number, runtime: string, hours: number, usd: number) => ({
    cells: [name, ...(zones ? [zone] : []), numberText(launches, 0), runtime, `${shortText(hours)} h`, moneyText(usd)],
  });
  const all = instances.length === run.instanceCount;
  return section(
    "What each instance cost",
    all ? null : `The first ${numberText(instances.length, 0)} of ${numberText(run.instanceCount, 0)}; summary.json has all.`,
    table(
      columns,
      [
        ...instances.map((one) => row(one.id, one.zone, one.launches, minutes(one.runtime_minutes), one.charged_hours, one.cost_usd)),
        {
          ...row("in all", "", summary.launches ?? 0, all ? minutes(instances.reduce((total, one) => total + one.runtime_minutes, 0)) : "", summary.charged_hours ?? 0, summary.cost_usd),
          strong: true,
        },
      ],
      "What each instance cost",
    ),
  );
}

// Requests that were not served, of all that were offered.
export function failedTile(run: Run): Tile | null {
  if (!run.failedRequests) return null;
  const total = (rates: Float64Array): number => rates.reduce((sum, rate) => sum + (Number.isNaN(rate) ? 0 : rate), 0) * run.grid.tick;
  const failed = total(run.failedRequests);
  const offered = total(run.requestsPerSecond);
  return {
    label: "Requests failed",
    value: numberText(failed, 0),
    note: offered > 0 ? `${shortText((100 * failed) / offered)} % of ${numberText(offered, 0)}` : undefined,
  };
}

export function title(model: PageModel, what: string, below: string): HTMLElement {
  return h(
    "header",
    {},
    h("p", { class: "brand" }, "Headroom · ", what),
    h("h1", {}, h("span", { class: "muted" }, `${model.environment} / `), model.service),
    h("p", { class: "span" }, below),
  );
}

export function rehearsalPage(model: PageModel): { element: DocumentFragment; start: () => void } {
  const run = unpackRun(model, 0);
  const { summary } = run;
  const seconds = run.grid.count * run.grid.tick;
  const objective = model.objective;
  const page = document.createDocumentFragment();
  page.append(title(model, "rehearsal", `${spanSentence(run)} · seed ${run.seed}`));

  const sentence = violationSentence(summary.objective_violation_minutes, summary.objective_violation_percent, objective.violation_percent_allowed);
  const verdict = objective.text === ""
    ? h("div", { class: "verdict" }, h("div", {}, h("strong", {}, "No objective is set"), h("p", {}, "The file promises nothing, so nothing could be violated.")))
    : h(
        "div",
        { class: `verdict ${summary.objective_met ? "kept" : "missed"}` },
        verdictSign(summary.objective_met),
        h("div", {}, h("strong", {}, summary.objective_met ? "Objective kept" : "Objective missed"), h("p", {}, `${objective.text}: ${sentence}.`)),
      );
  let peak = 0;
  for (const value of run.requestsPerSecond) if (value > peak) peak = value;
  const list: Tile[] = [
    { label: "Cost", value: moneyText(summary.cost_usd), note: `${moneyText(monthly(summary.cost_usd, seconds))} a month` },
    { label: "Highest utilisation", value: `${shortText(summary.cpu_percent_max)} %`, note: `mean ${shortText(summary.cpu_percent_mean)} %` },
    {
      label: "Most instances",
      value: `${summary.instances_max}`,
      note: `mean ${shortText(summary.instances_mean)}${summary.minutes_at_max > 0 ? `, at max for ${numberText(summary.minutes_at_max, 0)} min` : ""}`,
    },
    { label: "Highest traffic", value: `${shortText(peak)} req/s` },
    { label: "Scaled", value: `${numberText(summary.scale_outs, 0)} out`, note: `${numberText(summary.scale_ins, 0)} in` },
  ];
  if (summary.launches !== undefined) {
    list.push({ label: "Charged", value: `${shortText(summary.charged_hours ?? 0)} h`, note: `for ${numberText(summary.launches, 0)} launches` });
  }
  if (summary.warnings_at_max !== undefined) {
    list.push({ label: "Warned at max", value: numberText(summary.warnings_at_max, 0), note: "evaluations above the threshold" });
  }
  const failed = failedTile(run);
  if (failed) list.push(failed);
  if (summary.p95_ms_max !== null) list.splice(2, 0, { label: "Highest p95", value: `${shortText(summary.p95_ms_max)} ms` });
  const charts = timeline(model, run, null);
  page.append(verdict, tiles(list), charts.element);
  for (const part of [happeningsSection(run), instancesSection(run)]) if (part) page.append(part);
  page.append(policySection([run]));
  const notes = notesSection(run.notes);
  if (notes) page.append(notes);
  return { element: page, start: charts.start };
}
