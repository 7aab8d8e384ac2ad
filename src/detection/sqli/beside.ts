import type { Lexer } from "./lexer.ts";
import type { Kind } from "./words.ts";

// What stands at a token and behind it, where its kind alone does not tell.

const AHEAD_LENGTH = 64;

function aheadOf({ text, at }: Lexer): string {
  return text.slice(at, at + AHEAD_LENGTH);
}

/** What a function that waits is asked with: no word of a sentence, "sleep (well)". */
export function isArgument({ text, from }: Lexer, kind: Kind): boolean {
  if (kind === "i") return /[0-9]/.test(text[from] ?? "");
  return kind !== "." && kind !== "?";
}

/**
 * `'{…}'::jsonb ? 'a'` and `a @@ 'b'` of PostgreSQL. The mark of a sentence has a blank behind it alone, as in "'yes' or 'no'? 'no'".
 */
export function isSearching(lexer: Lexer): boolean {
  const { text, from, at } = lexer;
  if (text.slice(from, at) === "@@") return true;
  return text[from] === "?" && (text[at] === "'" || text[from - 1] === " ") && /^ ?'/.test(aheadOf(lexer));
}

/** `like('a%', name)`: as a function. */
export function isCalled(lexer: Lexer): boolean {
  return aheadOf(lexer).trimStart().startsWith("(");
}

/** Behind `into`: what a query finds is written there. */
export function namesFile(lexer: Lexer): boolean {
  return /^\s*(?:outfile|dumpfile)\b/i.test(aheadOf(lexer));
}
