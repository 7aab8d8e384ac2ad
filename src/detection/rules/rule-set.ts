import type { RequestFacts } from "../facts.ts";
import { Candidates, type Search } from "../search/search.ts";
import type { RuleChoice } from "./actions.ts";
import { type Phase, phaseOf } from "./program.ts";
import { chooses } from "./removed.ts";
import { type Exclusion, neverMatching, type Rule } from "./rule.ts";
import { type SearchBudget, Spending } from "./spending.ts";
import type { StageTree } from "./stages.ts";
import { type RuleProgram, Transaction } from "./transaction.ts";

/** A rule that a route does without, or that does not look at something there. */
export interface RouteExclusion {
  readonly rules: readonly RuleChoice[];
  /** Null: the rule as a whole. */
  readonly target: Exclusion | null;
}

export interface RouteSettings {
  readonly exclusions: readonly RouteExclusion[];
}

/** Rules, compiled once for all routes. */
export class RuleSet {
  readonly #phases: readonly (readonly Rule[])[];
  readonly #constants: ReadonlyMap<string, string>;
  readonly #tree: StageTree;
  readonly #search: Search;
  #whole: RuleProgram | null = null;

  constructor(
    phases: readonly (readonly Rule[])[],
    constants: ReadonlyMap<string, string>,
    tree: StageTree,
    search: Search,
  ) {
    this.#phases = phases;
    this.#constants = constants;
    this.#tree = tree;
    this.#search = search;
  }

  /** Routes without exclusions share one. */
  forRoute({ exclusions }: RouteSettings): RouteRules {
    if (exclusions.length > 0) return new RouteRules(this.#programWithout(exclusions), this.#search);
    this.#whole ??= this.#programOf(this.#phases);
    return new RouteRules(this.#whole, this.#search);
  }

  #programWithout(exclusions: readonly RouteExclusion[]): RuleProgram {
    return this.#programOf(this.#phases.map((rules) => rules.map((rule) => withoutExcluded(rule, exclusions))));
  }

  #programOf(phases: readonly (readonly Rule[])[]): RuleProgram {
    const compiled: Phase[] = phases.map((rules) => phaseOf(rules, this.#tree));
    return { phases: compiled, constants: this.#constants, tree: this.#tree };
  }
}

/** An excluded rule keeps its place, so that what skips over it still lands where it should. */
function withoutExcluded(rule: Rule, exclusions: readonly RouteExclusion[]): Rule {
  const own = exclusions.filter(({ rules }) => rules.some((choice) => chooses(choice, rule)));
  if (own.length === 0) return rule;
  if (own.some(({ target }) => target === null)) return neverMatching(rule);
  const [first, ...links] = rule.links;
  const more = own.flatMap(({ target }) => (target === null ? [] : [target]));
  return { ...rule, links: [{ ...first, exclusions: [...first.exclusions, ...more] }, ...links] };
}

/** The rules of a route. */
export class RouteRules {
  readonly #program: RuleProgram;
  readonly #search: Search;
  readonly #candidates = new Candidates();

  constructor(program: RuleProgram, search: Search) {
    this.#program = program;
    this.#search = search;
  }

  begin(request: RequestFacts, budget: SearchBudget): Transaction {
    const spending = new Spending(this.#search, this.#candidates, budget);
    return new Transaction(this.#program, request, spending);
  }
}
