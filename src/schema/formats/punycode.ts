/** RFC 3492 section 5, the parameters of Punycode. */
const BASE = 36;
const T_MIN = 1;
const T_MAX = 26;
const SKEW = 38;
const DAMP = 700;
const INITIAL_BIAS = 72;
const INITIAL_N = 0x80;

function adapt(delta: number, points: number, first: boolean): number {
  let rest = first ? Math.floor(delta / DAMP) : delta >> 1;
  rest += Math.floor(rest / points);
  let k = 0;
  for (; rest > ((BASE - T_MIN) * T_MAX) >> 1; k += BASE) rest = Math.floor(rest / (BASE - T_MIN));
  return k + Math.floor(((BASE - T_MIN + 1) * rest) / (rest + SKEW));
}

function thresholdOf(k: number, bias: number): number {
  return Math.min(Math.max(k - bias, T_MIN), T_MAX);
}

/** What stands behind `xn--` → code points (RFC 3492 section 6.2); null where it is no Punycode. For labels: the time is cubic. */
export function decodePunycode(text: string): number[] | null {
  const delimiter = text.lastIndexOf("-");
  const points = [...text.slice(0, Math.max(delimiter, 0))].map((char) => char.charCodeAt(0));
  let n = INITIAL_N;
  let bias = INITIAL_BIAS;
  let i = 0;
  for (let at = delimiter < 0 ? 0 : delimiter + 1; at < text.length; ) {
    const before = i;
    for (let k = BASE, weight = 1; ; k += BASE) {
      const digit = digitOf(text.charCodeAt(at++));
      if (digit === null) return null;
      i += digit * weight;
      const threshold = thresholdOf(k, bias);
      if (digit < threshold) break;
      weight *= BASE - threshold;
      if (i > Number.MAX_SAFE_INTEGER || weight > Number.MAX_SAFE_INTEGER) return null;
    }
    bias = adapt(i - before, points.length + 1, before === 0);
    n += Math.floor(i / (points.length + 1));
    i %= points.length + 1;
    if (n > 0x10ffff) return null;
    points.splice(i++, 0, n);
  }
  return points;
}

function digitOf(unit: number): number | null {
  if (unit >= 0x30 && unit <= 0x39) return unit - 0x30 + 26;
  const lower = unit | 0x20;
  return lower >= 0x61 && lower <= 0x7a ? lower - 0x61 : null;
}

/** Code points → what stands behind `xn--` (RFC 3492 section 6.3). For labels: the time is quadratic. */
export function encodePunycode(points: readonly number[]): string {
  const basic = points.filter((point) => point < INITIAL_N);
  let text = String.fromCharCode(...basic) + (basic.length > 0 ? "-" : "");
  let n = INITIAL_N;
  let delta = 0;
  let bias = INITIAL_BIAS;
  for (let handled = basic.length; handled < points.length; delta++, n++) {
    const next = Math.min(...points.filter((point) => point >= n));
    delta += (next - n) * (handled + 1);
    n = next;
    for (const point of points) {
      if (point < n) delta++;
      if (point !== n) continue;
      text += spell(delta, bias);
      bias = adapt(delta, handled + 1, handled === basic.length);
      delta = 0;
      handled++;
    }
  }
  return text;
}

function spell(delta: number, bias: number): string {
  let text = "";
  let rest = delta;
  for (let k = BASE; ; k += BASE) {
    const threshold = thresholdOf(k, bias);
    if (rest < threshold) return text + rest.toString(BASE).replace(/./, digitChar);
    const digit = threshold + ((rest - threshold) % (BASE - threshold));
    text += digitChar(digit.toString(BASE));
    rest = Math.floor((rest - threshold) / (BASE - threshold));
  }
}

/** A digit of base 36 as JavaScript writes it → as Punycode does: letters first. */
function digitChar(digit: string): string {
  const value = Number.parseInt(digit, BASE);
  return String.fromCharCode(value < 26 ? 0x61 + value : 0x30 + value - 26);
}
