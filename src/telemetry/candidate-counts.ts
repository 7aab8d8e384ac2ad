import type { Place } from "../decision/verdict.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { TopCounts } from "../support/top-counts.ts";

/** What became of a request that the candidate might have judged; closed, for it is a metric label. */
export const CANDIDATE_RESULTS = [
  "same",
  "different",
  "unknown", // it would have had to ask somebody, to read a body that is not here, or to wait
  "budget", // its share of the processor was spent
  "crowded", // too many were waiting for it
] as const;

export type CandidateResult = (typeof CANDIDATE_RESULTS)[number];

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

/** What a candidate said of requests beside the policy in force. As long as that text of it stands. */
export class CandidateCounts {
  readonly hash: string;
  readonly results: Record<CandidateResult, number> = { same: 0, different: 0, unknown: 0, budget: 0, crowded: 0 };
  /** Why a verdict is not known, by what would have been needed. */
  readonly unknown: TopCounts = new TopCounts(DEFAULTS.candidateUnknownsMax);
  readonly differences: Map<string, DifferenceCounts> = new Map();
  /** Of kinds that had no room among them. */
  otherDifferences = 0;
  spentMs = 0;

  constructor(hash: string) {
    this.hash = hash;
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
