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
  floorDivided,
  fromJson,
  isInt,
  kindOf,
  momentOf,
  momentOfMs,
  NS_PER_MS,
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
  if (value instanceof Timestamp) return floorDivided(value.ns, NS_PER_S);
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
  if (value instanceof Timestamp) return momentText(value);
  if (typeof value === "string") return value;
  return typeof value === "boolean" || typeof value === "number" || typeof value === "bigint"
    ? String(value)
    : undefined;
}

/** Milliseconds as JavaScript writes them, and what is less where there is some. */
function momentText({ ms, ns }: Timestamp): string {
  const text = new Date(ms).toISOString();
  const rest = ns - BigInt(ms) * NS_PER_MS;
  return rest === 0n ? text : text.replace("Z", `${String(rest).padStart(6, "0").replace(/0+$/, "")}Z`);
}

const NS_PER_S = 1_000n * NS_PER_MS;

/** RFC 3339. */
const MOMENT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/;

function toTimestamp(value: unknown): unknown {
  if (value instanceof Timestamp) return value;
  if (typeof value !== "string" && typeof value !== "bigint" && typeof value !== "number") return undefined;
  if (typeof value === "bigint") return momentOf(value * NS_PER_S);
  if (typeof value === "number") return Number.isNaN(value) ? NOT_ONE : momentOfMs(value * 1000);
  const [, fraction] = MOMENT.exec(value) ?? [];
  const ms = MOMENT.test(value) ? Date.parse(value.replace(/\.\d+/, "")) : Number.NaN;
  return Number.isNaN(ms) ? NOT_ONE : momentOf(BigInt(ms) * NS_PER_MS + fractionOf(fraction, NS_PER_S));
}

/** `.5` of so many nanoseconds, without what is less than one. */
function fractionOf(fraction: string | undefined, ns: bigint): bigint {
  return fraction === undefined ? 0n : (BigInt(fraction.slice(1).padEnd(9, "0")) * ns) / 1_000_000_000n;
}

const DURATION_TEXT = /^-?(?:\d{1,15}(?:\.\d{1,9})?(?:h|ms|m|s|us|ns))+$/;
const UNIT_NS: Readonly<Record<string, bigint>> = {
  h: 3_600n * NS_PER_S,
  m: 60n * NS_PER_S,
  s: NS_PER_S,
  ms: NS_PER_MS,
  us: 1_000n,
  ns: 1n,
};

function toDuration(value: unknown): unknown {
  if (value instanceof Duration) return value;
  if (typeof value !== "string") return undefined;
  if (value.length > 64 || !DURATION_TEXT.test(value)) return NOT_ONE;
  let ns = 0n;
  for (const [, count = "", fraction, unit = ""] of value.matchAll(/(\d+)(\.\d+)?(h|ms|m|s|us|ns)/g)) {
    const one = UNIT_NS[unit] ?? 0n;
    ns += BigInt(count) * one + fractionOf(fraction, one);
  }
  return new Duration(value.startsWith("-") ? -ns : ns);
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
