/** What an expression says, before anybody asks whether it makes sense. `at` is its offset in the source. */
export type Node = { readonly at: number } & (
  | { readonly kind: "literal"; readonly value: bigint | number | string | boolean | null }
  | { readonly kind: "name"; readonly name: string }
  | { readonly kind: "select"; readonly of: Node; readonly name: string }
  | { readonly kind: "index"; readonly of: Node; readonly key: Node }
  | { readonly kind: "call"; readonly name: string; readonly target: Node | null; readonly args: readonly Node[] }
  | { readonly kind: "list"; readonly items: readonly Node[] }
  | { readonly kind: "unary"; readonly op: "!" | "-"; readonly of: Node }
  | { readonly kind: "binary"; readonly op: BinaryOp; readonly left: Node; readonly right: Node }
  | { readonly kind: "conditional"; readonly test: Node; readonly yes: Node; readonly no: Node }
);

export type BinaryOp = "||" | "&&" | "==" | "!=" | "<" | "<=" | ">" | ">=" | "in" | "+" | "-" | "*" | "/" | "%";

/** Thrown while an expression is read; `compileExpression` makes a value of it. */
export class ExpressionFault extends Error {
  readonly at: number;

  constructor(at: number, text: string) {
    super(text);
    this.at = at;
  }
}
