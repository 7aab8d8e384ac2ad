import { CLOSE_BRACKET, OPEN_BRACKET } from "./json-bytes.ts";
import { CLASSES, MARK, OPENING, STRING_MARK, WRONG } from "./json-classes.ts";
import type { StringEnds } from "./string-search.ts";

/** Longer ones are looked into, so that one which is cut costs no more than that. */
export const SKIPPED_BYTES_MAX = 1024;
/** The same where nobody asks for anything in them, so that all are passed over that end here. */
export const DEAD_BYTES_MAX: number = 16 * 1024;
/** As many bits as a number has. */
export const SKIPPED_DEPTH_MAX = 30;

/**
 * Behind the object or list that begins at `from`; -1 where it does not end before `to`, or is none that can be passed over
 * by its brackets and strings alone.
 */
export function endOfContainer(bytes: Uint8Array, from: number, to: number, ends: StringEnds): number {
  let depth = 0;
  /** A bit for each of those that are open: 1 for a list. */
  let lists = 0;
  for (let at = from; at < to; at++) {
    const byte = bytes[at] as number;
    const kind = CLASSES[byte] as number;
    if (kind <= MARK) continue;
    if (kind === STRING_MARK) {
      at = ends.of(bytes, at + 1);
      if (at < 0) return -1;
    } else if (kind === OPENING) {
      if (++depth > SKIPPED_DEPTH_MAX) return -1;
      lists = (lists << 1) | Number(byte === OPEN_BRACKET);
    } else if (kind === WRONG || (lists & 1) !== Number(byte === CLOSE_BRACKET)) return -1;
    else {
      lists >>= 1;
      if (--depth === 0) return at + 1;
    }
  }
  return -1;
}
