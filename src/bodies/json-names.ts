import { isUtf8 } from "node:buffer";
import type { Charset } from "./answer-format.ts";

/** Names up to this length are remembered. */
const KNOWN_BYTES_MAX = 32;
const SLOTS = 1024;
/** Below it stand control characters, which JSON escapes; some readers of events leave out a line end in a name. */
const BLANK = 0x20;

/** ASCII, of which there is one reading whatever the charset. */
const PLAIN = /^[ -~]+$/;

/** Names that came, by their length and three of their bytes. One that takes another's slot costs time and nothing else. */
const known: string[] = new Array<string>(SLOTS).fill("");

/**
 * The name whose bytes stand from `from` to `to`, between its quotes; null for one that has no single reading: escapes that
 * are none, bytes that are not UTF-8, and those that a label calls Latin-1 and that are UTF-8 all the same, for clients
 * read JSON as UTF-8 whatever the label.
 */
export function nameOf(bytes: Buffer, from: number, to: number, hasEscapes: boolean, charset: Charset): string | null {
  const length = to - from;
  if (hasEscapes || length > KNOWN_BYTES_MAX || length === 0) return decoded(bytes, from, to, hasEscapes, charset);
  const middle = bytes[from + (length >> 1)] ?? 0;
  const slot = (31 * (31 * (bytes[from] ?? 0) + middle) + 7 * (bytes[to - 1] ?? 0) + length) & (SLOTS - 1);
  const name = known[slot] ?? "";
  if (name.length === length && isAt(name, bytes, from)) return name;
  const read = decoded(bytes, from, to, false, charset);
  if (read !== null && PLAIN.test(read)) known[slot] = read;
  return read;
}

function isAt(name: string, bytes: Buffer, from: number): boolean {
  for (let at = 0; at < name.length; at++) if (name.charCodeAt(at) !== bytes[from + at]) return false;
  return true;
}

function decoded(bytes: Buffer, from: number, to: number, hasEscapes: boolean, charset: Charset): string | null {
  const slice = bytes.subarray(from, to);
  const isAscii = !slice.some((byte) => byte > 0x7f);
  if (!isAscii && isUtf8(slice) === (charset === "latin1")) return null;
  if (slice.some((byte) => byte < BLANK)) return null;
  const text = slice.toString(isAscii || charset === "latin1" ? "latin1" : "utf8");
  if (!hasEscapes) return text;
  try {
    return String(JSON.parse(`"${text}"`));
  } catch {
    return null;
  }
}
