// What is drawn of a long series: per pixel its lowest, its highest and its mean value, so that no peak is lost.

export type Values = Float64Array | Int32Array;

export interface Drawn {
  // Indices into the series where the points stand; the last is the end of the last value.
  indices: number[];
  // Per series as many values as indices; null where a value is missing. `values` runs through the lowest and
  // the highest of each bucket in the order they came; the others hold one value over the whole bucket.
  values: (number | null)[][];
  low: (number | null)[][];
  high: (number | null)[][];
  mean: (number | null)[][];
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
  const low: (number | null)[][] = series.map(() => []);
  const high: (number | null)[][] = series.map(() => []);
  const mean: (number | null)[][] = series.map(() => []);
  if (to <= from) return { indices, values, low, high, mean, bucket: 1 };

  const bucket = Math.max(1, Math.ceil((to - from) / Math.max(1, buckets)));
  if (bucket <= 2) {
    for (let i = from; i < to; i++) {
      indices.push(i);
      series.forEach((one, s) => values[s]!.push(present(one[i])));
    }
    series.forEach((_, s) => {
      low[s] = high[s] = mean[s] = values[s]!;
    });
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
        let sum = 0;
        let count = 0;
        for (let i = first; i < last; i++) {
          const value = one[i]!;
          if (Number.isNaN(value)) continue;
          if (lowAt < 0 || value < one[lowAt]!) lowAt = i;
          if (highAt < 0 || value > one[highAt]!) highAt = i;
          sum += value;
          count++;
        }
        const lowest = lowAt < 0 ? null : one[lowAt]!;
        const highest = highAt < 0 ? null : one[highAt]!;
        const average = count === 0 ? null : sum / count;
        if (lowAt <= highAt) values[s]!.push(lowest, highest);
        else values[s]!.push(highest, lowest);
        low[s]!.push(lowest, lowest);
        high[s]!.push(highest, highest);
        mean[s]!.push(average, average);
      });
    }
  }
  // The last value holds until the end of its tick.
  indices.push(to);
  for (const one of new Set([...values, ...low, ...high, ...mean])) one.push(one[one.length - 1] ?? null);
  return { indices, values, low, high, mean, bucket: bucket <= 2 ? 1 : bucket };
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

// Events summed over spans of `size` ticks that begin at multiples of it.
export interface Summed {
  first: Int32Array; // the first tick of each span that holds an event
  up: Int32Array;
  down: Int32Array;
}

export function sumEvents(ticks: Int32Array, up: Int32Array, down: Int32Array, size: number): Summed {
  const first: number[] = [];
  const ups: number[] = [];
  const downs: number[] = [];
  for (let k = 0; k < ticks.length; k++) {
    const begin = Math.floor(ticks[k]! / size) * size;
    if (first[first.length - 1] !== begin) {
      first.push(begin);
      ups.push(0);
      downs.push(0);
    }
    ups[ups.length - 1]! += up[k]!;
    downs[downs.length - 1]! += down[k]!;
  }
  return { first: Int32Array.from(first), up: Int32Array.from(ups), down: Int32Array.from(downs) };
}
