import { DEFAULTS } from "../support/defaults.ts";
import { err, ok, type Result } from "../support/result.ts";
import type { Turns } from "../support/turns.ts";
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
 * an escape that is none, a declared name in another spelling that services behind postern read as the name itself, or
 * more than any of them reads.
 */
export function parseForm(text: string, declared: DeclaredNames): Result<FormValues, string> {
  return parsed(new FormParser(declared, false), text);
}

/** The same with values as they stand, escapes in place: all of them are UTF-8. */
export function parseEscapedForm(text: string, declared: DeclaredNames): Result<FormValues, string> {
  return parsed(new FormParser(declared, true), text);
}

function parsed(form: FormParser, text: string): Result<FormValues, string> {
  for (const pair of pairsOf(text)) if (!form.add(pair)) break;
  return form.result;
}

/** The same for a long text, a few pairs at a time. */
export async function parseFormInTurns(
  text: string,
  declared: DeclaredNames,
  turns: Turns,
  keepsEscapes = false,
): Promise<Result<FormValues, string>> {
  const form = new FormParser(declared, keepsEscapes);
  for (const pair of pairsOf(text)) {
    if (!form.add(pair)) break;
    if (turns.due) await turns.give();
  }
  return form.result;
}

/** Values as they stand → decoded; all of them are UTF-8. */
export function decodedValues(escaped: FormValues): FormValues {
  return new Map([...escaped].map(([name, values]) => [name, values.map((value) => decodeStrictly(value) ?? value)]));
}

/**
 * A query (with its `?`) with those pairs whose decoded name is kept, as they stood but for `;`, at which some would part them
 * and find others.
 */
export function onlyParameters(query: string, keeps: (name: string) => boolean): string {
  const pairs = query.slice(1).split("&");
  const left = pairs.filter((pair) => keeps(decodeStrictly(pair.split("=", 1)[0] ?? "") ?? ""));
  return left.length === 0 ? "" : `?${left.join("&").replaceAll(";", "%3B")}`;
}

/** One more than may be, so that it shows. */
function pairsOf(text: string): readonly string[] {
  return text.split("&", DEFAULTS.formFieldsMax + 1);
}

class FormParser {
  readonly #declared: DeclaredNames;
  readonly #keepsEscapes: boolean;
  readonly #values = new Map<string, string[]>();
  #fields = 0;
  #fault: string | null = null;

  constructor(declared: DeclaredNames, keepsEscapes: boolean) {
    this.#declared = declared;
    this.#keepsEscapes = keepsEscapes;
  }

  get result(): Result<FormValues, string> {
    return this.#fault === null ? ok(this.#values) : err(this.#fault);
  }

  /** False where the next pairs need no look. */
  add(pair: string): boolean {
    this.#fault = this.#add(pair);
    return this.#fault === null;
  }

  #add(pair: string): string | null {
    if (++this.#fields > DEFAULTS.formFieldsMax) return TOO_MANY;
    if (pair === "") return null;
    const equals = pair.indexOf("=");
    if ((equals < 0 ? pair.length : equals) > DEFAULTS.formNameCharactersMax) return TOO_LONG;
    const name = decodeStrictly(equals < 0 ? pair : pair.slice(0, equals));
    const escaped = equals < 0 ? "" : pair.slice(equals + 1);
    const decoded = decodeStrictly(escaped);
    if (name === null || decoded === null) return "an escape that is no UTF-8";
    const respelled = this.#declared.respelled(name);
    if (respelled !== null) return `${respelled} in another spelling`;
    const fault = pair.includes(";") ? this.#addSmuggled(pair, name) : null;
    if (fault !== null) return fault;
    const value = this.#keepsEscapes ? escaped : decoded;
    const known = this.#values.get(name);
    if (known === undefined) this.#values.set(name, [value]);
    else known.push(value);
    return null;
  }

  /**
   * Parsers that keep the old advice of HTML 4 also part at `;`, so that `x=1;limit=500` has a limit. A declared name that
   * such a parser sees is a fault; undeclared ones become known, without a value.
   */
  #addSmuggled(pair: string, whole: string): string | null {
    for (const [at, piece] of pair.split(";", DEFAULTS.formFieldsMax + 1).entries()) {
      if (++this.#fields > DEFAULTS.formFieldsMax) return TOO_MANY;
      const equals = piece.indexOf("=");
      if ((equals < 0 ? piece.length : equals) > DEFAULTS.formNameCharactersMax) return TOO_LONG;
      const name = decodeStrictly(equals < 0 ? piece : piece.slice(0, equals)) ?? "";
      if (name === "" || (at === 0 && name === whole)) continue;
      const meant = this.#declared.has(name) ? name : this.#declared.respelled(name);
      if (meant !== null) return `${meant} in another spelling`;
      if (!this.#values.has(name)) this.#values.set(name, []);
    }
    return null;
  }
}

const TOO_MANY = `more than ${DEFAULTS.formFieldsMax} fields`;
const TOO_LONG = `a name of more than ${DEFAULTS.formNameCharactersMax} characters`;
