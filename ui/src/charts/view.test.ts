import { describe, expect, it } from "vitest";
import { View } from "./view";

describe("View", () => {
  it("stays within what there is, and no shorter than is worth showing", () => {
    const view = new View(0, 100, 8);
    view.show(-50, 10);
    expect([view.min, view.max]).toEqual([0, 60]);
    view.show(99, 100);
    expect([view.min, view.max]).toEqual([92, 100]);
    view.zoom(1000);
    expect(view.isAll).toBe(true);
  });

  it("zooms around the cursor where it is in view, else around the middle", () => {
    const view = new View(0, 100, 1);
    view.point(20);
    view.showSpan(10);
    expect([view.min, view.max]).toEqual([15, 25]);
    view.point(90);
    view.showSpan(4);
    expect([view.min, view.max]).toEqual([18, 22]);
  });

  it("brings a moment into view without changing the span", () => {
    const view = new View(0, 100, 1);
    view.show(0, 10);
    view.goTo(50);
    expect([view.min, view.max, view.cursor]).toEqual([45, 55, 50]);
  });

  it("tells its listeners once per change", () => {
    const view = new View(0, 100, 1);
    let calls = 0;
    view.onRange(() => calls++);
    view.show(10, 20);
    view.show(10, 20);
    expect(calls).toBe(1);
  });
});
