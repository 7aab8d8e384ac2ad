import { ANYTHING, type Demand, type Domain, kindOfScalar, narrow, type Scalar } from "./domain.ts";
import { parseExpression } from "./parser.ts";
import { ExpressionFault, type Node } from "./syntax.ts";

/** A part of a condition that is the same whatever comes, and where it stands in the source. */
export interface Constancy {
  readonly at: number;
  readonly value: boolean;
  /** The whole condition is so, by this part of it. */
  readonly isWhole: boolean;
}

/** What is known of an attribute where the condition stands, by its name as the condition writes it; null for nothing. */
export type Known = (name: string) => Domain | null;

/**
 * The parts of a condition that are always true or always false, by constants, types, what is known of attributes, and
 * what several comparisons of one attribute leave of it. Whether an attribute is there is no question of this: where it is
 * not, a condition has no answer. What is not understood may be anything, so that nothing is told that is not so.
 */
export function constancies(source: string, known: Known): readonly Constancy[] {
  try {
    const root = parseExpression(source);
    const judge = new Judge(known);
    const found: Constancy[] = [];
    judge.collect(root, true, found);
    return found;
  } catch (error) {
    if (error instanceof ExpressionFault) return [];
    throw error;
  }
}

interface Atom {
  readonly key: string;
  readonly yes: Demand;
  readonly no: Demand;
}

const MIRRORED = { "<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!=" } as const;
const NEGATED = { "<": ">=", "<=": ">", ">": "<=", ">=": "<" } as const;

/** What a part of a moment may come to. */
const PARTS: Readonly<Record<string, readonly [number, number]>> = {
  getMonth: [0, 11],
  getDate: [1, 31],
  getDayOfWeek: [0, 6],
  getHours: [0, 23],
  getMinutes: [0, 59],
  getSeconds: [0, 59],
  size: [0, Number.MAX_SAFE_INTEGER],
};

class Judge {
  readonly #known: Known;

  constructor(known: Known) {
    this.#known = known;
  }

  /** The topmost parts that are constant; of one that is so by a part of its own, that part. */
  collect(node: Node, isWhole: boolean, found: Constancy[]): void {
    const value = this.#constant(node);
    if (value !== null) {
      found.push({ at: startOf(this.#reason(node, value)), value, isWhole });
      return;
    }
    for (const part of partsOf(node)) this.collect(part, false, found);
  }

  #reason(node: Node, value: boolean): Node {
    if (node.kind === "unary" && node.op === "!") return this.#reason(node.of, !value);
    if (node.kind !== "binary" || (node.op !== "&&" && node.op !== "||")) return node;
    const single = [node.left, node.right].find((part) => this.#constant(part) === value);
    const decides = node.op === "&&" ? !value : value;
    return single !== undefined && decides ? this.#reason(single, value) : node;
  }

  #constant(node: Node): boolean | null {
    if (node.kind === "literal") return typeof node.value === "boolean" ? node.value : null;
    if (node.kind === "unary" && node.op === "!") {
      const inner = this.#constant(node.of);
      return inner === null ? null : !inner;
    }
    if (node.kind === "binary" && (node.op === "&&" || node.op === "||")) return this.#joined(node, node.op === "&&");
    const same = node.kind === "binary" ? sameSides(node.left, node.right, node.op) : null;
    if (same !== null) return same;
    const atom = this.#atom(node);
    if (atom === null) return null;
    const domain = this.#domain(atom.key);
    if (narrow(domain, atom.yes).isEmpty) return false;
    return narrow(domain, atom.no).isEmpty ? true : null;
  }

  /** `and`: whether all can hold at once; else whether all can fail at once. */
  #joined(node: Extract<Node, { kind: "binary" }>, and: boolean): boolean | null {
    const parts = [node.left, node.right].map((part) => this.#constant(part));
    if (parts.includes(!and)) return !and;
    if (parts.every((part) => part === and)) return and;
    const domains = new Map<string, Domain>();
    for (const [atom, holds] of this.#demands(node, and)) {
      const domain = narrow(domains.get(atom.key) ?? this.#domain(atom.key), holds ? atom.yes : atom.no);
      if (domain.isEmpty) return !and;
      domains.set(atom.key, domain);
    }
    return null;
  }

  /** Comparisons that have to hold, or to fail, so that `node` comes to `value`: of `&&` and true, of `||` and false. */
  *#demands(node: Node, value: boolean): Generator<readonly [Atom, boolean]> {
    if (node.kind === "unary" && node.op === "!") yield* this.#demands(node.of, !value);
    else if (node.kind === "binary" && node.op === (value ? "&&" : "||")) {
      yield* this.#demands(node.left, value);
      yield* this.#demands(node.right, value);
    } else {
      const atom = this.#atom(node);
      if (atom !== null) yield [atom, value];
    }
  }

  #domain(key: string): Domain {
    const known = this.#known(key);
    if (known !== null) return known;
    const method = /\.(\w+)\([^()]*\)$/.exec(key)?.[1] ?? "";
    const range = Object.hasOwn(PARTS, method) ? PARTS[method] : undefined;
    if (range === undefined) return ANYTHING;
    return narrow(narrow(ANYTHING, { is: ">=", bound: range[0], kind: "number" }), {
      is: "<=",
      bound: range[1],
      kind: "number",
    });
  }

  #atom(node: Node): Atom | null {
    if (node.kind === "call") return prefixAtom(node);
    if (node.kind === "binary") return comparison(node);
    const key = keyOf(node);
    if (key === null) return null;
    const bool = (value: boolean): Demand => ({ is: "among", values: [value], kind: "bool" });
    return { key, yes: bool(true), no: bool(false) };
  }
}

