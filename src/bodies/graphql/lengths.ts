import type { Steps } from "../../support/turns.ts";
import { JsonNumber } from "../json-number.ts";
import { memberNames } from "../json-parser.ts";

/** Values of a request's variables, as JSON has them. */
export type Variables = Readonly<Record<string, unknown>>;

/** The longest list that the value of a variable asks for, at least one. */
export interface Length {
  /** Where the variable itself is such a length. */
  readonly counted: number;
  /** By members of the value alone. */
  readonly inner: number;
}

/** By the variable's name. */
export type Lengths = ReadonlyMap<string, Length>;

/** Values between two turns. */
const LOOK_EVERY_VALUES = 256;

export function* lengthsOf(variables: Variables | null, lists: ReadonlySet<string>): Steps<Lengths> {
  const lengths = new Map<string, Length>();
  if (variables === null) return lengths;
  let seen = 0;
  for (const name of memberNames(variables)) {
    const value = variables[name];
    if (++seen % LOOK_EVERY_VALUES === 0) yield;
    const counted = yield* lengthIn(value, true, lists);
    const inner = isContainer(value) ? yield* lengthIn(value, false, lists) : 1;
    lengths.set(name, { counted, inner });
  }
  return lengths;
}

function* lengthIn(value: unknown, counts: boolean, lists: ReadonlySet<string>): Steps<number> {
  if (!isContainer(value)) return counts ? amountOf(value) : 1;
  const open: [container: object, counts: boolean][] = [[value, counts]];
  let length = 1;
  let seen = 0;
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const [container, isCounted] = next;
    const isList = Array.isArray(container);
    const keys = isList ? container.keys() : memberNames(container);
    for (const key of keys) {
      if (++seen % LOOK_EVERY_VALUES === 0) yield;
      const item = (container as Readonly<Record<string | number, unknown>>)[key];
      const itemCounts = isList ? isCounted : lists.has(String(key));
      if (isContainer(item)) open.push([item, itemCounts]);
      else if (itemCounts) length = Math.max(length, amountOf(item));
    }
  }
  return length;
}

function isContainer(value: unknown): value is object {
  return typeof value === "object" && value !== null && !(value instanceof JsonNumber);
}

/** How long a list of so many is taken to be: a negative number means "all" to some services. */
export function amountOf(value: unknown): number {
  const text = value instanceof JsonNumber ? value.text : value;
  const amount = typeof text === "string" && text.trim() !== "" ? Number(text) : text;
  if (typeof amount !== "number" || Number.isNaN(amount)) return 1;
  return amount < 0 ? Number.POSITIVE_INFINITY : Math.max(1, amount);
}
