// The charts of one run on one time axis, with another run beside it where one is given.

import { shortText, moneyText, numberText } from "../charts/figures";
import { ZONE_INKS } from "../charts/palette";
import { Stack } from "../charts/stack";
import { type Layer, type Rule, Strip } from "../charts/strip";
import { DAY, HOUR, momentText } from "../charts/time";
import { View } from "../charts/view";
import { byGroup, decisionAt, decisionWords } from "./decisions";
import { h } from "./elements";
import type { Fault, Happening, PageModel, Run, Zone } from "./model";

const OBJECTIVE_DASH = [8, 4];
const THRESHOLD_DASH = [2, 3];

function largest(values: ArrayLike<number>): number {
  let high = -Infinity;
  for (let i = 0; i < values.length; i++) if (values[i]! > high) high = values[i]!;
  return high;
}

function thresholdRules(run: Run, metric: "cpu" | "requests", unit: string): Rule[] {
  const words = { out: "scale out at", in: "scale in at", target: "target" } as const;
  return run.thresholds
    .filter((threshold) => threshold.metric === metric)
    .map((threshold) => ({
      label: `${words[threshold.side]} ${threshold.value}${unit}`,
      value: threshold.value,
      ink: "threshold",
      dash: threshold.side === "in" ? [2, 5] : THRESHOLD_DASH,
    }));
}

function sum(...series: Int32Array[]): Int32Array {
  const total = new Int32Array(series[0]!.length);
  for (const one of series) for (let i = 0; i < total.length; i++) total[i]! += one[i]!;
  return total;
}

export function perInstance(requests: Float64Array, instances: Int32Array): Float64Array {
  return requests.map((value, i) => (instances[i]! > 0 ? value / instances[i]! : NaN));
}

// The sums of the first one, the first two and so on: what areas that stand on each other are drawn from.
export function stacked(series: readonly Int32Array[]): Int32Array[] {
  const sums: Int32Array[] = [];
  for (const one of series) {
    const below = sums[sums.length - 1];
    sums.push(below ? sum(below, one) : one);
  }
  return sums;
}

// "cut b", "metrics missing".
export function faultText(fault: Pick<Fault, "kind" | "where">): string {
  return fault.where === "" ? fault.kind : `${fault.kind} ${fault.where}`;
}

// "instance failed: i-3".
// Events that follow one another with the same name for the same reason, such as a refusal at every try, as one.
export function repeated(events: Happening[]): { event: Happening; count: number; last: number }[] {
  const groups: { event: Happening; count: number; last: number }[] = [];
  for (const event of events) {
    const group = groups.at(-1);
    if (group && group.event.name === event.name && group.event.why === event.why) {
      group.count += 1;
      group.last = event.tick;
    } else {
      groups.push({ event, count: 1, last: event.tick });
    }
  }
  return groups;
}

export function eventText(event: Pick<Happening, "name" | "subject">): string {
  const name = event.name.replaceAll("_", " ");
  return event.subject === "" ? name : `${name}: ${event.subject}`;
}

// "a 3 in service, 1 launching": what one zone holds at a tick.
export function zoneText(zone: Zone, i: number): string {
  const states = ([["launching", zone.launching], ["draining", zone.draining], ["in the pool", zone.stopped], ["failed", zone.failed]] as const)
    .filter(([, counts]) => counts[i]! > 0)
    .map(([name, counts]) => `, ${counts[i]!} ${name}`);
  return `${zone.name} ${zone.inService[i]!}${states.join("")}`;
}

export interface Timeline {
  element: HTMLElement;
  start(): void;
  stop(): void;
  view: View;
}

