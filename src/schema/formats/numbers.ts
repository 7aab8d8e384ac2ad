const NUMBER = /^-?(\d+)(?:\.(\d+))?(?:[Ee]([+-]?\d+))?$/;

/** Whole numbers of so many bits, sign included, by their JSON spelling: `1.0` and `1e3` are whole, and no digit is lost. */
export function isInteger(bits: 32 | 64): (spelling: string) => boolean {
  const end = 2n ** BigInt(bits - 1);
  return (spelling) => {
    const value = wholeNumberOf(spelling);
    return value !== null && value >= -end && value < end;
  };
}

/** More digits before the point than any that has a format. */
const DIGITS_MAX = 20;

/** The number, or null where it is not whole or has more than 20 digits. */
function wholeNumberOf(spelling: string): bigint | null {
  const [, whole, fraction = "", power = "0"] = NUMBER.exec(spelling) ?? [];
  if (whole === undefined) return null;
  const digits = whole + fraction;
  let [first, end] = [0, digits.length];
  while (first < end && digits[first] === "0") first++;
  while (end > first && digits[end - 1] === "0") end--;
  if (first === end) return 0n;
  const zeros = Number(power) - fraction.length + (digits.length - end);
  if (zeros < 0 || end - first + zeros > DIGITS_MAX) return null;
  const value = BigInt(digits.slice(first, end) + "0".repeat(zeros));
  return spelling.startsWith("-") ? -value : value;
}

/** A number that does not become infinite as an IEEE 754 binary32. */
export function isFloat(spelling: string): boolean {
  return Number.isFinite(Math.fround(Number(spelling)));
}

/** The same as a binary64. */
export function isDouble(spelling: string): boolean {
  return Number.isFinite(Number(spelling));
}
