import { decodeStrictly } from "../../bodies/form.ts";
import type { DeclaredNames } from "../../bodies/names.ts";
import { err, ok, type Result } from "../../support/result.ts";
import type { Validator } from "./json-schema.ts";
import type { ParameterType } from "./schema.ts";

/** One declared parameter of path, query or header, compiled. */
export interface Parameter {
  readonly name: string;
  readonly required: boolean;
  readonly type: ParameterType;
  /** Type of the items where `type` is array. */
  readonly itemType: ParameterType;
  readonly validate: Validator;
}

const INTEGER = /^-?(?:0|[1-9]\d{0,15})$/;
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/** Text → typed value, in JSON's spelling only: `0x10`, `1_000`, ` 1` and `TRUE` mean different things elsewhere. */
function coerce(text: string, type: ParameterType): unknown {
  switch (type) {
    case "integer": {
      const value = INTEGER.test(text) ? Number(text) : Number.NaN;
      return Number.isSafeInteger(value) ? value : undefined;
    }
    case "number": {
      const value = NUMBER.test(text) ? Number(text) : Number.NaN;
      return Number.isFinite(value) ? value : undefined;
    }
    case "boolean":
      return text === "true" ? true : text === "false" ? false : undefined;
    default:
      return text;
  }
}

/** Null where `values` (one for each time the parameter was sent) fit, else what is wrong, without the value. */
export function judgeParameter(parameter: Parameter, values: readonly string[]): string | null {
  if (values.length === 0) return parameter.required ? "missing" : null;
  if (parameter.type === "array") {
    const items = values.map((value) => coerce(value, parameter.itemType));
    return items.includes(undefined) ? `type of an item, not ${parameter.itemType}` : parameter.validate(items);
  }
  const [first] = values;
  // Services disagree on whether the first, the last or a list of both counts.
  if (values.length > 1 || first === undefined) return "sent twice";
  const value = coerce(first, parameter.type);
  return value === undefined ? `type, not ${parameter.type}` : parameter.validate(value);
}

/** Parts of a query that no two parsers may read differently, by decoded name. */
export type QueryValues = ReadonlyMap<string, readonly string[]>;

/**
 * Query with its leading `?` → values by name, percent and plus decoded, as a form is (WHATWG URL section 5.1). The
 * error is what is wrong: an escape that is none, or a declared name in another spelling that parsers behind postern
 * read as the name itself.
 */
export function parseQuery(query: string, declared: DeclaredNames): Result<QueryValues, string> {
  const values = new Map<string, string[]>();
  if (query.length <= 1) return ok(values);
  for (const part of query.slice(1).split("&")) {
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
