import type { RawMessage } from "../../bodies/protobuf/raw-message.ts";
import { WIRE } from "../../bodies/protobuf/wire.ts";
import { numberOf } from "../scalars.ts";
import type { ScalarKind } from "../types.ts";
import { type Rule, type RuleSource, tellOthers } from "./rule.ts";

type Ordered = number | bigint;

/** Least and most, of numbers, durations and moments alike. Undefined where nothing is asked. */
export interface Bounds<T> {
  readonly lt: T | undefined;
  readonly lte: T | undefined;
  readonly gt: T | undefined;
  readonly gte: T | undefined;
}

const FLOAT_EXAMPLES = 9;

/** Rules of numbers; `kind` is that of the field, and the word of the rules. */
export function numberRules(kind: ScalarKind, raw: RawMessage, source: RuleSource): readonly Rule[] {
  const isFloat = kind === "float" || kind === "double";
  const read = (number: number): readonly Ordered[] => numbersOf(kind, raw, number);
  const first = (number: number): Ordered | undefined => read(number).at(-1);
  tellOthers(raw, [1, 2, 3, 4, 5, 6, 7, 8, FLOAT_EXAMPLES], kind, source);
  const bounds = { lt: first(2), lte: first(3), gt: first(4), gte: first(5) };
  const text = (value: Ordered): string => String(value);
  const rules = [...valueRules(kind, first(1), read(6), read(7), text), ...boundRules(kind, bounds, text)];
  if (isFloat && raw.flag(8))
    rules.push({ id: `${kind}.finite`, detail: "expected a finite number", holds: (value) => Number.isFinite(value) });
  return rules;
}

/** `const`, `in` and `not_in`, by plain equality. */
export function valueRules<T>(
  word: string,
  constant: T | undefined,
  among: readonly T[],
  notAmong: readonly T[],
  text: (value: T) => string,
): Rule[] {
  const rules: Rule[] = [];
  if (constant !== undefined)
    rules.push({ id: `${word}.const`, detail: `expected ${text(constant)}`, holds: (value) => value === constant });
  if (among.length > 0) {
    const set = new Set<unknown>(among);
    rules.push({ id: `${word}.in`, detail: "expected one of the listed values", holds: (value) => set.has(value) });
  }
  if (notAmong.length > 0) {
    const set = new Set<unknown>(notAmong);
    rules.push({ id: `${word}.not_in`, detail: "a value that is not allowed", holds: (value) => !set.has(value) });
  }
  return rules;
}

/**
 * One rule for both ends: where the upper is below the lower, what is between them is refused (`exclusive`), as protovalidate
 * has it. What has no order, as NaN, is within no bounds.
 */
export function boundRules<T extends Ordered>(word: string, bounds: Bounds<T>, text: (value: T) => string): Rule[] {
  const { lt, lte, gt, gte } = bounds;
  const upper = lt ?? lte;
  const lower = gt ?? gte;
  if (upper === undefined && lower === undefined) return [];
  const below = (value: Ordered): boolean => (lt !== undefined ? value < lt : lte === undefined || value <= lte);
  const above = (value: Ordered): boolean => (gt !== undefined ? value > gt : gte === undefined || value >= gte);
  const belowText = upper === undefined ? "" : `${lt !== undefined ? "less than" : "at most"} ${text(upper)}`;
  const aboveText = lower === undefined ? "" : `${gt !== undefined ? "more than" : "at least"} ${text(lower)}`;
  const ends = [
    gt !== undefined ? "gt" : gte !== undefined ? "gte" : "",
    lt !== undefined ? "lt" : lte !== undefined ? "lte" : "",
  ];
  const id = `${word}.${ends.filter((end) => end !== "").join("_")}`;
  const isOpen = upper !== undefined && lower !== undefined && upper < lower;
  const detail = `expected ${[aboveText, belowText].filter((part) => part !== "").join(isOpen ? " or " : " and ")}`;
  const holds = (value: unknown): boolean => {
    if (typeof value !== "number" && typeof value !== "bigint") return false;
    return isOpen ? below(value) || above(value) : below(value) && above(value);
  };
  return [{ id: isOpen ? `${id}_exclusive` : id, detail, holds }];
}

function numbersOf(kind: ScalarKind, raw: RawMessage, number: number): readonly Ordered[] {
  return raw.bits(number, RULE_WIRE[kind] ?? WIRE.varint).flatMap(([low, high]) => {
    const value = numberOf(kind, low, high);
    return typeof value === "number" || typeof value === "bigint" ? [value] : [];
  });
}

const RULE_WIRE: Partial<Record<ScalarKind, number>> = {
  double: WIRE.i64,
  fixed64: WIRE.i64,
  sfixed64: WIRE.i64,
  float: WIRE.i32,
  fixed32: WIRE.i32,
  sfixed32: WIRE.i32,
};
