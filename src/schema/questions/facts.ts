import { compareDecimals, type Decimal, parseDecimal } from "../../support/decimal.ts";
import { type CharSet, compilePattern } from "../pattern/index.ts";
import { numberText } from "../shapes.ts";
import { ALL_TYPES, type Numeric, type Rule, type Subschema } from "../subschema.ts";

/** A bound of numbers. */
export interface Bound {
  readonly value: Decimal;
  /** Whether the bound itself is out. */
  readonly isExclusive: boolean;
}

/**
 * What a value can be where some schemas judge it together. Never less than it can be; alternatives and conditions may
 * allow less than this says.
 */
export interface ValueFacts {
  /** Bits of TYPE; 0 where no value fits. */
  readonly types: number;
  /** The values of the first list that it must be one of; null for no such list. */
  readonly values: readonly unknown[] | null;
  readonly minimum: Bound | null;
  readonly maximum: Bound | null;
  /** In code points. */
  readonly lengthMin: number;
  readonly lengthMax: number;
  /** Code points that a string consists of, as ranges; null for any. */
  readonly alphabet: CharSet | null;
  readonly formats: readonly string[];
  readonly itemsMin: number;
  readonly itemsMax: number;
  readonly membersMin: number;
  readonly membersMax: number;
  readonly required: readonly string[];
  /** Whether an object may have members that no schema declares. */
  readonly takesOthers: boolean;
  /** Nothing is asked of the value at all. */
  readonly isUnconstrained: boolean;
}

/** Schemas that all have to fit where `schemas` have to: those, what they refer to, and `allOf`. */
export function togetherWith(schemas: readonly Subschema[]): readonly Subschema[] {
  const together = new Set(schemas);
  for (const schema of together) for (const part of [...schema.refs, ...schema.allOf]) together.add(part);
  return [...together];
}

export function factsOf(schemas: readonly Subschema[]): ValueFacts {
  const together = togetherWith(schemas);
  const most = (values: readonly (number | undefined)[]): number => Math.max(0, ...values.map((value) => value ?? 0));
  const least = (values: readonly (number | undefined)[]): number =>
    Math.min(...values.map((value) => value ?? Number.POSITIVE_INFINITY), Number.POSITIVE_INFINITY);
  const patterns = together.flatMap(({ text }) => patternFacts(text.pattern));
  const lists = together.flatMap(({ values }) => values.map(({ list }) => list));
  return {
    types: together.reduce((types, schema) => types & typesOf(schema), ALL_TYPES),
    values: lists[0] ?? null,
    minimum: tightest(
      together.flatMap(({ number }) => bounds(number.minimum, number.exclusiveMinimum)),
      1,
    ),
    maximum: tightest(
      together.flatMap(({ number }) => bounds(number.maximum, number.exclusiveMaximum)),
      -1,
    ),
    lengthMin: most([
      ...together.map(({ text }) => text.minLength?.value),
      ...patterns.map(({ lengthMin }) => lengthMin),
    ]),
    lengthMax: least([
      ...together.map(({ text }) => text.maxLength?.value),
      ...patterns.map(({ lengthMax }) => lengthMax ?? undefined),
    ]),
    alphabet: patterns.find(({ alphabet }) => alphabet !== null)?.alphabet ?? null,
    formats: together.flatMap(({ format }) => (format === null ? [] : [format.value])),
    itemsMin: most(together.map(({ array }) => array?.minItems?.value)),
    itemsMax: least(together.map(({ array }) => array?.maxItems?.value)),
    membersMin: most(together.map(({ object }) => object?.minProperties?.value)),
    membersMax: least(together.map(({ object }) => object?.maxProperties?.value)),
    required: [...new Set(together.flatMap(({ object }) => object?.required.map(({ value }) => value) ?? []))],
    takesOthers: together.every(takesOthers),
    isUnconstrained: together.every(asksNothing),
  };
}

