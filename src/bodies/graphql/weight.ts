import { DEFAULTS } from "../../support/defaults.ts";
import { err, ok, type Result } from "../../support/result.ts";
import type { Steps } from "../../support/turns.ts";
import {
  type Argument,
  type Document,
  type Field,
  Members,
  type Operation,
  type Selections,
  type Value,
  Variable,
} from "./document.ts";
import { amountOf, type Lengths, lengthsOf, type Variables } from "./lengths.ts";

/** What executing a document costs at most, its dearest operation. */
export interface Weight {
  /** Fields within each other. */
  readonly depth: number;
  /** Fields under another name; those of a fragment as often as it is spread. */
  readonly aliases: number;
  /** Each field is one, times the length of the list that it asks for, and so often what stands in it. */
  readonly cost: number;
  /** Asks for the service's schema. */
  readonly introspects: boolean;
}

/**
 * Document → weight, in one visit of each fragment. The error is what makes it no valid document: a fragment that spreads
 * itself or that is not there. `lists`: names of arguments that say how long a list is to be.
 */
export function* weigh(
  document: Document,
  variables: Variables | null,
  lists: ReadonlySet<string>,
): Steps<Result<Weight, string>> {
  let weight: Weight = NOTHING;
  const lengths = yield* lengthsOf(variables, lists);
  for (const operation of document.operations) {
    const scale = new Scale(document, operation, lengths, lists);
    const own = scale.selections(operation.selections);
    // What nothing spreads is not executed, and still has to be a fragment.
    for (const name of document.fragments.keys()) scale.fragment(name);
    if (scale.fault !== null) return err(scale.fault);
    weight = dearer(weight, { ...own, introspects: scale.introspects });
    yield;
  }
  return ok(weight);
}

const NOTHING: Weight = { depth: 0, aliases: 0, cost: 0, introspects: false };

function dearer(a: Weight, b: Weight): Weight {
  return {
    depth: Math.max(a.depth, b.depth),
    aliases: Math.max(a.aliases, b.aliases),
    cost: Math.max(a.cost, b.cost),
    introspects: a.introspects || b.introspects,
  };
}

type Load = Omit<Weight, "introspects">;
const NO_LOAD: Load = NOTHING;

class Scale {
  readonly #document: Document;
  readonly #operation: Operation;
  readonly #given: Lengths;
  readonly #lists: ReadonlySet<string>;
  /** Null while it is being weighed: who meets it again has gone in a circle. */
  readonly #fragments = new Map<string, Load | null>();
  /** Of variables' defaults, which one document may use a thousand times. */
  readonly #counted = new Map<string, number>();
  readonly #uncounted = new Map<string, number>();
  #nesting = 0;
  introspects = false;
  fault: string | null = null;

  constructor(document: Document, operation: Operation, given: Lengths, lists: ReadonlySet<string>) {
    this.#document = document;
    this.#operation = operation;
    this.#given = given;
    this.#lists = lists;
  }

  selections(selections: Selections): Load {
    if (++this.#nesting > DEFAULTS.graphqlStackMax) this.fault ??= `nested deeper than ${DEFAULTS.graphqlStackMax}`;
    let depth = 0;
    let aliases = 0;
    let cost = 0;
    if (this.fault === null)
      for (const selection of selections) {
        const load =
          selection.kind === "field"
            ? this.#field(selection.field)
            : selection.kind === "spread"
              ? this.fragment(selection.name)
              : this.selections(selection.selections);
        depth = Math.max(depth, load.depth);
        aliases += load.aliases;
        cost += load.cost;
      }
    this.#nesting--;
    return { depth, aliases, cost };
  }

  fragment(name: string): Load {
    const known = this.#fragments.get(name);
    if (known !== undefined) {
      if (known === null) this.fault ??= "a fragment that spreads itself";
      return known ?? NO_LOAD;
    }
    const selections = this.#document.fragments.get(name);
    if (selections === undefined) {
      this.fault ??= "a fragment that is not there";
      return NO_LOAD;
    }
    this.#fragments.set(name, null);
    const load = this.selections(selections);
    this.#fragments.set(name, load);
    return load;
  }

  #field({ name, hasAlias, arguments: args, selections }: Field): Load {
    if (name === "__schema" || name === "__type") this.introspects = true;
    const inner = selections === null ? NO_LOAD : this.selections(selections);
    const length = args.length === 0 ? 1 : this.#lengthOf(args);
    return {
      depth: inner.depth + 1,
      aliases: inner.aliases + (hasAlias ? 1 : 0),
      // No list is so short that its field would not be asked for; Infinity times nothing is no number.
      cost: length * (1 + inner.cost),
    };
  }

  /** The longest list that the arguments ask for, at any depth of them; at least one. */
  #lengthOf(args: readonly Argument[]): number {
    let length = 1;
    for (const { name, value } of args) length = Math.max(length, this.#lengthIn(value, this.#lists.has(name)));
    return length;
  }

  #lengthIn(value: Value | undefined, counts: boolean): number {
    if (value instanceof Variable) return this.#lengthOfVariable(value.name, counts);
    if (value instanceof Members) return this.#lengthOf(value.members);
    if (typeof value === "object" && value !== null) {
      let length = 1;
      for (const item of value) length = Math.max(length, this.#lengthIn(item, counts));
      return length;
    }
    return counts ? amountOf(value) : 1;
  }

  #lengthOfVariable(name: string, counts: boolean): number {
    const given = this.#given.get(name);
    if (given !== undefined) return counts ? given.counted : given.inner;
    const known = counts ? this.#counted : this.#uncounted;
    let length = known.get(name);
    if (length === undefined) {
      length = this.#lengthIn(this.#operation.variables.get(name), counts);
      known.set(name, length);
    }
    return length;
  }
}
