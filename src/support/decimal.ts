/** A number in base ten, exactly: `digits` × 10^`exponent`, without zeros at the end of `digits`; zero is 0 × 10^0. */
export interface Decimal {
  readonly digits: bigint;
  readonly exponent: number;
}

const ZERO: Decimal = { digits: 0n, exponent: 0 };

/** A number in JSON's spelling (RFC 8259 section 6) → its value. The cost grows with the text, whatever the exponent says. */
export function parseDecimal(text: string): Decimal {
  const e = text.search(/[eE]/);
  const mantissa = e < 0 ? text : text.slice(0, e);
  const point = mantissa.indexOf(".");
  const written = point < 0 ? mantissa : mantissa.slice(0, point) + mantissa.slice(point + 1);
  const significant = written.replace(/0+$/, "");
  if (!/[1-9]/.test(significant)) return ZERO;
  const fraction = point < 0 ? 0 : mantissa.length - point - 1;
  const exponent = (e < 0 ? 0 : Number(text.slice(e + 1))) - fraction + (written.length - significant.length);
  return { digits: BigInt(significant), exponent };
}

/** One text for each value, as `-1999e-2`. */
export function decimalText({ digits, exponent }: Decimal): string {
  return `${digits}e${exponent}`;
}

export function isInteger({ exponent }: Decimal): boolean {
  return exponent >= 0;
}

/** Below zero, zero or above it as `a` is less than, equal to or more than `b`. */
export function compareDecimals(a: Decimal, b: Decimal): number {
  const [signA, signB] = [signOf(a), signOf(b)];
  if (signA !== signB || signA === 0) return signA - signB;
  const magnitude = magnitudeOf(a) - magnitudeOf(b);
  if (magnitude !== 0) return signA * magnitude;
  // Of equal magnitude, exponents differ by no more than the digits do in number.
  const exponent = Math.min(a.exponent, b.exponent);
  const [left, right] = [scaled(a, exponent), scaled(b, exponent)];
  return left < right ? -1 : left > right ? 1 : 0;
}

/** Whether `value` is an integer times `divisor`, which is above zero. */
export function isMultiple(value: Decimal, divisor: Decimal): boolean {
  if (value.digits === 0n) return true;
  const shift = value.exponent - divisor.exponent;
  // The divisor would have to bring a factor of ten, which no digits here have.
  if (shift < 0) return false;
  return ((value.digits % divisor.digits) * powerOfTen(shift, divisor.digits)) % divisor.digits === 0n;
}

/** 10^exponent modulo `modulus`, by squaring: an exponent of ten digits takes some thirty steps. */
function powerOfTen(exponent: number, modulus: bigint): bigint {
  let power = 1n % modulus;
  let square = 10n % modulus;
  for (let left = exponent; left > 0; left = Math.floor(left / 2)) {
    if (left % 2 === 1) power = (power * square) % modulus;
    square = (square * square) % modulus;
  }
  return power;
}

function signOf({ digits }: Decimal): number {
  return digits < 0n ? -1 : digits > 0n ? 1 : 0;
}

/** Decimal places before the point. */
function magnitudeOf({ digits, exponent }: Decimal): number {
  return String(digits < 0n ? -digits : digits).length + exponent;
}

function scaled({ digits, exponent }: Decimal, to: number): bigint {
  return digits * 10n ** BigInt(exponent - to);
}
