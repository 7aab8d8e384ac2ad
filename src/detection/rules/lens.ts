import { Memo } from "./memo.ts";
import { type Looker, Plan } from "./plan.ts";
import type { Shape } from "./shape.ts";
import type { StageTree } from "./stages.ts";

const KEPT_NAMES_MAX = 512;
const KEPT_PLANS_MAX = 256;

/** What all rules look for in one collection: which of them in a value depends on its name and its shape. */
export class Lens {
  readonly collection: number;
  readonly #lookers: readonly Looker[];
  readonly #tree: StageTree;
  readonly #byName = new Memo<Plan>(KEPT_NAMES_MAX);
  /** Apart from the others: names are a client's. */
  readonly #byShape = new Memo<Plan>(KEPT_NAMES_MAX);
  readonly #bySet = new Map<string, Plan>();
  readonly #always: Plan | null;

  constructor(collection: number, lookers: readonly Looker[], tree: StageTree) {
    this.collection = collection;
    this.#lookers = lookers;
    this.#tree = tree;
    const isSame = lookers.every(({ isNamed, exclusions }) => isNamed === null && exclusions.length === 0);
    this.#always = isSame ? new Plan(lookers, tree) : null;
  }

  planOf(name: string, shape: Shape | undefined): Plan {
    if (shape !== undefined) return this.#shapedPlan(name, shape);
    if (this.#always !== null) return this.#always;
    return this.#byName.get(name) ?? this.#byName.set(name, this.#planFor(this.#lookersOf(name), ""));
  }

  #shapedPlan(name: string, shape: Shape): Plan {
    const key = this.#always === null ? `${shape.key} ${name}` : shape.key;
    const known = this.#byShape.get(key);
    if (known !== undefined) return known;
    const looked = this.#lookersOf(name).flatMap((looker) => {
      const stages = looker.link.stages.filter((stage) => shape.canMatch(looker.link, stage, this.#tree));
      return stages.length === 0 ? [] : [{ ...looker, link: { ...looker.link, stages } }];
    });
    return this.#byShape.set(key, this.#planFor(looked, shape.key));
  }

  #lookersOf(name: string): readonly Looker[] {
    return this.#lookers.filter(
      ({ isNamed, exclusions }) =>
        (isNamed === null || isNamed(name)) &&
        exclusions.every((isExcluded) => isExcluded !== null && !isExcluded(name)),
    );
  }

  /** Names that the same rules look at share a plan, and what is remembered of values. */
  #planFor(lookers: readonly Looker[], shape: string): Plan {
    const key = `${shape} ${lookers.map(({ phase, rule, target }) => `${phase}.${rule}.${target}`).join()}`;
    const known = this.#bySet.get(key);
    if (known !== undefined) return known;
    if (this.#bySet.size >= KEPT_PLANS_MAX) this.#bySet.clear();
    const plan = new Plan(lookers, this.#tree);
    this.#bySet.set(key, plan);
    return plan;
  }
}
