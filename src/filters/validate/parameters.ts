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
 * error is what is wrong: an escape that is none, or `name[x]` for a declared `name`, which many frameworks read as
 * the parameter itself.
 */
export function parseQuery(query: string, declared: ReadonlySet<string>): Result<QueryValues, string> {
  const values = new Map<string, string[]>();
  if (query.length <= 1) return ok(values);
  for (const part of query.slice(1).split("&")) {
    if (part === "") continue;
    const equals = part.indexOf("=");
    const name = decode(equals < 0 ? part : part.slice(0, equals));
    const value = decode(equals < 0 ? "" : part.slice(equals + 1));
    if (name === null || value === null) return err("an escape that is no UTF-8");
    const bracket = name.indexOf("[");
    if (bracket > 0 && declared.has(name.slice(0, bracket)) && !declared.has(name)) {
      return err(`${name.slice(0, bracket)} with brackets`);
    }
    const known = values.get(name);
    if (known === undefined) values.set(name, [value]);
    else known.push(value);
  }
  return ok(values);
}

function decode(text: string): string | null {
  if (!text.includes("%") && !text.includes("+")) return text;
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    return null;
  }
}
