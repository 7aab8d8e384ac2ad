import { DEFAULTS } from "../support/defaults.ts";
import { kindOf, stepOf } from "./segment-kind.ts";

/** How many operations and steps of paths may still be learnt, of all routes together. */
export interface TreeRoom {
  operations: number;
  nodes: number;
}

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
}

const SLUG = "{slug}";

function emptyNode<Use>(): Node<Use> {
  return { names: new Map(), kinds: new Map(), operations: new Map(), isFolded: false };
}

/**
 * What is behind the `**` of a route, learnt from the requests that the service answered: steps that are names, and others by
 * their kind. Where more names stand at one place than an API has, they are values, and become one.
 */
export class PathTree<Use extends TreeUse<Use>> {
  readonly #root = emptyNode<Use>();
  readonly #room: TreeRoom;
  readonly #make: (method: string) => Use;

  constructor(room: TreeRoom, make: (method: string) => Use) {
    this.#room = room;
    this.#make = make;
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

  /** The same by steps, learnt where it is not known; null where there is no room. */
  learn(steps: readonly string[], method: string): Use | null {
    let node = this.#root;
    for (const step of steps) {
      const next = this.#next(node, step);
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

  /**
   * Names at one place of which nobody but a few asks for each, and that are otherwise alike, are values, too: `/users/alice` and
   * `/users/bob`. So many of them become one.
   */
  foldAlike(alikeMin: number, isFew: (use: Use) => boolean): void {
    this.#foldAlike(this.#root, alikeMin, isFew);
  }

  /** The tree is forgotten: its places are others'. */
  release(): void {
    this.#release(this.#root);
  }

  #next(node: Node<Use>, step: string): Node<Use> | null {
    if (isKind(step)) {
      // Of a tree that was written with its names folded.
      if (step === SLUG && !node.isFolded) this.#fold(node);
      return node.kinds.get(step) ?? this.#grow(node.kinds, step);
    }
    const known = node.names.get(step);
    if (known !== undefined) return known;
    if (!node.isFolded && node.names.size < DEFAULTS.inventoryNamesMax) return this.#grow(node.names, step);
    if (!node.isFolded) this.#fold(node);
    return node.kinds.get(SLUG) ?? this.#grow(node.kinds, SLUG);
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

  #foldAlike(node: Node<Use>, alikeMin: number, isFew: (use: Use) => boolean): void {
    const groups = new Map<string, string[]>();
    for (const [name, child] of node.names) {
      if (!usesOf(child).every(isFew)) continue;
      const form = formOf(child);
      groups.set(form, [...(groups.get(form) ?? []), name]);
    }
    for (const names of groups.values()) {
      if (names.length < alikeMin) continue;
      for (const name of names) {
        const child = node.names.get(name);
        node.names.delete(name);
        if (child !== undefined) this.#adopt(node.kinds, SLUG, child);
      }
    }
    for (const child of [...node.names.values(), ...node.kinds.values()]) this.#foldAlike(child, alikeMin, isFew);
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
      if (!into.isFolded && !into.names.has(name) && into.names.size >= DEFAULTS.inventoryNamesMax) this.#fold(into);
      if (into.isFolded) this.#adopt(into.kinds, SLUG, child);
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
