import { type Token, tokensOf } from "./lexer.ts";
import { ExpressionFault } from "./syntax.ts";

/**
 * Throws `ExpressionFault` where what came from elsewhere is more of an expression than a name, a number or a part of a text: whoever says
 * the value would say the rule. `ownText` has an `x` in place of each of its characters; one that has nothing of its own is a rule in a file.
 */
export function checkForeign(source: string, ownText: string): void {
  if (source === ownText || /^x*$/.test(ownText)) return;
  const own = tokensOf(ownText);
  const tokens = tokensIn(source);
  const at = own.findIndex((token, nth) => !isLike(token, tokens[nth]));
  if (at >= 0)
    throw new ExpressionFault(
      own[at]?.at ?? 0,
      "a reference gives quotes, backslashes, or more than one value; expected a name, a number, or a part of a text",
    );
}

/** None where a quote that came from elsewhere begins a text which does not end. */
function tokensIn(source: string): readonly Token[] {
  try {
    return tokensOf(source);
  } catch (error) {
    if (error instanceof ExpressionFault) return [];
    throw error;
  }
}

function isLike(own: Token, token: Token | undefined): boolean {
  if (token?.at !== own.at || token.text.length !== own.text.length) return false;
  if (own.kind === "name") return token.kind === "name" || token.kind === "value";
  if (own.kind !== "value" || typeof own.value !== "string") return token.text === own.text;
  // An escape in it would be another text than the value.
  return token.kind === "value" && typeof token.value === "string" && token.value.length === own.value.length;
}
