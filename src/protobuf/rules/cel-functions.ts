import { FUNCTIONS, method } from "../../expression/functions.ts";
import type { FunctionSpec } from "../../expression/index.ts";
import { BOOL, DOUBLE, DYN, INT, listOf, STRING } from "../../expression/types.ts";
import { Duration, EvalFault, Timestamp } from "../../expression/values.ts";
import { err } from "../../support/result.ts";
import { areUnique } from "./other-rules.ts";
import { ecmaPattern } from "./re2.ts";
import { STRING_FORMATS } from "./string-formats.ts";

/** A method of texts by the number of its rule in `buf.validate.StringRules`. */
function ofFormat(name: string, number: number): FunctionSpec {
  const test = STRING_FORMATS.get(number)?.test ?? ((): boolean => false);
  return method(name, (text = "") => test(text), [STRING], BOOL);
}

/** `isIp()` and `isIp(4)`, in which the version's rules are those of the formats. */
function ofVersions(name: string, either: number, four: number, six: number): FunctionSpec {
  const [any, v4, v6] = [either, four, six].map((number) => STRING_FORMATS.get(number)?.test);
  return {
    name,
    form: "method",
    overloads: [
      [[STRING], BOOL],
      [[STRING, INT], BOOL],
    ],
    run: ([text, version = 0n]) => {
      if (typeof text !== "string") return new EvalFault(`'${name}' takes a text`);
      const test = version === 0n ? any : version === 4n ? v4 : version === 6n ? v6 : undefined;
      return test?.(text) ?? false;
    },
  };
}

const ofDouble = (name: string, test: (value: number) => boolean): FunctionSpec => ({
  name,
  form: "method",
  overloads: [[[DOUBLE], BOOL]],
  run: ([value]) => (typeof value === "number" ? test(value) : new EvalFault(`'${name}' takes a double`)),
});

/** Patterns are RE2's, as those of the rules are. */
function matches(): readonly FunctionSpec[] {
  const usual = FUNCTIONS.get("matches");
  if (usual === undefined) return [];
  const prepare = (literal: string): ReturnType<NonNullable<FunctionSpec["prepare"]>> => {
    const ecma = ecmaPattern(literal);
    return ecma === null ? err("a pattern that only RE2 has") : (usual.prepare?.(ecma) ?? err("a pattern"));
  };
  return [{ ...usual, prepare }];
}

const ALL: readonly FunctionSpec[] = [
  ...matches(),
  ofFormat("isEmail", 12),
  ofFormat("isHostname", 13),
  ofFormat("isUri", 17),
  ofFormat("isUriRef", 18),
  ofVersions("isIp", 14, 15, 16),
  ofDouble("isNan", Number.isNaN),
  ofDouble("isInf", (value) => value === Number.POSITIVE_INFINITY || value === Number.NEGATIVE_INFINITY),
  {
    name: "unique",
    form: "method",
    overloads: [[[listOf(DYN)], BOOL]],
    run: ([list], evaluation) => {
      if (!Array.isArray(list)) return new EvalFault("'unique' takes a list");
      const spent = evaluation.spend(list.length >> 2);
      if (spent !== null) return spent;
      // Each moment is an object of its own: what it says is compared. Messages and lists are not.
      const keys = list.map((item: unknown) =>
        item instanceof Timestamp || item instanceof Duration ? `${item.constructor.name} ${item.ns}` : item,
      );
      if (keys.some((key) => typeof key === "object")) return new EvalFault("'unique' takes no messages and no lists");
      return areUnique(keys);
    },
  },
];

/** What protovalidate has beside the functions of CEL. */
export const CEL_FUNCTIONS: ReadonlyMap<string, FunctionSpec> = new Map(ALL.map((spec) => [spec.name, spec]));
