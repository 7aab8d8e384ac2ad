import type { Operator, Place, RuleProblem, Variable } from "../seclang/directive.ts";
import type { RuleActions } from "./actions.ts";

/** One test of a rule: a chain has several. */
export interface DraftLink {
  readonly place: Place;
  /** Empty in a SecAction, which always matches. */
  variables: readonly Variable[];
  readonly operator: Operator;
  readonly actions: RuleActions;
}

/** A rule as its files say it, chains joined. */
export interface DraftRule {
  readonly kind: "rule";
  readonly links: readonly [DraftLink, ...DraftLink[]];
  readonly phase: number;
}

export interface DraftMarker {
  readonly kind: "marker";
  readonly name: string;
}

export type DraftItem = DraftRule | DraftMarker;

/** Why a rule does not run, though it is read. */
export interface LeftOut {
  readonly id: number;
  readonly place: Place;
  readonly phase: number;
  readonly tags: readonly string[];
  readonly reason: string;
  /** By a directive of the files. */
  readonly isRemoved: boolean;
}

/** All files, put together. */
export interface Assembled {
  readonly items: readonly DraftItem[];
  readonly leftOut: readonly LeftOut[];
  readonly problems: readonly RuleProblem[];
  /** Directives that are read and not done, with the reason. */
  readonly settings: readonly (Place & { readonly name: string; readonly reason: string })[];
}
