import { DEFAULTS } from "../support/defaults.ts";
import { err, ok, type Result } from "../support/result.ts";

/** A part of a value, and what it stands in; null for the whole. */
export interface Found {
  readonly container: object | null;
  readonly key: string | number;
  readonly value: unknown;
}

type Selector =
  | { readonly kind: "name"; readonly name: string }
  | { readonly kind: "index"; readonly index: number }
  | { readonly kind: "all" }
  | { readonly kind: "filter"; readonly test: (value: unknown) => boolean };

interface Segment {
  readonly selectors: readonly Selector[];
  /** Of all levels below, too. */
  readonly isDeep: boolean;
}

/** Fault of a text, thrown within this file alone. */
class PathFault extends Error {}

/** A JSONPath (RFC 9535), compiled: names, indexes, wildcards, descendants, filters; without slices and functions. */
export class JsonPath {
  readonly #segments: readonly Segment[];

  private constructor(segments: readonly Segment[]) {
    this.#segments = segments;
  }

  static parse(text: string): Result<JsonPath, string> {
    try {
      return ok(new JsonPath(new PathReader(text).path()));
    } catch (fault) {
      if (fault instanceof PathFault) return err(fault.message);
      throw fault;
    }
  }

  /** All parts that it means, each once; null where that takes more steps than allowed. */
  find(root: unknown): readonly Found[] | null {
    let found: readonly Found[] = [{ container: null, key: "", value: root }];
    let stepsLeft: number = DEFAULTS.openapiOverlayStepsMax;
    for (const { selectors, isDeep } of this.#segments) {
      const next: Found[] = [];
      for (const start of found) {
        const owners = isDeep ? descendants(start) : [start];
        for (const { value } of owners) {
          if (--stepsLeft < 0) return null;
          for (const selector of selectors) select(selector, value, next);
        }
        if (next.length > stepsLeft) return null;
      }
      found = next;
    }
    return found;
  }
}

function* descendants(start: Found): Generator<Found> {
  yield start;
  for (const child of children(start.value)) yield* descendants(child);
}

function* children(value: unknown): Generator<Found> {
  if (typeof value !== "object" || value === null) return;
  for (const key of Object.keys(value)) {
    const at = Array.isArray(value) ? Number(key) : key;
    yield { container: value, key: at, value: Reflect.get(value, at) };
  }
}

function select(selector: Selector, value: unknown, into: Found[]): void {
  if (typeof value !== "object" || value === null) return;
  switch (selector.kind) {
    case "all":
      into.push(...children(value));
      return;
    case "filter":
      for (const child of children(value)) if (selector.test(child.value)) into.push(child);
      return;
    case "name":
      if (!Array.isArray(value) && Object.hasOwn(value, selector.name))
        into.push({ container: value, key: selector.name, value: Reflect.get(value, selector.name) });
      return;
    case "index": {
      if (!Array.isArray(value)) return;
      const at = selector.index < 0 ? value.length + selector.index : selector.index;
      if (at in value) into.push({ container: value, key: at, value: value[at] });
    }
  }
}

const NAME = /[A-Za-z_\u0080-\uffff][\w\u0080-\uffff-]*/y;
const LITERAL = /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;
const COMPARISON = /==|!=|<=|>=|<|>/y;

class PathReader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  path(): readonly Segment[] {
    if (!this.#take("$")) throw new PathFault("expected a JSONPath, which begins with $");
    const segments = this.#segments();
    if (this.#at < this.#text.length) this.#fail("a name, [ or the end");
    return segments;
  }

  #fail(expected: string): never {
    throw new PathFault(`no JSONPath that is known here: expected ${expected} at character ${this.#at + 1}`);
  }

  #take(word: string): boolean {
    if (!this.#text.startsWith(word, this.#at)) return false;
    this.#at += word.length;
    return true;
  }

