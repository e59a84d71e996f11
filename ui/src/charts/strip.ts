// Strip: one chart of a stack that shares its time axis, its zoom and its cursor with the others.

import uPlot from "uplot";
import { type Summed, type Values, decimate, sumEvents } from "./decimate";
import { axisText } from "./figures";
import { type Ink, colour, translucent } from "./palette";
import { powerSplits, powerText } from "./powers";
import { spanText, splitLabel, timeSplits, timeStep } from "./time";
import type { View } from "./view";

// The grid on which every series of a page stands: value i belongs to [start + i * tick, start + (i + 1) * tick).
export interface Grid {
  start: number;
  tick: number;
  count: number;
  calendar: boolean;
}

export interface Layer {
  label: string;
  ink: Ink;
  values: Values;
  filled?: boolean; // down to zero; later layers cover earlier ones
  banded?: boolean; // zoomed out: the mean as a line in a band from the lowest to the highest
  smooth?: boolean; // from point to point, not in steps
  width?: number;
  dash?: number[];
}

export interface Rule {
  label: string;
  value: number;
  ink: Ink;
  dash?: number[];
}

// Bars up and down from zero: what was added and removed, summed over a span where single bars would overlap.
export interface Bars {
  indices: Int32Array;
  up: Int32Array;
  down: Int32Array;
}

// A stretch of time with a name, such as a rehearsed failure: the indices [first, last).
export interface Period {
  first: number;
  last: number;
  label: string;
}

export interface StripSpec {
  title: string;
  unit: string;
  description: string; // what the picture shows, for those who cannot see it
  height: number;
  layers: Layer[];
  rules?: Rule[];
  shaded?: Int32Array; // first and last index of each span, one after the other
  bars?: Bars;
  periods?: Period[];
  periodLabels?: boolean; // whether their names stand in the chart
  marks?: Int32Array; // indices of single moments, ascending
  wholeNumbers?: boolean;
  powersOfTen?: boolean; // values and rules are logarithms to the base of ten; the axis says what they stand for
  // What the caption says of one moment beside each label.
  readout?: (index: number) => string[];
}

const AXIS_WIDTH = 54;
// "day" for 1 d: what follows "per".
function each(seconds: number): string {
  const text = spanText(seconds);
  const words: Record<string, string> = { "1 d": "day", "1 h": "hour", "1 min": "minute", "1 s": "second", "1 week": "week" };
  return words[text] ?? text;
}


const BAR_PIXELS = 6; // a bar and the gap beside it
const BAND_OPACITY = 0.45;
const FONT = "11px system-ui, sans-serif";

function legendItem(label: string, ink: Ink, kind: "line" | "area" | "dash" | "shade" | "mark" | "period"): HTMLElement {
  const item = document.createElement("li");
  const swatch = document.createElement("span");
  swatch.className = `swatch swatch-${kind}`;
  swatch.style.setProperty("--swatch", `var(--${ink})`);
  item.append(swatch, document.createTextNode(label));
  return item;
}

const LABEL_ROWS = 2;

export class Strip {
  readonly element: HTMLElement;
  readonly plotElement: HTMLElement;
  private readonly values: HTMLElement;
  private readonly unit: HTMLElement;
  private plot: uPlot | null = null;
  private width = 0;
  private bucket = 1;
  private bars: Summed = { first: new Int32Array(), up: new Int32Array(), down: new Int32Array() };
  private barTicks = 1;

