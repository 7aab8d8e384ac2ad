import { DEFAULTS } from "../../support/defaults.ts";
import { atOnce, type Steps } from "../../support/turns.ts";
import type { RequestFacts, ValueConstraint } from "../facts.ts";
import { Candidates, type Search } from "../search/search.ts";
import type { RuleChoice } from "./actions.ts";
import { chooses } from "./choice.ts";
import { COLLECTIONS } from "./collections.ts";
import { NUMBERS } from "./lens.ts";
import { programOf, type RuleProgram } from "./program.ts";
import { type Exclusion, neverMatching, type Rule } from "./rule.ts";
import { Shape } from "./shape.ts";
import { type SearchBudget, Spending } from "./spending.ts";
import type { StageTree } from "./stages.ts";
import { Transaction } from "./transaction.ts";

/** A rule that a route does without, or that does not look at something there. */
export interface RouteExclusion {
  readonly rules: readonly RuleChoice[];
  /** Null: the rule as a whole. */
  readonly target: Exclusion | null;
}

export interface RouteSettings {
  /** What is known of values, by the numbers that they come with (`shape`). */
  readonly constraints: readonly ValueConstraint[];
  readonly exclusions: readonly RouteExclusion[];
}

/** Rules, compiled once for all routes. */
export class RuleSet {
  readonly #phases: readonly (readonly Rule[])[];
  readonly #constants: ReadonlyMap<string, string>;
  readonly #tree: StageTree;
  readonly #search: Search;
  readonly #numbers: Shape;
  #whole: RuleProgram | null = null;
  readonly #shapes = new Map<string, Shape>();
  #isPrepared = false;

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
    this.#numbers = new Shape(NUMBERS, search);
  }

  get isPrepared(): boolean {
    return this.#isPrepared;
  }

  /** Makes all patterns ahead of the first texts that need them. */
  *prepare(): Steps<void> {
    yield* this.#search.prepare();
    yield* this.#numbers.prepare();
    this.#isPrepared = true;
  }

  /** Whether a rule can find anything in a value of which this is known, as far as its own patterns tell; one that is not here may. */
  *canFind(id: number, constraint: ValueConstraint): Steps<boolean> {
    const rule = this.#phases.flat().find((one) => one.id === id);
    if (rule === undefined) return true;
    const [link] = rule.links;
    const shape = new Shape(constraint, this.#search);
    yield* shape.prepare(link.test.kind === "pattern" ? [link.test.id] : []);
    return link.stages.some((stage) => shape.canMatch(link, stage, this.#tree));
  }

  /** For a file; `Search.fromBuffer` reads it. */
  searchBuffer(): Uint8Array {
    return this.#search.toBuffer();
  }

  /** What cannot match a constraint is asked once for all routes, and for policies after this one. */
  #shapeOf(constraint: ValueConstraint): Shape {
    const key = JSON.stringify(constraint);
    const known = this.#shapes.get(key);
    if (known !== undefined) return known;
    const shape = new Shape(constraint, this.#search);
    if (this.#shapes.size >= DEFAULTS.detectShapesMax) this.#shapes.clear();
    this.#shapes.set(key, shape);
    return shape;
  }

  /** Routes without exclusions share one program. */
  forRoute({ exclusions, constraints }: RouteSettings): RouteRules {
    const made = constraints.map((constraint) => this.#shapeOf(constraint));
    if (exclusions.length > 0) {
      const phases = this.#phases.map((rules) => rules.map((rule) => withoutExcluded(rule, exclusions)));
      return new RouteRules(programOf(phases, this.#constants, this.#tree, this.#numbers), this.#search, made);
    }
    this.#whole ??= programOf(this.#phases, this.#constants, this.#tree, this.#numbers);
    return new RouteRules(this.#whole, this.#search, made);
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
  readonly #shapes: readonly Shape[];

  constructor(program: RuleProgram, search: Search, shapes: readonly Shape[]) {
    this.#program = program;
    this.#search = search;
    this.#shapes = shapes;
  }

  /** Finds out what rules cannot match which values; until then they search them all. */
  *prepare(): Steps<void> {
    for (const shape of this.#shapes) yield* shape.prepare();
  }

  /** How many looks at values of these shapes the rules ask for, and how many of them are left to do. */
  get share(): { readonly rules: number; readonly searched: number } {
    atOnce(this.prepare());
    let rules = 0;
    let searched = 0;
    for (const lens of this.#program.phases.flatMap(({ lenses }) => lenses)) {
      if (COLLECTIONS[lens.collection] !== "ARGS") continue;
      for (const shape of this.#shapes) {
        rules += lens.planOf("", undefined).looks;
        searched += lens.planOf("", shape).looks;
      }
    }
    return { rules, searched };
  }

  begin(request: RequestFacts, budget: SearchBudget): Transaction {
    const spending = new Spending(this.#search, this.#candidates, budget);
    return new Transaction(this.#program, request, spending, this.#shapes);
  }
}
