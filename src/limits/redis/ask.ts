/** A window of a calendar and the end of the one behind it; Unix seconds, for calendars turn at whole ones. */
export interface QuotaWindows {
  readonly start: number;
  readonly end: number;
  readonly next: number;
}

export interface RateTerms {
  readonly kind: "rate";
  readonly intervalUs: number;
  readonly toleranceUs: number;
}

export interface QuotaTerms {
  readonly kind: "quota";
  readonly limit: number;
  /** At a time of the store's clock, Unix milliseconds. */
  windowsAt(wallMs: number): QuotaWindows;
}

/** So many different members within a time that begins anew whenever one is asked for. */
export interface DistinctTerms {
  readonly kind: "distinct";
  readonly limit: number;
  readonly windowUs: number;
}

/** A limit as a store counts it. Compared by identity: another policy's has terms of its own. */
export interface StoreCounter {
  /** Of the limit, with a digest of what its key is made of: what is kept under another key is not its own. */
  readonly id: string;
  readonly terms: RateTerms | QuotaTerms | DistinctTerms;
  /** How many units are taken at once for a key that is asked often; 0 for no leases. */
  readonly lease: number;
}

/** One limit of one request. */
export interface Ask {
  readonly counter: StoreCounter;
  /** The caller's key, canonical; it leaves the process as a digest alone. */
  readonly key: string;
  /** Units, whole, at least 1. */
  readonly cost: number;
  /** Of a limit on different members the one that is asked for, canonical; it leaves the process as a digest alone. */
  readonly member?: string;
}

export interface Admitted {
  readonly kind: "admitted";
  /** What more of `cost` 1 would be let in now. */
  readonly remaining: number;
  /** Milliseconds until all is back. */
  readonly resetMs: number;
  /** From a lease, whose units are given back to it. */
  readonly isLeased: boolean;
  /**
   * Of what it was taken, by the store's clock: the TAT that it left behind, Unix microseconds; of a quota the end of the
   * window, Unix seconds; of a member when it was added, or 0 where it was there.
   */
  readonly mark: number;
}

export interface Over {
  readonly kind: "over";
  /** Milliseconds until the same request would be let in. */
  readonly waitMs: number;
}

/** `spared`: not counted, for another of the request's limits is over. `unavailable`: the store did not say in time. */
export type StoreAnswer = Admitted | Over | { readonly kind: "spared" | "unavailable" };

export const SPARED: StoreAnswer = { kind: "spared" };
export const UNAVAILABLE: StoreAnswer = { kind: "unavailable" };
