/**
 * A pattern of RE2, as protovalidate has them, in the words of ECMA-262 with the flag `u`: there `.` is not any character but
 * the line feed, and `\s` has more blanks. Null where a class has all but the blanks, or a class of POSIX as `[[:alpha:]]`, which
 * have no words there. What else only RE2 knows, as `(?i)`, is no pattern of ECMA-262 and refused by its reader.
 */
export function ecmaPattern(pattern: string): string | null {
  let text = "";
  /** Where the first character of the class is that is read; -1 outside of any. */
  let first = -1;
  for (let at = 0; at < pattern.length; at++) {
    const char = pattern.charAt(at);
    const inClass = first >= 0;
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
      if (inClass && pattern.startsWith("[:", at)) return null;
      // `]` is itself outside of a class, and where it stands first in one.
      const isItself = char === "]" && (!inClass || at === first);
      if (char === "[" && !inClass) first = at + (pattern[at + 1] === "^" ? 2 : 1);
      else if (char === "]" && !isItself) first = -1;
      text += isItself ? "\\]" : char;
    }
  }
  return text;
}

const BLANKS = "\\t\\n\\f\\r ";

/** RE2 lets any punctuation be escaped; with `u` only what means something is. */
function escapeOf(char: string, inClass: boolean): string {
  if (/[\^$\\.*+?()[\]{}|/A-Za-z0-9]/.test(char) || (char === "-" && inClass)) return `\\${char}`;
  return char;
}
