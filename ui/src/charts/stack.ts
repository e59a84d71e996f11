// Stack: strips above each other on one time axis, with the buttons and keys that move through it.

import type { Strip } from "./strip";
import { DAY, HOUR, WEEK } from "./time";
import type { View } from "./view";

const PAPER_WIDTH = 720; // CSS pixels of A4 within its usual margins

export interface Stops {
  name: string; // "violation", "decision"
  moments: number[]; // ascending
  closeUp?: number; // the span to show around one, at most
}

function button(label: string, title: string, action: () => void): HTMLButtonElement {
  const element = document.createElement("button");
  element.type = "button";
  element.textContent = label;
  element.title = title;
  element.addEventListener("click", action);
  return element;
}

export class Stack {
  readonly element: HTMLElement;
  private readonly charts: HTMLElement;
  private drawnWidth = 0;
  private readonly unwatch: (() => void)[] = [];

  constructor(
    private readonly strips: readonly Strip[],
    private readonly view: View,
    private readonly tick: number,
    private readonly stops: readonly Stops[],
    readout: HTMLElement,
  ) {
    this.element = document.createElement("div");
    this.element.className = "stack";
    const bar = document.createElement("div");
    bar.className = "stack-bar";
    bar.append(this.toolbar(), readout);
    this.charts = document.createElement("div");
    this.charts.className = "stack-charts";
    this.charts.tabIndex = 0;
    this.charts.setAttribute("role", "group");
    this.charts.setAttribute("aria-label", "Charts on one time axis. Arrow keys move the cursor, plus and minus zoom.");
    this.charts.addEventListener("keydown", (event) => this.key(event));
    for (const strip of strips) this.charts.append(strip.element);
    const hint = document.createElement("p");
    hint.className = "hint";
    const stopKeys = stops.map((stop) => `${stop.name[0]} / Shift+${stop.name[0]?.toUpperCase()} next and previous ${stop.name}`);
    hint.textContent = ["Drag to zoom in, double-click for all.", "Keys: ← → cursor, Shift+← → move, + − zoom, 0 all", ...stopKeys].join("  ·  ");
    this.element.append(bar, this.charts, hint);
  }

  // Once the element is in the document: draws, and draws again when width or colours change.
  start(): void {
    const draw = (wanted?: number): void => {
      const width = wanted ?? this.room();
      if (width > 0) {
        this.drawnWidth = width;
        for (const strip of this.strips) strip.draw(width);
      }
    };
    const observer = new ResizeObserver(() => {
      const onPaperNow = document.documentElement.classList.contains("paper");
      if (!onPaperNow && this.room() !== this.drawnWidth) draw();
    });
    observer.observe(this.charts);
    const dark = matchMedia("(prefers-color-scheme: dark)");
    const redraw = (): void => draw();
    dark.addEventListener("change", redraw);
    // Paper is white, and its width is not known before it is printed: the charts are drawn for about that of A4,
    // and the style sheet fits them.
    const onPaper = (): void => {
      document.documentElement.classList.add("paper");
      draw(PAPER_WIDTH);
    };
    const onScreen = (): void => {
      document.documentElement.classList.remove("paper");
      draw();
    };
    window.addEventListener("beforeprint", onPaper);
    window.addEventListener("afterprint", onScreen);
    this.unwatch.push(
      () => observer.disconnect(),
      () => dark.removeEventListener("change", redraw),
      () => window.removeEventListener("beforeprint", onPaper),
      () => window.removeEventListener("afterprint", onScreen),
    );
    draw();
  }

  // The width within the padding: a wider chart would lose its right end.
  private room(): number {
    const style = getComputedStyle(this.charts);
    return Math.floor(this.charts.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight));
  }

  stop(): void {
    for (const end of this.unwatch) end();
  }

  goToNext(stop: Stops, direction: 1 | -1): void {
    const here = this.view.cursor ?? (direction > 0 ? this.view.min - 1 : this.view.max + 1);
    const slack = this.tick / 2;
    const next = direction > 0
      ? stop.moments.find((moment) => moment > here + slack)
      : [...stop.moments].reverse().find((moment) => moment < here - slack);
    if (next === undefined) return;
    if (stop.closeUp !== undefined && this.view.span > stop.closeUp) {
      this.view.show(next - stop.closeUp / 2, next + stop.closeUp / 2);
    }
    this.view.goTo(next);
  }

  private toolbar(): HTMLElement {
    const bar = document.createElement("div");
    bar.className = "toolbar";
    bar.setAttribute("role", "toolbar");
    bar.setAttribute("aria-label", "Time span");
    const whole = this.view.last - this.view.first;
    bar.append(button("All", "Show everything (0)", () => this.view.showAll()));
    for (const [name, span] of [["4 weeks", 4 * WEEK], ["Week", WEEK], ["Day", DAY], ["6 hours", 6 * HOUR], ["Hour", HOUR]] as const) {
      if (span < 0.75 * whole && span >= 10 * this.tick) {
        bar.append(button(name, `Show ${name.toLowerCase()}`, () => this.view.showSpan(span)));
      }
    }
    const move = document.createElement("span");
    move.className = "toolbar-group";
    move.append(
      button("◀", "Earlier (Shift+←)", () => this.view.pan(-0.5)),
      button("▶", "Later (Shift+→)", () => this.view.pan(0.5)),
      button("−", "Zoom out (−)", () => this.view.zoom(2)),
      button("+", "Zoom in (+)", () => this.view.zoom(0.5)),
    );
    for (const glyph of move.querySelectorAll("button")) glyph.setAttribute("aria-label", glyph.title);
    bar.append(move);
    for (const stop of this.stops) {
      if (stop.moments.length === 0) continue;
      const group = document.createElement("span");
      group.className = "toolbar-group";
      const back = button("◀", `Previous ${stop.name}`, () => this.goToNext(stop, -1));
      back.setAttribute("aria-label", `Previous ${stop.name}`);
      const on = button("▶", `Next ${stop.name}`, () => this.goToNext(stop, 1));
      on.setAttribute("aria-label", `Next ${stop.name}`);
      const label = document.createElement("span");
      label.textContent = stop.name;
      group.append(back, label, on);
      bar.append(group);
    }
    return bar;
  }

  private key(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const direction = event.key === "ArrowLeft" ? -1 : event.key === "ArrowRight" ? 1 : 0;
    const stop = this.stops.find((one) => one.name[0] === event.key.toLowerCase());
    if (direction !== 0 && event.shiftKey) {
      this.view.pan(0.25 * direction);
    } else if (direction !== 0) {
      // A step is a tick, or a two-hundredth of what is in view where ticks are finer than that.
      const step = Math.max(this.tick, Math.round(this.view.span / 200 / this.tick) * this.tick);
      const here = this.view.cursor ?? (this.view.min + this.view.max) / 2;
      this.view.goTo(here + direction * step);
    } else if (event.key === "+" || event.key === "=") {
      this.view.zoom(0.5);
    } else if (event.key === "-") {
      this.view.zoom(2);
    } else if (event.key === "0" || event.key === "Home") {
      this.view.showAll();
    } else if (event.key === "Escape") {
      this.view.point(null);
    } else if (stop) {
      this.goToNext(stop, event.shiftKey ? -1 : 1);
    } else {
      return;
    }
    event.preventDefault();
  }
}
