/** Of `learn`: when what was seen is enough for a rule, and what is remembered meanwhile. */
export const LEARNING_DEFAULTS = {
  /** Requests and callers that an operation, and each part of it, has to have behind it. */
  learnRequestsMin: 10,
  learnCallersMin: 2,
  /** Clients that are told apart; all further ones are one. */
  learnSourcesMax: 100_000,
  /** Of one operation, and of one part of it: clients that are counted. */
  learnOperationSourcesMax: 256,
  learnPartSourcesMax: 32,
  /** Operations of one policy, and steps of their paths. */
  learnOperationsMax: 4_000,
  learnNodesMax: 16_000,
  /** Of one operation: parameters, media types, sets of what callers may do, values of a parameter. */
  learnParametersMax: 128,
  learnParametersOfOneMax: 64,
  learnMediaTypesMax: 16,
  learnIdentitiesMax: 256,
  /** Of those sets, how many one caller may bring. */
  learnIdentitiesOfOneMax: 16,
  learnValuesMax: 16,
  /** Of the last two, how many one caller may bring. */
  learnMediaTypesOfOneMax: 8,
  learnValuesOfOneMax: 8,
  /** Callers that a rule names; where there are more, it names none. */
  learnNamedMax: 16,
  /** Names at one place, of few callers each, that are one value. */
  learnAlikeMin: 5,
  /** Names at one place, and how many of them one caller may bring; all further ones are one value. */
  learnNamesMax: 256,
  learnNamesOfOneMax: 64,
  /** What a list of values has at most, and how many callers have to have sent each. */
  learnEnumMax: 8,
  learnEnumCallersMin: 3,
  /** Who fails so often, in so many ways, and more often than not, is a scanner. */
  learnScannerFailuresMin: 20,
  learnScannerWaysMin: 10,
  /** Rows of what is left out: kept, and written for people. */
  learnLeftOutMax: 512,
  learnLeftOutToldMax: 64,
  /** How much more than was seen is let through: of requests, lengths and bodies. */
  learnHeadRoom: 2,
  /** A peak that is so many times that of others is nobody's but its own. */
  learnPeakTimesMax: 10,
  learnWindowMs: 60_000,
  /** A limit is never tighter. */
  learnRateMin: 10,
  learnBodyBytesMin: 1024,
} as const;