function patternFacts(pattern: Rule<string> | undefined) {
  if (pattern === undefined) return [];
  const unicode = compilePattern(pattern.value, { unicode: true });
  const compiled = unicode.ok ? unicode : compilePattern(pattern.value, { unicode: false });
  return compiled.ok ? [compiled.value.facts] : [];
}

function typesOf({ isNever, types }: Subschema): number {
  return isNever ? 0 : types;
}

function bounds(inclusive: Rule<Numeric> | undefined, exclusive: Rule<Numeric> | undefined): Bound[] {
  const found: Bound[] = [];
  if (inclusive !== undefined) found.push({ value: parseDecimal(numberText(inclusive.value)), isExclusive: false });
  if (exclusive !== undefined) found.push({ value: parseDecimal(numberText(exclusive.value)), isExclusive: true });
  return found;
}

/** `sign`: 1 for lower bounds, of which the highest counts, -1 for upper ones. */
function tightest(found: readonly Bound[], sign: 1 | -1): Bound | null {
  return found.reduce<Bound | null>((best, bound) => {
    if (best === null) return bound;
    const order = sign * compareDecimals(bound.value, best.value);
    return order > 0 || (order === 0 && bound.isExclusive) ? bound : best;
  }, null);
}

function takesOthers({ object, unevaluatedProperties }: Subschema): boolean {
  return object?.additional?.isNever !== true && unevaluatedProperties?.isNever !== true;
}

function asksNothing(schema: Subschema): boolean {
  const { isNever, types, values, number, text, format, array, object } = schema;
  if (isNever || types !== ALL_TYPES || values.length > 0 || format !== null || array !== null || object !== null)
    return false;
  if (Object.keys(number).length + Object.keys(text).length > 0) return false;
  const { anyOf, oneOf, not, condition, dependentSchemas, dynamicRefs, unevaluatedItems, unevaluatedProperties } =
    schema;
  const inPlace = [anyOf, oneOf, not, condition, unevaluatedItems, unevaluatedProperties];
  return inPlace.every((part) => part === null) && dependentSchemas.length + dynamicRefs.length === 0;
}

/** Why no value can fit, or null where none such reason shows. */
export function contradictionOf(facts: ValueFacts): string | null {
  if (facts.types === 0) return "no type is left that all its schemas allow";
  if (facts.values?.length === 0) return "'enum' has no value";
  if (facts.types === 16 && facts.lengthMin > facts.lengthMax)
    return `no text has at least ${facts.lengthMin} and at most ${facts.lengthMax} characters`;
  if (facts.types === 32 && facts.itemsMin > facts.itemsMax)
    return `no array has at least ${facts.itemsMin} and at most ${facts.itemsMax} items`;
  if (facts.types === 64 && facts.membersMin > facts.membersMax)
    return `no object has at least ${facts.membersMin} and at most ${facts.membersMax} members`;
  const isNumber = (facts.types & ~12) === 0;
  if (!isNumber || facts.minimum === null || facts.maximum === null) return null;
  const order = compareDecimals(facts.minimum.value, facts.maximum.value);
  const isEmpty = order > 0 || (order === 0 && (facts.minimum.isExclusive || facts.maximum.isExclusive));
  return isEmpty ? "no number is above its minimum and below its maximum" : null;
}

/**
 * A member that one part of an `allOf` declares and another refuses by `additionalProperties: false`, which knows its own members
 * alone: what generators for .NET write of a class and its base. Null for none.
 */
export function closedOut(schema: Subschema): string | null {
  const objects = togetherWith([schema]).flatMap(({ object }) => (object === null ? [] : [object]));
  const closed = objects.filter(({ additional, patterns }) => additional?.isNever === true && patterns.length === 0);
  for (const { properties } of closed)
    for (const other of objects)
      for (const [name, member] of other.properties) if (!properties.has(name) && !member.isNever) return name;
  return null;
}
