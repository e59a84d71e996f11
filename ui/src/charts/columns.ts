// Long series of numbers from the compact text that src/report/columns.hpp describes.

export interface PackedNumbers {
  scale: number;
  text: string;
}

function bytesOf(base64: string): Uint8Array {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

// Differences exceed 32 bits for no series we draw, but a zigzag number may: hence no bit operations here.
class Varints {
  private at = 0;
  constructor(private readonly bytes: Uint8Array) {}
  get done(): boolean {
    return this.at >= this.bytes.length;
  }
  next(): number {
    let value = 0;
    let factor = 1;
    for (;;) {
      const byte = this.bytes[this.at++];
      if (byte === undefined) throw new Error("a packed column ends within a number");
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
      factor *= 128;
    }
  }
}

const unzigzag = (value: number): number => (value % 2 === 0 ? value / 2 : -(value + 1) / 2);

// Runs of equal differences.
export function unpackIntegers(text: string, count: number): Int32Array {
  const values = new Int32Array(count);
  const varints = new Varints(bytesOf(text));
  let value = 0;
  let filled = 0;
  while (!varints.done) {
    const difference = unzigzag(varints.next());
    const length = varints.next();
    for (let k = 0; k < length; k++) {
      value += difference;
      if (filled < count) values[filled] = value;
      filled++;
    }
  }
  if (filled !== count) throw new Error(`a packed column holds ${filled} values, expected ${count}`);
  return values;
}

// Scaled differences; NaN stands for a missing value.
export function unpackNumbers(packed: PackedNumbers, count: number): Float64Array {
  const values = new Float64Array(count);
  const varints = new Varints(bytesOf(packed.text));
  let scaled = 0;
  let filled = 0;
  while (!varints.done) {
    const code = varints.next();
    if (code > 0) scaled += unzigzag(code - 1);
    if (filled < count) values[filled] = code > 0 ? scaled / packed.scale : NaN;
    filled++;
  }
  if (filled !== count) throw new Error(`a packed column holds ${filled} values, expected ${count}`);
  return values;
}
