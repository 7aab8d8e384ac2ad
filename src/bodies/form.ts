import { err, ok, type Result } from "../support/result.ts";
import type { DeclaredNames } from "./names.ts";

/**
 * The text of application/x-www-form-urlencoded, of a body or a query (WHATWG URL section 5.1): `+` is a blank, escapes
 * are bytes of UTF-8. Null where they are none.
 */
export function decodeStrictly(text: string): string | null {
  if (!text.includes("%") && !text.includes("+")) return text;
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    return null;
  }
}

/**
 * The same as the most lenient service reads it, as latin1: what is no escape stays as it is, and `%u005f` is a
 * character, as with ASP.NET. For names whose letters are ASCII.
 */
export function decodeLeniently(text: string): string {
  if (!text.includes("%") && !text.includes("+")) return text;
  return text
    .replaceAll("+", " ")
    .replace(/%(?:u([\dA-Fa-f]{4})|([\dA-Fa-f]{2}))/g, (_, wide?: string, byte?: string) =>
      String.fromCharCode(Number.parseInt(wide ?? byte ?? "", 16)),
    );
}

/** Pairs that no two services may read differently, by decoded name; several values in the order in which they came. */
export type FormValues = ReadonlyMap<string, readonly string[]>;

/**
 * Text of a form, or a query without its `?` → values by name, percent and plus decoded once. The error is what is wrong:
 * an escape that is none, or a declared name in another spelling that services behind postern read as the name itself.
 */
export function parseForm(text: string, declared: DeclaredNames): Result<FormValues, string> {
  const values = new Map<string, string[]>();
  for (const part of text.split("&")) {
    if (part === "") continue;
    const equals = part.indexOf("=");
    const name = decodeStrictly(equals < 0 ? part : part.slice(0, equals));
    const value = decodeStrictly(equals < 0 ? "" : part.slice(equals + 1));
    if (name === null || value === null) return err("an escape that is no UTF-8");
    const respelled = declared.respelled(name) ?? smuggled(part, name, declared, values);
    if (respelled !== null) return err(`${respelled} in another spelling`);
    const known = values.get(name);
    if (known === undefined) values.set(name, [value]);
    else known.push(value);
  }
  return ok(values);
}

/**
 * Parsers that keep the old advice of HTML 4 also part at `;`, so that `x=1;limit=500` has a limit. Gives the declared
 * name that such a parser sees; undeclared ones become known to `values`, without a value.
 */
function smuggled(part: string, whole: string, declared: DeclaredNames, values: Map<string, string[]>): string | null {
  if (!part.includes(";")) return null;
  for (const [at, piece] of part.split(";").entries()) {
    const name = decodeStrictly(piece.split("=", 1)[0] ?? "") ?? "";
    if (name === "" || (at === 0 && name === whole)) continue;
    const meant = declared.has(name) ? name : declared.respelled(name);
    if (meant !== null) return meant;
    if (!values.has(name)) values.set(name, []);
  }
  return null;
}
