import { createHash } from "node:crypto";

export function base64Encode(text: string): string {
  return Buffer.from(text, "latin1").toString("base64");
}

export function hexEncode(text: string): string {
  return Buffer.from(text, "latin1").toString("hex");
}

const HEX = Buffer.from("0123456789abcdef", "latin1");
const [PERCENT, PLUS, SMALL_U] = [0x25, 0x2b, 0x75] as const;

/** The bytes that a form has as they are. */
const OF_FORMS = Uint8Array.from({ length: 256 }, (_, byte) =>
  /[0-9A-Za-z*]/.test(String.fromCharCode(byte)) ? 1 : 0,
);

export function urlEncode(text: string): string {
  const out = Buffer.allocUnsafe(3 * text.length);
  let end = 0;
  for (let at = 0; at < text.length; at++) {
    const byte = text.charCodeAt(at) & 0xff;
    if (OF_FORMS[byte] === 1) out[end++] = byte;
    else if (byte === 0x20) out[end++] = PLUS;
    else {
      out[end++] = PERCENT;
      end = writeHex(out, end, byte, 2);
    }
  }
  return out.toString("latin1", 0, end);
}

/** So many digits of a number; where they end. */
function writeHex(out: Buffer, at: number, number: number, digits: number): number {
  for (let digit = digits - 1; digit >= 0; digit--)
    out[at + digits - 1 - digit] = HEX[(number >> (4 * digit)) & 0xf] ?? 0;
  return at + digits;
}

/** Each character beyond ASCII as `%uXXXX`. Of an overlong form or a surrogate its first byte stays as well. */
export function utf8toUnicode(text: string): string {
  // Two bytes become six characters, or seven.
  const out = Buffer.allocUnsafe(4 * text.length);
  let end = 0;
  for (let at = 0; at < text.length; ) {
    const first = text.charCodeAt(at);
    const length = lengthOfUtf8(text, at, first);
    if (length === 0) {
      out[end++] = first;
      at++;
      continue;
    }
    let point = first & (0x7f >> length);
    for (let next = at + 1; next < at + length; next++) point = (point << 6) | (text.charCodeAt(next) & 0x3f);
    out[end++] = PERCENT;
    out[end++] = SMALL_U;
    end = writeHex(out, end, point, point > 0xfffff ? 6 : point > 0xffff ? 5 : 4);
    const least = LEAST[length] ?? 0;
    if (point < least || (point >= 0xd800 && point <= 0xdfff)) out[end++] = first;
    at += length;
  }
  return end === text.length ? text : out.toString("latin1", 0, end);
}

/** The least code point that needs so many bytes. */
const LEAST = [0, 0, 0x80, 0x800, 0x10000] as const;

/** Of the character of two to four bytes that begins here; 0 where none does. */
function lengthOfUtf8(text: string, at: number, first: number): number {
  const length = first < 0xc0 || first > 0xf7 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  for (let next = at + 1; next < at + length; next++) {
    if ((text.charCodeAt(next) & 0xc0) !== 0x80) return 0;
  }
  return length;
}

/** Digests are bytes; `hexEncode` behind them makes them readable. */
export function sha1(text: string): string {
  return createHash("sha1").update(text, "latin1").digest("latin1");
}

export function md5(text: string): string {
  return createHash("md5").update(text, "latin1").digest("latin1");
}

export function length(text: string): string {
  return `${text.length}`;
}
