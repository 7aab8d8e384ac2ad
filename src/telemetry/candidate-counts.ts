import type { Place } from "../decision/verdict.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { TopCounts } from "../support/top-counts.ts";

/** What became of a request that the candidate might have judged; closed, for it is a metric label. */
export const CANDIDATE_RESULTS = [
  "same",
  "different",
  "counted", // one of the two refused it by what it counts
  "unknown", // it would have had to ask somebody, to read a body that is not here, or to wait
  "budget", // its share of the processor was spent
  "crowded", // too many were waiting for it
] as const;

export type CandidateResult = (typeof CANDIDATE_RESULTS)[number];

/** Reasons of what a candidate counts itself. */
export const COUNTED_REASONS: ReadonlySet<string> = new Set([
  "rate_limited",
  "quota_exceeded",
  "budget_exceeded",
  "distinct_exceeded",
  "concurrency_limited",
  "concurrency_full",
  "banned",
]);

/** What metrics have of it. */
export interface CandidateFigures {
  /** Null where the text that stands there now cannot judge. */
  readonly counts: CandidateCounts | null;
}

/** `allow`, or the reason of a denial. */
export type Said = string;

/** A request of which the two policies say different things: nothing of what its client sent. */
export interface Difference {
  readonly id: string;
  readonly method: string;
  /** Templates. */
  readonly route: string;
  readonly candidateRoute: string;
  readonly live: Said;
  readonly candidate: Said;
  /** Of the check that denies, in the candidate and in the policy in force. */
  readonly candidatePlace: Place | null;
  readonly livePlace: Place | null;
  readonly caller: string;
}

/** Those of one route with the same two verdicts. */
export interface DifferenceCounts {
  readonly first: Difference;
  count: number;
  readonly callers: TopCounts;
  /** The first ones. */
  readonly examples: { readonly id: string; readonly atMs: number; readonly method: string; readonly caller: string }[];
}

/** Requests of one route that one policy or both refused by what it counts, for one reason. */
export interface CountedRefusals {
  readonly route: string;
  readonly reason: Said;
  live: number;
  candidate: number;
  livePlace: Place | null;
  candidatePlace: Place | null;
  /** Of those that one alone refused. */
  readonly callers: TopCounts;
}

/** A check that is not tried. */
export interface UntriedCheck {
  readonly check: string;
  readonly place: Place;
}

/** What a candidate said of requests beside the policy in force. As long as that text of it stands. */
export class CandidateCounts {
  readonly hash: string;
  readonly results: Record<CandidateResult, number> = {
    same: 0,
    different: 0,
    counted: 0,
    unknown: 0,
    budget: 0,
    crowded: 0,
  };
  /** Why a verdict is not known, by what would have been needed. */
  readonly unknown: TopCounts = new TopCounts(DEFAULTS.candidateUnknownsMax);
  readonly differences: Map<string, DifferenceCounts> = new Map();
  /** Of kinds that had no room among them. */
  otherDifferences = 0;
  readonly refusals: Map<string, CountedRefusals> = new Map();
  /** What of the routes that requests took is not tried, by template. */
  untried: ReadonlyMap<string, readonly UntriedCheck[]> = new Map();
  spentMs = 0;

  constructor(hash: string) {
    this.hash = hash;
  }

  /** `live` or `candidate`, or both, refused it by what it counts. */
  refuses(difference: Difference): void {
    this.#refused(difference, difference.live);
    if (difference.candidate !== difference.live) this.#refused(difference, difference.candidate);
  }

  #refused({ route, live, candidate, livePlace, candidatePlace, caller }: Difference, reason: Said): void {
    if (!COUNTED_REASONS.has(reason)) return;
    const key = `${route}\n${reason}`;
    let refusals = this.refusals.get(key);
    if (refusals === undefined) {
      if (this.refusals.size >= DEFAULTS.candidateDifferencesMax) {
        this.otherDifferences++;
        return;
      }
      const callers = new TopCounts(DEFAULTS.candidateCallersMax);
      refusals = { route, reason, live: 0, candidate: 0, livePlace: null, candidatePlace: null, callers };
      this.refusals.set(key, refusals);
    }
    if (live === reason) {
      refusals.live++;
      refusals.livePlace ??= livePlace;
    }
    if (candidate === reason) {
      refusals.candidate++;
      refusals.candidatePlace ??= candidatePlace;
    }
    if (live !== candidate) refusals.callers.note(caller);
  }

  /** True where it is the first of its kind. */
  differs(difference: Difference, atMs: number): boolean {
    this.results.different++;
    const key = `${difference.route}\n${difference.live}\n${difference.candidate}`;
    let counts = this.differences.get(key);
    const isFirst = counts === undefined;
    if (counts === undefined) {
      if (this.differences.size >= DEFAULTS.candidateDifferencesMax) {
        this.otherDifferences++;
        return false;
      }
      counts = { first: difference, count: 0, callers: new TopCounts(DEFAULTS.candidateCallersMax), examples: [] };
      this.differences.set(key, counts);
    }
    counts.count++;
    counts.callers.note(difference.caller);
    const { id, method, caller } = difference;
    if (counts.examples.length < DEFAULTS.candidateExamplesMax) counts.examples.push({ id, atMs, method, caller });
    return isFirst;
  }
}
