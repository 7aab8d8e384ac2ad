import { DEFAULTS } from "../support/defaults.ts";
import { kindOf, stepOf } from "./segment-kind.ts";

/** How many operations and steps of paths may still be learnt, of all routes together. */
export interface TreeRoom {
  operations: number;
  nodes: number;
}

/** When names at one place are values. */
export interface NameManners {
  /** Names at one place. */
  readonly namesMax: number;
  /** Names that one client may bring to one place. */
  readonly ofOneMax: number;
  /** Where there are more, those that are there become a value, too; else those alone that come then. */
  readonly foldsAll: boolean;
}

/** Says which names at one place are values; of each name all that is kept of it and of what is below. */
export interface NamesJudge<Use> {
  /** So many of all of them. */
  areMany(names: readonly (readonly Use[])[]): boolean;
  /** Few ask for it. */
  isFew(use: Use): boolean;
  /** So many of those of which few ask for each, and that have the same methods and the same below them. */
  areAlike(names: readonly (readonly Use[])[]): boolean;
}

/** Of what nobody makes rules. */
const ALL_FOLD: NameManners = {
  namesMax: DEFAULTS.inventoryNamesMax,
  ofOneMax: DEFAULTS.inventoryNamesMax,
  foldsAll: true,
};

/** What is kept of one method of one template. */
export interface TreeUse<Use> {
  /** Takes over what was kept of another, when two templates turn out to be one. */
  join(other: Use): void;
  /** It is forgotten. */
  release(): void;
}

interface Node<Use> {
  /** By name, and by kind in braces. */
  readonly names: Map<string, Node<Use>>;
  readonly kinds: Map<string, Node<Use>>;
  readonly operations: Map<string, Use>;
  /** So many names stood here that they are values. */
  isFolded: boolean;
  /** How many names each client has brought; null where nobody counts that. */
  brought: Map<number, number> | null;
}

const SLUG = "{slug}";

function emptyNode<Use>(): Node<Use> {
  return { names: new Map(), kinds: new Map(), operations: new Map(), isFolded: false, brought: null };
}

/**
 * What is behind the `**` of a route, learnt from the requests that the service answered: steps that are names, and others by
 * their kind. Where more names stand at one place than an API has, they are values, and become one.
 */
export class PathTree<Use extends TreeUse<Use>> {
  readonly #root = emptyNode<Use>();
  readonly #room: TreeRoom;
  readonly #make: (method: string) => Use;
  readonly #manners: NameManners;

  constructor(room: TreeRoom, make: (method: string) => Use, manners: NameManners = ALL_FOLD) {
    this.#room = room;
    this.#make = make;
    this.#manners = manners;
  }

  /** What is known already of a path whose steps begin at `from`; nothing is learnt. */
  find(segments: readonly string[], from: number, method: string): Use | null {
    let node: Node<Use> | undefined = this.#root;
    for (let at = from; at < segments.length; at++) {
      const segment = segments[at] ?? "";
      node = node.names.get(segment) ?? node.kinds.get(kindStep(segment));
      if (node === undefined) return null;
    }
    return node.operations.get(method) ?? null;
  }

