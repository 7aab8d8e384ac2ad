import { compilePattern, isPattern } from "../../../src/schema/pattern/index.ts";

/** How a pattern and its texts compare with JavaScript's own engine: `null` where both agree, else what differs. */
export function compareWithV8(source: string, unicode: boolean, texts: readonly string[]): Comparison {
  const ours = compilePattern(source, { unicode });
  let native: RegExp | null = null;
  try {
    native = new RegExp(source, unicode ? "uy" : "y");
  } catch {
    // no pattern
  }
  if (isPattern(source, unicode) !== (native !== null))
    return { outcome: "differs", detail: "which of both is a pattern" };
  if (native === null) {
    const agreed = !ours.ok && ours.error.kind === "syntax";
    return agreed ? { outcome: "no pattern" } : { outcome: "differs", detail: "V8 knows no such pattern" };
  }
  if (!ours.ok) {
    return ours.error.kind === "syntax"
      ? { outcome: "differs", detail: `V8 knows this pattern: ${ours.error.message}` }
      : { outcome: `refused: ${ours.error.kind}` };
  }
  const { facts } = ours.value;
  for (const text of texts) {
    if (isMisreadByV8(source, unicode, text)) continue;
    const matches = findsMatch(native, text);
    if (ours.value.test(text) !== matches)
      return { outcome: "differs", detail: `V8 says ${matches} of ${JSON.stringify(text)}` };
    const glanced = isAscii(text) ? ours.value.glance(Buffer.from(` ${text} `), 1, text.length + 1) : null;
    if (glanced !== null && glanced !== matches)
      return { outcome: "differs", detail: `${glanced} of the bytes of ${JSON.stringify(text)}` };
    if (!matches) continue;
    const points = [...text].map((char) => char.codePointAt(0) ?? 0);
    const inside = (point: number): boolean =>
      facts.alphabet === null ||
      facts.alphabet.some(
        (first, index) => index % 2 === 0 && first <= point && point <= (facts.alphabet?.[index + 1] ?? 0),
      );
    if (
      !points.every(inside) ||
      points.length < facts.lengthMin ||
      points.length > (facts.lengthMax ?? Number.POSITIVE_INFINITY)
    ) {
      return { outcome: "differs", detail: `${JSON.stringify(text)} matches against ${JSON.stringify(facts)}` };
    }
  }
  return { outcome: "agrees" };
}

function isAscii(text: string): boolean {
  return [...text].every((char) => char < "\x80");
}

export interface Comparison {
  readonly outcome: string;
  readonly detail?: string;
}

/**
 * V8 14 forgets where a group of flags ends: `/(?i:)a[\\w]/u` matches "aſ" as if `i` held for all, and
 * `/(?i:(?-i:z)?[ẞ])/u` does not match "ß" as if it held for nothing. Only these characters have such equals.
 * Before a `^` it takes a class of all characters, repeated as few times as possible, for its own search: `/[^]*?a^|/` does
 * not match "", and `/[^]*a^|/` does.
 */
export function isMisreadByV8(source: string, unicode: boolean, text: string): boolean {
  if (/\](?:[*+]|\{\d+,\})\?.*\^/.test(source)) return true;
  return unicode && /\(\?[ms]*-?[ms]*i/.test(source) && /[ſ\u212aß]/.test(text);
}

/**
 * Tries each place apart: its own search goes through the halves of a pair with `u` (`/\\B/u` on "9𐐨A"), and past ends
 * (`/\\D$$/u` on "s𐐀"), where ECMA-262 does not.
 */
export function findsMatch(sticky: RegExp, text: string): boolean {
  for (
    let index = 0;
    index <= text.length;
    index += (text.codePointAt(index) ?? 0) > 0xffff && sticky.unicode ? 2 : 1
  ) {
    sticky.lastIndex = index;
    if (sticky.test(text)) return true;
  }
  return false;
}
