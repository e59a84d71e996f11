// Scatter: points of two measures as SVG, with a line through some of them; hover, touch and arrow keys read them.

import { axisText } from "./figures";
import type { Ink } from "./palette";

export interface Point {
  x: number;
  y: number;
  ink: Ink;
  size: number;
  shape: "dot" | "ring" | "star" | "square";
  lines: string[]; // what the tooltip says
  stop?: boolean; // arrow keys stop here
}

export interface ScatterSpec {
  xTitle: string;
  yTitle: string;
  description: string;
  points: Point[]; // later ones lie on top
  path?: { x: number; y: number }[]; // drawn as steps: what the cheapest policy at each level is
  limit?: { y: number; label: string };
}

const SVG = "http://www.w3.org/2000/svg";
const MARGIN = { left: 56, right: 16, top: 12, bottom: 40 };

function svg(name: string, attributes: Record<string, string | number>): SVGElement {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  return element;
}

// About `count` round numbers within [min, max].
export function roundSplits(min: number, max: number, count: number): number[] {
  const rough = (max - min) / Math.max(1, count);
  if (!(rough > 0) || !Number.isFinite(rough)) return [min];
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((digit) => digit * power).find((one) => one >= rough) ?? rough;
  const splits: number[] = [];
  for (let k = Math.ceil(min / step - 1e-9); k * step <= max * (1 + 1e-12); k++) splits.push(Number((k * step).toPrecision(12)));
  return splits;
}

export function extent(values: number[], room: number): [number, number] {
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    if (!Number.isFinite(value)) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  if (low > high) return [0, 1];
  const pad = high > low ? room * (high - low) : Math.max(Math.abs(high) * 0.1, 0.5);
  return [low - pad, high + pad];
}

function mark(point: Point, x: number, y: number): SVGElement {
  const ink = `var(--${point.ink})`;
  if (point.shape === "star") {
    let path = "";
    for (let k = 0; k < 10; k++) {
      const radius = k % 2 === 0 ? point.size : point.size * 0.45;
      const angle = (Math.PI * k) / 5 - Math.PI / 2;
      path += `${k === 0 ? "M" : "L"}${(x + radius * Math.cos(angle)).toFixed(2)},${(y + radius * Math.sin(angle)).toFixed(2)}`;
    }
    return svg("path", { d: `${path}Z`, fill: ink, stroke: "var(--surface)", "stroke-width": 1.5 });
  }
  if (point.shape === "square") {
    return svg("rect", { x: x - point.size, y: y - point.size, width: 2 * point.size, height: 2 * point.size, fill: ink, stroke: "var(--surface)", "stroke-width": 1 });
  }
  const circle = { cx: x.toFixed(2), cy: y.toFixed(2), r: point.size };
  return point.shape === "ring"
    ? svg("circle", { ...circle, fill: "none", stroke: ink, "stroke-width": 1.25 })
    : svg("circle", { ...circle, fill: ink });
}

