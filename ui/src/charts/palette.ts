// The colours of the charts, read from the style sheet so that light, dark and print have one source.

// As many as can be told apart; more zones begin anew.
export const ZONE_INKS = ["zone-1", "zone-2", "zone-3", "zone-4", "zone-5", "zone-6"] as const;
type ZoneInk = (typeof ZONE_INKS)[number];

export type Ink =
  | "traffic" | "cpu" | "objective" | "threshold" | "in-service" | "launching" | "draining" | "desired"
  | "stopped" | "failed" | "fault" | "event" | ZoneInk
  | "cost" | "compare" | "front" | "winner" | "latency" | "violation" | "ink" | "muted" | "grid" | "surface" | "added" | "removed";

export function colour(ink: Ink): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${ink}`).trim() || "gray";
}

// "#0072b2" with an opacity; the style sheet writes its colours in this form.
export function translucent(hex: string, opacity: number): string {
  const alpha = Math.round(Math.min(Math.max(opacity, 0), 1) * 255);
  return /^#[0-9a-f]{6}$/i.test(hex) ? hex + alpha.toString(16).padStart(2, "0") : hex;
}