export function timeline(model: PageModel, run: Run, other: Run | null): Timeline {
  const { grid, summary, decisions } = run;
  const view = new View(grid.start, grid.start + grid.count * grid.tick, 8 * grid.tick);
  const seesRequests = run.thresholds.length > 0 && run.thresholds.every((threshold) => threshold.metric === "requests");
  const objective = model.objective;
  const strips: Strip[] = [];
  const beside = other ? ` (${other.name})` : "";
  const periods = run.faults.map((fault) => ({ first: fault.from, last: fault.to, label: faultText(fault) }));
  const add = (spec: ConstructorParameters<typeof Strip>[0]): Strip => {
    // Their names stand in the first chart; the others only show how long they last.
    const strip = new Strip({ ...spec, periods, periodLabels: strips.length === 0 }, grid, view);
    strips.push(strip);
    return strip;
  };

  add({
    title: "Traffic",
    unit: "requests per second",
    description: `up to ${shortText(largest(run.requestsPerSecond))} requests per second`,
    height: 130,
    layers: [{ label: "offered", ink: "traffic", values: run.requestsPerSecond, banded: true }],
    readout: (i) => [`${shortText(run.requestsPerSecond[i]!)} req/s`],
  });

  const cpuRules = thresholdRules(run, "cpu", " %");
  if (objective.cpu_percent !== null) {
    cpuRules.push({ label: `objective ${objective.cpu_percent} %`, value: objective.cpu_percent, ink: "objective", dash: OBJECTIVE_DASH });
  }
  const cpuLayers: Layer[] = [{ label: other ? run.name : "CPU", ink: "cpu", values: run.cpuPercent, banded: true }];
  if (other) cpuLayers.unshift({ label: other.name, ink: "compare", values: other.cpuPercent, banded: true, width: 1.25 });
  add({
    title: "Utilisation",
    unit: "CPU, % of what is allowed",
    description: `mean ${shortText(summary.cpu_percent_mean)} %, highest ${shortText(summary.cpu_percent_max)} %`,
    height: 190,
    layers: cpuLayers,
    rules: cpuRules,
    shaded: run.violations,
    readout: (i) => [`${shortText(run.cpuPercent[i]!)} %`, ...(other ? [`${other.name} ${shortText(other.cpuPercent[i]!)} %`] : [])],
  });

  if (run.thresholds.some((threshold) => threshold.metric === "requests")) {
    const each = perInstance(run.requestsPerSecond, run.inService);
    add({
      title: "Traffic per instance",
      unit: "requests per second and instance",
      description: `up to ${shortText(largest(each))}`,
      height: 130,
      layers: [{ label: "per instance in service", ink: "traffic", values: each, banded: true }],
      rules: thresholdRules(run, "requests", " req/s"),
      readout: (i) => [`${shortText(each[i]!)} req/s`],
    });
  }

  if (run.p95Ms) {
    const p95 = run.p95Ms;
    const layers: Layer[] = [{ label: other ? run.name : "p95", ink: "latency", values: p95, banded: true }];
    if (other?.p95Ms) layers.unshift({ label: other.name, ink: "compare", values: other.p95Ms, banded: true, width: 1.25 });
    add({
      title: "Latency",
      unit: "95th percentile, ms",
      description: `highest ${shortText(summary.p95_ms_max ?? largest(p95))} ms`,
      height: 130,
      layers,
      rules: objective.p95_ms !== null ? [{ label: `objective ${objective.p95_ms} ms`, value: objective.p95_ms, ink: "objective", dash: OBJECTIVE_DASH }] : [],
      shaded: run.violations,
      readout: (i) => [`${shortText(p95[i]!)} ms`],
    });
  }

  if (run.failedRequests && largest(run.failedRequests) > 0) {
    const failed = run.failedRequests;
    add({
      title: "Failed requests",
      unit: "requests per second",
      description: `up to ${shortText(largest(failed))} requests per second`,
      height: 90,
      layers: [{ label: "not served", ink: "failed", values: failed, banded: true }],
      readout: (i) => [`${shortText(failed[i]!)} req/s`],
    });
  }

  // From the bottom up: what serves, what will, what no longer does. Areas are drawn from the highest sum down.
  const totalOf = (field: "stopped" | "failed"): Int32Array =>
    run.zones.length > 0 ? sum(...run.zones.map((zone) => zone[field])) : new Int32Array(grid.count);
  const states = ([
    ["in service", "in-service", run.inService],
    ["launching", "launching", run.launching],
    ["draining", "draining", run.draining],
    ["failed", "failed", totalOf("failed")],
    ["in the warm pool", "stopped", totalOf("stopped")],
  ] as const).filter(([, , counts], k) => k < 2 || largest(counts) > 0);
  const sums = stacked(states.map(([, , counts]) => counts));
  const instanceLayers: Layer[] = states
    .map(([label, ink], k): Layer => ({ label, ink, values: sums[k]!, filled: true }))
    .reverse();
  instanceLayers.push({ label: "desired", ink: "desired", values: run.desired, width: 1.25 });
  if (other) instanceLayers.push({ label: `in service${beside}`, ink: "compare", values: other.inService, width: 1.25 });
  add({
    title: "Instances",
    unit: "count",
    description: `mean ${shortText(summary.instances_mean)}, at most ${summary.instances_max} in service`,
    height: 190,
    layers: instanceLayers,
    rules: summary.minutes_at_max > 0 ? [{ label: `max ${run.limits.max}`, value: run.limits.max, ink: "objective", dash: OBJECTIVE_DASH }] : [],
    wholeNumbers: true,
    readout: (i) => [
      ...states.filter(([, , counts], k) => k === 0 || counts[i]! > 0).map(([label, , counts]) => `${counts[i]!} ${label}`),
      `${run.desired[i]!} desired`,
      ...(other ? [`${other.name} ${other.inService[i]!}`] : []),
    ],
  });

  if (run.zones.length > 1) {
    const zones = run.zones;
    const zoneSums = stacked(zones.map((zone) => zone.inService));
    add({
      title: "By zone",
      unit: "instances in service",
      description: zones.map((zone) => `${zone.name}: at most ${largest(zone.inService)}`).join(", "),
      height: 140,
      layers: zones.map((zone, k): Layer => ({ label: zone.name, ink: ZONE_INKS[k % ZONE_INKS.length]!, values: zoneSums[k]!, filled: true })).reverse(),
      wholeNumbers: true,
      readout: (i) => zones.map((zone) => zoneText(zone, i)),
    });
  }

  const groups = byGroup(decisions, run.groups);
  const acting: number[] = [];
  for (let k = 0; k < decisions.count; k++) if (decisions.add[k]! > 0 || decisions.remove[k]! > 0) acting.push(k);
  const pick = (values: Int32Array): Int32Array => Int32Array.from(acting, (k) => values[k]!);
  const actingTicks = pick(decisions.tick);
  const decisionStrip = add({
    title: "Decisions",
    unit: "instances added and removed",
    description: `${summary.scale_outs} times out, ${summary.scale_ins} times in`,
    height: 110,
    layers: [],
    bars: { indices: actingTicks, up: pick(decisions.add), down: pick(decisions.remove) },
    marks: Int32Array.from(run.events, (event) => event.tick),
    wholeNumbers: true,
  });
  decisionStrip.element.classList.add("decision-strip");

  const costLayers: Layer[] = [{ label: other ? run.name : "cost", ink: "cost", values: run.costUsd, smooth: true, width: 2 }];
  if (other) costLayers.unshift({ label: other.name, ink: "compare", values: other.costUsd, smooth: true });
  add({
    title: "Cost so far",
    unit: "US dollars",
    description: `${moneyText(summary.cost_usd)} in all`,
    height: 120,
    layers: costLayers,
    readout: (i) => [moneyText(run.costUsd[i]!), ...(other ? [`${other.name} ${moneyText(other.costUsd[i]!)}`] : [])],
  });

  // Room for all it may say, so that the charts do not move under the pointer.
  const lines = 1 + groups.length + (run.faults.length + run.events.length > 0 ? 1 : 0);
  const readout = h("div", { class: lines > 2 ? "readout readout-wide" : "readout", "aria-live": "polite" });
  if (lines > 2) readout.style.minHeight = `${1.45 * Math.min(lines, 8)}em`;
  const momentOf = (tick: number): number => grid.start + tick * grid.tick;
  const describe = (): void => {
    const moment = view.cursor;
    if (moment === null) {
      readout.replaceChildren(
        h("span", { class: "readout-time" }, `${momentText(view.min, grid.calendar)} – ${momentText(view.max, grid.calendar)}`),
        h("span", { class: "readout-why" }, "Point at a chart to read it."),
      );
      return;
    }
    const tick = Math.min(Math.max(Math.floor((moment - grid.start) / grid.tick), 0), grid.count - 1);
    const parts: Node[] = [h("span", { class: "readout-time" }, momentText(momentOf(tick), grid.calendar))];
    for (const group of groups) {
      const k = decisionAt(group, tick);
      const name = group.name === "" ? null : h("b", {}, `${group.name} `);
      if (k < 0) {
        parts.push(h("span", { class: "readout-why" }, name, "No decision yet."));
        continue;
      }
      const words = decisionWords(decisions, k, model.reasons, seesRequests);
      const acted = decisions.add[k]! > 0 || decisions.remove[k]! > 0;
      const decided = momentText(momentOf(decisions.tick[k]!), grid.calendar);
      const when = decisions.tick[k] === tick ? "Decided now" : acted ? `Decided ${decided}` : `The same since ${decided}`;
      parts.push(h("span", { class: "readout-why" }, name, h("b", {}, `${words.done}: `), words.why, h("small", {}, ` ${when}; ${words.detail}.`)));
    }
    const meanwhile = [
      ...run.faults.filter((fault) => fault.from <= tick && tick < fault.to).map((fault) => `fault: ${faultText(fault)}`),
      ...run.events.filter((event) => event.tick === tick).map((event) => `${eventText(event)}${event.why === "" ? "" : ` (${event.why})`}`),
    ];
    if (meanwhile.length > 0) parts.push(h("span", { class: "readout-why" }, h("small", {}, `${meanwhile.join("; ")}.`)));
    readout.replaceChildren(...parts);
  };
  view.onCursor(describe);
  view.onRange(describe);
  describe();

  // The tooltip of the decision strip: what was done or happened nearest to the pointer, within a few pixels.
  const tooltip = h("div", { class: "tooltip", role: "status" });
  tooltip.hidden = true;
  decisionStrip.element.append(tooltip);
  decisionStrip.plotElement.addEventListener("pointermove", (event) => {
    const over = decisionStrip.plotElement.querySelector<HTMLElement>(".u-over");
    if (!over) return;
    const box = over.getBoundingClientRect();
    const perPixel = view.span / box.width;
    const moment = view.min + (event.clientX - box.left) * perPixel;
    let best = -1;
    let distance = 9 * perPixel;
    for (const tick of [...actingTicks, ...run.events.map((happened) => happened.tick)]) {
      const away = Math.abs(momentOf(tick) - moment);
      if (away < distance) {
        best = tick;
        distance = away;
      }
    }
    tooltip.hidden = best < 0;
    if (best < 0) return;
    const lines: Node[] = [];
    for (const k of acting.filter((one) => decisions.tick[one] === best)) {
      const words = decisionWords(decisions, k, model.reasons, seesRequests);
      const group = run.groups[decisions.group[k]!];
      lines.push(
        h("strong", {}, `${momentText(momentOf(best), grid.calendar)}: ${group === undefined ? "" : `${group} `}${words.done}`),
        h("div", {}, words.why),
        h("div", { class: "tooltip-detail" }, words.detail),
      );
    }
    // Marks that cannot be told apart are read together.
    const here = run.events.filter((happened) => Math.abs(momentOf(happened.tick) - momentOf(best)) <= 4 * perPixel);
    for (const happened of here.slice(0, 4)) {
      lines.push(h("strong", {}, `${momentText(momentOf(happened.tick), grid.calendar)}: ${eventText(happened)}`), h("div", {}, happened.why));
    }
    if (here.length > 4) lines.push(h("div", { class: "tooltip-detail" }, `and ${here.length - 4} more`));
    tooltip.replaceChildren(...lines);
    const frame = decisionStrip.element.getBoundingClientRect();
    const left = event.clientX - frame.left + 14;
    tooltip.style.left = `${Math.min(left, Math.max(4, frame.width - tooltip.offsetWidth - 4))}px`;
    tooltip.style.top = `${event.clientY - frame.top - tooltip.offsetHeight - 12}px`;
  });
  decisionStrip.plotElement.addEventListener("pointerleave", () => (tooltip.hidden = true));

  const violationMoments: number[] = [];
  for (let k = 0; k < run.violations.length; k += 2) violationMoments.push(momentOf(run.violations[k]!));
  const stack = new Stack(
    strips,
    view,
    grid.tick,
    [
      { name: "violation", moments: violationMoments, closeUp: Math.max(6 * HOUR, 40 * grid.tick) },
      { name: "decision", moments: [...actingTicks].map((tick) => momentOf(tick)), closeUp: Math.max(DAY, 60 * grid.tick) },
      { name: "event", moments: [...new Set(run.events.map((event) => momentOf(event.tick)))], closeUp: Math.max(6 * HOUR, 40 * grid.tick) },
    ].filter((stop) => stop.moments.length > 0),
    readout,
  );
  stack.element.dataset.points = numberText(grid.count, 0);
  return { element: stack.element, start: () => stack.start(), stop: () => stack.stop(), view };
}
