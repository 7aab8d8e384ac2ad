import { DEFAULTS } from "../support/defaults.ts";
import { type Token, tokensOf } from "./lexer.ts";
import { type BinaryOp, ExpressionFault, type Node } from "./syntax.ts";

/** From what binds least. */
const LEVELS: readonly (readonly BinaryOp[])[] = [
  ["||"],
  ["&&"],
  ["==", "!=", "<", "<=", ">", ">=", "in"],
  ["+", "-"],
  ["*", "/", "%"],
];

const WORDS: ReadonlyMap<string, boolean | null> = new Map([
  ["true", true],
  ["false", false],
  ["null", null],
]);

const INT_MAX = 2n ** 63n - 1n;

/** Source → tree, by the grammar of CEL without maps, messages, bytes and unsigned numbers. Throws `ExpressionFault`. */
export function parseExpression(source: string): Node {
  if (source.length > DEFAULTS.expressionCharsMax) {
    throw new ExpressionFault(0, `longer than ${DEFAULTS.expressionCharsMax} characters`);
  }
  const parser = new Parser(tokensOf(source));
  const node = parser.expression();
  parser.end();
  return node;
}

class Parser {
  readonly #tokens: readonly Token[];
  #next = 0;
  #nodes = 0;
  #depth = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  expression(): Node {
    if (++this.#depth > DEFAULTS.expressionDepthMax) {
      throw this.#fault(`nested deeper than ${DEFAULTS.expressionDepthMax} levels`);
    }
    const test = this.#binary(0);
    const { at } = this.#token;
    let node = test;
    if (this.#take("?")) {
      const yes = this.#binary(0);
      this.#expect(":");
      node = this.#made({ kind: "conditional", at, test, yes, no: this.expression() });
    }
    this.#depth--;
    return node;
  }

  end(): void {
    if (this.#token.kind !== "end") throw this.#fault(`'${this.#token.text}' is not expected here`);
  }

  get #token(): Token {
    return this.#tokens[this.#next] ?? { kind: "end", at: 0, text: "" };
  }

  #fault(text: string): ExpressionFault {
    return new ExpressionFault(this.#token.at, text);
  }

  #take(text: string): boolean {
    const { kind } = this.#token;
    if (kind === "value" || kind === "end" || this.#token.text !== text) return false;
    this.#next++;
    return true;
  }

  #expect(text: string): void {
    if (this.#take(text)) return;
    const { kind, text: seen } = this.#token;
    throw this.#fault(
      kind === "end" ? `it ends where '${text}' is expected` : `'${seen}' stands where '${text}' is expected`,
    );
  }

  #made(node: Node): Node {
    if (++this.#nodes > DEFAULTS.expressionNodesMax) {
      throw new ExpressionFault(node.at, `more than ${DEFAULTS.expressionNodesMax} parts`);
    }
    return node;
  }

  #binary(level: number): Node {
    const ops = LEVELS[level];
    if (ops === undefined) return this.#unary();
    let left = this.#binary(level + 1);
    for (;;) {
      const { at } = this.#token;
      const op = ops.find((one) => this.#take(one));
      if (op === undefined) return left;
      left = this.#made({ kind: "binary", at, op, left, right: this.#binary(level + 1) });
    }
  }

  #unary(): Node {
    const { at } = this.#token;
    const op = this.#take("!") ? "!" : this.#take("-") ? "-" : null;
    if (op === null) return this.#member();
    if (++this.#depth > DEFAULTS.expressionDepthMax) throw this.#fault("too many signs");
    const literal = this.#token;
    let of: Node;
    // The smallest number has no positive twin.
    if (op === "-" && literal.kind === "value" && literal.value === INT_MAX + 1n) {
      this.#next++;
      of = { kind: "literal", at, value: literal.value };
    } else of = this.#unary();
    this.#depth--;
    if (op === "-" && of.kind === "literal" && typeof of.value !== "string" && typeof of.value !== "boolean") {
      if (of.value !== null) return { kind: "literal", at, value: -of.value };
    }
    return this.#made({ kind: "unary", at, op, of });
  }

  #member(): Node {
    let node = this.#primary();
    for (;;) {
      const { at } = this.#token;
      if (this.#take(".")) {
        const name = this.#name();
        node = this.#take("(")
          ? this.#made({ kind: "call", at: at + 1, name, target: node, args: this.#list(")") })
          : this.#made({ kind: "select", at: at + 1, of: node, name });
      } else if (this.#take("[")) {
        const key = this.expression();
        this.#expect("]");
        node = this.#made({ kind: "index", at, of: node, key });
      } else return node;
    }
  }

  #name(): string {
    const { kind, text } = this.#token;
    if (kind !== "name") throw this.#fault("a name is expected behind the dot");
    this.#next++;
    return text;
  }

  #primary(): Node {
    const token = this.#token;
    const { at } = token;
    if (token.kind === "value") {
      this.#next++;
      if (typeof token.value === "bigint" && token.value > INT_MAX)
        throw new ExpressionFault(at, "a number beyond 64 bits");
      return this.#made({ kind: "literal", at, value: token.value });
    }
    if (token.kind === "name") return this.#named(token.text, at);
    if (this.#take("(")) {
      const node = this.expression();
      this.#expect(")");
      return node;
    }
    if (this.#take("[")) return this.#made({ kind: "list", at, items: this.#list("]") });
    if (token.text === "{") throw this.#fault("maps are not understood here");
    throw this.#fault(
      token.kind === "end" ? "it ends where a value is expected" : `'${token.text}' stands where a value is expected`,
    );
  }

  #named(name: string, at: number): Node {
    if (name === "in") throw this.#fault("'in' stands where a value is expected");
    this.#next++;
    const word = WORDS.get(name);
    if (word !== undefined) return this.#made({ kind: "literal", at, value: word });
    if (this.#take("(")) return this.#made({ kind: "call", at, name, target: null, args: this.#list(")") });
    return this.#made({ kind: "name", at, name });
  }

  #list(close: string): readonly Node[] {
    const items: Node[] = [];
    if (this.#take(close)) return items;
    do items.push(this.expression());
    while (this.#take(","));
    this.#expect(close);
    return items;
  }
}
