/** Of versions that are not in the path: the part of `DEFAULTS` about `versions`. */
export const VERSION_DEFAULTS = {
  /** Places where requests may name their version. */
  versionSourcesMax: 8,
  versionNameCharsMax: 64,
  /** Of one route. */
  routeVersionsMax: 32,
  /** Of a policy: each has a tree of its own. */
  versionsMax: 64,
} as const;
