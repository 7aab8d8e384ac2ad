import { isUtf8 } from "node:buffer";
import { parseJson } from "../../bodies/json.ts";
import { MINUS, NINE, OPEN_BRACE, OPEN_BRACKET, QUOTE, ZERO } from "../../bodies/json-bytes.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import type { Steps } from "../../support/turns.ts";
import { formatOf } from "../formats/index.ts";
import { isWhole, numberChecks } from "../judge/number.ts";
import { ALWAYS, type Check } from "../judge/run.ts";
import { textChecks } from "../judge/text.ts";
import { valueChecks } from "../judge/values.ts";
import { compilePattern, type Pattern } from "../pattern/index.ts";
import { beginPatternWork, PatternTooCostly } from "../pattern/work.ts";
import { ALL_TYPES, inPlaceParts, type Numeric, type ObjectRules, type Subschema, TYPE } from "../subschema.ts";
import { Cursor, WINDOW_BYTES } from "./cursor.ts";
import {
  boundedMatcher,
  listMatcher,
  type Matcher,
  numberMatcher,
  objectMatcher,
  type Slot,
  textMatcher,
  wordMatcher,
} from "./matchers.ts";

/** What judges what the matchers leave to others. */
export interface Judging {
  child(schema: Subschema): Check;
  patternOf(source: string): Pattern;
}

/**
 * Sees in one pass over the bytes of a body, without making values of them, that it is JSON of one reading and fits its
 * schema. It knows the usual keywords and the usual spelling; of anything else it says that it does not know, and then
 * whoever reads and judges in full has the word. Matchers are made when a body first comes to them.
 */
export class Recogniser {
  /** All names that the outermost object of a body which is taken may have; null where they are not known. */
  readonly outermostNames: readonly string[] | null;
  readonly #judging: Judging;
  readonly #slots: Slot[] = [];
  readonly #root: Slot;
  readonly #anything: Slot;

  /** `target`: what the root is but another name for, or itself. */
  constructor(root: Subschema, target: Subschema, judging: Judging) {
    this.outermostNames = outermostNamesOf(target);
    this.#judging = judging;
    this.#anything = { match: opaqueMatcher(ALWAYS) };
    this.#root = this.#slotOf(root);
  }

  /** True only for a body that fits; false where it does not, or may do so, as one of more bytes than are read at once. */
  takes(bytes: Buffer): boolean {
    if (bytes.length > WINDOW_BYTES) return false;
    const cursor = CURSOR;
    cursor.begin(bytes);
    return this.#takes(cursor) && cursor.at === bytes.length && (!cursor.isWide || isUtf8(bytes));
  }

  /** The same of a long body. `atOnceBytesMax`: a part of an object or list that is longer, it does not know. */
  *takesInSteps(bytes: Buffer, atOnceBytesMax: number): Steps<boolean> {
    if (!isUtf8(bytes)) return false;
    const cursor = new Cursor();
    const stop = Math.ceil(Math.min(atOnceBytesMax, DEFAULTS.bodyAtOnceBytesMax) / STRETCHES);
    for (let done = 0; ; done += cursor.at) {
      cursor.beginStretch(bytes.subarray(done, done + stop + STRETCHES * stop), stop);
      if (this.#takes(cursor)) return done + cursor.at === bytes.length;
      if (!cursor.isPaused) return false;
      yield;
    }
  }

  /** Takes the outermost value; also false where the cursor is paused, to be gone on with. */
  #takes(cursor: Cursor): boolean {
    beginPatternWork(DEFAULTS.patternWorkAtOnceMax);
    try {
      cursor.skipBlanks();
      if (!this.#root.match(cursor)) return false;
      cursor.skipBlanks();
      return true;
    } catch (error) {
      // Too costly patterns, or a schema too deep for the stack.
      if (error instanceof PatternTooCostly || error instanceof RangeError) {
        cursor.isPaused = false;
        return false;
      }
      throw error;
    }
  }

  #slotOf(schema: Subschema): Slot {
    const known = this.#slots[schema.index];
    if (known !== undefined) return known;
    const slot: Slot = {
      match: (cursor) => {
        slot.match = this.#make(schema);
        return slot.match(cursor);
      },
    };
    this.#slots[schema.index] = slot;
    return slot;
  }

