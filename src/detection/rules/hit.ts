import type { Place } from "../seclang/directive.ts";

/** A rule that matched. */
export interface Hit {
  readonly id: number;
  readonly message: string;
  readonly tags: readonly string[];
  /** As ModSecurity counts: 0 emergency … 7 debug; null where the rule says none. */
  readonly severity: number | null;
  /** What it adds to the score of the request or the answer. */
  readonly score: number;
  /** `ARGS:json.name`. */
  readonly target: string;
  /** The part that matched, a secret of the client's: whoever shows it masks it. */
  readonly matched: string;
  readonly place: Place;
  readonly phase: number;
  /** 0 where the rule belongs to no level. */
  readonly paranoia: number;
}

export const MATCHED_CHARACTERS_MAX = 100;
