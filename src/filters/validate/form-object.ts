import type { FormValues } from "../../bodies/form.ts";
import { noteMembers } from "../../bodies/json-parser.ts";
import type { TextTypes } from "../../schema/questions/texts.ts";
import { ALL_TYPES, TYPE } from "../../schema/subschema.ts";
import { err, ok, type Result } from "../../support/result.ts";
import { textValue, typeWords } from "./text-values.ts";

/** What keeps a form from being one object. */
export interface FormFault {
  readonly name: string;
  /** As in `sent twice`. */
  readonly text: string;
}

/**
 * The pairs of a form as one object: a field has the type that its schema says, and is text where that says none. A name
 * that comes twice is a list only where the schema takes one, for services disagree on whether the first, the last or a list
 * of both counts.
 */
export function formObject(values: FormValues, types: TextTypes): Result<object, FormFault> {
  const entries: [string, unknown][] = [];
  for (const [name, texts] of values) {
    const isKnown = types.namesOthers || types.names.includes(name);
    const value = isKnown ? fieldValue(texts, types.member(name), false) : fieldValue(texts, null, false);
    if (!value.ok) return err({ name, text: value.error });
    entries.push([name, value.value]);
  }
  // Makes members of its own, `__proto__` too.
  const object = Object.fromEntries(entries);
  noteMembers(
    object,
    entries.map(([name]) => name),
  );
  return ok(object);
}

/** `prefersText`: of what may be text or a number. */
export function fieldValue(
  texts: readonly string[],
  field: TextTypes | null,
  prefersText: boolean,
): Result<unknown, string> {
  const types = field === null || field.types === ALL_TYPES ? TYPE.string : field.types;
  const isList = (types & TYPE.array) !== 0 && (texts.length !== 1 || (types & ~(TYPE.array | TYPE.object)) === 0);
  if (field !== null && isList) {
    const items: unknown[] = [];
    for (const [at, text] of texts.entries()) {
      const own = field.item(at).types;
      const item = textValue(text, own === ALL_TYPES ? TYPE.string : own, prefersText);
      if (item === undefined) return err(`an item that is no ${typeWords(own)}`);
      items.push(item);
    }
    return ok(items);
  }
  if (texts.length > 1) return err("sent twice");
  const value = textValue(texts[0] ?? "", types, prefersText);
  return value === undefined ? err(`no ${typeWords(types)}`) : ok(value);
}