function comparison({ op, left, right }: Extract<Node, { kind: "binary" }>): Atom | null {
  if (op === "in") {
    const key = keyOf(left);
    const values = right.kind === "list" ? right.items.map(scalarOf) : [undefined];
    if (key === null || values.some((value) => value === undefined)) return null;
    return amongAtom(key, values as Scalar[]);
  }
  if (!(op in MIRRORED)) return null;
  const isTurned = keyOf(left) === null;
  const key = keyOf(isTurned ? right : left);
  const other = isTurned ? left : right;
  const as = isTurned ? MIRRORED[op as keyof typeof MIRRORED] : (op as keyof typeof MIRRORED);
  if (key === null) return null;
  const moment = momentOf(other);
  const value = moment ?? scalarOf(other);
  if (value === undefined) return null;
  if (as === "==" || as === "!=") {
    const equal = amongAtom(key, [value], moment === undefined ? undefined : "time");
    return as === "==" ? equal : { key, yes: equal.no, no: equal.yes };
  }
  if (typeof value !== "number") return null;
  const kind = moment === undefined ? "number" : "time";
  return { key, yes: { is: as, bound: value, kind }, no: { is: NEGATED[as], bound: value, kind } };
}

function amongAtom(key: string, values: readonly Scalar[], kind?: "time"): Atom {
  const kinds = new Set(values.map(kindOfScalar));
  const [only = null] = kinds.size === 1 ? kinds : [];
  return { key, yes: { is: "among", values, kind: kind ?? only }, no: { is: "except", values } };
}

function prefixAtom({ name, target, args }: Extract<Node, { kind: "call" }>): Atom | null {
  const [text] = args;
  if (name !== "startsWith" || target === null || text?.kind !== "literal" || typeof text.value !== "string")
    return null;
  const key = keyOf(target);
  // What does not begin so may be any other text: only texts that are counted up, or begin with it for certain, are none.
  return key === null
    ? null
    : { key, yes: { is: "prefix", text: text.value }, no: { is: "notPrefix", text: text.value } };
}

/** `x == x` needs no value to be known; of `<` it is the same. */
function sameSides(left: Node, right: Node, op: string): boolean | null {
  const key = keyOf(left);
  if (key === null || key !== keyOf(right)) return null;
  if (op === "==" || op === "<=" || op === ">=") return true;
  return op === "!=" || op === "<" || op === ">" ? false : null;
}

/** What an attribute, or a function of one without arguments of its own, is called here; null for anything else. */
function keyOf(node: Node): string | null {
  switch (node.kind) {
    case "name":
      return node.name;
    case "select": {
      const of = keyOf(node.of);
      return of === null ? null : `${of}.${node.name}`;
    }
    case "index": {
      const of = keyOf(node.of);
      const { key } = node;
      return of === null || key.kind !== "literal"
        ? null
        : `${of}[${typeof key.value === "string" ? JSON.stringify(key.value) : key.value}]`;
    }
    case "call": {
      const of = node.target === null ? null : keyOf(node.target);
      if (of === null || !Object.hasOwn(PARTS, node.name)) return null;
      if (!node.args.every((arg) => arg.kind === "literal")) return null;
      return `${of}.${node.name}(${node.args.map((arg) => (arg.kind === "literal" ? String(arg.value) : "")).join(",")})`;
    }
    default:
      return null;
  }
}

function scalarOf(node: Node): Scalar | undefined {
  if (node.kind === "unary" && node.op === "-") {
    const value = scalarOf(node.of);
    return typeof value === "number" ? -value : undefined;
  }
  if (node.kind !== "literal") return undefined;
  if (typeof node.value !== "bigint") return node.value;
  const number = Number(node.value);
  return Number.isSafeInteger(number) ? number : undefined;
}

function momentOf(node: Node): number | undefined {
  const [text] = node.kind === "call" && node.name === "timestamp" && node.target === null ? node.args : [];
  if (text?.kind !== "literal" || typeof text.value !== "string") return undefined;
  const ms = Date.parse(text.value);
  return Number.isNaN(ms) ? undefined : ms;
}

/** Where names of macros hide attributes, nothing is looked at. */
function partsOf(node: Node): readonly Node[] {
  if (node.kind === "binary" && (node.op === "&&" || node.op === "||")) return [node.left, node.right];
  if (node.kind === "unary" && node.op === "!") return [node.of];
  if (node.kind !== "conditional") return [];
  // An answer that is written down is meant.
  return [node.test, node.yes, node.no].filter(({ kind }) => kind !== "literal");
}

function startOf(node: Node): number {
  if (node.kind === "binary") return startOf(node.left);
  if (node.kind === "select" || node.kind === "index") return startOf(node.of);
  if (node.kind === "call" && node.target !== null) return startOf(node.target);
  return node.kind === "conditional" ? startOf(node.test) : node.at;
}