export function scatter(spec: ScatterSpec): HTMLElement {
  const host = document.createElement("div");
  host.className = "scatter";
  host.tabIndex = 0;
  host.setAttribute("role", "group");
  host.setAttribute("aria-label", spec.description);
  const tooltip = document.createElement("div");
  tooltip.className = "tooltip";
  tooltip.setAttribute("role", "status");
  tooltip.hidden = true;

  const ys = spec.points.map((point) => point.y);
  if (spec.limit) ys.push(spec.limit.y);
  const [xMin, xMax] = extent(spec.points.map((point) => point.x), 0.06);
  const [, yMax] = extent(ys, 0.08);
  let places: { point: Point; left: number; top: number }[] = [];
  let chosen = -1;

  const draw = (): void => {
    const width = Math.max(260, Math.floor(host.clientWidth));
    const height = Math.round(Math.min(380, Math.max(260, width * 0.55)));
    const inner = { width: width - MARGIN.left - MARGIN.right, height: height - MARGIN.top - MARGIN.bottom };
    const xOf = (x: number): number => MARGIN.left + ((x - xMin) / (xMax - xMin)) * inner.width;
    // A little room below zero, so that points on the axis are whole.
    const yLow = -0.04 * yMax;
    const yOf = (y: number): number => MARGIN.top + inner.height - ((y - yLow) / (yMax - yLow)) * inner.height;
    const picture = svg("svg", { width, height, viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true" });
    const bottom = MARGIN.top + inner.height;

    for (const split of roundSplits(xMin, xMax, Math.max(2, inner.width / 80))) {
      picture.append(svg("line", { x1: xOf(split), x2: xOf(split), y1: MARGIN.top, y2: bottom, class: "scatter-grid" }));
      const label = svg("text", { x: xOf(split), y: bottom + 16, class: "scatter-label", "text-anchor": "middle" });
      label.textContent = axisText(split);
      picture.append(label);
    }
    for (const split of roundSplits(0, yMax, Math.max(2, inner.height / 50))) {
      picture.append(svg("line", { x1: MARGIN.left, x2: MARGIN.left + inner.width, y1: yOf(split), y2: yOf(split), class: "scatter-grid" }));
      const label = svg("text", { x: MARGIN.left - 7, y: yOf(split) + 4, class: "scatter-label", "text-anchor": "end" });
      label.textContent = axisText(split);
      picture.append(label);
    }
    const xTitle = svg("text", { x: MARGIN.left + inner.width / 2, y: height - 5, class: "scatter-title", "text-anchor": "middle" });
    xTitle.textContent = spec.xTitle;
    const yTitle = svg("text", { x: 0, y: 0, class: "scatter-title", "text-anchor": "middle", transform: `translate(12 ${MARGIN.top + inner.height / 2}) rotate(-90)` });
    yTitle.textContent = spec.yTitle;
    picture.append(xTitle, yTitle);

    if (spec.limit) {
      const y = yOf(spec.limit.y);
      picture.append(svg("line", { x1: MARGIN.left, x2: MARGIN.left + inner.width, y1: y, y2: y, class: "scatter-limit" }));
      const label = svg("text", { x: MARGIN.left + inner.width, y: y - 5, class: "scatter-limit-label", "text-anchor": "end" });
      label.textContent = spec.limit.label;
      picture.append(label);
    }
    if (spec.path && spec.path.length > 1) {
      let path = "";
      spec.path.forEach((corner, k) => {
        const x = xOf(corner.x).toFixed(2);
        const y = yOf(corner.y).toFixed(2);
        path += k === 0 ? `M${x},${y}` : `H${x}V${y}`;
      });
      picture.append(svg("path", { d: path, class: "scatter-path" }));
    }
    places = spec.points.map((point) => ({ point, left: xOf(point.x), top: yOf(point.y) }));
    for (const place of places) picture.append(mark(place.point, place.left, place.top));
    host.replaceChildren(picture, tooltip);
    choose(chosen);
  };

  const choose = (index: number): void => {
    chosen = index;
    host.querySelector(".scatter-chosen")?.remove();
    const place = places[index];
    tooltip.hidden = place === undefined;
    if (!place) return;
    host.querySelector("svg")?.append(svg("circle", { cx: place.left, cy: place.top, r: place.point.size + 4, class: "scatter-chosen" }));
    tooltip.replaceChildren(
      ...place.point.lines.map((line, k) => {
        const row = document.createElement(k === 0 ? "strong" : "div");
        row.textContent = line;
        return row;
      }),
    );
    const left = Math.min(Math.max(place.left + 14, 4), Math.max(4, host.clientWidth - tooltip.offsetWidth - 4));
    const above = place.top - tooltip.offsetHeight - 12;
    tooltip.style.left = `${left}px`;
    tooltip.style.top = `${above > 0 ? above : place.top + 14}px`;
  };

  const nearest = (event: PointerEvent): number => {
    const box = host.getBoundingClientRect();
    const x = event.clientX - box.left;
    const y = event.clientY - box.top;
    let best = -1;
    let bestDistance = 24; // pixels: farther away means none
    places.forEach((place, k) => {
      const distance = Math.hypot(place.left - x, place.top - y) - place.point.size;
      if (distance <= bestDistance) {
        best = k;
        bestDistance = distance;
      }
    });
    return best;
  };

  host.addEventListener("pointermove", (event) => choose(nearest(event)));
  host.addEventListener("pointerleave", () => choose(-1));
  host.addEventListener("keydown", (event) => {
    const direction = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (event.key === "Escape") choose(-1);
    if (direction === 0) return;
    event.preventDefault();
    const stops = spec.points
      .map((point, k) => ({ point, k }))
      .filter(({ point }) => point.stop)
      .sort((a, b) => a.point.x - b.point.x)
      .map(({ k }) => k);
    if (stops.length === 0) return;
    const at = stops.indexOf(chosen);
    const next = at < 0 ? (direction > 0 ? 0 : stops.length - 1) : Math.min(Math.max(at + direction, 0), stops.length - 1);
    choose(stops[next]!);
  });
  new ResizeObserver(() => draw()).observe(host);
  return host;
}
