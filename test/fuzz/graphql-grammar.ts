import type { Random } from "./random.ts";

/** Random documents over one schema: most are valid, and some have one thing changed. */
export const SCHEMA = `
  type Query { a(first: Int, filter: In): Query b(last: Int): [Query] s: String n(limit: Int): Int }
  type Mutation { change(first: Int): Query }
  input In { limit: Int, deep: In, tags: [String] }
`;

const NAMES = ["A", "B", "C", "D"] as const;
const BREAKERS: readonly [string, ...string[]] = [
  "{",
  "}",
  "(",
  ")",
  "[",
  "]",
  ":",
  "$",
  "!",
  "@",
  "...",
  "..",
  '"',
  '"""',
  "\\",
  "#",
  "0",
  "1.",
  "-",
  "e5",
  "00",
  "on",
  "query",
  "fragment",
  "null",
  "=",
  "|",
  "&",
  "\u00e9",
  "\ufeff",
  ",",
  "\n",
  "\t",
  "\\u0041",
  "\\u{1F600}",
  "\\uD83D",
  "%",
];

export class GraphqlGrammar {
  readonly #random: Random;
  #fragments: readonly string[] = [];

  constructor(random: Random) {
    this.#random = random;
  }

  document(): string {
    const names = NAMES.slice(0, this.#random.below(4));
    const parts = names.map((name, at) => {
      // Seldom with one that stands behind it, which may be a circle.
      this.#fragments = this.#random.chance(0.1) ? names : names.slice(0, at);
      return `fragment ${name} on Query${this.#directives()} ${this.#set(2)}`;
    });
    this.#fragments = names;
    const name = this.#random.chance(0.7) ? "Q" : "";
    const kind = this.#random.chance(0.2) ? "mutation" : "query";
    const body = kind === "mutation" ? `{ ${this.#alias()}change${this.#one("first")} ${this.#set(3)} }` : this.#set(4);
    const text = this.#random.chance(0.2)
      ? body.startsWith("{ change")
        ? `mutation ${body}`
        : body
      : `${kind} ${name}${this.#variables()} ${body}`;
    parts.push(text.includes("change") && !text.startsWith("mutation") ? `mutation ${text}` : text);
    if (name !== "" && this.#random.chance(0.2)) parts.push(`query R ${this.#set(2)}`);
    const document = this.#random.chance(0.5) ? parts.join("\n") : parts.reverse().join("#c\n");
    return this.#random.chance(0.4) ? this.#broken(document) : document;
  }

  #broken(text: string): string {
    const at = this.#random.below(text.length + 1);
    const cut = this.#random.below(3);
    return text.slice(0, at) + (this.#random.chance(0.7) ? this.#random.pick(BREAKERS) : "") + text.slice(at + cut);
  }

  #variables(): string {
    return this.#random.chance(0.4)
      ? `($n: Int = ${this.#random.below(30)}, "d" $o: In = { limit: 3 }, $l: [[Int!]!]${this.#directives()})`
      : "";
  }

  #directives(): string {
    return this.#random.chance(0.1)
      ? ' @include(if: true) @x(a: [1, -2.5e3, "s\\n", E, null, { b: """c\\""" d""" }])'
      : "";
  }

  #alias(): string {
    return this.#random.chance(0.3) ? `${this.#random.pick(["x", "y", "z"])}${this.#random.below(1000)}: ` : "";
  }

  #one(name: string): string {
    return this.#random.chance(0.4)
      ? `(${name}: ${this.#random.mostly(String(this.#random.below(50)), ["$n", "$m", "null", '"2\\u0030"', '"2\\u{33}"', "-1", "2.5", '"\\\\u{FFFFFFFF}"', '"\\\\\\u0032"'], 0.2)})`
      : "";
  }

  #set(depth: number): string {
    const fields = Array.from({ length: 1 + this.#random.below(3) }, () => this.#selection(depth));
    return `{ ${fields.join(this.#random.chance(0.5) ? " " : ", ")} }`;
  }

  #selection(depth: number): string {
    const roll = this.#random.below(10);
    const [fragment] = this.#fragments;
    if (roll === 0 && fragment !== undefined)
      return `...${this.#random.pick([fragment, ...this.#fragments])}${this.#directives()}`;
    if (roll === 1 && depth > 0) return `... ${this.#random.chance(0.5) ? "on Query " : ""}${this.#set(depth - 1)}`;
    if (depth === 0 || roll < 5) return `${this.#alias()}${this.#random.pick(["s", "n", "n(limit: 7)", "__typename"])}`;
    const filter = this.#random.chance(0.2) ? '(filter: { deep: { limit: 9, tags: ["t"] } })' : this.#one("first");
    const field = this.#random.chance(0.5) ? `a${filter}` : `b${this.#one("last")}`;
    return `${this.#alias()}${field}${this.#directives()} ${this.#set(depth - 1)}`;
  }
}