  /** The same by steps, learnt where it is not known; null where there is no room. `client`: who brings it, by number. */
  learn(steps: readonly string[], method: string, client: number | null = null): Use | null {
    let node = this.#root;
    for (const step of steps) {
      const next = this.#next(node, step, client);
      if (next === null) return null;
      node = next;
    }
    const known = node.operations.get(method);
    if (known !== undefined) return known;
    if (this.#room.operations <= 0) return null;
    this.#room.operations--;
    const use = this.#make(method);
    node.operations.set(method, use);
    return use;
  }

  /** Every operation with its steps. */
  *all(): Generator<readonly [steps: readonly string[], use: Use]> {
    yield* walk(this.#root, []);
  }

  /** Names at one place become one value where the judge says that they are values: `/users/alice` and `/users/bob`. */
  foldNames(judge: NamesJudge<Use>): void {
    this.#foldNames(this.#root, judge);
  }

  /** The tree is forgotten: its places are others'. */
  release(): void {
    this.#release(this.#root);
  }

  #next(node: Node<Use>, step: string, client: number | null): Node<Use> | null {
    if (isKind(step)) {
      // Of a tree that was written with its names folded.
      if (step === SLUG && !node.isFolded) this.#fold(node);
      return node.kinds.get(step) ?? this.#grow(node.kinds, step);
    }
    const known = node.names.get(step);
    if (known !== undefined) return known;
    if (!node.isFolded && this.#takesName(node, client)) return this.#grow(node.names, step);
    if (!node.isFolded && this.#manners.foldsAll) this.#fold(node);
    return node.kinds.get(SLUG) ?? this.#grow(node.kinds, SLUG);
  }

  #takesName(node: Node<Use>, client: number | null): boolean {
    if (node.names.size >= this.#manners.namesMax) return false;
    if (client === null) return true;
    node.brought ??= new Map();
    const brought = node.brought.get(client) ?? 0;
    if (brought >= this.#manners.ofOneMax) return false;
    node.brought.set(client, brought + 1);
    return true;
  }

  #grow(room: Map<string, Node<Use>>, step: string): Node<Use> | null {
    if (this.#room.nodes <= 0) return null;
    this.#room.nodes--;
    const node = emptyNode<Use>();
    room.set(step, node);
    return node;
  }

  /** Its names become one value. */
  #fold(node: Node<Use>): void {
    node.isFolded = true;
    const [first, ...others] = node.names.values();
    node.names.clear();
    if (first === undefined) return;
    const slug = node.kinds.get(SLUG);
    if (slug === undefined) node.kinds.set(SLUG, first);
    else this.#join(slug, first);
    const into = slug ?? first;
    for (const other of others) this.#join(into, other);
  }

  #foldNames(node: Node<Use>, judge: NamesJudge<Use>): void {
    const names = Array.from(node.names, ([name, child]) => ({ name, child, uses: usesOf(child) }));
    const few = names.filter(({ uses }) => uses.every(judge.isFew));
    const alike = Map.groupBy(few, ({ child }) => formOf(child)).values();
    const groups = judge.areMany(names.map(({ uses }) => uses))
      ? [names]
      : [...alike].filter((group) => judge.areAlike(group.map(({ uses }) => uses)));
    for (const { name, child } of groups.flat()) {
      node.names.delete(name);
      this.#adopt(node.kinds, SLUG, child);
    }
    for (const child of [...node.names.values(), ...node.kinds.values()]) this.#foldNames(child, judge);
  }

  #join(into: Node<Use>, from: Node<Use>): void {
    this.#room.nodes++;
    for (const [method, use] of from.operations) {
      const own = into.operations.get(method);
      if (own === undefined) into.operations.set(method, use);
      else {
        own.join(use);
        this.#room.operations++;
      }
    }
    if (from.isFolded && !into.isFolded) this.#fold(into);
    for (const [kind, child] of from.kinds) this.#adopt(into.kinds, kind, child);
    for (const [name, child] of from.names) {
      const isFull = !into.isFolded && !into.names.has(name) && into.names.size >= this.#manners.namesMax;
      if (isFull && this.#manners.foldsAll) this.#fold(into);
      if (into.isFolded || isFull) this.#adopt(into.kinds, SLUG, child);
      else this.#adopt(into.names, name, child);
    }
  }

  #adopt(room: Map<string, Node<Use>>, step: string, child: Node<Use>): void {
    const known = room.get(step);
    if (known === undefined) room.set(step, child);
    else this.#join(known, child);
  }

  #release(node: Node<Use>): void {
    for (const use of node.operations.values()) {
      use.release();
      this.#room.operations++;
    }
    for (const child of [...node.names.values(), ...node.kinds.values()]) {
      this.#room.nodes++;
      this.#release(child);
    }
  }
}

/** Of what is not known as a name. */
function kindStep(segment: string): string {
  const kind = kindOf(segment);
  return kind === null ? SLUG : stepOf(kind);
}

function usesOf<Use>(node: Node<Use>): readonly Use[] {
  return Array.from(walk(node, []), ([, use]) => use);
}

/** Its methods and those of what is below it. */
function formOf<Use>(node: Node<Use>): string {
  const methods = [...node.operations.keys()].toSorted().join(" ");
  const below = [...node.names, ...node.kinds].map(([step, child]) => `${step}:${formOf(child)}`).toSorted();
  return `${methods}(${below.join(",")})`;
}

function isKind(step: string): boolean {
  return step === "" || step.startsWith("{");
}

function* walk<Use>(node: Node<Use>, steps: readonly string[]): Generator<readonly [readonly string[], Use]> {
  for (const use of node.operations.values()) yield [steps, use];
  for (const [step, child] of [...node.names, ...node.kinds]) yield* walk(child, [...steps, step]);
}
