import type { TextReading } from "../pattern/index.ts";

/** A part of a text, and the class of which each of its characters is. */
export interface Span {
  readonly text: string;
  /** `^[…]*$` */
  readonly every: RegExp;
}

/** The parts that make a text fit; null where it does not, whatever they consist of. */
export type Spans = (text: string) => readonly Span[] | null;

/** Escapes are judged apart, so that each part is one class and nothing can backtrack. */
export const BAD_ESCAPE: RegExp = /%(?![0-9A-Fa-f]{2})/;
const PERCENT = 0x25;

export function fits(spans: readonly Span[] | null): boolean {
  return spans?.every(({ text, every }) => isOf(text, every)) ?? false;
}

/** The same of a long text, in slices. */
export function readingOf(spans: readonly Span[] | null): TextReading {
  let index = 0;
  let at = 0;
  return {
    advance(work) {
      if (spans === null) return false;
      for (let left = work; left > 0; ) {
        const span = spans[index];
        if (span === undefined) return true;
        const end = sliceEnd(span.text, at + left);
        if (!isOf(span.text.slice(at, end), span.every)) return false;
        left -= end - at;
        at = end;
        if (at < span.text.length) continue;
        index++;
        at = 0;
      }
      return null;
    },
  };
}

function isOf(text: string, every: RegExp): boolean {
  return every.test(text) && !BAD_ESCAPE.test(text);
}

/** Not within an escape, nor between two surrogates. */
function sliceEnd(text: string, end: number): number {
  if (end >= text.length) return text.length;
  if (text.charCodeAt(end - 1) === PERCENT) return end + 2;
  if (text.charCodeAt(end - 2) === PERCENT) return end + 1;
  return (text.charCodeAt(end - 1) & 0xfc00) === 0xd800 ? end + 1 : end;
}
