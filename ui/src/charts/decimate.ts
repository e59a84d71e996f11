// What is drawn of a long series: per pixel its lowest and its highest value, so that no peak is lost.

export type Values = Float64Array | Int32Array;

export interface Drawn {
  // Indices into the series where the points stand; the last is the end of the last value.
  indices: number[];
  // Per series as many values as indices; null where a value is missing.
  values: (number | null)[][];
  // How many values one pair of points stands for; 1 where every value is drawn.
  bucket: number;
}

const present = (value: number | undefined): number | null =>
  value === undefined || Number.isNaN(value) ? null : value;

// The values [from, to) of every series, as at most about 2 * buckets points. Buckets begin at multiples of
// their size, so that the picture does not flicker while it moves.
export function decimate(series: readonly Values[], from: number, to: number, buckets: number): Drawn {
  const indices: number[] = [];
  const values: (number | null)[][] = series.map(() => []);
  if (to <= from) return { indices, values, bucket: 1 };

  const bucket = Math.max(1, Math.ceil((to - from) / Math.max(1, buckets)));
  if (bucket <= 2) {
    for (let i = from; i < to; i++) {
      indices.push(i);
      series.forEach((one, s) => values[s]!.push(present(one[i])));
    }
  } else {
    for (let begin = Math.floor(from / bucket) * bucket; begin < to; begin += bucket) {
      const first = Math.max(begin, from);
      const last = Math.min(begin + bucket, to);
      indices.push(first);
      const middle = first + (last - first) / 2;
      indices.push(middle);
      series.forEach((one, s) => {
        let lowAt = -1;
        let highAt = -1;
        for (let i = first; i < last; i++) {
          const value = one[i]!;
          if (Number.isNaN(value)) continue;
          if (lowAt < 0 || value < one[lowAt]!) lowAt = i;
          if (highAt < 0 || value > one[highAt]!) highAt = i;
        }
        const low = lowAt < 0 ? null : one[lowAt]!;
        const high = highAt < 0 ? null : one[highAt]!;
        if (lowAt <= highAt) values[s]!.push(low, high);
        else values[s]!.push(high, low);
      });
    }
  }
  // The last value holds until the end of its tick.
  indices.push(to);
  for (const one of values) one.push(one[one.length - 1] ?? null);
  return { indices, values, bucket: bucket <= 2 ? 1 : bucket };
}

// The first index whose value is greater than `wanted`; `sorted` ascends.
export function upperBound(sorted: ArrayLike<number>, wanted: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]! <= wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}
