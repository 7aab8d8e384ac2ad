import { isInRange, jsonNumber } from "../../bodies/json-number.ts";
import type { Place } from "../../decision/verdict.ts";
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
  /** Where the policy says so; the parameter's own place where the keyword stands deeper. */
  placeOf(keyword: string): Place;
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

/** What is wrong with one parameter, and where in the policy that is said. */
export interface ParameterFault {
  /** JSON Pointer into the value: empty but for items of a list. */
  readonly pointer: string;
  /** Of JSON Schema. */
  readonly keyword: string;
  readonly detail: string;
  /** For the log. */
  readonly seen: string;
  readonly place: Place;
}

/** All that is wrong with `values`, one for each time the parameter was sent; none of the values themselves. */
export function judgeParameter(parameter: Parameter, values: readonly string[]): readonly ParameterFault[] {
  const { type, itemType, placeOf } = parameter;
  const fault = (seen: string, keyword: string, detail: string, pointer = ""): readonly ParameterFault[] => {
    return [{ pointer, keyword, detail, seen, place: placeOf(keyword) }];
  };
  if (values.length === 0)
    return parameter.required ? fault("missing", "required", "expected this parameter") : NO_FAULTS;
  if (type === "array") {
    const items = values.map((value) => coerce(value, itemType));
    const wrong = items.indexOf(undefined);
    if (wrong < 0) return judgeValue(parameter, items);
    return fault(`type of an item, not ${itemType}`, "type", `expected ${itemType}`, `/${wrong}`);
  }
  const [first] = values;
  // Services disagree on whether the first, the last or a list of both counts.
  if (values.length > 1 || first === undefined) return fault("sent twice", "type", "expected one value, not several");
  const value = coerce(first, type);
  return value === undefined ? fault(`type, not ${type}`, "type", `expected ${type}`) : judgeValue(parameter, value);
}

const NO_FAULTS: readonly ParameterFault[] = [];

function judgeValue({ validate, placeOf }: Parameter, value: unknown): readonly ParameterFault[] {
  const faults = validate(value);
  if (faults === null) return NO_FAULTS;
  return faults.map(({ pointer, keyword, detail }) => {
    return { pointer, keyword, detail, seen: `${pointer || "/"} ${keyword}`, place: placeOf(keyword) };
  });
}
