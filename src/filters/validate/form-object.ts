import type { FormValues } from "../../bodies/form.ts";
import { noteMembers } from "../../bodies/json-parser.ts";
import type { TextTypes } from "../../schema/questions/texts.ts";
import { ALL_TYPES, TYPE } from "../../schema/subschema.ts";
import { err, ok, type Result } from "../../support/result.ts";
import { textValue } from "./text-values.ts";

/**
 * The pairs of a form as one object: a field has the type that its schema says, and is text where that says none. A name
 * that comes twice is a list only where the schema takes one, for services disagree on whether the first, the last or a list
 * of both counts: the error is such a name.
 */
export function formObject(values: FormValues, types: TextTypes): Result<object, string> {
  const entries: [string, unknown][] = [];
  for (const [name, texts] of values) {
    const isKnown = types.namesOthers || types.names.includes(name);
    const value = fieldValue(texts, isKnown ? types.member(name) : null, false);
    if (value === SEVERAL_VALUES) return err(name);
    entries.push([name, value]);
  }
  // Makes members of its own, `__proto__` too.
  const object = Object.fromEntries(entries);
  noteMembers(
    object,
    entries.map(([name]) => name),
  );
  return ok(object);
}

/** For a name that comes more often than its field takes. */
export const SEVERAL_VALUES = Symbol("several values");

/** What spells nothing of its type stays text, and is refused by it. `prefersText`: of what may be text or a number. */
export function fieldValue(texts: readonly string[], field: TextTypes | null, prefersText: boolean): unknown {
  const types = typesOf(field);
  const isList = (types & TYPE.array) !== 0 && (texts.length !== 1 || (types & ~(TYPE.array | TYPE.object)) === 0);
  if (field !== null && isList) {
    return texts.map((text, at) => spelledValue(text, typesOf(field.item(at)), prefersText));
  }
  if (texts.length > 1) return SEVERAL_VALUES;
  return spelledValue(texts[0] ?? "", types, prefersText);
}

function spelledValue(text: string, types: number, prefersText: boolean): unknown {
  const value = textValue(text, types, prefersText);
  return value === undefined ? text : value;
}

/** Text where nothing is said. */
function typesOf(field: TextTypes | null): number {
  return field === null || field.types === ALL_TYPES ? TYPE.string : field.types;
}
