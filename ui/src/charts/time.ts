// Time on an axis, in seconds: since 1970 in UTC where the traffic has a calendar, else since its start.

const DAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"] as const;
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"] as const;

export const MINUTE = 60;
export const HOUR = 3600;
export const DAY = 86400;
export const WEEK = 7 * DAY;

const STEPS = [
  1, 2, 5, 10, 15, 30,
  MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 15 * MINUTE, 30 * MINUTE,
  HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR,
  DAY, 2 * DAY, WEEK, 2 * WEEK, 4 * WEEK, 13 * WEEK, 52 * WEEK,
];

const two = (value: number): string => String(value).padStart(2, "0");
const parts = (seconds: number): Date => new Date(Math.round(seconds * 1000));

// The smallest step that puts at most `count` labels on the span.
export function timeStep(span: number, count: number): number {
  return STEPS.find((step) => span / step <= count) ?? STEPS[STEPS.length - 1]!;
}

// Multiples of the step within [min, max]; weeks begin on Mondays where there is a calendar.
export function timeSplits(min: number, max: number, step: number, calendar: boolean): number[] {
  // 1970-01-01 was a Thursday: the first Monday came four days later.
  const origin = calendar && step % WEEK === 0 ? 4 * DAY : 0;
  const splits: number[] = [];
  for (let k = Math.ceil((min - origin) / step); origin + k * step <= max; k++) splits.push(origin + k * step);
  return splits;
}

function elapsed(seconds: number): string {
  const sign = seconds < 0 ? "-" : "";
  let left = Math.abs(Math.round(seconds));
  if (left === 0) return "0";
  const found: string[] = [];
  for (const [size, name] of [[DAY, "d"], [HOUR, "h"], [MINUTE, "min"], [1, "s"]] as const) {
    if (left >= size) {
      found.push(`${Math.floor(left / size)} ${name}`);
      left %= size;
    }
  }
  return sign + found.slice(0, 2).join(" ");
}

// The label of a split: the day where one begins, else the time of day.
export function splitLabel(seconds: number, step: number, calendar: boolean): string {
  if (!calendar) return elapsed(seconds);
  const date = parts(seconds);
  const midnight = date.getUTCHours() + date.getUTCMinutes() + date.getUTCSeconds() === 0;
  if (midnight && step <= 2 * DAY) {
    return `${DAYS[date.getUTCDay()]} ${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]}`;
  }
  if (step >= DAY) return `${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]}`;
  const clock = `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}`;
  return step < MINUTE ? `${clock}:${two(date.getUTCSeconds())}` : clock;
}

// A moment in full: "Sun 2 Nov 2014 01:05 UTC", or "1 d 2 h from the start".
export function momentText(seconds: number, calendar: boolean): string {
  if (!calendar) {
    const whole = Math.round(seconds);
    return whole === 0 ? "at the start" : `${elapsedExact(whole)} from the start`;
  }
  const date = parts(seconds);
  const second = date.getUTCSeconds();
  return `${dayText(seconds)} ${two(date.getUTCHours())}:${two(date.getUTCMinutes())}${second ? `:${two(second)}` : ""} UTC`;
}

function elapsedExact(seconds: number): string {
  const days = Math.floor(seconds / DAY);
  const rest = seconds % DAY;
  const clock = [
    [Math.floor(rest / HOUR), "h"],
    [Math.floor(rest / MINUTE) % 60, "min"],
    [rest % 60, "s"],
  ] as const;
  const found = clock.filter(([count]) => count > 0).map(([count, name]) => `${count} ${name}`);
  if (days > 0) found.unshift(`${days} d`);
  return found.join(" ");
}

export function dayText(seconds: number): string {
  const date = parts(seconds);
  return `${DAYS[date.getUTCDay()]} ${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]} ${date.getUTCFullYear()}`;
}

// A length of time in its two largest units; whole weeks as weeks.
export function spanText(seconds: number): string {
  if (seconds >= WEEK && seconds % WEEK === 0) {
    const weeks = seconds / WEEK;
    return weeks === 1 ? "1 week" : `${weeks} weeks`;
  }
  if (seconds > 0 && seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  const text = elapsed(seconds);
  return text === "0" ? "0 s" : text;
}
