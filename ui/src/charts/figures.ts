// Numbers as people read them. English separators whatever the browser's language: reports are shared.

export function numberText(value: number, decimals: number): string {
  if (!Number.isFinite(value)) return "–";
  const text = Math.abs(value).toFixed(decimals);
  const [whole = "", fraction] = text.split(".");
  const grouped = whole.replace(/\B(?=(\d{3})+(?!\d))/g, ",");
  const sign = value < 0 && Number(text) !== 0 ? "−" : "";
  return sign + grouped + (fraction ? `.${fraction}` : "");
}

// About three significant digits: "0.0123", "4.57", "45.1", "312", "12,345".
export function shortText(value: number): string {
  if (!Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  if (size >= 99.95) return numberText(value, 0);
  if (size >= 9.995) return numberText(value, Number.isInteger(value) ? 0 : 1);
  if (size >= 0.9995 || size === 0) return numberText(value, Number.isInteger(value) ? 0 : 2);
  return `${value < 0 ? "−" : ""}${Number(size.toPrecision(3))}`;
}

// Dollars; four decimals below one dollar.
export function moneyText(usd: number): string {
  if (!Number.isFinite(usd)) return "–";
  const size = Math.abs(usd);
  const text = numberText(size, size > 0 && size < 1 ? 4 : size >= 10000 ? 0 : 2);
  return `${usd < 0 ? "−" : ""}$${text}`;
}

// On an axis: "0", "250", "1.5k", "20k", "3M".
export function axisText(value: number): string {
  const size = Math.abs(value);
  const trimmed = (scaled: number): string => String(Number(scaled.toPrecision(4)));
  if (size >= 1e6) return `${trimmed(value / 1e6)}M`;
  if (size >= 1e4) return `${trimmed(value / 1e3)}k`;
  return trimmed(value);
}
