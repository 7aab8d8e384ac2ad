/** Of what must not be seen in bodies: the part of `DEFAULTS` about `leaks`. */
export const LEAK_DEFAULTS = {
  /** Longest text that a pattern of the policy's own can match, in characters. */
  leakPatternLengthMax: 512,
  /** Patterns of one route's own. */
  leakPatternsMax: 50,
  /** Paths that are allowed to have one. */
  leakAllowedMax: 256,
  /** Finds of one answer or request that the log names. */
  leakNotedMax: 20,
} as const;
