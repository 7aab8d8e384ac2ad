/**
 * A pattern of RE2, as protovalidate has them, in the words of ECMA-262 with the flag `u`: there `.` is not any character but
 * the line feed, and `\s` has more blanks. Null where a class has all but the blanks, which has no words there. What only RE2
 * knows, as `(?i)` or `[[:alpha:]]`, is no pattern of ECMA-262 and refused by its reader.
 */
export function ecmaPattern(pattern: string): string | null {
  let text = "";
  let inClass = false;
  for (let at = 0; at < pattern.length; at++) {
    const char = pattern.charAt(at);
    if (char === "\\") {
      const next = pattern.charAt(++at);
      if (next === "s") text += inClass ? BLANKS : `[${BLANKS}]`;
      else if (next === "S" && inClass) return null;
      else if (next === "S") text += `[^${BLANKS}]`;
      else if (next === "z" && !inClass) text += "$";
      else if (next === "A" && !inClass) text += "^";
      else text += escapeOf(next, inClass);
    } else if (char === "." && !inClass) text += "[^\\n]";
    else if (pattern.startsWith("(?P<", at)) {
      text += "(?<";
      at += 3;
    } else {
      if (char === "[") inClass = true;
      else if (char === "]" && inClass && !isFirst(pattern, at)) inClass = false;
      text += char === "]" && inClass ? "\\]" : char;
    }
  }
  return text;
}

const BLANKS = "\\t\\n\\f\\r ";

/** `]` is itself where it stands first in a class. */
function isFirst(pattern: string, at: number): boolean {
  return pattern[at - 1] === "[" || (pattern[at - 1] === "^" && pattern[at - 2] === "[");
}

/** RE2 lets any punctuation be escaped; with `u` only what means something is. */
function escapeOf(char: string, inClass: boolean): string {
  if (/[\^$\\.*+?()[\]{}|/A-Za-z0-9]/.test(char) || (char === "-" && inClass)) return `\\${char}`;
  return char;
}
