import { maskOf, parsePrefix } from "../matching/prefix.ts";
import { parseAddress } from "../message/address.ts";

/** From the first address to the last, words most significant first: one of IPv4, four of IPv6. */
export interface Entry {
  readonly family: 4 | 6;
  readonly first: readonly number[];
  readonly last: readonly number[];
  /** Bits behind a prefix's length were set, and were cut off. */
  readonly isCut: boolean;
}

/** `192.0.2.1`, `192.0.2.0/24`, `192.0.2.1 - 192.0.2.9`, and the same of IPv6; null for anything else. */
export function entryOf(text: string, cutsHostBits: boolean): Entry | null {
  const dash = text.indexOf("-");
  if (dash >= 0) return rangeOf(text.slice(0, dash).trimEnd(), text.slice(dash + 1).trimStart());
  const exact = parsePrefix(text);
  const prefix = exact.ok || !cutsHostBits ? exact : parsePrefix(text, true);
  if (!prefix.ok) return null;
  const { family, words, length } = prefix.value;
  const last = words.map((word, index) => (word | ~maskOf(length - 32 * index)) >>> 0);
  return { family, first: words, last, isCut: !exact.ok };
}

function rangeOf(from: string, to: string): Entry | null {
  const [low, high] = [parseAddress(from), parseAddress(to)];
  if (low === null || high === null || low.family !== high.family) return null;
  const words = low.family === 4 ? 1 : 4;
  const first = [low.w0, low.w1, low.w2, low.w3].slice(0, words);
  const last = [high.w0, high.w1, high.w2, high.w3].slice(0, words);
  const differing = first.findIndex((word, at) => word !== last[at]);
  const isBackward = differing >= 0 && (first[differing] ?? 0) > (last[differing] ?? 0);
  return isBackward ? null : { family: low.family, first, last, isCut: false };
}
