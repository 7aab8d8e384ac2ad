import { type CST, Lexer, Parser } from "yaml";
import { DEFAULTS } from "../support/defaults.ts";
import type { Steps } from "../support/turns.ts";

/** Characters of text between two yields. */
const STEP_CHARS = 1_000;

/** The tokens of `text`, or the offset where it is nested so deep that composing, which recurses, cannot be trusted. */
export function* readTokens(
  text: string,
  depthMax: number = DEFAULTS.policyDepthMax,
): Steps<readonly CST.Token[] | number> {
  const parser = new Parser();
  // Each level takes at most two entries of the parser's stack, a document and its scalar one each.
  const stackMax = 2 * depthMax + 2;
  const tokens: CST.Token[] = [];
  let nextYield = STEP_CHARS;
  for (const lexeme of new Lexer().lex(text)) {
    for (const token of parser.next(lexeme)) tokens.push(token);
    if (parser.stack.length > stackMax) return parser.offset;
    if (parser.offset >= nextYield) {
      nextYield = parser.offset + STEP_CHARS;
      yield;
    }
  }
  for (const token of parser.end()) tokens.push(token);
  return tokens;
}
