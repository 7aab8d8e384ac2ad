/** A document that may be executed, as far as it decides what executing it costs. */
export interface Document {
  readonly operations: readonly Operation[];
  readonly fragments: ReadonlyMap<string, Selections>;
  /** Of the whole document. */
  readonly directives: number;
}

export type OperationType = "query" | "mutation" | "subscription";

export interface Operation {
  readonly type: OperationType;
  /** Null for the one that has none. */
  readonly name: string | null;
  /** Those that it declares, with their default or undefined. */
  readonly variables: ReadonlyMap<string, Value | undefined>;
  readonly selections: Selections;
}

export type Selections = readonly Selection[];

export type Selection =
  | { readonly kind: "field"; readonly field: Field }
  | { readonly kind: "spread"; readonly name: string }
  | { readonly kind: "inline"; readonly selections: Selections };

export interface Field {
  readonly name: string;
  readonly hasAlias: boolean;
  readonly arguments: readonly Argument[];
  /** Null for a leaf. */
  readonly selections: Selections | null;
}

export interface Argument {
  readonly name: string;
  readonly value: Value;
}

/** A number, the raw text of a string, a variable, a list or an object; null for all that is no amount. */
export type Value = number | string | null | Variable | readonly Value[] | Members;

export class Variable {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}

export class Members {
  readonly members: readonly Argument[];

  constructor(members: readonly Argument[]) {
    this.members = members;
  }
}
