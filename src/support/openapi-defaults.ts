/** Limits of API descriptions. Units stand last in the names. */
export const OPENAPI_DEFAULTS = {
  /** One file of a description. YAML takes some thirty times its size while it is read. */
  openapiFileBytesMax: 16 * 1024 * 1024,
  /** All files of a description together, and their number. */
  openapiBytesMax: 32 * 1024 * 1024,
  openapiFilesMax: 200,
  openapiDepthMax: 128,
  openapiNodesMax: 4_000_000,
  openapiOperationsMax: 10_000,
  /** References that lead from one to the next. */
  openapiReferencesMax: 32,
  /** Each of problems, warnings and kinds of what is not enforced, of one description. */
  openapiFindingsMax: 1_000,
  /** Base paths of one operation, with all values of its servers' variables. */
  openapiBasesMax: 16,
  /** Alternatives and schemes of one operation's security, written out. */
  openapiAlternativesMax: 32,
  /** Parts that an Overlay's targets may look at. */
  openapiOverlayStepsMax: 5_000_000,
  /** Values that the actions of an Overlay write, some 500 bytes each: one that copies what others copied doubles it each time. */
  openapiOverlayValuesMax: 200_000,
  /** Parts of one operation's request that 'import --coverage' looks at. */
  openapiPartsMax: 10_000,
  /** What is not enforced, and operations that say nothing of callers, named in one line. */
  openapiNamedMax: 12,
} as const;
