import type { Resource } from "../resource.ts";

/** All scopes of a plan: each way through its resources is one object, so that what was found out can be kept by it. */
export interface ScopeCounter {
  count: number;
}

/** The resources that led to a schema, the outermost first (2020-12 core section 7.1). One that is there already adds nothing. */
export class Scope {
  readonly number: number;
  readonly #resources: readonly Resource[];
  readonly #counter: ScopeCounter;
  readonly #inner = new Map<Resource, Scope>();

  constructor(resources: readonly Resource[], counter: ScopeCounter) {
    this.#resources = resources;
    this.#counter = counter;
    this.number = counter.count++;
  }

  enter(resource: Resource): Scope {
    if (this.#resources.includes(resource)) return this;
    let inner = this.#inner.get(resource);
    if (inner === undefined) {
      inner = new Scope([...this.#resources, resource], this.#counter);
      this.#inner.set(resource, inner);
    }
    return inner;
  }

  /** The outermost resource that has the anchor; null where none has. */
  find(anchor: string): Resource | null {
    return this.#resources.find((resource) => resource.dynamicAnchors.has(anchor)) ?? null;
  }
}
