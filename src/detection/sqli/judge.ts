import type { Steps } from "../../support/turns.ts";
import { Fragment } from "./fragment.ts";
import { type Dialect, Lexer } from "./lexer.ts";

/** What a text may stand in; a bracket ends a name of SQL Server. */
const QUOTES = ["'", '"', "`", "]"] as const;
const AS_IS = { quote: 0, isBare: false };

/**
 * Whether a text, put into a statement by a service that quotes nothing, would be SQL of its own: as it is, or within a text in
 * quotes. Undefined where it would not; else the shape and the kinds of its tokens, none of its values. It takes time in line
 * with the text's length.
 */
export function sqlInjection(text: string): string | undefined {
  return judged(text, "mysql") ?? (isReadTwoWays(text) ? judged(text, "ansi") : undefined);
}

const isReadTwoWays = (text: string): boolean =>
  text.includes("\\") || text.includes("#") || text.includes("--") || text.includes("/*");

/** The same of a long text. */
export function* sqlInjectionInSteps(text: string): Steps<string | undefined> {
  return (
    (yield* judgedInSteps(text, "mysql")) ?? (isReadTwoWays(text) ? yield* judgedInSteps(text, "ansi") : undefined)
  );
}

function judged(text: string, dialect: Dialect): string | undefined {
  const asIs = new Fragment(new Lexer(text, 0, dialect), AS_IS).judge();
  if (asIs !== undefined) return asIs;
  for (const quote of QUOTES) {
    const found = fragmentWithin(text, quote, dialect)?.judge();
    if (found !== undefined) return found;
  }
  return undefined;
}

function* judgedInSteps(text: string, dialect: Dialect): Steps<string | undefined> {
  const asIs = yield* new Fragment(new Lexer(text, 0, dialect), AS_IS).judgeInSteps();
  if (asIs !== undefined) return asIs;
  for (const quote of QUOTES) {
    yield;
    const fragment = fragmentWithin(text, quote, dialect);
    const found = fragment === null ? undefined : yield* fragment.judgeInSteps();
    if (found !== undefined) return found;
  }
  return undefined;
}

/** What stands behind a text in such quotes that `text` begins in; null where none ends. */
function fragmentWithin(text: string, quote: (typeof QUOTES)[number], dialect: Dialect): Fragment | null {
  const at = closing(text, quote, dialect);
  if (at === -1) return null;
  const isBare = !/\S\s/.test(text.slice(0, at));
  if (quote === "]" && text.lastIndexOf("[", at) !== -1) return null;
  return new Fragment(new Lexer(text, at + 1, dialect), { quote: quote.charCodeAt(0), isBare });
}

/** Where a text in quotes ends that `text` begins in, or -1. A quote written twice is one of the text. */
function closing(text: string, quote: string, dialect: Dialect): number {
  let at = text.indexOf(quote);
  while (at !== -1) {
    if (dialect === "mysql" && backslashesBefore(text, at) % 2 === 1) at = text.indexOf(quote, at + 1);
    else if (text[at + 1] === quote) at = text.indexOf(quote, at + 2);
    else return at;
  }
  return -1;
}

function backslashesBefore(text: string, at: number): number {
  let count = 0;
  while (text[at - 1 - count] === "\\") count++;
  return count;
}
