import type { Random } from "./random.ts";

/** A condition and what it is asked about: `s` a text, `l` a list of texts, `j` a document. */
export interface CelCase {
  readonly source: string;
  readonly s: string;
  readonly l: readonly string[];
  readonly j: Readonly<Record<string, unknown>>;
}

type Kind = "int" | "double" | "string" | "bool" | "ints" | "strings" | "any";

const TEXTS = ["", "a", "ab", "b", "abc", "é", "😀", "A", "42", "-1", "x y"] as const;
const NAMES = ["a", "b", "n", "t", "flag", "list", "items", "deep", "none"] as const;

export function celCase(random: Random): CelCase {
  const names: string[] = [];
  const s = random.pick(TEXTS);
  const l = Array.from({ length: random.below(4) }, () => random.pick(TEXTS));
  const grammar = new CelGrammar(random, names);
  return { source: `s == ${JSON.stringify(s)} && (${grammar.of("bool", 4)})`, s, l, j: documentOf(random) };
}

function documentOf(random: Random): Readonly<Record<string, unknown>> {
  const number = (): number => random.pick([0, 1, 2, -1, 0.5, 1e3, 7, 42]);
  const all: Readonly<Record<string, unknown>> = {
    a: random.pick<unknown>([number(), random.pick(TEXTS), true]),
    b: number(),
    n: number(),
    t: random.pick(TEXTS),
    flag: random.chance(0.5),
    list: Array.from({ length: random.below(4) }, number),
    items: Array.from({ length: random.below(3) }, () => ({ price: number(), name: random.pick(TEXTS) })),
    deep: { x: number(), y: { z: random.pick(TEXTS) } },
  };
  return Object.fromEntries(Object.entries(all).filter(() => random.chance(0.9)));
}

class CelGrammar {
  readonly #random: Random;
  readonly #locals: string[];

  constructor(random: Random, locals: string[]) {
    this.#random = random;
    this.#locals = locals;
  }

  of(kind: Kind, depth: number): string {
    const random = this.#random;
    // Now and then something of another kind, for both sides have to refuse it.
    if (random.chance(0.02)) return this.#leaf(random.pick(["int", "double", "string", "bool", "strings", "any"]));
    if (random.chance(0.06)) return this.#leaf("any");
    if (depth === 0) return this.#leaf(kind);
    const of = (inner: Kind): string => this.of(inner, depth - 1);
    if (random.chance(0.06)) return `(${of("bool")} ? ${of(kind)} : ${of(kind)})`;
    switch (kind) {
      case "bool":
        return this.#condition(depth);
      case "int":
        return random.pick([
          () => `(${of("int")} ${random.pick(["+", "-", "*", "/", "%"])} ${of("int")})`,
          () => `-${this.#leaf("int")}`,
          () => `size(${of(random.pick(["string", "ints", "strings"]))})`,
          () => `int(${of(random.pick(["int", "double"]))})`,
          () => `${of("ints")}[${random.below(3)}]`,
          () => this.#leaf("int"),
        ])();
      case "double":
        return random.pick([
          () => `(${of("double")} ${random.pick(["+", "-", "*", "/"])} ${of("double")})`,
          () => `double(${of(random.pick(["int", "double"]))})`,
          () => this.#leaf("double"),
        ])();
      case "string":
        return random.pick([
          () => `(${of("string")} + ${of("string")})`,
          () => `string(${of("int")})`,
          () => this.#leaf("string"),
        ])();
      case "ints":
        return random.pick([
          () => `[${of("int")}, ${of("int")}]`,
          () => `(${of("ints")} + ${of("ints")})`,
          () => this.#bound("ints", "filter", "bool", depth),
          () => this.#bound("ints", "map", "int", depth),
          () => this.#leaf("ints"),
        ])();
      case "strings":
        return random.pick([
          () => `[${of("string")}]`,
          () => "l",
          () => this.#bound("strings", "filter", "bool", depth),
        ])();
      case "any":
        return this.#leaf("any");
    }
  }

  #condition(depth: number): string {
    const random = this.#random;
    const of = (inner: Kind): string => this.of(inner, depth - 1);
    const kind = random.pick(["int", "double", "string", "bool"] as const);
    return random.pick([
      () => `(${of("bool")} && ${of("bool")})`,
      () => `(${of("bool")} || ${of("bool")})`,
      () => `!${of("bool")}`,
      () => `(${of(kind)} ${random.pick(["==", "!=", "<", "<=", ">", ">="])} ${of(kind)})`,
      () => `(${of("int")} ${random.pick(["==", "<", ">="])} ${of("double")})`,
      () => `(${of("ints")} ${random.pick(["==", "!="])} ${of("ints")})`,
      () => `(${of("int")} in ${of("ints")})`,
      () => `(${of("string")} in ${of("strings")})`,
      () => `${of("string")}.${random.pick(["contains", "startsWith", "endsWith"])}(${of("string")})`,
      () => `${of("string")}.matches(${random.pick(["'^a'", "'b$'", "'^[a-c]*$'", "'.'"])})`,
      () => this.#bound("ints", random.pick(["all", "exists", "exists_one"]), "bool", depth),
      () => this.#bound("strings", random.pick(["all", "exists", "exists_one"]), "bool", depth),
      () => `has(j.${random.pick(NAMES)})`,
      () => `(j.${random.pick(NAMES)} == ${of(random.pick(["int", "string", "bool"]))})`,
      () => `(j.${random.pick(NAMES)} < ${this.#leaf("int")})`,
      () =>
        `j.items.${random.pick(["all", "exists"])}(i, i.price ${random.pick(["<", ">", "=="])} ${this.#leaf("int")})`,
      () => `(${this.#leaf("int")} in j.list)`,
    ])();
  }

  /** A macro over a list, with a body that may name its item. */
  #bound(range: "ints" | "strings", macro: string, body: Kind, depth: number): string {
    const name = `v${this.#locals.length}`;
    const over = this.of(range, depth - 1);
    this.#locals.push(name);
    const inner = this.#random.chance(0.6) ? this.#aboutItem(name, range, body) : this.of(body, depth - 1);
    this.#locals.pop();
    return `${over}.${macro}(${name}, ${inner})`;
  }

  #aboutItem(name: string, range: "ints" | "strings", body: Kind): string {
    if (body === "int") return `${name} + ${this.#leaf("int")}`;
    return range === "ints" ? `${name} > ${this.#leaf("int")}` : `${name} != ${this.#leaf("string")}`;
  }

  #leaf(kind: Kind): string {
    const random = this.#random;
    switch (kind) {
      case "int":
        return String(random.pick([0, 1, 2, 3, 7, 42, 1000]));
      case "double":
        return random.pick(["0.0", "1.0", "0.5", "1e3", "2.25"]);
      case "string":
        return random.chance(0.3) ? "s" : JSON.stringify(random.pick(TEXTS));
      case "bool":
        return random.pick(["true", "false"]);
      case "ints":
        return random.pick(["[1, 2, 3]", "[0]", "[2, 7]"]);
      case "strings":
        return random.pick(["l", '["a", "b"]']);
      case "any":
        return random.pick([
          "j.a",
          "j.b",
          "j.n",
          "j.t",
          "j.flag",
          "j.list",
          "j.deep.x",
          "j.deep.y.z",
          'j["t"]',
          "j.list[0]",
          "j.none",
        ]);
    }
  }
}
