/** How a request for what is deprecated went; closed, for it is a metric label. */
export const DEPRECATED_OUTCOMES = [
  "served", // it had not ended
  "excepted", // it would have been refused, had the policy not excepted the caller
  "brownout",
  "ended",
] as const;

export type DeprecatedOutcome = (typeof DEPRECATED_OUTCOMES)[number];
