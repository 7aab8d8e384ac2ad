import { DEFAULTS } from "../../support/defaults.ts";

/** What `openssl x509 -serial`, `-text` and `openssl crl -text` print before it. */
const LABEL = /^serial(?: ?number)?\s*[:=]\s*/i;
/** `4096 (0x1000)`, as `-text` prints what fits into a word: the same number twice. */
const BOTH = /^(-?\d{1,20}) \(-?0x[0-9a-f]{1,16}\)$/i;
/** `0A1B`, `0x0a1b`. */
const DIGITS = /^(-?)(?:0x)?([0-9a-f]+)$/i;
/** `0a:1b`, `0A 1B`; ` (Negative)0a:1b`. */
const BYTES = /^(-|\(Negative\)\s*)?([0-9a-f]{1,2}(?:(?::|\s)[0-9a-f]{2})+)$/i;

/**
 * A certificate's serial number in any spelling of OpenSSL → hexadecimal in upper case without zeros before it, or null where
 * it is none. Digits alone are hexadecimal, as in all of OpenSSL's own output.
 */
export function canonicalSerial(text: string): string | null {
  // So long a text is none, and no pattern looks at it.
  if (text.length > DEFAULTS.revokedTextMax) return null;
  const plain = text.trim().replace(LABEL, "").trim();
  const both = BOTH.exec(plain);
  if (both !== null) {
    const decimal = BigInt(both[1] ?? "0");
    const hexadecimal = BigInt(`0x${plain.slice(plain.indexOf("0x") + 2, -1)}`);
    if ((decimal < 0n ? -decimal : decimal) !== hexadecimal) return null;
    return `${decimal < 0n ? "-" : ""}${hexadecimal.toString(16).toUpperCase()}`;
  }
  const [, sign = "", digits] = DIGITS.exec(plain) ?? BYTES.exec(plain) ?? [];
  if (digits === undefined) return null;
  return `${sign === "" ? "" : "-"}${withoutZeros(digits.replace(/[:\s]/g, "").toUpperCase())}`;
}

/** Of a certificate that was read, whose serial number has one spelling but for zeros before it. */
export function certificateSerial(serialNumber: string): string {
  if (serialNumber.startsWith("-")) return `-${withoutZeros(serialNumber.slice(1))}`;
  return serialNumber.startsWith("0") ? withoutZeros(serialNumber) : serialNumber;
}

function withoutZeros(digits: string): string {
  return digits.replace(/^0+(?=.)/, "");
}
