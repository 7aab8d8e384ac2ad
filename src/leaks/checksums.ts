import { crc32 } from "node:zlib";

/** Check digits of numbers, each told of digits as ASCII text. */

/** ISO/IEC 7812-1, annex B. */
export function isLuhn(digits: string): boolean {
  let sum = 0;
  for (let at = digits.length - 1, isSecond = false; at >= 0; at--, isSecond = !isSecond) {
    const digit = digits.charCodeAt(at) - 0x30;
    sum += isSecond ? (digit > 4 ? 2 * digit - 9 : 2 * digit) : digit;
  }
  return sum % 10 === 0;
}

/** The rest of a decimal number of any length. */
export function modulo(digits: string, divisor: number): number {
  let rest = 0;
  for (const digit of digits) rest = (rest * 10 + Number(digit)) % divisor;
  return rest;
}

/** The sum of digits, each times the weight in its place. */
export function weighted(digits: string, weights: readonly number[]): number {
  return weights.reduce((sum, weight, at) => sum + weight * Number(digits[at] ?? 0), 0);
}

/** ISO/IEC 7064, MOD 97-10, of letters and digits: IBAN (ISO 13616-1). */
export function isMod97(text: string): boolean {
  const moved = text.slice(4) + text.slice(0, 4);
  return (
    modulo(
      moved.replace(/[A-Z]/g, (letter) => `${letter.charCodeAt(0) - 55}`),
      97,
    ) === 1
  );
}

/** ISO/IEC 7064, MOD 11-10. */
export function isMod11And10(digits: string): boolean {
  let product = 10;
  for (const digit of digits.slice(0, -1)) {
    const sum = (Number(digit) + product) % 10;
    product = (2 * (sum === 0 ? 10 : sum)) % 11;
  }
  return (11 - product) % 10 === Number(digits.at(-1));
}

const VERHOEFF_PRODUCT = [
  "0123456789",
  "1234067895",
  "2340178956",
  "3401289567",
  "4012395678",
  "5987604321",
  "6598710432",
  "7659821043",
  "8765932104",
  "9876543210",
];
const VERHOEFF_TURN = [
  "0123456789",
  "1576283094",
  "5803796142",
  "8916043527",
  "9453126870",
  "4286573901",
  "2793806415",
  "7046913258",
];

/** J. Verhoeff, Error Detecting Decimal Codes, 1969. */
export function isVerhoeff(digits: string): boolean {
  let check = 0;
  for (const [at, digit] of [...digits].reverse().entries()) {
    const turned = Number(VERHOEFF_TURN[at % 8]?.[Number(digit)]);
    check = Number(VERHOEFF_PRODUCT[check]?.[turned]);
  }
  return check === 0;
}

const BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/**
 * CRC-32 of what stands before, as the last six characters in base 62: GitHub
 * (https://github.blog/engineering/platform-security/behind-githubs-new-authentication-token-formats/), npm.
 */
export function isCrcBase62(text: string, checked: string): boolean {
  let rest = crc32(text);
  let written = "";
  for (let at = 0; at < checked.length; at++) {
    written = (BASE62[rest % 62] ?? "") + written;
    rest = Math.floor(rest / 62);
  }
  return written === checked;
}

/** CRC-32 as hexadecimal: Grafana. */
export function isCrcHex(text: string, checked: string): boolean {
  return crc32(text).toString(16).padStart(8, "0") === checked;
}

/** Shannon's entropy of the characters, in bits each. */
export function entropyOf(text: string): number {
  const counts = new Map<string, number>();
  for (const char of text) counts.set(char, (counts.get(char) ?? 0) + 1);
  let bits = 0;
  for (const count of counts.values()) bits -= (count / text.length) * Math.log2(count / text.length);
  return bits;
}