  constructor(
    private readonly spec: StripSpec,
    private readonly grid: Grid,
    private readonly view: View,
  ) {
    this.element = document.createElement("figure");
    this.element.className = "strip";
    const caption = document.createElement("figcaption");
    const title = document.createElement("span");
    title.className = "strip-title";
    title.textContent = spec.title;
    this.unit = document.createElement("span");
    this.unit.className = "strip-unit";
    this.unit.textContent = spec.unit;
    this.values = document.createElement("span");
    this.values.className = "strip-values";
    const legend = document.createElement("ul");
    legend.className = "legend";
    for (const layer of spec.layers) {
      legend.append(legendItem(layer.label, layer.ink, layer.filled ? "area" : layer.dash ? "dash" : "line"));
    }
    if (spec.bars) legend.append(legendItem("added", "added", "area"), legendItem("removed", "removed", "area"));
    for (const rule of spec.rules ?? []) legend.append(legendItem(rule.label, rule.ink, "dash"));
    if (spec.shaded && spec.shaded.length > 0) legend.append(legendItem("objective violated", "violation", "shade"));
    if (spec.marks && spec.marks.length > 0) legend.append(legendItem("event", "event", "mark"));
    if (spec.periodLabels && spec.periods && spec.periods.length > 0) legend.append(legendItem("fault", "fault", "period"));
    caption.append(title, this.unit, this.values, legend);
    this.plotElement = document.createElement("div");
    this.plotElement.className = "plot";
    this.plotElement.setAttribute("role", "img");
    this.plotElement.setAttribute("aria-label", `${spec.title}, ${spec.unit}: ${spec.description}`);
    this.element.append(caption, this.plotElement);
    view.onRange(() => this.refresh());
    view.onCursor(() => this.follow());
  }

  // Draws at this width, anew where colours may have changed.
  draw(width: number): void {
    this.width = width;
    this.plot?.destroy();
    this.plot = new uPlot(this.options(), this.drawn(), this.plotElement);
    this.follow();
  }

  private at(index: number): number {
    return this.grid.start + index * this.grid.tick;
  }

  private visible(): [number, number] {
    const from = Math.floor((this.view.min - this.grid.start) / this.grid.tick);
    const to = Math.ceil((this.view.max - this.grid.start) / this.grid.tick);
    return [Math.max(0, from), Math.min(this.grid.count, to)];
  }

  private drawn(): uPlot.AlignedData {
    const [from, to] = this.visible();
    this.sumBars();
    const buckets = Math.max(50, this.width - AXIS_WIDTH);
    const result = decimate(this.spec.layers.map((layer) => layer.values), from, to, buckets);
    this.bucket = result.bucket;
    const x = result.indices.map((index) => this.at(index));
    if (x.length === 0) x.push(this.view.min, this.view.max);
    const series = this.spec.layers.flatMap((layer, k) =>
      layer.banded ? [result.high[k]!, result.low[k]!, result.mean[k]!] : [result.values[k]!],
    );
    // A chart of bars alone still needs a series, for its axes to stand where those of the others stand.
    if (series.length === 0) series.push(x.map(() => null));
    return [x, ...series] as uPlot.AlignedData;
  }

  private sumBars(): void {
    const bars = this.spec.bars;
    if (!bars) return;
    const fitting = Math.max(10, (this.width - AXIS_WIDTH) / BAR_PIXELS);
    const span = this.view.span / fitting > this.grid.tick ? timeStep(this.view.span, fitting) : this.grid.tick;
    this.barTicks = Math.max(1, Math.round(span / this.grid.tick));
    this.bars = sumEvents(bars.indices, bars.up, bars.down, this.barTicks);
    this.unit.textContent = this.spec.unit + (this.barTicks > 1 ? ` per ${each(this.barTicks * this.grid.tick)}` : "");
  }

  private refresh(): void {
    this.plot?.setData(this.drawn(), true);
    this.follow();
  }

  private heights(): [number, number] {
    const [from, to] = this.visible();
    if (this.spec.powersOfTen) return this.powers(from, to);
    let low = 0;
    let high = 0;
    for (const layer of this.spec.layers) {
      for (let i = from; i < to; i++) {
        const value = layer.values[i]!;
        if (value > high) high = value;
        if (value < low) low = value;
      }
    }
    if (this.spec.bars) {
      for (let k = 0; k < this.bars.first.length; k++) {
        const first = this.bars.first[k]!;
        if (first + this.barTicks <= from || first >= to) continue;
        high = Math.max(high, this.bars.up[k]!);
        low = Math.min(low, -this.bars.down[k]!);
      }
      // A little room for both directions even where nothing was done.
      high = Math.max(high, 1);
      low = Math.min(low, -1);
    }
    for (const rule of this.spec.rules ?? []) high = Math.max(high, rule.value);
    if (high === low) high = low + 1;
    return [low < 0 ? low * 1.08 : 0, high * 1.08];
  }