  #make(schema: Subschema): Matcher {
    const target = soleTarget(schema);
    if (target !== null) {
      const slot = this.#slotOf(target);
      return (cursor) => slot.match(cursor);
    }
    if (!isPlain(schema)) return opaqueMatcher(this.#judging.child(schema));
    const { types } = schema;
    const allows = (bit: number): boolean => (types & bit) !== 0;
    const text = allows(TYPE.string) ? this.#text(schema) : NEVER;
    if (types === TYPE.string) return text;
    const object = allows(TYPE.object) ? this.#object(schema) : NEVER;
    if (types === TYPE.object) return object;
    const list = allows(TYPE.array) ? this.#list(schema) : NEVER;
    if (types === TYPE.array) return list;
    const number = allows(TYPE.number | TYPE.integer) ? numberMatcherOf(schema) : NEVER;
    if ((types & ~(TYPE.number | TYPE.integer)) === 0) return number;
    const word = wordsMatcher(schema);
    return (cursor) => {
      const code = cursor.opening;
      if (code === QUOTE) return text(cursor);
      if (code === MINUS || (code >= ZERO && code <= NINE)) return number(cursor);
      if (code === OPEN_BRACE) return object(cursor);
      return code === OPEN_BRACKET ? list(cursor) : word(cursor);
    };
  }

