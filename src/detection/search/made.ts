import { Matcher } from "./matcher.ts";
import { type ByteTree, parseBytes } from "./pcre.ts";

/** What is known of one pattern so far; its matcher's tables are given up when memory is short. */
export interface Made {
  readonly bytes: ByteTree;
  readonly matcher: Matcher;
  cells: number;
  usedAt: number;
}

export function madeOf(bytes: ByteTree, matcher: Matcher): Made {
  return { bytes, matcher, cells: 0, usedAt: 0 };
}

/** Of a source that has been read before. */
export function madeAgain(source: string): Made {
  const bytes = parseBytes(source);
  if (!bytes.ok) throw new Error(bytes.error.message);
  const matcher = Matcher.of(bytes.value.tree);
  if (!matcher.ok) throw new Error(matcher.error.message);
  return madeOf(bytes.value, matcher.value);
}
