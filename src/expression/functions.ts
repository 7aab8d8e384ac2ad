import { compilePattern } from "../schema/pattern/index.ts";
import { PatternTooCostly } from "../schema/pattern/work.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { isTimeZone, LocalTime } from "../support/local-time.ts";
import { err, ok, type Result } from "../support/result.ts";
import { BOOL, DOUBLE, DURATION, DYN, INT, listOf, STRING, TIMESTAMP, type Type } from "./types.ts";
import {
  Duration,
  EvalFault,
  type Evaluation,
  fromJson,
  isInt,
  kindOf,
  momentOf,
  namesOf,
  Timestamp,
} from "./values.ts";

export type RunFunction = (args: readonly unknown[], evaluation: Evaluation<unknown>) => unknown;

/** One function; as a method its target is the first argument. */
export interface FunctionSpec {
  readonly name: string;
  readonly form: "function" | "method" | "both";
  readonly overloads: readonly (readonly [takes: readonly Type[], gives: Type])[];
  readonly run: RunFunction;
  /** The argument that has to stand as a text in the expression, and what is made of it at load. */
  readonly literalAt?: number;
  prepare?(literal: string): Result<RunFunction, string>;
}

function mismatch(name: string, args: readonly unknown[]): EvalFault {
  return new EvalFault(`'${name}' takes no ${args.map((arg) => kindOf(fromJson(arg))).join(" and ")}`);
}

const TOO_LONG = new EvalFault(`a text of more than ${DEFAULTS.expressionTextMax} characters`);

/** A function of texts alone, none of them longer than may be searched. */
function ofTexts(name: string, run: (...texts: string[]) => unknown): RunFunction {
  return (args, evaluation) => {
    let chars = 0;
    for (const arg of args) {
      if (typeof arg !== "string") return mismatch(name, args);
      chars += arg.length;
    }
    if (chars > DEFAULTS.expressionTextMax) return TOO_LONG;
    return evaluation.spend(chars >> 5) ?? run(...(args as readonly string[]));
  };
}

/** A method of texts. */
export const method = (
  name: string,
  run: (...texts: string[]) => unknown,
  takes: readonly Type[],
  gives: Type,
): FunctionSpec => ({
  name,
  form: "method",
  overloads: [[takes, gives]],
  run: ofTexts(name, run),
});

const TWO_TEXTS = [STRING, STRING];

const size: FunctionSpec = {
  name: "size",
  form: "both",
  overloads: [
    [[STRING], INT],
    [[listOf(DYN)], INT],
  ],
  run: (args, evaluation) => {
    const [value] = args;
    if (Array.isArray(value)) return BigInt(value.length);
    if (typeof value === "string") {
      if (value.length > DEFAULTS.expressionTextMax) return TOO_LONG;
      return evaluation.spend(value.length >> 6) ?? codePoints(value);
    }
    if (kindOf(value) !== "map" || typeof value !== "object" || value === null) return mismatch("size", args);
    const names = namesOf(value);
    return names instanceof EvalFault ? names : BigInt(names.length);
  },
};

function codePoints(text: string): bigint {
  let count = 0;
  for (const _ of text) count++;
  return BigInt(count);
}

/** By the engine of schemas, in time linear to the text: RegExp could be made to hold the thread. */
const matches: FunctionSpec = {
  name: "matches",
  form: "both",
  overloads: [[TWO_TEXTS, BOOL]],
  run: (args) => mismatch("matches", args),
  literalAt: 1,
  prepare: (literal) => {
    const pattern = compilePattern(literal, { unicode: true });
    if (!pattern.ok) return err(`the pattern: ${pattern.error.message}`);
    return ok(
      ofTexts("matches", (text = "") => {
        try {
          return pattern.value.test(text);
        } catch (error) {
          if (error instanceof PatternTooCostly) return new EvalFault("'matches' takes too long on this text");
          throw error;
        }
      }),
    );
  },
};

function converter(
  name: string,
  from: readonly Type[],
  gives: Type,
  convert: (value: unknown) => unknown,
): FunctionSpec {
  return {
    name,
    form: "function",
    overloads: from.map((type) => [[type], gives]),
    run: (args) => convert(fromJson(args[0])) ?? mismatch(name, args),
  };
}

const NOT_ONE = new EvalFault("a text or number that cannot be converted");

function toInt(value: unknown): unknown {
  if (typeof value === "bigint") return value;
  if (value instanceof Timestamp) return BigInt(Math.floor(value.ms / 1000));
  if (typeof value === "number") {
    if (!Number.isFinite(value)) return NOT_ONE;
    const whole = BigInt(Math.trunc(value));
    return isInt(whole) ? whole : NOT_ONE;
  }
  if (typeof value !== "string") return undefined;
  if (!/^-?\d{1,19}$/.test(value)) return NOT_ONE;
  const int = BigInt(value);
  return isInt(int) ? int : NOT_ONE;
}

