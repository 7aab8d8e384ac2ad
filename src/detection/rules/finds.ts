import type { Steps } from "../../support/turns.ts";
import type { NamedText } from "../facts.ts";
import type { Lens } from "./lens.ts";
import type { Shape } from "./shape.ts";
import type { Spending } from "./spending.ts";
import type { Variables } from "./variables.ts";

/** A value in which a rule found something before its turn. */
export interface Find {
  readonly entry: NamedText;
  /** Which of the targets of the rule's first link. */
  readonly target: number;
  readonly text: string;
}

/** What one search costs, however short the value: in bytes that are read in the time. */
const SEARCH_BYTES = 1024;

/** What rules have found in the values of a request so far: by phase, and by their place in it. */
export class Finds {
  readonly #byPhase: (Map<number, Find[]> | undefined)[] = [];
  readonly #shapes: readonly Shape[];

  /** `shapes`: what is known of values, by the numbers that they come with. */
  constructor(shapes: readonly Shape[]) {
    this.#shapes = shapes;
  }

  /** By the place of the rule; undefined where no rule of the phase found anything. */
  of(phase: number): ReadonlyMap<number, readonly Find[]> | undefined {
    return this.#byPhase[phase];
  }

  /** The phase runs again, for other values. */
  forget(phase: number): void {
    this.#byPhase[phase] = undefined;
  }

  *search(lenses: readonly Lens[], variables: Variables, spending: Spending): Steps<void> {
    for (const lens of lenses) {
      for (const entry of variables.entries(lens.collection)) {
        const shape = this.#shapes[entry.shape];
        // What a contract closes raises no alarm because its request came early.
        if (shape?.isReady === false) yield* shape.prepare();
        const plan = lens.planFor(entry, shape);
        if (plan.isEmpty) continue;
        const known = plan.known(entry.value);
        const found = known ?? (yield* plan.search(entry.value, spending));
        for (const { phase, rule, target, text } of found) this.#add(phase, rule, { entry, target, text });
        // Of short values each costs far more than its bytes.
        if (spending.isTurnOver(known === undefined ? SEARCH_BYTES : 1)) yield;
      }
    }
  }

  #add(phase: number, rule: number, find: Find): void {
    const rules = this.#byPhase[phase] ?? new Map<number, Find[]>();
    this.#byPhase[phase] = rules;
    const finds = rules.get(rule);
    if (finds === undefined) rules.set(rule, [find]);
    else finds.push(find);
  }
}
