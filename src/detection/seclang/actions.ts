import { err, ok, type Result } from "../../support/result.ts";
import type { Action } from "./directive.ts";
import { closingQuote, nextOf } from "./lines.ts";

/** `id:1,phase:2,msg:'a, b'` → its actions, or what is wrong with it. */
export function actionsOf(text: string): Result<readonly Action[], string> {
  const actions: Action[] = [];
  for (let at = 0; at < text.length; ) {
    const end = actionEnd(text, at);
    if (end < 0) return err(`a quote behind '${text.slice(at, at + 20).trim()}' is not closed`);
    const part = text.slice(at, end).trim();
    at = end + 1;
    if (part === "") continue;
    const colon = part.indexOf(":");
    const name = (colon < 0 ? part : part.slice(0, colon)).trim().toLowerCase();
    if (!/^[a-z]+$/.test(name)) return err(`'${part.slice(0, 40)}' is no action`);
    actions.push({ name, value: colon < 0 ? "" : unquoted(part.slice(colon + 1).trim()) });
  }
  return ok(actions);
}

const COMMA_OR_QUOTE = /[,']/g;

/** The comma behind an action, or the end; -1 where a quote is not closed. */
function actionEnd(text: string, from: number): number {
  for (let at = nextOf(COMMA_OR_QUOTE, text, from); at < text.length; at = nextOf(COMMA_OR_QUOTE, text, at + 1)) {
    if (text.charAt(at) === ",") return at;
    if (!/[:=]\s*$/.test(text.slice(from, at))) continue;
    at = closingQuote(text, at + 1, "'");
    if (at < 0) return -1;
  }
  return text.length;
}

function unquoted(value: string): string {
  if (value.length < 2 || !value.startsWith("'") || !value.endsWith("'")) return value;
  return value.slice(1, -1).replaceAll("\\'", "'");
}
