import { DEFAULTS } from "../support/defaults.ts";
import type { BinaryOp } from "./syntax.ts";
import {
  areComparable,
  BOOL,
  DURATION,
  DYN,
  isDyn,
  isNumber,
  join,
  STRING,
  TIMESTAMP,
  type Type,
  typeText,
} from "./types.ts";
import {
  compare,
  Duration,
  EvalFault,
  type Evaluation,
  fromJson,
  isEqual,
  isInt,
  isNumeric,
  kindOf,
  momentOf,
  Timestamp,
} from "./values.ts";

export type Arithmetic = "+" | "-" | "*" | "/" | "%";
export type Comparison = "==" | "!=" | "<" | "<=" | ">" | ">=";

/** The type of `left op right`, or what is wrong with the two. */
export function typeOfBinary(op: BinaryOp, left: Type, right: Type): Type | string {
  const words = `'${op}' takes no ${typeText(left)} and ${typeText(right)}`;
  switch (op) {
    case "==":
    case "!=":
      return areComparable(left, right) ? BOOL : `${typeText(left)} and ${typeText(right)} are never equal`;
    case "<":
    case "<=":
    case ">":
    case ">=":
      return isOrdered(left) && isOrdered(right) && areComparable(left, right) ? BOOL : words;
    case "in":
      if (isDyn(right)) return BOOL;
      if (right.name !== "list") return `'in' takes a list on its right, not ${typeText(right)}`;
      return areComparable(left, right.item ?? DYN)
        ? BOOL
        : `a list of ${typeText(right.item ?? DYN)} never holds a ${typeText(left)}`;
    case "||":
    case "&&":
      return isBool(left) && isBool(right) ? BOOL : words;
    default:
      return typeOfArithmetic(op, left, right) ?? words;
  }
}

function isBool(type: Type): boolean {
  return isDyn(type) || type.name === "bool";
}

function isOrdered({ name }: Type): boolean {
  return name !== "list" && name !== "null";
}

function typeOfArithmetic(op: Arithmetic, left: Type, right: Type): Type | string | null {
  if (isDyn(left) || isDyn(right)) return DYN;
  if (isNumber(left) && isNumber(right)) {
    if (left.name !== right.name) return `'${op}' takes two of a kind; write 1.0 for 1, or double(…)`;
    return op === "%" && left.name === "double" ? null : left;
  }
  const pair = `${left.name} ${op} ${right.name}`;
  if (pair === "string + string") return STRING;
  if (pair === "list + list") return join(left, right);
  return TIMES.get(pair) ?? null;
}

const TIMES: ReadonlyMap<string, Type> = new Map([
  ["timestamp + duration", TIMESTAMP],
  ["duration + timestamp", TIMESTAMP],
  ["timestamp - duration", TIMESTAMP],
  ["timestamp - timestamp", DURATION],
  ["duration + duration", DURATION],
  ["duration - duration", DURATION],
]);

export function compared(op: Comparison, left: unknown, right: unknown, evaluation: Evaluation<unknown>): unknown {
  if (op === "==" || op === "!=") {
    const equal = isEqual(left, right, evaluation);
    return equal instanceof EvalFault || op === "==" ? equal : !equal;
  }
  const order = compare(left, right);
  if (order === undefined) return mismatch(op, left, right);
  if (op === "<") return order < 0;
  if (op === "<=") return order <= 0;
  return op === ">" ? order > 0 : order >= 0;
}

function mismatch(op: string, left: unknown, right: unknown): EvalFault {
  return new EvalFault(`'${op}' takes no ${kindOf(fromJson(left))} and ${kindOf(fromJson(right))}`);
}

export function computed(op: Arithmetic, left: unknown, right: unknown, evaluation: Evaluation<unknown>): unknown {
  const a = fromJson(left);
  const b = fromJson(right);
  if (typeof a === "bigint" && typeof b === "bigint") return ofInts(op, a, b);
  // Numbers of JSON are doubles, whole or not; a whole number in the expression counts with them.
  if (isNumeric(a) && isNumeric(b)) return ofDoubles(op, Number(a), Number(b));
  if (op === "+" && typeof a === "string" && typeof b === "string") {
    if (a.length + b.length > DEFAULTS.expressionTextMax) return TOO_LARGE;
    return evaluation.spend((a.length + b.length) >> 6) ?? a + b;
  }
  if (op === "+" && Array.isArray(a) && Array.isArray(b)) {
    if (a.length + b.length > DEFAULTS.expressionItemsMax) return TOO_LARGE;
    return evaluation.spend(a.length + b.length) ?? [...a, ...b];
  }
  return ofTimes(op, a, b) ?? mismatch(op, a, b);
}

const TOO_LARGE = new EvalFault("a text or list grows too large");
const OVERFLOW = new EvalFault("a number beyond 64 bits");
const BY_ZERO = new EvalFault("a division by zero");

function ofInts(op: Arithmetic, a: bigint, b: bigint): bigint | EvalFault {
  if ((op === "/" || op === "%") && b === 0n) return BY_ZERO;
  const result = op === "+" ? a + b : op === "-" ? a - b : op === "*" ? a * b : op === "/" ? a / b : a % b;
  return isInt(result) ? result : OVERFLOW;
}

function ofDoubles(op: Arithmetic, a: number, b: number): unknown {
  if (op === "%") return mismatch(op, a, b);
  return op === "+" ? a + b : op === "-" ? a - b : op === "*" ? a * b : a / b;
}

function ofTimes(op: Arithmetic, a: unknown, b: unknown): Timestamp | Duration | EvalFault | null {
  if (op !== "+" && op !== "-") return null;
  const sign = op === "+" ? 1n : -1n;
  if (a instanceof Duration && b instanceof Duration) return new Duration(a.ns + sign * b.ns);
  if (a instanceof Timestamp && b instanceof Duration) return momentOf(a.ns + sign * b.ns);
  if (op === "+") return a instanceof Duration && b instanceof Timestamp ? momentOf(a.ns + b.ns) : null;
  return a instanceof Timestamp && b instanceof Timestamp ? new Duration(a.ns - b.ns) : null;
}
