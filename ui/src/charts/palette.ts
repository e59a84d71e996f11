// The colours of the charts, read from the style sheet so that light, dark and print have one source.

export type Ink =
  | "traffic" | "cpu" | "objective" | "threshold" | "in-service" | "launching" | "draining" | "desired"
  | "cost" | "compare" | "front" | "winner" | "latency" | "violation" | "ink" | "muted" | "grid" | "surface" | "added" | "removed";

export function colour(ink: Ink): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${ink}`).trim() || "gray";
}