  // The powers around what is in view, at least one.
  private powers(from: number, to: number): [number, number] {
    let low = Infinity;
    let high = -Infinity;
    for (const layer of this.spec.layers) {
      for (let i = from; i < to; i++) {
        const value = layer.values[i]!;
        if (value > high) high = value;
        if (value < low) low = value;
      }
    }
    for (const rule of this.spec.rules ?? []) high = Math.max(high, rule.value);
    if (!Number.isFinite(low)) return [0, 1];
    // A little beyond, so that no curve lies on the edge.
    return [Math.floor(low - 0.02), Math.max(Math.ceil(high + 0.02), Math.floor(low - 0.02) + 1)];
  }

  private options(): uPlot.Options {
    const grid = { stroke: colour("grid"), width: 1 };
    const axis = { stroke: colour("muted"), font: FONT, grid, ticks: { ...grid, size: 4 } };
    const { series, bands } = this.series();
    return {
      width: this.width,
      height: this.spec.height,
      padding: [6, 8, 0, 0],
      legend: { show: false },
      cursor: {
        y: false,
        points: { show: false },
        drag: { x: true, y: false, setScale: false },
        bind: { dblclick: () => () => (this.view.showAll(), null) },
      },
      scales: {
        x: { time: false, range: () => [this.view.min, this.view.max] },
        y: { range: () => this.heights() },
      },
      axes: [
        {
          ...axis,
          size: 24,
          gap: 3,
          splits: (u) => {
            const labels = Math.max(2, Math.floor((u.width - AXIS_WIDTH) / 92));
            return timeSplits(this.view.min, this.view.max, timeStep(this.view.span, labels), this.grid.calendar);
          },
          values: (u, splits) => {
            const labels = Math.max(2, Math.floor((u.width - AXIS_WIDTH) / 92));
            const step = timeStep(this.view.span, labels);
            // A label that the edge would cut says less than none.
            const edge = this.view.max - (26 * this.view.span) / Math.max(1, u.width - AXIS_WIDTH);
            return splits.map((split) => (split > edge ? "" : splitLabel(split, step, this.grid.calendar)));
          },
        },
        {
          ...axis,
          size: AXIS_WIDTH,
          gap: 4,
          space: this.spec.height < 120 ? 18 : 26,
          ...(this.spec.wholeNumbers ? { incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000] } : {}),
          ...(this.spec.powersOfTen
            ? {
                splits: (_u: uPlot, _axis: number, min: number, max: number) => powerSplits(min, max, (this.spec.height - 30) / 18),
                filter: (_u: uPlot, splits: number[]) => splits,
              }
            : {}),
          values: (_, splits) => splits.map((split) => (this.spec.powersOfTen ? powerText(split) : axisText(this.spec.bars ? Math.abs(split) : split))),
        },
      ],
      series,
      bands,
      hooks: {
        drawClear: [(u) => this.shade(u), (u) => this.drawPeriods(u)],
        draw: [(u) => this.annotate(u)],
        // Not uPlot's own cursor hook: it fires after a change of data too, and would move the cursor of all.
        ready: [
          (u) => {
            const point = (event: PointerEvent): void =>
              this.view.point(u.posToVal(event.clientX - u.over.getBoundingClientRect().left, "x"));
            u.over.addEventListener("pointermove", point);
            u.over.addEventListener("pointerdown", point);
            u.over.addEventListener("pointerleave", (event) => {
              if (event.pointerType === "mouse") this.view.point(null);
            });
          },
        ],
        setSelect: [
          (u) => {
            if (u.select.width > 3) {
              this.view.show(u.posToVal(u.select.left, "x"), u.posToVal(u.select.left + u.select.width, "x"));
            }
            if (u.select.width > 0) u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
          },
        ],
      },
    };
  }

  private series(): { series: uPlot.Series[]; bands: uPlot.Band[] } {
    const series: uPlot.Series[] = [{}];
    const bands: uPlot.Band[] = [];
    const stepped = uPlot.paths.stepped!({ align: 1 });
    const linear = uPlot.paths.linear!();
    for (const layer of this.spec.layers) {
      const ink = colour(layer.ink);
      const paths: uPlot.Series.PathBuilder = (u, index, from, to) =>
        layer.smooth || (this.bucket > 1 && !layer.filled) ? linear(u, index, from, to) : stepped(u, index, from, to);
      const base = { points: { show: false }, paths };
      if (layer.banded) {
        const at = series.length;
        series.push({ ...base, width: 0, stroke: ink }, { ...base, width: 0, stroke: ink });
        bands.push({ series: [at, at + 1], fill: translucent(ink, BAND_OPACITY) });
      }
      series.push({
        ...base,
        label: layer.label,
        stroke: ink,
        width: layer.width ?? (layer.filled ? 0 : 1.5),
        ...(layer.filled ? { fill: ink } : {}),
        ...(layer.smooth ? { pxAlign: 0 } : {}),
        ...(layer.dash ? { dash: layer.dash } : {}),
      });
    }
    if (series.length === 1) series.push({ points: { show: false } });
    return { series, bands };
  }

  // Spans beyond the objective, behind everything; at least a hair wide, so that a minute in a month shows.
  private shade(u: uPlot): void {
    const spans = this.spec.shaded;
    if (!spans) return;
    const { ctx, bbox } = u;
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    ctx.fillStyle = colour("violation");
    ctx.globalAlpha = 0.28;
    let covered = -Infinity;
    for (let k = 0; k + 1 < spans.length; k += 2) {
      const left = u.valToPos(this.at(spans[k]!), "x", true);
      const right = Math.max(u.valToPos(this.at(spans[k + 1]!), "x", true), left + 2 * devicePixelRatio);
      if (right < bbox.left || left > bbox.left + bbox.width || right <= covered) continue;
      const begin = Math.max(left, covered);
      ctx.fillRect(begin, bbox.top, right - begin, bbox.height);
      covered = right;
    }
    ctx.restore();
  }

  // The pixels of each period in view, at least a hair wide.
  private extents(u: uPlot): { left: number; right: number; label: string }[] {
    const { bbox } = u;
    return (this.spec.periods ?? [])
      .map(({ first, last, label }) => {
        const left = u.valToPos(this.at(first), "x", true);
        return { left, right: Math.max(u.valToPos(this.at(last), "x", true), left + 2 * devicePixelRatio), label };
      })
      .filter(({ left, right }) => right >= bbox.left && left <= bbox.left + bbox.width);
  }

  // Hatched, so that they are not taken for a violation of the objective, which is plain.
  private drawPeriods(u: uPlot): void {
    if (!this.spec.periods) return;
    const { ctx, bbox } = u;
    for (const { left, right } of this.extents(u)) {
      const from = Math.max(left, bbox.left);
      const to = Math.min(right, bbox.left + bbox.width);
      ctx.save();
      ctx.beginPath();
      ctx.rect(from, bbox.top, to - from, bbox.height);
      ctx.clip();
      ctx.fillStyle = colour("fault");
      ctx.globalAlpha = 0.1;
      ctx.fillRect(from, bbox.top, to - from, bbox.height);
      ctx.strokeStyle = colour("fault");
      ctx.lineWidth = devicePixelRatio;
      ctx.globalAlpha = 0.35;
      ctx.beginPath();
      const step = 7 * devicePixelRatio;
      // From multiples of the step, so that the hatching of neighbours meets.
      for (let x = Math.floor((from - bbox.height) / step) * step; x < to; x += step) {
        ctx.moveTo(x, bbox.top + bbox.height);
        ctx.lineTo(x + bbox.height, bbox.top);
      }
      ctx.stroke();
      ctx.globalAlpha = 0.8;
      ctx.beginPath();
      for (const edge of [left, right]) {
        ctx.moveTo(edge, bbox.top);
        ctx.lineTo(edge, bbox.top + bbox.height);
      }
      ctx.stroke();
      ctx.restore();
    }
  }

  // Names of the periods at the top, in rows that keep them apart; those that find no place in two rows would hide
  // the curve, and stand in the readout and the table.
  private drawPeriodLabels(u: uPlot): void {
    const { ctx, bbox } = u;
    const px = devicePixelRatio;
    ctx.save();
    ctx.font = `600 ${11 * px}px system-ui, sans-serif`;
    ctx.textBaseline = "middle";
    ctx.textAlign = "left";
    const ends: number[] = [];
    for (const { left, label } of this.extents(u)) {
      const width = ctx.measureText(label).width + 8 * px;
      const from = Math.min(Math.max(left, bbox.left), bbox.left + bbox.width - width);
      let row = ends.findIndex((end) => end <= from);
      if (row < 0) row = ends.length;
      const top = bbox.top + 2 * px + row * 17 * px;
      if (width > bbox.width || row >= LABEL_ROWS) continue;
      ends[row] = from + width + 4 * px;
      ctx.fillStyle = colour("surface");
      ctx.fillRect(from, top, width, 15 * px);
      ctx.fillStyle = colour("fault");
      ctx.fillText(label, from + 4 * px, top + 8 * px);
    }
    ctx.restore();
  }

  // A diamond at the top for each moment; those too close to tell apart are one.
  private drawMarks(u: uPlot, marks: Int32Array): void {
    const { ctx, bbox } = u;
    const radius = 4 * devicePixelRatio;
    const y = bbox.top + radius + 2 * devicePixelRatio;
    ctx.fillStyle = colour("event");
    let last = -Infinity;
    const [from, to] = this.visible();
    for (const index of marks) {
      if (index < from || index >= to) continue;
      const x = u.valToPos(this.at(index), "x", true);
      if (x - last < radius) continue;
      last = x;
      ctx.beginPath();
      ctx.moveTo(x, y - radius);
      ctx.lineTo(x + radius, y);
      ctx.lineTo(x, y + radius);
      ctx.lineTo(x - radius, y);
      ctx.fill();
    }
  }

  private annotate(u: uPlot): void {
    const { ctx, bbox } = u;
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    if (this.spec.bars) this.drawBars(u);
    for (const rule of this.spec.rules ?? []) {
      const y = Math.round(u.valToPos(rule.value, "y", true));
      ctx.strokeStyle = colour(rule.ink);
      ctx.lineWidth = 1.5 * devicePixelRatio;
      ctx.setLineDash((rule.dash ?? []).map((length) => length * devicePixelRatio));
      ctx.beginPath();
      ctx.moveTo(bbox.left, y);
      ctx.lineTo(bbox.left + bbox.width, y);
      ctx.stroke();
    }
    ctx.setLineDash([]);
    if (this.spec.marks) this.drawMarks(u, this.spec.marks);
    if (this.spec.periodLabels) this.drawPeriodLabels(u);
    ctx.restore();
  }

  private drawBars(u: uPlot): void {
    const { ctx, bbox } = u;
    const zero = u.valToPos(0, "y", true);
    const span = u.valToPos(this.at(this.barTicks), "x", true) - u.valToPos(this.at(0), "x", true);
    const width = Math.min(Math.max(2 * devicePixelRatio, 0.7 * span), 14 * devicePixelRatio);
    // A sum stands in the middle of its span, a single decision where it was made.
    const shift = this.barTicks > 1 ? span / 2 - width / 2 : -width / 2;
    const [from, to] = this.visible();
    const added = colour("added");
    const removed = colour("removed");
    const { first, up, down } = this.bars;
    for (let k = 0; k < first.length; k++) {
      if (first[k]! + this.barTicks <= from || first[k]! >= to) continue;
      const x = u.valToPos(this.at(first[k]!), "x", true) + shift;
      const top = u.valToPos(up[k]!, "y", true);
      const bottom = u.valToPos(-down[k]!, "y", true);
      ctx.fillStyle = added;
      ctx.fillRect(x, top, width, zero - top);
      ctx.fillStyle = removed;
      ctx.fillRect(x, zero, width, bottom - zero);
    }
    ctx.fillStyle = colour("muted");
    ctx.fillRect(bbox.left, zero - devicePixelRatio / 2, bbox.width, devicePixelRatio);
  }

  private follow(): void {
    const moment = this.view.cursor;
    const inView = moment !== null && moment >= this.view.min && moment <= this.view.max;
    if (this.plot) {
      // From the view, not the scale of the plot, which follows the view only after this.
      const left = inView ? ((moment - this.view.min) / this.view.span) * this.plot.over.clientWidth : -10;
      this.plot.setCursor({ left, top: inView ? 1 : -10 }, false);
    }
    if (moment === null || !this.spec.readout) {
      this.values.textContent = "";
      return;
    }
    const index = Math.floor((moment - this.grid.start) / this.grid.tick);
    const within = Math.min(Math.max(index, 0), this.grid.count - 1);
    this.values.textContent = this.spec.readout(within).join(" · ");
  }
}
