/** What clients are told of a limit, known at load. */
export interface LimitPolicy {
  /** Its name in the policy: visible ASCII without quotes and backslashes. */
  readonly name: string;
  /** Of `quota` units within `windowSeconds` (0: it has no window). */
  readonly quota: number;
  readonly windowSeconds: number;
  /** `requests`, `content-bytes`, `concurrent-requests`, or a word of the policy's own for budgets. */
  readonly unit: string;
  /** Who counts together. */
  readonly scope: LimitScope;
  /** Which fields tell it. */
  readonly fields: readonly LimitFields[];
}

/** `process`: all threads of this one. `replicas`: the store that several share, or a part of what they have together. */
export type LimitScope = "process" | "replicas";

/** Fields that tell a client of its limits: those of today's draft, those of drafts up to 07, those from before any. */
export type LimitFields = "draft-11" | "draft-06" | "x-ratelimit";

/** What one limit had left for a request, and when it will have more. */
export interface LimitState {
  readonly policy: LimitPolicy;
  remaining: number;
  /** Until all is back; where the request was refused, until the next one passes. */
  readonly resetSeconds: number;
  /** Tells the key from others, as 64 bits that say nothing else; null where clients are not told. */
  readonly partition: readonly [number, number] | null;
  /** Of the limit that was met before. */
  readonly before: LimitState | null;
}