  #text(schema: Subschema): Matcher {
    const { minLength, maxLength, pattern } = schema.text;
    const patternOf = (source: string): Pattern => this.#judging.patternOf(source);
    const seen = pattern === undefined ? formatPattern(schema) : patternOf(pattern.value);
    const format = seen !== null && pattern === undefined ? null : schema.format;
    const checks = [...textChecks({ ...schema, text: {}, format }, patternOf), ...valueChecks(schema)];
    const limits = {
      min: minLength?.value ?? 0,
      max: maxLength?.value ?? NO_BOUND,
      pattern: seen,
    };
    return textMatcher(limits, checks.length === 0 ? null : every(checks));
  }

  #list(schema: Subschema): Matcher {
    const { array } = schema;
    if (array === null || schema.values.length > 0) return opaqueMatcher(this.#judging.child(schema));
    return listMatcher({
      min: array.minItems?.value ?? 0,
      max: array.maxItems?.value ?? NO_BOUND,
      prefix: array.prefix.map((part) => this.#slotOf(part)),
      rest: array.rest === null ? this.#anything : this.#slotOf(array.rest),
    });
  }

  #object(schema: Subschema): Matcher {
    const { object } = schema;
    if (object === null || schema.values.length > 0) return opaqueMatcher(this.#judging.child(schema));
    if (hasUndeclared(object)) return opaqueMatcher(this.#judging.child(schema));
    const required = new Set(object.required.map(({ value }) => value));
    const members = [...object.properties].map(([name, part]) => ({
      name,
      slot: this.#slotOf(part),
      isRequired: required.has(name),
    }));
    const max = object.maxProperties?.value ?? NO_BOUND;
    return objectMatcher({ min: object.minProperties?.value ?? 0, max, members });
  }
}

/** Members that `required` alone declares; whether they may be there at all is not for a matcher to say. */
function hasUndeclared({ required, properties }: ObjectRules): boolean {
  return required.some(({ value }) => !properties.has(value));
}

function outermostNamesOf({ types, object, values }: Subschema): readonly string[] | null {
  if (types === TYPE.array) return [];
  if (types !== TYPE.object || object === null || values.length > 0 || hasUndeclared(object)) return null;
  return [...object.properties.keys()];
}

/** A recogniser, where there is anything to gain by one: the outermost schema is one that it knows. */
export function recogniserOf(root: Subschema, judging: Judging): Recogniser | null {
  let schema = root;
  for (let next = soleTarget(root); next !== null && next !== root; next = soleTarget(next)) schema = next;
  const { types, array, object } = schema;
  const isContainer = (types === TYPE.object && object !== null) || (types === TYPE.array && array !== null);
  return isContainer && isPlain(schema) ? new Recogniser(root, schema, judging) : null;
}

/** One for all: nothing judges a body in the middle of another. */
const CURSOR = new Cursor();

/** So many stretches have as many bytes as a body that is judged at once; each takes some hundredths of a millisecond. */
const STRETCHES = 4;

/** Of what a body has, which is never so many; unlike Infinity, it takes no memory. */
const NO_BOUND = 2 ** 31 - 1;

const NEVER: Matcher = () => false;

/** Reads and judges in full what is no matcher's. */
function opaqueMatcher(check: Check): Matcher {
  return (cursor) => {
    const bytes = cursor.readOpaque();
    if (bytes === null) return false;
    const parsed = parseJson(bytes);
    return parsed.ok && check(parsed.value, cursor.run);
  };
}

/** What a format asks, where a pattern says it: that can be seen in the bytes, and a text for each value need not be made. */
function formatPattern({ format, resource }: Subschema): Pattern | null {
  const known = format === null ? null : formatOf(format.value, resource.language.dialect);
  if (known?.kind !== "text" || known.source === null) return null;
  const made = FORMAT_PATTERNS.get(known.source) ?? compilePattern(known.source, { unicode: true });
  FORMAT_PATTERNS.set(known.source, made);
  return made.ok ? made.value : null;
}

const FORMAT_PATTERNS = new Map<string, ReturnType<typeof compilePattern>>();

function numberMatcherOf(schema: Subschema): Matcher {
  const { minimum, maximum, ...others } = schema.number;
  const min = minimum?.value ?? Number.NEGATIVE_INFINITY;
  const max = maximum?.value ?? Number.POSITIVE_INFINITY;
  const isMore = Object.keys(others).length > 0 || schema.format !== null || schema.values.length > 0;
  if (isMore || typeof min !== "number" || typeof max !== "number") return numberMatcher(numberCheck(schema));
  return boundedMatcher(min, max, (schema.types & TYPE.number) === 0);
}

function numberCheck(schema: Subschema): Check<Numeric> {
  const check = every<Numeric>([...numberChecks(schema), ...valueChecks(schema)]);
  if ((schema.types & TYPE.number) !== 0) return check;
  return (value, run) => isWhole(value) && check(value, run);
}

function wordsMatcher(schema: Subschema): Matcher {
  const check = every(valueChecks(schema));
  const words = [
    ["true", true, TYPE.boolean],
    ["false", false, TYPE.boolean],
    ["null", null, TYPE.null],
  ] as const;
  const allowed = words.filter(([, , type]) => (schema.types & type) !== 0);
  const matchers = allowed.map(([word, value]) => ({ match: wordMatcher(word), value }));
  return (cursor) => {
    for (const { match, value } of matchers) if (match(cursor)) return check(value, cursor.run);
    return false;
  };
}

function every<Value>(checks: readonly Check<Value>[]): Check<Value> {
  const [first] = checks;
  if (first === undefined) return ALWAYS;
  if (checks.length === 1) return first;
  return (value, run) => checks.every((check) => check(value, run));
}

/** The schema that one is but another name for. */
function soleTarget(schema: Subschema): Subschema | null {
  const [target] = schema.refs;
  const isSole = target !== undefined && schema.refs.length === 1 && saysNothing(schema);
  return isSole ? target : null;
}

/** Of its own, beside references. */
function saysNothing(schema: Subschema): boolean {
  const { array, object, values, text, number, format, unevaluatedItems, unevaluatedProperties } = schema;
  const hasRules =
    array !== null ||
    object !== null ||
    values.length > 0 ||
    format !== null ||
    schema.isNever ||
    schema.content !== null;
  const hasLimits = Object.keys(text).length > 0 || Object.keys(number).length > 0;
  const hasRest = unevaluatedItems !== null || unevaluatedProperties !== null;
  return !hasRules && !hasLimits && !hasRest && schema.types === ALL_TYPES && inPlaceParts(schema).length === 1;
}

/** Whether the matchers know all that it says of a value. */
function isPlain(schema: Subschema): boolean {
  const { array, object, unevaluatedItems, unevaluatedProperties } = schema;
  if (schema.isNever || schema.content !== null || inPlaceParts(schema).length > 0) return false;
  if (unevaluatedItems !== null || unevaluatedProperties !== null) return false;
  if (array !== null && (array.contains !== null || array.uniqueItems !== undefined)) return false;
  return (
    object === null || (object.patterns.length === 0 && object.names === null && object.dependentRequired.length === 0)
  );
}