  #match(pattern: RegExp): string | null {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0] ?? null;
    this.#at += found?.length ?? 0;
    return found;
  }

  #blanks(): void {
    this.#match(/[ \t\r\n]*/y);
  }

  #segments(): readonly Segment[] {
    const segments: Segment[] = [];
    for (;;) {
      const isDeep = this.#take("..");
      if (this.#take("[")) segments.push({ selectors: this.#bracket(), isDeep });
      else if (isDeep || this.#take(".")) segments.push({ selectors: [this.#dotted()], isDeep });
      else return segments;
    }
  }

  #dotted(): Selector {
    if (this.#take("*")) return { kind: "all" };
    const name = this.#match(NAME);
    return name === null ? this.#fail("a name") : { kind: "name", name };
  }

  #bracket(): readonly Selector[] {
    const selectors: Selector[] = [];
    do {
      this.#blanks();
      selectors.push(this.#selector());
      this.#blanks();
    } while (this.#take(","));
    if (!this.#take("]")) this.#fail("]");
    return selectors;
  }

  #selector(): Selector {
    if (this.#take("*")) return { kind: "all" };
    if (this.#take("?")) return { kind: "filter", test: this.#either() };
    const name = this.#quoted();
    if (name !== null) return { kind: "name", name };
    const index = this.#match(/-?\d{1,9}/y);
    return index === null ? this.#fail("a name in quotes, a number, * or ?") : { kind: "index", index: Number(index) };
  }

  #quoted(): string | null {
    const text = this.#match(/'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"/y);
    return text === null ? null : text.slice(1, -1).replace(/\\(.)/g, "$1");
  }

  #either(): (value: unknown) => boolean {
    let test = this.#both();
    for (this.#blanks(); this.#take("||"); this.#blanks()) {
      const [left, right] = [test, this.#both()];
      test = (value) => left(value) || right(value);
    }
    return test;
  }

  #both(): (value: unknown) => boolean {
    let test = this.#basic();
    for (this.#blanks(); this.#take("&&"); this.#blanks()) {
      const [left, right] = [test, this.#basic()];
      test = (value) => left(value) && right(value);
    }
    return test;
  }

  #basic(): (value: unknown) => boolean {
    this.#blanks();
    if (this.#take("!")) {
      const test = this.#basic();
      return (value) => !test(value);
    }
    if (this.#take("(")) {
      const test = this.#either();
      this.#blanks();
      return this.#take(")") ? test : this.#fail(")");
    }
    return this.#comparison();
  }

  #comparison(): (value: unknown) => boolean {
    const left = this.#operand();
    this.#blanks();
    const operator = this.#match(COMPARISON);
    if (operator === null) return (value) => left(value) !== undefined;
    this.#blanks();
    const right = this.#operand();
    return (value) => compare(left(value), operator, right(value));
  }

  #operand(): (value: unknown) => unknown {
    if (this.#take("@")) {
      const segments = this.#segments();
      return (value) => one(segments, value);
    }
    const text = this.#quoted();
    if (text !== null) return () => text;
    const literal = this.#match(LITERAL);
    if (literal === null) return this.#fail("@, a text in quotes or a number");
    const parsed: unknown = JSON.parse(literal);
    return () => parsed;
  }
}

/** The first value that a path within a filter leads to; undefined for none. */
function one(segments: readonly Segment[], value: unknown): unknown {
  let found: readonly Found[] = [{ container: null, key: "", value }];
  for (const { selectors, isDeep } of segments) {
    const next: Found[] = [];
    for (const start of found) {
      for (const owner of isDeep ? descendants(start) : [start]) {
        for (const selector of selectors) select(selector, owner.value, next);
      }
    }
    found = next;
  }
  return found[0]?.value;
}

function compare(left: unknown, operator: string, right: unknown): boolean {
  if (operator === "==") return left === right;
  if (operator === "!=") return left !== right;
  const areComparable =
    (typeof left === "number" && typeof right === "number") || (typeof left === "string" && typeof right === "string");
  if (!areComparable) return false;
  switch (operator) {
    case "<":
      return left < right;
    case "<=":
      return left <= right;
    case ">":
      return left > right;
    default:
      return left >= right;
  }
}
