/**
 * Byte texts whose characters change one by one. By hand, for a hostile text is nothing but escapes, and a call for each of
 * them held the thread 25 ms for 64 KiB.
 */

/**
 * Looks at what stands at `at`, where `text` has a character that opens an escape. Gives `standsFor(length, byte)`, or `NONE`
 * where it is none.
 */
export type ReadEscape = (text: string, at: number) => number;

export const NONE = 0;
const NOTHING = 256;
const LENGTH = 512;

/** So many characters of the text stand for `byte`; for nothing where it is absent. */
export function standsFor(length: number, byte: number = NOTHING): number {
  return length * LENGTH + byte;
}

/** With each escape as the byte that it stands for. `opens` and `other`: characters that begin one. */
export function unescaped(text: string, opens: number, other: number, read: ReadEscape): string {
  const { length } = text;
  let out: Buffer | null = null;
  let end = 0;
  for (let at = 0; at < length; ) {
    const char = text.charCodeAt(at);
    const found = char === opens || char === other ? read(text, at) : NONE;
    if (found === NONE) {
      if (out !== null) out[end++] = char;
      at++;
      continue;
    }
    if (out === null) {
      out = Buffer.allocUnsafe(length);
      out.write(text.slice(0, at), "latin1");
      end = at;
    }
    const byte = found % LENGTH;
    if (byte !== NOTHING) out[end++] = byte;
    at += (found - byte) / LENGTH;
  }
  return out === null ? text : out.toString("latin1", 0, end);
}

/** With each byte as `table` has it. */
export function mapped(text: string, table: Uint8Array): string {
  const { length } = text;
  let at = 0;
  while (at < length && isSame(table, text.charCodeAt(at))) at++;
  if (at === length) return text;
  const out = Buffer.from(text, "latin1");
  for (; at < length; at++) out[at] = table[out[at] ?? 0] ?? 0;
  return out.toString("latin1");
}

function isSame(table: Uint8Array, char: number): boolean {
  return table[char] === char;
}

/** The value of a hexadecimal digit; -1 for any other character, and behind the end. */
export function hexDigit(text: string, at: number): number {
  const char = text.charCodeAt(at);
  if (char >= 0x30 && char <= 0x39) return char - 0x30;
  const letter = char | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}

/** The number of so many hexadecimal digits; -1 where there are fewer. */
export function hexNumber(text: string, at: number, digits: number): number {
  let number = 0;
  for (let next = at; next < at + digits; next++) {
    const digit = hexDigit(text, next);
    if (digit < 0) return -1;
    number = number * 16 + digit;
  }
  return number;
}