function toDouble(value: unknown): unknown {
  if (typeof value === "number" || typeof value === "bigint") return Number(value);
  if (typeof value !== "string") return undefined;
  return value.length <= 64 && /^-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$/.test(value) ? Number(value) : NOT_ONE;
}

function toText(value: unknown): unknown {
  if (value instanceof Timestamp) return new Date(value.ms).toISOString();
  if (typeof value === "string") return value;
  return typeof value === "boolean" || typeof value === "number" || typeof value === "bigint"
    ? String(value)
    : undefined;
}

/** RFC 3339. */
const MOMENT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/;

function toTimestamp(value: unknown): unknown {
  if (value instanceof Timestamp) return value;
  if (typeof value !== "string" && typeof value !== "bigint" && typeof value !== "number") return undefined;
  const ms = typeof value === "string" ? (MOMENT.test(value) ? Date.parse(value) : Number.NaN) : Number(value) * 1000;
  return Number.isNaN(ms) ? NOT_ONE : momentOf(ms);
}

const DURATION_TEXT = /^-?(?:\d{1,15}(?:\.\d{1,9})?(?:h|ms|m|s|us|ns))+$/;
const UNIT_MS: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1_000, ms: 1, us: 1e-3, ns: 1e-6 };

function toDuration(value: unknown): unknown {
  if (value instanceof Duration) return value;
  if (typeof value !== "string") return undefined;
  if (value.length > 64 || !DURATION_TEXT.test(value)) return NOT_ONE;
  let ms = 0;
  for (const [, count, unit = ""] of value.matchAll(/([\d.]+)(h|ms|m|s|us|ns)/g))
    ms += Number(count) * (UNIT_MS[unit] ?? 0);
  return new Duration(value.startsWith("-") ? -ms : ms);
}

/** A part of a moment, in UTC or by the clocks of a zone. */
function part(name: string, of: (date: Date) => number): FunctionSpec {
  const run =
    (local: (ms: number) => number): RunFunction =>
    (args) => {
      const [moment] = args;
      return moment instanceof Timestamp ? BigInt(of(new Date(local(moment.ms)))) : mismatch(name, args);
    };
  return {
    name,
    form: "method",
    overloads: [
      [[TIMESTAMP], INT],
      [[TIMESTAMP, STRING], INT],
    ],
    run: run((ms) => ms),
    literalAt: 1,
    prepare: (zone) => {
      if (!isTimeZone(zone)) return err(`'${zone.slice(0, 64)}' is no time zone; expected one as in "Europe/Berlin"`);
      const time = new LocalTime(zone);
      return ok(run((ms) => time.localMs(ms)));
    },
  };
}

const ALL: readonly FunctionSpec[] = [
  size,
  matches,
  method("contains", (text = "", other = "") => text.includes(other), TWO_TEXTS, BOOL),
  method("startsWith", (text = "", other = "") => text.startsWith(other), TWO_TEXTS, BOOL),
  method("endsWith", (text = "", other = "") => text.endsWith(other), TWO_TEXTS, BOOL),
  method("lowerAscii", (text = "") => text.replace(/[A-Z]+/g, (run) => run.toLowerCase()), [STRING], STRING),
  method("upperAscii", (text = "") => text.replace(/[a-z]+/g, (run) => run.toUpperCase()), [STRING], STRING),
  converter("int", [INT, DOUBLE, STRING, TIMESTAMP], INT, toInt),
  converter("double", [DOUBLE, INT, STRING], DOUBLE, toDouble),
  converter("string", [STRING, INT, DOUBLE, BOOL, TIMESTAMP], STRING, toText),
  converter("timestamp", [STRING, INT, TIMESTAMP], TIMESTAMP, toTimestamp),
  converter("duration", [STRING, DURATION], DURATION, toDuration),
  part("getFullYear", (date) => date.getUTCFullYear()),
  part("getMonth", (date) => date.getUTCMonth()),
  part("getDate", (date) => date.getUTCDate()),
  part("getDayOfWeek", (date) => date.getUTCDay()),
  part("getHours", (date) => date.getUTCHours()),
  part("getMinutes", (date) => date.getUTCMinutes()),
  part("getSeconds", (date) => date.getUTCSeconds()),
];

export const FUNCTIONS: ReadonlyMap<string, FunctionSpec> = new Map(ALL.map((spec) => [spec.name, spec]));
