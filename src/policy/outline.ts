/** What is kept of a policy's text to tell it from another: digests alone where it serves, its values for who compares. */
export type OutlineKind = "digests" | "values";

export interface Outlined {
  readonly digest: string;
  /** As the policy has it; undefined where only digests are kept. */
  readonly value: unknown;
}

/** A policy's text as parts that can be compared with another's. */
export interface PolicyOutline {
  /** Whatever is no route, by its name in the policy: `limits.perAddress`, `defaults.address`, `listeners.inbound`, `admin`. */
  readonly sections: ReadonlyMap<string, Outlined>;
  /** In the order of `Snapshot.routeList`, without what says which requests they are for: a `Route` has that. */
  readonly routes: readonly Outlined[];
  /** Files that the policy names → SHA-256 of what is in them. */
  readonly files: ReadonlyMap<string, string>;
}
