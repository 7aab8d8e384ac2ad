import { readShape, type ValueKind, type ValueShape } from "../records/value-shape.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { brings, joinSupports, reachedSize, Support, supportIn, type Thresholds } from "./support.ts";

/** What was seen of one parameter: shapes of its values, how often it stood there at once, and values that are shown. */
export class ParameterEvidence {
  readonly support: Support = new Support();
  readonly shapes: Map<ValueShape, Support> = new Map();
  /** How often it stood in one query, as a power of two. */
  readonly times: Map<number, Support> = new Map();
  readonly values: Map<string, Support> = new Map();
  /** Values that are not shown, or had no room. */
  readonly unknownValues: Support = new Support();
  readonly #valuesOf = new Map<number, number>();

  /** Once for each request that has it. */
  noteTimes(source: number, times: number): void {
    this.support.note(source);
    supportIn(this.times, 2 ** Math.ceil(Math.log2(times)), SIZES_MAX)?.note(source);
  }

  noteValue(source: number, shape: ValueShape, value: string | null): void {
    supportIn(this.shapes, shape, SHAPES_MAX)?.note(source);
    const known = value === null ? null : this.#value(value, source);
    (known ?? this.unknownValues).note(source);
  }

  #value(value: string, source: number): Support | null {
    const isKnown = this.values.has(value);
    if (!isKnown && !brings(this.#valuesOf, source, DEFAULTS.learnValuesOfOneMax)) return null;
    return supportIn(this.values, value, DEFAULTS.learnValuesMax);
  }

  join(other: ParameterEvidence): void {
    this.support.join(other.support);
    joinSupports(this.shapes, other.shapes, SHAPES_MAX);
    joinSupports(this.times, other.times, SIZES_MAX);
    this.unknownValues.join(other.unknownValues);
    for (const [value, support] of other.values) {
      (supportIn(this.values, value, DEFAULTS.learnValuesMax) ?? this.unknownValues).join(support);
    }
  }
}

/** Kinds times sizes; what is not one of them is no shape that postern writes. */
const SHAPES_MAX = 256;
const SIZES_MAX = 16;

/** A shape that no record has, of a value that it has masked: nothing is known of it. */
export const MASKED: ValueShape = "masked";

/** Words of a JSON Schema for a parameter, and what is to be said of it. */
export interface ParameterRule {
  readonly schema: Readonly<Record<string, unknown>>;
  /** Kinds that enough callers have sent, for people. */
  readonly kinds: string;
  /** Values of kinds that too few have sent. */
  readonly others: Support;
}

/** What values have to be, by what enough callers have sent. `isId`: in a path, where numbers grow from day to day. */
export function parameterRule(evidence: ParameterEvidence, thresholds: Thresholds, isId = false): ParameterRule {
  const { kinds, others } = keptKinds(evidence.shapes, thresholds);
  const masked = evidence.shapes.get(MASKED);
  if (masked !== undefined && masked.sources.size >= thresholds.callers)
    return { schema: { type: "string" }, kinds: "masked in the record", others };
  if (masked !== undefined) others.join(masked);
  const isEmptyToo = kinds.delete("empty");
  const list = enumOf(evidence, thresholds);
  const listed = list?.schema ?? null;
  // A value beside the list is of a kind that others have sent: told once.
  if (list !== null) others.join(list.others);
  const one = listed ?? schemaOf(kinds, thresholds, isId);
  const times = reachedSize(evidence.times, thresholds);
  const schema = times > 1 ? { type: "array", items: one, maxItems: times * DEFAULTS.learnHeadRoom } : one;
  return {
    schema: isEmptyToo && times <= 1 ? { ...schema, allowEmptyValue: true } : schema,
    kinds: listed === null ? [...kinds.keys()].join(", ") : "list",
    others,
  };
}

type Kinds = Map<ValueKind, Map<number, Support>>;

/** Kinds in the order of their table, with their sizes. */
function keptKinds(
  shapes: ReadonlyMap<ValueShape, Support>,
  thresholds: Thresholds,
): { kinds: Kinds; others: Support } {
  const all: Kinds = new Map();
  for (const shape of [...shapes.keys()].toSorted()) {
    const read = readShape(shape);
    const support = shapes.get(shape);
    if (read === null || support === undefined) continue;
    const sizes = all.get(read.kind) ?? new Map<number, Support>();
    all.set(read.kind, sizes.set(read.size, support));
  }
  const others = new Support();
  for (const [kind, sizes] of all) {
    const whole = new Support();
    for (const support of sizes.values()) whole.join(support);
    if (whole.sources.size >= thresholds.callers) continue;
    others.join(whole);
    all.delete(kind);
  }
  return { kinds: all, others };
}

/** Kinds whose texts are made of letters, digits and `_`, `.`, `@`, `~`, `-` alone. */
const PLAIN: ReadonlySet<ValueKind> = new Set(["boolean", "integer", "decimal", "uuid", "date", "name", "hash"]);
const FORMATS: ReadonlyMap<ValueKind, string> = new Map([
  ["uuid", "uuid"],
  ["date", "date"],
  ["date-time", "date-time"],
]);
/** Of kinds that have no size. */
const CHARS_OF: ReadonlyMap<ValueKind, number> = new Map([
  ["boolean", 5],
  ["uuid", 36],
  ["date", 10],
  ["date-time", 35],
]);

function schemaOf(kinds: Kinds, thresholds: Thresholds, isId: boolean): Readonly<Record<string, unknown>> {
  const [first] = kinds.keys();
  if (first === undefined) return { type: "string" };
  if (kinds.size === 1) {
    if (first === "boolean") return { type: "boolean" };
    const format = FORMATS.get(first);
    if (format !== undefined) return { type: "string", format };
  }
  const names = [...kinds.keys()];
  if (names.every((kind) => kind === "integer" || kind === "decimal")) return numberSchema(kinds, thresholds, isId);
  const chars = Math.max(...names.map((kind) => charsOf(kind, kinds.get(kind), thresholds)));
  const pattern = names.every((kind) => PLAIN.has(kind)) ? { pattern: "^[\\w.@~-]*$" } : {};
  return { type: "string", maxLength: chars * DEFAULTS.learnHeadRoom, ...pattern };
}

/** One digit more than was seen, on either side of 0. */
function numberSchema(kinds: Kinds, thresholds: Thresholds, isId: boolean): Readonly<Record<string, unknown>> {
  const above = new Map<number, Support>();
  const below = new Map<number, Support>();
  for (const sizes of kinds.values()) {
    for (const [digits, support] of sizes) {
      const side = digits < 0 ? below : above;
      supportIn(side, Math.abs(digits), SIZES_MAX)?.join(support);
    }
  }
  const [largest, smallest] = [reachedSize(above, thresholds), reachedSize(below, thresholds)];
  const type = kinds.has("decimal") ? "number" : "integer";
  if (isId) return smallest < 0 ? { type, minimum: 0 } : { type };
  const digits = Math.max(largest, smallest) + 1;
  // Of a single caller above 0 and another below no bound is anybody's but theirs.
  if (digits === 0 || digits > DIGITS_MAX) return { type };
  const bound = (size: number): number => (size < 0 ? 0 : 10 ** (size + 1) - 1);
  return { type, minimum: smallest < 0 ? 0 : 0 - bound(smallest), maximum: bound(largest) };
}

/** More are no number that JSON keeps. */
const DIGITS_MAX = 15;

function charsOf(kind: ValueKind, sizes: ReadonlyMap<number, Support> | undefined, thresholds: Thresholds): number {
  const fixed = CHARS_OF.get(kind);
  if (fixed !== undefined) return fixed;
  if (sizes === undefined) return 0;
  const lengths = new Map<number, Support>();
  // A sign, a point and ten digits behind it.
  const more = kind === "decimal" ? 12 : 1;
  const isNumber = kind === "decimal" || kind === "integer";
  for (const [size, support] of sizes) {
    supportIn(lengths, isNumber ? Math.abs(size) + more : size, SIZES_MAX)?.join(support);
  }
  return reachedSize(lengths, thresholds);
}

const WORD = /^[A-Za-z][A-Za-z_-]{0,23}$/;

/**
 * Values as they are: only where the policy shows all of them, they are few and words, and each was sent by several callers, so
 * that none is one caller's own. What too few callers have sent beside is left out.
 */
function enumOf(
  { values, unknownValues }: ParameterEvidence,
  { callers }: Thresholds,
): { readonly schema: Readonly<Record<string, unknown>>; readonly others: Support } | null {
  const callersMin = Math.max(callers, DEFAULTS.learnEnumCallersMin);
  const good: string[] = [];
  const others = new Support();
  others.join(unknownValues);
  for (const [value, support] of values) {
    if (WORD.test(value) && support.sources.size >= callersMin) good.push(value);
    else others.join(support);
  }
  if (good.length === 0 || good.length > DEFAULTS.learnEnumMax || others.sources.size >= callers) return null;
  if (good.length <= 2 && good.every((value) => /^(?:true|false)$/.test(value))) return null;
  return { schema: { type: "string", enum: good.toSorted() }, others };
}
