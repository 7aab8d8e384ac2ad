import type { Steps } from "../../support/turns.ts";
import type { Place } from "../seclang/directive.ts";
import type { Control, Disruptive, RuleChoice, SetVar } from "./actions.ts";
import type { Macro } from "./macro.ts";
import type { TextTest } from "./operators.ts";

/** Whether a name is meant; null for all. */
export type NameTest = TextTest | null;

/** What a link looks at. */
export interface Target {
  /** As rules write it: `ARGS`. */
  readonly name: string;
  /** Of those that a request has; -1 for what rules write themselves. */
  readonly collection: number;
  readonly isNamed: NameTest;
  /** In small letters, where exactly one is meant. */
  readonly member: string | null;
  /** Only how many there are. */
  readonly counts: boolean;
}

/** What a link does not look at. */
export interface Exclusion {
  readonly name: string;
  readonly collection: number;
  readonly isNamed: NameTest;
}

/** Gives what it found in a text; undefined for nothing. */
export interface Recogniser {
  (text: string): string | undefined;
  /** The same of a long text. */
  readonly inSteps?: (text: string) => Steps<string | undefined>;
}

/** What a link looks for. */
export type LinkTest =
  /** `id` of the search. */
  | { readonly kind: "pattern"; readonly id: number }
  | { readonly kind: "text"; readonly test: TextTest }
  /** A pattern that takes each text, and all of it. */
  | { readonly kind: "whole" }
  /** Gives what it found, which is what `TX:0` is then. */
  | { readonly kind: "recogniser"; readonly recognise: Recogniser }
  /** Its argument is a request's. */
  | { readonly kind: "filled"; readonly operator: string; readonly argument: Macro };

/** Rules, or a target of them, that are off for the rest of a request. */
export interface RuleRemoval {
  /** Of rules. */
  readonly ids: ReadonlySet<number>;
  /** Null: the rules as a whole. */
  readonly exclusion: Exclusion | null;
}

/** What a link changes of the transaction. */
export type LinkControl =
  | Exclude<Control, { readonly rules: readonly RuleChoice[] }>
  | { readonly kind: "remove"; readonly removal: RuleRemoval };

export interface SetVarStep extends SetVar {
  /** Whether it is a part of the score of a request or an answer. */
  readonly scores: boolean;
}

export interface Link {
  /** Empty: it always matches, once. */
  readonly targets: readonly Target[];
  readonly exclusions: readonly Exclusion[];
  readonly test: LinkTest;
  readonly negated: boolean;
  /** Numbers of the texts that are tested, in the tree of transformations: one, or with `multiMatch` each on the way. */
  readonly stages: readonly number[];
  readonly capture: boolean;
  readonly setVars: readonly SetVarStep[];
  readonly controls: readonly LinkControl[];
}

export interface Rule {
  readonly id: number;
  readonly place: Place;
  readonly phase: number;
  readonly links: readonly [Link, ...Link[]];
  readonly message: Macro;
  readonly tags: string[];
  readonly severity: number | null;
  /** 0 where it belongs to none. */
  readonly paranoia: number;
  readonly disruptive: Disruptive;
  readonly logged: boolean;
  /** Where the rules of its phase go on after it; its own place + 1 as a rule. */
  readonly next: number;
  /** Whether what its first link looks at is searched before the rules run, so that it is left out where nothing was found. */
  readonly searched: boolean;
}

/** Searched for, and never found. */
export const NEVER: Link = {
  targets: [],
  exclusions: [],
  test: { kind: "text", test: () => false },
  negated: false,
  stages: [0],
  capture: false,
  setVars: [],
  controls: [],
};

/** A rule that keeps its place among the others, and does nothing. */
export function neverMatching(rule: Rule): Rule {
  return { ...rule, links: [NEVER], searched: true };
}
