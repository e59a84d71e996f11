// The charts of one run on one time axis, with another run beside it where one is given.

import { shortText, moneyText, numberText } from "../charts/figures";
import { Stack } from "../charts/stack";
import { type Layer, type Rule, Strip } from "../charts/strip";
import { DAY, HOUR, momentText } from "../charts/time";
import { View } from "../charts/view";
import { decisionAt, decisionWords } from "./decisions";
import { h } from "./elements";
import type { PageModel, Run } from "./model";

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
  const add = (spec: ConstructorParameters<typeof Strip>[0]): Strip => {
    const strip = new Strip(spec, grid, view);
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

  const launched = sum(run.inService, run.launching);
  const everything = sum(launched, run.draining);
  const drains = largest(run.draining) > 0;
  const instanceLayers: Layer[] = [];
  if (drains) instanceLayers.push({ label: "draining", ink: "draining", values: everything, filled: true });
  instanceLayers.push(
    { label: "launching", ink: "launching", values: launched, filled: true },
    { label: "in service", ink: "in-service", values: run.inService, filled: true },
    { label: "desired", ink: "desired", values: run.desired, width: 1.25 },
  );
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
      `${run.inService[i]!} in service`,
      ...(run.launching[i]! > 0 ? [`${run.launching[i]!} launching`] : []),
      ...(run.draining[i]! > 0 ? [`${run.draining[i]!} draining`] : []),
      `${run.desired[i]!} desired`,
      ...(other ? [`${other.name} ${other.inService[i]!}`] : []),
    ],
  });

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

  const readout = h("div", { class: "readout", "aria-live": "polite" });
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
    const k = decisionAt(decisions, tick);
    const parts: Node[] = [h("span", { class: "readout-time" }, momentText(momentOf(tick), grid.calendar))];
    if (k >= 0) {
      const words = decisionWords(decisions, k, model.reasons, seesRequests);
      const acted = decisions.add[k]! > 0 || decisions.remove[k]! > 0;
      const decided = momentText(momentOf(decisions.tick[k]!), grid.calendar);
      const when = decisions.tick[k] === tick ? "Decided now" : acted ? `Decided ${decided}` : `The same since ${decided}`;
      parts.push(h("span", { class: "readout-why" }, h("b", {}, `${words.done}: `), words.why, h("small", {}, ` ${when}; ${words.detail}.`)));
    } else {
      parts.push(h("span", { class: "readout-why" }, "No decision yet."));
    }
    readout.replaceChildren(...parts);
  };
  view.onCursor(describe);
  view.onRange(describe);
  describe();

  // The tooltip of the decision strip: the action nearest to the pointer, within a few pixels.
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
    acting.forEach((k, position) => {
      const away = Math.abs(momentOf(actingTicks[position]!) - moment);
      if (away < distance) {
        best = k;
        distance = away;
      }
    });
    tooltip.hidden = best < 0;
    if (best < 0) return;
    const words = decisionWords(decisions, best, model.reasons, seesRequests);
    tooltip.replaceChildren(
      h("strong", {}, `${momentText(momentOf(decisions.tick[best]!), grid.calendar)}: ${words.done}`),
      h("div", {}, words.why),
      h("div", { class: "tooltip-detail" }, words.detail),
    );
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
    ].filter((stop) => stop.moments.length > 0),
    readout,
  );
  stack.element.dataset.points = numberText(grid.count, 0);
  return { element: stack.element, start: () => stack.start(), stop: () => stack.stop(), view };
}
