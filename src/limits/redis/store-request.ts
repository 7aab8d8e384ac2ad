import type { Admitted, Ask, StoreAnswer } from "./ask.ts";
import type { Taken } from "./group.ts";
import type { OpenLink, StoreAddress } from "./link.ts";

export interface StoreOptions {
  /** Of the policy's entry that named it first. */
  readonly name: string;
  readonly address: StoreAddress;
  /** What keys begin with, so that several services may share a store. */
  readonly prefix: string;
  readonly timeoutMs: number;
  readonly open: OpenLink;
}

/** Where the answers to requests came from. */
export interface StoreCounts {
  /** The store was asked, */
  asked: number;
  /** what was taken before was spent, */
  leased: number;
  /** the key was known to be over, */
  remembered: number;
  /** nobody said in time. */
  unavailable: number;
}

/** One request, and what is known of it. */
export interface StoreRequest {
  readonly asks: readonly Ask[];
  readonly names: readonly string[];
  /** Null where the store is still to say. */
  readonly answers: readonly (StoreAnswer | null)[];
  readonly deadlineMs: number;
}

/** What a call said of some of a request's asks, in their order. */
export interface StorePart {
  readonly indexes: readonly number[];
  readonly taken: readonly Taken[];
  readonly isOfOtherTime: boolean;
}

/** The probe's counter: a key that no request has. */
export const PROBE: Ask = {
  counter: { id: "probe", terms: { kind: "rate", intervalUs: 1000, toleranceUs: 1_000_000 }, lease: 0 },
  key: "probe",
  cost: 1,
};

/** All of them were admitted. */
export function isWhole(answers: readonly (StoreAnswer | null)[]): answers is readonly Admitted[] {
  for (const answer of answers) if (answer?.kind !== "admitted") return false;
  return true;
}
