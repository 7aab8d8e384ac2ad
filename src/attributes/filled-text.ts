import type { Exchange } from "../message/exchange.ts";
import { err, ok, type Result } from "../support/result.ts";
import { type Attribute, attribute } from "./attribute.ts";
import { isNothing } from "./equal.ts";
import type { AttributeScope } from "./types.ts";

/** `{jwt.tenant}` in a text: what stands there is filled in for each request. */
const PLACEHOLDER = /\{ *[A-Za-z_](?:\[[^\]]*\]|[\w.-])* *\}/g;

/** Text as it stands, or what is read of a request. */
export type Piece = string | Attribute;

/**
 * Text → its pieces, or what is wrong with one of its attributes. `own` may know a name before the table of attributes does. What
 * carries a credential of the client is refused: by another name it would reach whom it is not for. `ownText`: the text with an `x` in
 * place of each character that came from elsewhere, for what looks like an attribute there is none.
 */
export function parseFilled<T = never>(
  text: string,
  scope: AttributeScope,
  ownText: string,
  own?: (name: string) => T | null,
): Result<readonly (Piece | T)[], string> {
  const pieces: (Piece | T)[] = [];
  let from = 0;
  for (const { index, 0: whole } of ownText.matchAll(PLACEHOLDER)) {
    const name = text.slice(index + 1, index + whole.length - 1).trim();
    if (index > from) pieces.push(text.slice(from, index));
    from = index + whole.length;
    const known = own?.(name) ?? null;
    if (known !== null) {
      pieces.push(known);
      continue;
    }
    const found = attribute(name, scope);
    if (!found.ok) return found;
    const { row, shown } = found.value;
    if (row.name === "request.cookies" || (row.name === "request.headers" && shown === "nowhere"))
      return err(`'${found.value.text}' may be a credential, which goes to nobody under another name`);
    pieces.push(found.value);
  }
  if (from < text.length) pieces.push(text.slice(from));
  return ok(pieces);
}

/** The text of one value: text, number or boolean. Null for what is absent, ambiguous, a list, or has no single text. */
export function textOf(read: Attribute, exchange: Exchange): string | null {
  const value = read.read(exchange);
  if (isNothing(value)) return null;
  if (read.type === "time" && typeof value === "number") return new Date(value).toISOString();
  if (typeof value === "boolean") return String(value);
  // Of a whole number beyond ±2^53 its neighbour may have come.
  if (typeof value === "number") return Number.isInteger(value) && !Number.isSafeInteger(value) ? null : String(value);
  return typeof value === "string" && value.isWellFormed() ? value : null;
}
