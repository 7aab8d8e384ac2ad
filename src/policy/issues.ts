import type { z } from "zod";
import { DEFAULTS } from "../support/defaults.ts";
import { nearest } from "../support/schema.ts";
import type { Path } from "./path.ts";

/** What a schema has against a value: `path` starts at the value that was checked. */
export interface Fault {
  /** Where it is reported. */
  readonly path: Path;
  /** What is at fault: for a missing value, the path where it would stand. */
  readonly subject: Path;
  readonly text: string;
  /** The key at the end of the path is at fault, not its value. */
  readonly isKey: boolean;
}

/**
 * The issues of a schema as sentences. They say what is expected, and what kind of value stands there instead, never
 * the value: someone may have written a secret at the wrong key. No more than a policy may have problems.
 */
export function faultsOf(issues: readonly z.core.$ZodIssue[], root: unknown): readonly Fault[] {
  const faults: Fault[] = [];
  for (const issue of issues) {
    if (faults.length >= DEFAULTS.policyProblemsMax) break;
    faults.push(...faultsOfIssue(issue, [], root));
  }
  return faults;
}

function faultsOfIssue(issue: z.core.$ZodIssue, base: Path, root: unknown): readonly Fault[] {
  const path = [...base, ...issue.path.filter((step) => typeof step !== "symbol")];
  switch (issue.code) {
    case "unrecognized_keys":
      return unknownKeys(issue, path);
    case "invalid_union":
      return unionFaults(issue, path, root);
    case "invalid_key": {
      const [inner] = issue.issues.flatMap((one) => faultsOfIssue(one, [], String(path.at(-1))));
      return [{ path, subject: path, text: inner?.text ?? "this key is not allowed here", isKey: true }];
    }
    default: {
      const text = isOwnText(issue.message) ? issue.message : genericText(issue, valueAt(root, path));
      return [absentOr(path, text, root)];
    }
  }
}

/** Texts of the schemas themselves come through as they are; only zod's general ones are put in other words. */
function isOwnText(message: string): boolean {
  return !/^(?:Invalid |Too small|Too big|Unrecognized key)/.test(message);
}

/** A value that is missing has no place: the fault is its parent's. */
function absentOr(path: Path, text: string, root: unknown): Fault {
  const key = path.at(-1);
  if (key === undefined || valueAt(root, path) !== undefined) return { path, subject: path, text, isKey: false };
  return { path: path.slice(0, -1), subject: path, text: `'${key}' is missing; ${text}`, isKey: false };
}

function unknownKeys(issue: z.core.$ZodIssueUnrecognizedKeys, path: Path): readonly Fault[] {
  // support/schema.ts writes one sentence a key, in their order; of the first.
  const texts = issue.message.split(/; (?=unknown key ')/);
  const isWhole = texts.length === Math.min(issue.keys.length, DEFAULTS.hintsMax);
  return issue.keys.slice(0, DEFAULTS.policyProblemsMax).map((key, at) => {
    const own = isWhole ? texts[at] : undefined;
    const subject = [...path, key];
    return { path: subject, subject, text: own ?? `unknown key '${key}'`, isKey: true };
  });
}

/** Of the members of a union, the one whose kind the value has tells best what is wrong with it. */
function unionFaults(issue: z.core.$ZodIssueInvalidUnion, path: Path, root: unknown): readonly Fault[] {
  const members = issue.errors;
  const fitting = members.filter(
    (issues) => !issues.some((one) => one.code === "invalid_type" && one.path.length === 0),
  );
  if (isOwnText(issue.message) && fitting.every((issues) => issues.every((one) => one.path.length === 0))) {
    return [absentOr(path, issue.message, root)];
  }
  // A union within counts as what is wrong with the best of its members, and not as one.
  const told = fitting.map((issues) => issues.flatMap((one) => faultsOfIssue(one, path, root)));
  const best = told.toSorted((a, b) => a.length - b.length)[0];
  if (best !== undefined) return best;
  const value = valueAt(root, path);
  const expectations = members.flat().flatMap((one) => (one.code === "invalid_type" ? [kindWord(one.expected)] : []));
  const kinds = [...new Set(expectations)];
  if (kinds.length === 0) return [absentOr(path, "expected another value", root)];
  return [absentOr(path, `expected ${kinds.join(" or ")}${instead(value)}`, root)];
}

function genericText(issue: z.core.$ZodIssue, value: unknown): string {
  switch (issue.code) {
    case "invalid_type":
      return `expected ${kindWord(issue.expected)}${instead(value)}`;
    case "invalid_value":
      return choiceText(issue.values.map(String), value);
    case "too_small":
      return boundText("at least", issue.minimum, issue.origin);
    case "too_big":
      return boundText("at most", issue.maximum, issue.origin);
    case "invalid_format":
      return "the text does not have the expected form";
    default:
      return "the value does not have the expected form";
  }
}

function choiceText(values: readonly string[], value: unknown): string {
  const expected = values.length === 1 ? `expected ${values[0]}` : `expected one of: ${values.join(", ")}`;
  if (typeof value !== "string") return `${expected}${instead(value)}`;
  // `public: "true"` is a string, and the quotes are what is wrong with it.
  if (values.includes(value)) return `${expected}, without quotes`;
  const near = nearest(value, values);
  return near === undefined ? expected : `${expected}; did you mean '${near}'?`;
}

function boundText(bound: string, count: number | bigint, origin: string): string {
  if (origin === "string") return `expected ${bound} ${count} character${count === 1 ? "" : "s"}`;
  if (origin === "array" || origin === "object")
    return `expected ${bound} ${count} ${count === 1 ? "entry" : "entries"}`;
  return `expected ${bound} ${count}`;
}

function kindWord(expected: string): string {
  const words: Readonly<Record<string, string>> = {
    string: "text",
    number: "a number",
    int: "a whole number",
    boolean: "true or false",
    array: "a list",
    object: "a mapping",
    record: "a mapping",
  };
  return words[expected] ?? expected;
}

function instead(value: unknown): string {
  if (value === undefined) return "";
  if (value === null) return ", not nothing";
  if (Array.isArray(value)) return ", not a list";
  if (typeof value === "object") return ", not a mapping";
  if (typeof value === "boolean") return `, not ${value}`;
  return typeof value === "number" ? ", not a number" : ", not text";
}

/** What stands at `path`; undefined where nothing does. */
export function valueAt(root: unknown, path: Path): unknown {
  let value = root;
  for (let at = 0; at < path.length; at++) value = memberOf(value, path[at] ?? "");
  return value;
}

/** A member or item of its own; undefined where there is none. */
export function memberOf(value: unknown, key: string | number): unknown {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
  return Reflect.get(value, key);
}
