import { type Decimal, parseDecimal } from "../../support/decimal.ts";

/** What is counted is a whole number of these: fractions of money and of tokens add up without an error. */
export const MICRO = 1_000_000;

/** Most that is counted, in whatever unit: beyond it a double is not exact. */
export const AMOUNT_MAX: number = Number.MAX_SAFE_INTEGER;

/** Characters of a cost; what is longer is none. */
export const AMOUNT_CHARS_MAX = 64;

const NUMBER = /^\d+(?:\.\d+)?(?:[eE][+-]?\d{1,3})?$/;

/** 1, which changes no figure. */
const ONCE: Decimal = { digits: 1n, exponent: 0 };

/**
 * A number as a service tells it, times `times` → so many of 1/`scale`, rounded up; what is more than can be counted is the
 * most that can. Null for what is no cost: below zero, no number in JSON's spelling, or too long.
 */
export function amountOf(text: string, scale: number, times: Decimal = ONCE): number | null {
  if (text.length > AMOUNT_CHARS_MAX || !NUMBER.test(text)) return null;
  const number = parseDecimal(text);
  const digits = number.digits * times.digits;
  const shift = number.exponent + times.exponent + Math.round(Math.log10(scale));
  if (digits === 0n) return 0;
  // Its digits are as many as the texts have; the exponent alone could make a number of a thousand.
  const places = String(digits).length + shift;
  if (places > 17) return AMOUNT_MAX;
  if (places < 0) return 1;
  const amount = shift >= 0 ? digits * 10n ** BigInt(shift) : ceiling(digits, 10n ** BigInt(-shift));
  return amount > BigInt(AMOUNT_MAX) ? AMOUNT_MAX : Number(amount);
}

function ceiling(digits: bigint, divisor: bigint): bigint {
  return (digits + divisor - 1n) / divisor;
}

/** The same for people: `12.5`. */
export function amountText(amount: number, scale: number): string {
  const whole = Math.floor(amount / scale);
  const rest = amount - whole * scale;
  if (rest === 0) return String(whole);
  const places = String(rest).padStart(Math.round(Math.log10(scale)), "0");
  return `${whole}.${places.replace(/0+$/, "")}`;
}
