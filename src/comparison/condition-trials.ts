import { parseExpression } from "../expression/parser.ts";
import type { Node } from "../expression/syntax.ts";
import { instantMs } from "../support/instant.ts";
import { ANYTHING, type Atom, both, either, meeting, neither, type Trials } from "./atoms.ts";
import { textsOfPattern } from "./patterns.ts";

/** What of a place conditions can be met by. */
export interface ConditionWorld {
  /** What a parameter of the path is where nobody asks for another value. */
  param(name: string): string;
  /** Some of those whom a file knows, by their names: what they are nobody can choose. */
  readonly callers: readonly string[];
}

/** A condition in CEL → what makes it true and false, as far as its parts compare attributes with literals and each other. */
export function conditionTrials(source: string, world: ConditionWorld): Trials {
  try {
    return trialsOf(parseExpression(source), world);
  } catch {
    // It compiled; one that does not read is nothing that could be tried.
    return ANYTHING;
  }
}

function trialsOf(node: Node, world: ConditionWorld): Trials {
  const inner = (one: Node): Trials => trialsOf(one, world);
  if (node.kind === "unary" && node.op === "!") return neither(inner(node.of));
  if (node.kind === "conditional") {
    return either(both(inner(node.test), inner(node.yes)), both(neither(inner(node.test)), inner(node.no)));
  }
  if (node.kind === "call") return callTrials(node, world);
  if (node.kind !== "binary") return withValue(node, true);
  const { op, left, right } = node;
  if (op === "&&") return both(inner(left), inner(right));
  if (op === "||") return either(inner(left), inner(right));
  if (op === "in") return memberTrials(left, right, world);
  const time = timeTrials(op, left, right) ?? timeTrials(MIRRORED[op] ?? op, right, left);
  if (time !== null) return time;
  const [a, b] = [namesOf(left), namesOf(right)];
  if (a !== null && b !== null) return op === "==" ? alikeTrials([a, b], world) : ANYTHING;
  return a === null ? comparison(op, right, left, true) : comparison(op, left, right, false);
}

/**
 * Attributes with one value: the path's where one of them is of the path, and names of callers where one is who asks. `list`: of an
 * attribute of which it is one.
 */
export function alikeTrials(
  alike: readonly (readonly string[])[],
  world: ConditionWorld,
  list: readonly string[] | null = null,
): Trials {
  const param = alike.find(([root]) => root === "path")?.[1];
  const usual = param === undefined ? "1" : world.param(param);
  const isOfCaller = alike.some(([root, name]) => root === "principal" && name === "id");
  const meets = [usual, ...(isOfCaller ? world.callers : [])].map((value) => [
    ...alike.flatMap((path) => (path[0] === "path" && value === usual ? [] : (atomOf(path, value, false) ?? []))),
    ...(list === null ? [] : [atomOf(list, value, true) ?? []].flat()),
  ]);
  return { meets, breaks: [] };
}

/** An operator with its sides turned. */
const MIRRORED: Readonly<Record<string, string>> = { "<": ">", "<=": ">=", ">": "<", ">=": "<=" };

/** `now < timestamp("2027-01-01T00:00:00Z")`, or `now.getHours() < 17`; null for what is neither. */
function timeTrials(op: string, side: Node, other: Node): Trials | null {
  const part = partOf(side);
  const value = part === null ? timeOf(side, other) : literalOf(other);
  if (typeof value !== "number" || !/^(?:[<>]=?|[!=]=)$/.test(op)) return null;
  const atom = (one: number): Atom =>
    part === null ? { at: "time", atMs: one } : { at: "timePart", part, value: one };
  const around = [value - 1, value, value + 1];
  const holds = (one: number): boolean => compares(op, one, value);
  return {
    meets: around.filter(holds).map((one) => [atom(one)]),
    breaks: around.filter((one) => !holds(one)).map((one) => [atom(one)]),
  };
}

function compares(op: string, a: number, b: number): boolean {
  if (op === "==") return a === b;
  if (op === "!=") return a !== b;
  if (op.endsWith("=") && a === b) return true;
  return op.startsWith("<") ? a < b : a > b;
}

function partOf(node: Node): string | null {
  return node.kind === "call" && node.target !== null && namesOf(node.target)?.join() === "now" ? node.name : null;
}

function timeOf(side: Node, other: Node): number | null {
  if (namesOf(side)?.join() !== "now" || other.kind !== "call" || other.name !== "timestamp") return null;
  const [argument] = other.args;
  const text = argument === undefined ? undefined : literalOf(argument);
  return typeof text === "string" ? instantMs(text) : null;
}

