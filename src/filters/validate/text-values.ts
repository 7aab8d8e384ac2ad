import { isInRange, jsonNumber } from "../../bodies/json-number.ts";
import type { Leaves } from "../../bodies/parameter-styles.ts";
import { pointerToken } from "../../schema/document.ts";
import type { TextTypes } from "../../schema/questions/texts.ts";
import { ALL_TYPES, TYPE } from "../../schema/subschema.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import { excerpt } from "../../support/excerpt.ts";

const INTEGER = /^-?(?:0|[1-9]\d*)$/;
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/**
 * Text → value of one of `types`, in JSON's spelling only: `0x10`, `1_000`, ` 1` and `TRUE` mean different things elsewhere.
 * Undefined where it spells none. Where text may be text as well, `prefersText` says which of the two it is; `null` is text
 * wherever there may be any.
 */
export function textValue(text: string, types: number, prefersText: boolean): unknown {
  const takesText = (types & TYPE.string) !== 0;
  // Where nothing may be, the schema itself says so best.
  if ((takesText && prefersText) || types === 0) return text;
  const number = (types & TYPE.number) !== 0 ? NUMBER : (types & TYPE.integer) !== 0 ? INTEGER : null;
  if (number?.test(text) === true && text.length <= DEFAULTS.jsonNumberCharsMax && isInRange(text))
    return jsonNumber(text);
  if ((types & TYPE.boolean) !== 0 && (text === "true" || text === "false")) return text === "true";
  if (takesText) return text;
  return (types & TYPE.null) !== 0 && text === "null" ? null : undefined;
}

/** Texts as the value that a schema judges, or the one that spells no value of its place. */
export type TypedLeaves =
  /** `isLoose`: some of it is no text, and nothing says that it may not be; it has to fit as text, too. */
  | { readonly value: unknown; readonly isLoose: boolean; readonly fault: null }
  | { readonly fault: "value" | "item" | "member"; readonly pointer: string; readonly wanted: string };

export function typedLeaves(leaves: Leaves, types: TextTypes, prefersText: boolean): TypedLeaves {
  if (typeof leaves === "string") {
    const value = textValue(leaves, types.types, prefersText);
    if (value === undefined) return { fault: "value", pointer: "", wanted: typeWords(types.types) };
    return { value, isLoose: isLoose(value, types.types), fault: null };
  }
  if (leaves instanceof Map) return typedMembers(leaves, types, prefersText);
  const items: unknown[] = [];
  let loose = false;
  for (const [at, text] of (leaves as readonly string[]).entries()) {
    const item = types.item(at).types;
    const value = textValue(text, item, prefersText);
    if (value === undefined) return { fault: "item", pointer: `/${at}`, wanted: typeWords(item) };
    items.push(value);
    loose ||= isLoose(value, item);
  }
  return { value: items, isLoose: loose, fault: null };
}

function isLoose(value: unknown, types: number): boolean {
  return types === ALL_TYPES && typeof value !== "string";
}

/** A member that is a list comes as often as it has items. */
function typedMembers(
  leaves: ReadonlyMap<string, string | readonly string[]>,
  types: TextTypes,
  prefersText: boolean,
): TypedLeaves {
  const entries: [string, unknown][] = [];
  let loose = false;
  for (const [name, sent] of leaves) {
    const own = types.member(name);
    const pointer = `/${pointerToken(excerpt(name))}`;
    const takesList = (own.types & TYPE.array) !== 0 && own.types !== ALL_TYPES;
    if (typeof sent !== "string" && !takesList) return { fault: "member", pointer, wanted: "one value" };
    const isList = takesList && (own.types & ~(TYPE.array | TYPE.object | TYPE.null)) === 0;
    const typed = typedLeaves(typeof sent === "string" && isList ? [sent] : sent, own, prefersText);
    if (typed.fault !== null) return { fault: "member", pointer: pointer + typed.pointer, wanted: typed.wanted };
    entries.push([name, typed.value]);
    loose ||= typed.isLoose;
  }
  // Makes members of its own, `__proto__` too.
  return { value: Object.fromEntries(entries), isLoose: loose, fault: null };
}

/** `integer`, or `number or boolean`. */
export function typeWords(types: number): string {
  const words = (["string", "number", "integer", "boolean", "null"] as const).filter((name) => {
    return (types & TYPE[name]) !== 0 && !(name === "integer" && (types & TYPE.number) !== 0);
  });
  return words.length === 0 ? "nothing that a text can be" : words.join(" or ");
}
