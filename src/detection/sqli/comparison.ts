const WORDS = /\w+/g;
const WORD = /\w+/y;
const BETWEEN = /[\t-\r '"`()]*/y;
const SAME = /<=>|(?:sounds[\t-\r ]+)?like|r(?:egexp|like)|=/iy;
const OTHER = /<=|<>?|>=?|!=|\^|(?:not[\t-\r ]+(?:regexp|like)|is[\t-\r ]+not)/iy;

/**
 * A comparison of two words that holds whatever a table has: two that are the same beside `=`, `like` and their kin, two that are not
 * beside `<`, `!=`, `is not` and theirs; quotes, brackets and blanks may stand between. Gives it as it stands, or undefined. What rule
 * 942130 of version 3.3 looks for with references back, in time in line with the text's length.
 */
export function comparisonThatHolds(text: string): string | undefined {
  for (const { 0: first, index } of text.matchAll(WORDS)) {
    const from = behind(BETWEEN, text, index + first.length);
    // `<=>` is one sign, and begins as another does.
    const same = behind(SAME, text, from);
    const end = same > from ? same : behind(OTHER, text, from);
    if (end === from) continue;
    const at = behind(BETWEEN, text, end);
    const next = behind(WORD, text, at);
    if (next === at) continue;
    const isSame = text.slice(at, next).toLowerCase() === first.toLowerCase() && !isInWord(text, at);
    if (isSame === same > from) return text.slice(index, next);
  }
  return undefined;
}

/** The end of a match that begins at a place; the place itself where none does. */
function behind(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : at;
}

function isInWord(text: string, at: number): boolean {
  return /\w/.test(text.charAt(at - 1));
}
