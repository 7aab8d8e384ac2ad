import { JsonNumber } from "../bodies/json-number.ts";
import { memberNames } from "../bodies/json-parser.ts";
import { DEFAULTS } from "../support/defaults.ts";

export const NS_PER_MS = 1_000_000n;

/** A moment: nanoseconds since 1970, for a double of milliseconds does not tell apart what is closer than 244 of them. */
export class Timestamp {
  readonly ns: bigint;

  constructor(ns: bigint) {
    this.ns = ns;
  }

  /** Unix milliseconds, without what is less than one. */
  get ms(): number {
    return Number(floorDivided(this.ns, NS_PER_MS));
  }
}

/** RFC 3339 has the years 1 to 9999; what else a client sends or a sum comes to has no date. */
const MOMENT_NS_MIN = BigInt(Date.parse("0001-01-01T00:00:00Z")) * NS_PER_MS;
const MOMENT_NS_MAX = BigInt(Date.UTC(10_000, 0, 1)) * NS_PER_MS - 1n;

/** `ns`: since 1970. */
export function momentOf(ns: bigint): Timestamp | EvalFault {
  return ns >= MOMENT_NS_MIN && ns <= MOMENT_NS_MAX ? new Timestamp(ns) : NO_DATE;
}

/** `ms`: Unix milliseconds. */
export function momentOfMs(ms: number): Timestamp | EvalFault {
  return Number.isFinite(ms) ? momentOf(nsOf(ms)) : NO_DATE;
}

function nsOf(ms: number): bigint {
  const whole = Math.floor(ms);
  return BigInt(whole) * NS_PER_MS + BigInt(Math.round((ms - whole) * 1e6));
}

export function floorDivided(value: bigint, by: bigint): bigint {
  return value / by - (value < 0n && value % by !== 0n ? 1n : 0n);
}

/** A length of time in nanoseconds. */
export class Duration {
  readonly ns: bigint;

  constructor(ns: bigint) {
    this.ns = ns;
  }
}

/** Why an evaluation came to no answer: names and kinds, never a value. */
export class EvalFault {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/**
 * Of a message or a map of one, whose names mean what they are and which have no others: a function that says whether a member came, for those of a message are
 * there whatever came. Two of them are not compared, for what they hold may have no end.
 */
export const PRESENCE: unique symbol = Symbol("presence");

/** What several evaluations may take together. */
export interface StepBudget {
  stepsLeft: number;
}

/** State of one evaluation; there is never more than one under way, for none waits. */
export class Evaluation<Subject> {
  readonly subject: Subject;
  readonly locals: unknown[] = [];
  #stepsLeft: number = DEFAULTS.expressionStepsMax;
  readonly #budget: StepBudget | null;

  constructor(subject: Subject, budget: StepBudget | null = null) {
    this.subject = subject;
    this.#budget = budget;
  }

