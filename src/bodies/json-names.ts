import { isUtf8 } from "node:buffer";
import type { Charset } from "./answer-format.ts";

/** Names up to this length are remembered. */
const KNOWN_BYTES_MAX = 32;
const SLOTS = 1024;
/** Below it stand control characters, which JSON escapes; some readers of events leave out a line end in a name. */
const BLANK = 0x20;

/** Names that came, by a hash of their bytes; ASCII alone. A name that takes another's slot costs time and nothing else. */
const known: string[] = new Array<string>(SLOTS).fill("");

/**
 * The name whose bytes stand from `from` to `to`, between its quotes; null for one that has no single reading: escapes that
 * are none, bytes that are not UTF-8, and those that a label calls Latin-1 and that are UTF-8 all the same, for clients
 * read JSON as UTF-8 whatever the label.
 */
export function nameOf(bytes: Buffer, from: number, to: number, hasEscapes: boolean, charset: Charset): string | null {
  const length = to - from;
  if (hasEscapes || length > KNOWN_BYTES_MAX) return decoded(bytes, from, to, hasEscapes, charset);
  let hash = length;
  let [all, least] = [0, 0xff];
  for (let at = from; at < to; at++) {
    const byte = bytes[at] ?? 0;
    hash = (Math.imul(hash, 31) + byte) | 0;
    all |= byte;
    if (byte < least) least = byte;
  }
  if (least < BLANK) return null;
  if (all > 0x7f) return decoded(bytes, from, to, false, charset);
  const slot = (hash ^ (hash >>> 10)) & (SLOTS - 1);
  const name = known[slot] ?? "";
  if (name.length === length && isAt(name, bytes, from)) return name;
  const read = bytes.toString("latin1", from, to);
  known[slot] = read;
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
