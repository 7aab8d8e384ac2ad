/** Of the ladder and of a candidate policy: the part of `DEFAULTS` about what would be denied. */
export const LADDER_DEFAULTS = {
  /** Checks that do not enforce and whose denials are counted by caller. */
  ladderChecksMax: 1_000,
  /** Callers, routes and reasons that are told apart for one check. */
  ladderCallersMax: 16,
  ladderRoutesMax: 16,
  ladderReasonsMax: 16,
  /** Routes of a check that are listed. */
  ladderRoutesListedMax: 8,
  /** Lines a second about callers that a check would deny for the first time. */
  ladderLogLinesPerSecondMax: 1,
  /** Steps that are set at a time, and how long one may last; an hour if nothing is said. */
  ladderStepsMax: 16,
  ladderStepMsMin: 1_000,
  /** After so long a step that could not be ended is tried again. */
  ladderRetryMs: 5_000,
  ladderStepMsMax: 24 * 60 * 60_000,
  /** Of requests, and of one processor's time. */
  candidateShare: 0.1,
  candidateCpuShare: 0.02,
  /** What it may take at once. */
  candidateBurstMs: 20,
  /** Requests that wait for it. */
  candidateWaitingMax: 32,
  /** Of a request, and of an answer that it looks at. */
  candidateBodyBytesMax: 64 * 1024,
  /** Answers that are seen at a time. */
  candidateAnswersMax: 16,
  /** Keys that a limit of it counts at once. */
  candidateKeysMax: 16_384,
  /** Kinds of differences: route, and the two verdicts. */
  candidateDifferencesMax: 200,
  candidateCallersMax: 8,
  candidateExamplesMax: 3,
  candidateUnknownsMax: 16,
  /** Routes, and checks of each, that it is said not to try. */
  candidateUntriedRoutesMax: 200,
  candidateUntriedChecksMax: 16,
  /** Refusals by counting that one policy may have more than the other and still say the same: so many, and a part of them. */
  candidateCountedSlack: 3,
  candidateCountedShare: 0.1,
  /** Of `guard`: share of the known callers, and how many they are at least. */
  guardDenials: 0.2,
  guardCallers: 10,
  guardWithinMs: 60_000,
  guardWithinMsMax: 60 * 60_000,
  /** Callers that are told apart. */
  guardCallersMax: 10_000,
  guardWaitingMax: 64,
} as const;
