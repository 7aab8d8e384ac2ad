import { bestFit, lowByte } from "./best-fit.ts";

/**
 * Transformations that take an encoding off, as ModSecurity 3 documents them (Reference Manual, "Transformation functions").
 * On byte texts; what is no valid escape stays as it is. Each goes over the text once.
 */

const byteOf = (hex: string): string => String.fromCharCode(Number.parseInt(hex, 16));

export function urlDecode(text: string): string {
  return text.replace(/%([0-9A-Fa-f]{2})|\+/g, (_, hex: string | undefined) => (hex === undefined ? " " : byteOf(hex)));
}

/** Also `%uXXXX`, as services on Windows read it. */
export function urlDecodeUni(text: string): string {
  return text.replace(
    /%[uU]([0-9A-Fa-f]{4})|%([0-9A-Fa-f]{2})|\+/g,
    (_, wide: string | undefined, hex: string | undefined) => {
      if (wide !== undefined) return bestFit(Number.parseInt(wide, 16));
      return hex === undefined ? " " : byteOf(hex);
    },
  );
}

const ENTITIES: Readonly<Record<string, string>> = { quot: '"', amp: "&", lt: "<", gt: ">", nbsp: "\u00a0" };

/** A number is one byte, its lowest; leading zeros count for nothing, else they would hide what follows. */
export function htmlEntityDecode(text: string): string {
  return text.replace(
    /&(?:#(?:[xX]([0-9A-Fa-f]+)|([0-9]+))|(quot|amp|lt|gt|nbsp));?/gi,
    (_, hex: string | undefined, decimal: string | undefined, name: string | undefined) => {
      if (name !== undefined) return ENTITIES[name.toLowerCase()] ?? "";
      if (hex !== undefined) return byteOf(hex.slice(-2));
      return String.fromCharCode(lowByteOfDecimal(decimal ?? ""));
    },
  );
}

/** However many digits it has: 1000 is a multiple of 8, so the byte is not told by the last three alone. */
function lowByteOfDecimal(digits: string): number {
  let byte = 0;
  for (let at = 0; at < digits.length; at++) byte = (byte * 10 + digits.charCodeAt(at) - 0x30) & 0xff;
  return byte;
}

const CONTROLS: Readonly<Record<string, string>> = {
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
};

const octal = (digits: string): string => String.fromCharCode(Number.parseInt(digits, 8) & 0xff);

/** JavaScript's escapes: `\uHHHH` (its low byte), `\xHH`, `\OOO`, `\n` …; any other character is itself. */
export function jsDecode(text: string): string {
  return text.replace(
    /\\(?:u([0-9A-Fa-f]{4})|x([0-9A-Fa-f]{2})|([0-3][0-7]{0,2}|[4-7][0-7]?)|([\s\S]))/g,
    (_, wide: string | undefined, hex: string | undefined, digits: string | undefined, char: string) => {
      if (wide !== undefined) return lowByte(Number.parseInt(wide, 16));
      if (hex !== undefined) return byteOf(hex);
      return digits === undefined ? (CONTROLS[char] ?? char) : octal(digits);
    },
  );
}

/** CSS 2's escapes: one to six hexadecimal digits and one space behind them, a line that goes on, or the character itself. */
export function cssDecode(text: string): string {
  return text.replace(
    /\\(?:([0-9A-Fa-f]{1,6})[ \t\n\v\f\r]?|\n|([\s\S])|$)/g,
    (_, hex: string | undefined, char: string | undefined) => {
      if (hex === undefined) return char ?? "";
      return hex.length >= 4 && /^0{0,2}[fF]{2}/.test(hex) ? lowByte(Number.parseInt(hex, 16)) : byteOf(hex.slice(-2));
    },
  );
}

/** Escapes of ANSI C. */
export function escapeSeqDecode(text: string): string {
  return text.replace(
    /\\(?:[xX]([0-9A-Fa-f]{2})|([0-7]{1,3})|([\s\S]))/g,
    (_, hex: string | undefined, digits: string | undefined, char: string) => {
      if (hex !== undefined) return byteOf(hex);
      return digits === undefined ? (CONTROLS[char] ?? char) : octal(digits);
    },
  );
}

/** `0x414243` of SQL. */
export function sqlHexDecode(text: string): string {
  return text.replace(/0[xX]((?:[0-9A-Fa-f]{2})+)/g, (_, hex: string) => Buffer.from(hex, "hex").toString("latin1"));
}

/** Nothing where it is no hexadecimal number of whole bytes. */
export function hexDecode(text: string): string {
  return /^(?:[0-9A-Fa-f]{2})*$/.test(text) ? Buffer.from(text, "hex").toString("latin1") : "";
}

/** Up to the padding or the first character that is not of base64 (RFC 4648, section 4). */
export function base64Decode(text: string): string {
  const [letters] = /^[0-9A-Za-z+/\r\n]*/.exec(text) ?? [""];
  return Buffer.from(letters, "base64").toString("latin1");
}

/** Up to the padding, over whatever else stands between; the alphabet of URLs, too (section 5). */
export function base64DecodeExt(text: string): string {
  const padding = text.indexOf("=");
  const letters = (padding < 0 ? text : text.slice(0, padding)).replace(/[^0-9A-Za-z+/_-]+/g, "");
  return Buffer.from(letters, "base64").toString("latin1");
}
