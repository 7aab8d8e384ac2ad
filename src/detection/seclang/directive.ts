/** Where a directive begins. */
export interface Place {
  readonly file: string;
  /** From 1. */
  readonly line: number;
}

/** What a file says that cannot be run, and what to write instead. */
export interface RuleProblem extends Place {
  readonly message: string;
}

/** Which entries of a collection are meant: all, those of a name, or those whose name matches a pattern. */
export type Member =
  | { readonly kind: "all" }
  | { readonly kind: "name"; readonly name: string }
  | { readonly kind: "pattern"; readonly source: string };

/** One target of a rule: `ARGS`, `REQUEST_HEADERS:Host`, `!ARGS:/^x/`, `&TX:y`. */
export interface Variable {
  /** In capitals. */
  readonly collection: string;
  readonly member: Member;
  readonly use: "value" | "count" | "exclude";
}

/** `@rx …`, `!@within …`; a text alone is a pattern. */
export interface Operator {
  /** In small letters, without `@`. */
  readonly name: string;
  readonly negated: boolean;
  readonly argument: string;
}

/** `id:1`, `t:lowercase`, `setvar:'tx.x=1'`. */
export interface Action {
  /** In small letters. */
  readonly name: string;
  /** "" where there is none. */
  readonly value: string;
}

/** One directive of SecLang, as it stands in its file. */
export type Directive =
  | {
      readonly kind: "rule";
      readonly place: Place;
      readonly variables: readonly Variable[];
      readonly operator: Operator;
      readonly actions: readonly Action[];
    }
  | { readonly kind: "action"; readonly place: Place; readonly actions: readonly Action[] }
  | { readonly kind: "marker"; readonly place: Place; readonly name: string }
  | { readonly kind: "setting"; readonly place: Place; readonly name: string; readonly words: readonly string[] };
