import type { Result } from "../support/result.ts";
import type { FunctionSpec } from "./functions.ts";
import type { Node } from "./syntax.ts";
import type { Type } from "./types.ts";
import type { Evaluation } from "./values.ts";

/** What an expression may name. */
export interface Variable<Subject> {
  /** In the one spelling that faults use. */
  readonly text: string;
  readonly type: Type;
  /** Undefined where there is none, AMBIGUOUS where there is no single one. */
  read(subject: Subject): unknown;
  /** Whether it came, where that does not show in what is read. */
  has?(subject: Subject): boolean;
}

export interface Environment<Subject> {
  /** Names from left to right, as `jwt.tenant` has two. The error says what is wrong and what is near. */
  variable(path: readonly string[]): Result<Variable<Subject>, string>;
  /** Beside those that all expressions know, by name. */
  readonly functions?: ReadonlyMap<string, FunctionSpec>;
}

export type Run<Subject> = (evaluation: Evaluation<Subject>) => unknown;

/** A part of the expression, ready to run. */
export interface Planned<Subject> {
  readonly type: Type;
  readonly run: Run<Subject>;
  /** Where the expression has the value itself. */
  readonly literal?: bigint | number | string | boolean | null;
}

/** What macros need of who plans the tree that they stand in. */
export interface PartPlanner<Subject> {
  plan(node: Node): Planned<Subject>;
  /** `body` with `name` bound to the slot that it gets. */
  within<T>(name: string, type: Type, body: (slot: number) => T): T;
}
