import { codeAt } from "../../support/text-code.ts";
import type { TextReading } from "./reader.ts";

/** Whether a text has from `min` to `max` code points. */
export function hasLength(text: string, min: number, max: number): boolean {
  return glance(text, min, max) ?? isWithin(text.length - pairsIn(text, 0, text.length), min, max);
}

/** The same of a long text, in slices. */
export function lengthReading(text: string, min: number, max: number): TextReading {
  const known = glance(text, min, max);
  let at = 0;
  let points = text.length;
  return {
    advance(work) {
      if (known !== null) return known;
      const end = Math.min(text.length, at + work);
      points -= pairsIn(text, at, end);
      at = end;
      return at < text.length ? null : isWithin(points, min, max);
    },
  };
}

/** Where the number of code units tells: there are at most as many code points, and at least half as many. */
function glance({ length }: string, min: number, max: number): boolean | null {
  if (length < min || length > 2 * max) return false;
  return length >= 2 * min && length <= max ? true : null;
}

function isWithin(points: number, min: number, max: number): boolean {
  return points >= min && points <= max;
}

/** Surrogate pairs that end in a stretch of the text. */
function pairsIn(text: string, from: number, end: number): number {
  let pairs = 0;
  for (let at = from; at < end; at++) {
    if ((codeAt(text, at) & 0xfc00) === 0xdc00 && (codeAt(text, at - 1) & 0xfc00) === 0xd800) pairs++;
  }
  return pairs;
}
