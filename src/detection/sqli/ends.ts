import type { End } from "./evidence.ts";

const AHEAD_LENGTH = 64;

/** Where a reading began: the quote that the text closes, or 0, and whether at most a word stands before it. */
export interface Place {
  readonly quote: number;
  readonly isBare: boolean;
}

/**
 * Whether no sentence goes on behind the end at `from`. A quote that is closed again by the text that goes on is one around a
 * word, as in "use '--help'", and signs in quotes with words about them are told of, as in "'=' is missing".
 */
export function isBareEnd(text: string, from: number, end: End, { quote, isBare }: Place, kinds: string): boolean {
  if (end === "plain") return isBare;
  if (end === "reopened") return isBare && /^[!-~]*$/.test(text.slice(from + 1, from + 1 + AHEAD_LENGTH));
  const behind = text.slice(from, from + AHEAD_LENGTH);
  if (quote === 0) return /^[^i,;]+$/.test(kinds) && /^(?:--|\/\*)\W?$/.test(behind);
  if (/^(?:--|#|\/\*)(?:[\s+-]|$)/.test(behind)) return true;
  return isBare && text.indexOf(String.fromCharCode(quote), from + 3) === -1;
}
