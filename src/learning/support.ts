import { DEFAULTS } from "../support/defaults.ts";

/** How much has to be behind a rule. */
export interface Thresholds {
  readonly requests: number;
  readonly callers: number;
}

/** How often something was seen, and of how many clients. Many requests of one client are one client's still. */
export class Support {
  requests = 0;
  /** By number (`sources.ts`); no more than `#most`. */
  readonly sources: Set<number> = new Set();
  readonly #most: number;

  constructor(most: number = DEFAULTS.learnPartSourcesMax) {
    this.#most = most;
  }

  note(source: number): void {
    this.requests++;
    if (this.sources.size < this.#most) this.sources.add(source);
  }

  join(other: Support): void {
    this.requests += other.requests;
    for (const source of other.sources) {
      if (this.sources.size >= this.#most) break;
      this.sources.add(source);
    }
  }

  isEnough({ requests, callers }: Thresholds): boolean {
    return this.requests >= requests && this.sources.size >= callers;
  }

  /** `17`, or `256 or more`. */
  get callersText(): string {
    return this.sources.size < this.#most ? String(this.sources.size) : `${this.#most} or more`;
  }
}

/** The support of a key in a map that has room for so many; null where it has none. */
export function supportIn<Key>(of: Map<Key, Support>, key: Key, most: number): Support | null {
  const known = of.get(key);
  if (known !== undefined) return known;
  if (of.size >= most) return null;
  const support = new Support();
  of.set(key, support);
  return support;
}

export function joinSupports<Key>(own: Map<Key, Support>, others: ReadonlyMap<Key, Support>, most: number): void {
  for (const [key, support] of others) supportIn(own, key, most)?.join(support);
}

/**
 * The largest size that enough callers have reached: no single one moves a bound. Below 0 for no such size. Sizes of one
 * direction, larger is more.
 */
export function reachedSize(sizes: ReadonlyMap<number, Support>, { callers }: Thresholds): number {
  const reached = new Set<number>();
  for (const size of [...sizes.keys()].toSorted((a, b) => b - a)) {
    for (const source of sizes.get(size)?.sources ?? []) reached.add(source);
    if (reached.size >= callers) return size;
  }
  return -1;
}

/** Whether the source may bring another: nobody alone fills the room that all have. */
export function brings(brought: Map<number, number>, source: number, most: number): boolean {
  const before = brought.get(source) ?? 0;
  brought.set(source, before + 1);
  return before < most;
}