function comparison(op: string, side: Node, other: Node, isTurned: boolean): Trials {
  const value = literalOf(other);
  if (value === undefined) return ANYTHING;
  if (op === "==") return equality(side, value);
  if (op === "!=") return neither(equality(side, value));
  if (typeof value !== "number" || !/^[<>]=?$/.test(op)) return ANYTHING;
  const isLess = op.startsWith("<") !== isTurned;
  const step = Number.isInteger(value) ? 1 : 0.5;
  const within = op.endsWith("=")
    ? [value, isLess ? value - step : value + step]
    : [isLess ? value - step : value + step];
  const beyond = op.endsWith("=")
    ? [isLess ? value + step : value - step]
    : [value, isLess ? value + step : value - step];
  return {
    meets: within.flatMap((one) => withValue(side, one).meets),
    breaks: beyond.flatMap((one) => withValue(side, one).meets),
  };
}

/** With another value, too: of an attribute that is not there `!=` says nothing. */
function equality(side: Node, value: unknown): Trials {
  const other = typeof value === "number" ? value + 1 : typeof value === "string" ? `${value}-other` : !value;
  return { meets: withValue(side, value).meets, breaks: withValue(side, other).meets.filter((one) => one.length > 0) };
}

/** `"a" in jwt.groups`, `jwt.tenant in ["a", "b"]`, or `path.tenant in jwt.tenants`. */
function memberTrials(left: Node, right: Node, world: ConditionWorld): Trials {
  if (right.kind === "list") {
    return right.items.map((item) => comparison("==", left, item, false)).reduce(either, { meets: [], breaks: [] });
  }
  const [own, names] = [namesOf(left), namesOf(right)];
  if (own !== null && names !== null) return alikeTrials([own], world, names);
  const value = literalOf(left);
  return value === undefined || names === null ? ANYTHING : trialOf(names, value, true);
}

function callTrials(
  { name, target, args: [argument] }: Extract<Node, { kind: "call" }>,
  world: ConditionWorld,
): Trials {
  if (target !== null && argument !== undefined && name === "matches")
    return patternTrials(target, literalOf(argument));
  if (target === null || argument === undefined || !/^(?:startsWith|endsWith|contains)$/.test(name)) return ANYTHING;
  const [a, b] = [namesOf(target), namesOf(argument)];
  return a !== null && b !== null ? alikeTrials([a, b], world) : withValue(target, literalOf(argument));
}

function patternTrials(target: Node, pattern: unknown): Trials {
  const texts = typeof pattern === "string" ? textsOfPattern(pattern, { min: 0, max: PATTERN_CHARS_MAX }, []) : null;
  if (texts === null) return ANYTHING;
  const trials = (values: readonly string[]) => values.slice(0, 1).flatMap((one) => withValue(target, one).meets);
  return { meets: trials(texts.good), breaks: trials(texts.bad) };
}

const PATTERN_CHARS_MAX = 256;

function withValue(node: Node, value: unknown): Trials {
  const names = namesOf(node);
  return names === null || value === undefined ? ANYTHING : trialOf(names, value, false);
}

function trialOf(names: readonly string[], value: unknown, isMember: boolean): Trials {
  const atom = atomOf(names, value, isMember);
  return atom === null ? ANYTHING : meeting(atom);
}

/** An attribute with this value, as something that a request can have; null where none can be made to. */
export function atomOf([root = "", ...rest]: readonly string[], value: unknown, isMember: boolean): Atom | null {
  const text = String(value);
  const [name = ""] = rest;
  if (root === "jwt") return { at: "claim", path: rest, value, isMember };
  if (root === "principal") {
    if (name === "id") return { at: "caller", value: text };
    if (name === "scopes") return { at: "scope", value: text };
    return name === "claims"
      ? { at: "claim", path: rest.slice(1), value, isMember }
      : { at: "claim", path: [name], value, isMember };
  }
  if (root === "query" || root === "path") return { at: root === "path" ? "param" : "query", name, value: text };
  if (root === "certificate") return { at: "certificate", name, value: text };
  if (root === "client" && name === "address") return { at: "client", value: text };
  if (root !== "request") return null;
  if (name === "method") return { at: "method", value: text };
  return name === "headers" && rest[1] !== undefined
    ? { at: "header", name: rest[1].toLowerCase(), value: text }
    : null;
}

/** `jwt["a"].b` → its names; null for what is no attribute. */
function namesOf(node: Node): readonly string[] | null {
  if (node.kind === "name") return [node.name];
  if (node.kind !== "select" && node.kind !== "index") return null;
  const names = namesOf(node.of);
  const last = node.kind === "select" ? node.name : literalOf(node.key);
  return names === null || typeof last !== "string" ? null : [...names, last];
}

function literalOf(node: Node): unknown {
  if (node.kind === "literal") return typeof node.value === "bigint" ? Number(node.value) : node.value;
  if (node.kind !== "unary" || node.op !== "-") return undefined;
  const value = literalOf(node.of);
  return typeof value === "number" ? -value : undefined;
}