  /** Null, or that this evaluation has taken all that one may. */
  spend(steps: number): EvalFault | null {
    this.#stepsLeft -= steps;
    if (this.#budget !== null) this.#budget.stepsLeft -= steps;
    if (this.#stepsLeft < 0) return TOO_LONG;
    return this.#budget !== null && this.#budget.stepsLeft < 0 ? ALL_TOO_LONG : null;
  }
}

const NO_DATE = new EvalFault("a moment that is not in the years 1 to 9999");
const TOO_LONG = new EvalFault(`takes more than ${DEFAULTS.expressionStepsMax} steps`);
const ALL_TOO_LONG = new EvalFault("takes more steps than are left");

export const INT_MIN: bigint = -(2n ** 63n);
export const INT_MAX: bigint = 2n ** 63n - 1n;

export function isInt(value: bigint): boolean {
  return value >= INT_MIN && value <= INT_MAX;
}

/** A value of JSON as expressions know it: numbers are doubles, but whole ones that a double cannot hold stay whole. */
export function fromJson(value: unknown): unknown {
  if (!(value instanceof JsonNumber)) return value;
  if (/^-?\d{1,19}$/.test(value.text)) {
    const int = BigInt(value.text);
    if (isInt(int)) return int;
  }
  return Number(value.text);
}

/** What a value is called in a fault. */
export function kindOf(value: unknown): string {
  if (value === null) return "null";
  if (typeof value === "bigint") return "int";
  if (typeof value === "number") return "double";
  if (typeof value === "boolean") return "bool";
  if (typeof value === "string") return "string";
  if (Array.isArray(value)) return "list";
  if (value instanceof Timestamp) return "timestamp";
  return value instanceof Duration ? "duration" : "map";
}

/** Values of two kinds are never equal, but numbers are equal by their value. */
export function isEqual(left: unknown, right: unknown, evaluation: Evaluation<unknown>): boolean | EvalFault {
  const a = fromJson(left);
  const b = fromJson(right);
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return isSame(a, b);
  if (PRESENCE in a || PRESENCE in b) return NOT_COMPARED;
  if (Array.isArray(a) || Array.isArray(b)) {
    return Array.isArray(a) && Array.isArray(b) ? areEqual(a, b, evaluation) : false;
  }
  if (a instanceof Timestamp || b instanceof Timestamp) {
    return a instanceof Timestamp && b instanceof Timestamp && a.ns === b.ns;
  }
  if (a instanceof Duration || b instanceof Duration) {
    return a instanceof Duration && b instanceof Duration && a.ns === b.ns;
  }
  const names = namesOf(a);
  const others = namesOf(b);
  if (names instanceof EvalFault) return names;
  if (others instanceof EvalFault) return others;
  if (names.length !== others.length || !names.every((name) => Object.hasOwn(b, name))) return false;
  const members = (of: object): unknown[] => names.map((name) => (of as Readonly<Record<string, unknown>>)[name]);
  return areEqual(members(a), members(b), evaluation);
}

const NOT_COMPARED = new EvalFault("messages and maps are not compared");

/** To list the names of a large object would hold the thread. */
export function namesOf(object: object): readonly string[] | EvalFault {
  const names = memberNames(object);
  return names.length > DEFAULTS.expressionItemsMax ? TOO_MANY : names;
}

const TOO_MANY = new EvalFault(`a list or map of more than ${DEFAULTS.expressionItemsMax} items`);

function isSame(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a === "bigint" && typeof b === "number") return Number.isInteger(b) && BigInt(b) === a;
  return typeof a === "number" && typeof b === "bigint" && Number.isInteger(a) && BigInt(a) === b;
}

function areEqual(a: readonly unknown[], b: readonly unknown[], evaluation: Evaluation<unknown>): boolean | EvalFault {
  if (a.length !== b.length) return false;
  for (let at = 0; at < a.length; at++) {
    const spent = evaluation.spend(1);
    if (spent !== null) return spent;
    const equal = isEqual(a[at], b[at], evaluation);
    if (equal !== true) return equal;
  }
  return true;
}

/** Below zero, zero or above it; undefined where the two have no order. */
export function compare(left: unknown, right: unknown): number | undefined {
  const a = fromJson(left);
  const b = fromJson(right);
  if (isNumeric(a) && isNumeric(b)) return a < b ? -1 : a > b ? 1 : Number.isNaN(a) || Number.isNaN(b) ? Number.NaN : 0;
  if (typeof a === "string" && typeof b === "string") return compareTexts(a, b);
  if (typeof a === "boolean" && typeof b === "boolean") return Number(a) - Number(b);
  if (a instanceof Timestamp && b instanceof Timestamp) return ordered(a.ns, b.ns);
  if (a instanceof Duration && b instanceof Duration) return ordered(a.ns, b.ns);
  return undefined;
}

function ordered(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

export function isNumeric(value: unknown): value is number | bigint {
  return typeof value === "number" || typeof value === "bigint";
}

/** By code points: a pair of surrogates comes behind every other unit. */
function compareTexts(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at++) {
    const [x, y] = [a.charCodeAt(at), b.charCodeAt(at)];
    if (x === y) continue;
    const [isPairX, isPairY] = [(x & 0xf800) === 0xd800, (y & 0xf800) === 0xd800];
    return isPairX === isPairY ? x - y : isPairX ? 1 : -1;
  }
  return a.length - b.length;
}
