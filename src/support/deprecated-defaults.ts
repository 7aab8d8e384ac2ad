/** Of versions that end: the part of `DEFAULTS` about `deprecated`. */
export const DEPRECATED_DEFAULTS = {
  deprecatedBrownoutsMax: 100,
  deprecatedExceptionsMax: 100,
  /** Routes whose callers are remembered, of this policy and of earlier ones. */
  deprecatedRoutesMax: 1_000,
  /** Callers that are remembered for one route, of each kind: known ones, and addresses of who is not known. */
  deprecatedCallersMax: 1_000,
  deprecatedCallerCharsMax: 256,
  /** Of all that one answer of the admin port lists. */
  deprecatedListMax: 1_000,
  /** Changes of so long are one write. */
  deprecatedWriteMs: 30_000,
} as const;
