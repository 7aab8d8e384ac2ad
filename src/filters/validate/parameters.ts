import { isInRange, jsonNumber } from "../../bodies/json-number.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import type { ParameterValidator } from "./engine.ts";
import type { ParameterType } from "./schema.ts";

/** One declared parameter of path, query or header, compiled. */
export interface Parameter {
  readonly name: string;
  readonly required: boolean;
  readonly type: ParameterType;
  /** Type of the items where `type` is array. */
  readonly itemType: ParameterType;
  readonly validate: ParameterValidator;
}

const INTEGER = /^-?(?:0|[1-9]\d*)$/;
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/** Text → typed value, in JSON's spelling only: `0x10`, `1_000`, ` 1` and `TRUE` mean different things elsewhere. */
export function coerce(text: string, type: ParameterType): unknown {
  switch (type) {
    case "integer":
    case "number":
      if (text.length > DEFAULTS.jsonNumberCharsMax || !(type === "integer" ? INTEGER : NUMBER).test(text))
        return undefined;
      return isInRange(text) ? jsonNumber(text) : undefined;
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
