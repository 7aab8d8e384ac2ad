import { type DeepTexts, readDeep } from "../../bodies/deep-names.ts";
import { stepsInto } from "../../bodies/names.ts";
import type { TextTypes } from "../../schema/questions/texts.ts";
import { ALL_TYPES, TYPE } from "../../schema/subschema.ts";
import { ok } from "../../support/result.ts";
import { judgeParameter, judgeValue, type Parameter, type ParameterFault, styleFault } from "./parameters.ts";
import { textValue } from "./text-values.ts";

export type SentTexts = ReadonlyMap<string, readonly string[]>;

/** Of all that was sent, what steps lead into a field or parameter. */
export function sentOf(name: string, values: SentTexts): SentTexts {
  return new Map([...values].filter(([sent]) => stepsInto(sent)?.[0] === name));
}

/** A field or parameter of style deepObject, by what was sent of it under its names. */
export function judgeDeep(parameter: Parameter, sent: SentTexts): readonly ParameterFault[] {
  const read = readDeep(sent);
  if (!read.ok) return [styleFault(parameter, read.error)];
  const { value } = read;
  if (value === null) return judgeParameter(parameter, ok(null));
  const judged = (prefersText: boolean) => judgeValue(parameter, typedDeep(value, parameter.types, prefersText));
  // Text that may be a number or text is the first of the two that fits.
  const faults = judged(false);
  return faults.length > 0 && judged(true).length === 0 ? [] : faults;
}

/** The same as a value, for who looks at the form as a whole; undefined where it has no reading. */
export function deepValue(types: TextTypes, sent: SentTexts, prefersText: boolean): unknown {
  const read = readDeep(sent);
  return read.ok && read.value !== null ? typedDeep(read.value, types, prefersText) : undefined;
}

/** A text that spells nothing of its type stays one: the schema itself says what is wrong. */
function typedDeep(texts: DeepTexts, types: TextTypes, prefersText: boolean): unknown {
  if (typeof texts === "string") {
    const own = types.types === ALL_TYPES ? TYPE.string : types.types;
    const value = textValue(texts, own, prefersText);
    return value === undefined ? texts : value;
  }
  if (Array.isArray(texts)) return texts.map((item, at) => typedDeep(item, types.item(at), prefersText));
  const entries = [...(texts as ReadonlyMap<string, DeepTexts>)];
  // Makes members of its own, `__proto__` too.
  return Object.fromEntries(entries.map(([name, inner]) => [name, typedDeep(inner, types.member(name), prefersText)]));
}
