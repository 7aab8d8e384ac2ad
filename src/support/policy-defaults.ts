/** Of policies, their reload and the process: a part of `DEFAULTS`. */
export const POLICY_DEFAULTS = {
  // Policy, reload, shutdown.
  /** A policy, and each file that it names. */
  policyBytesMax: 16 * 1024 * 1024,
  /** Levels of nesting in a policy; the language itself needs few, a JSON Schema inside it some more. */
  policyDepthMax: 64,
  /** Files of section `include`. */
  includedFilesMax: 1_000,
  /** Different values that a policy has by reference, as in `${env:NAME}`. */
  referencesMax: 1_000,
  /** Values in a policy with its aliases written out: what an alias bomb runs into. */
  policyNodesMax: 1_000_000,
  /** Problems shown for one policy; a reader mends the first ones anyway. */
  policyProblemsMax: 1_000,
  /** Names that do not exist for each of which the nearest one that does is looked for, in one section of a policy. */
  hintsMax: 100,
  /** Words that a problem counts up as what is expected. */
  hintWordsMax: 50,
  listenersMax: 100,
  /** Of the routes that one check does not enforce for, how many one line of `check` and of the log names. */
  rungRoutesNamedMax: 3,
  /** Lines of `check` about what does not enforce, each with up to so many routes; `--json` has them all. */
  rungLinesMax: 1_000,
  /** Tests of a policy, those of each matrix among them; steps of one, how often a step asks, and how long a name is. */
  policyTestsMax: 100_000,
  testStepsMax: 100,
  testRequestsMax: 10_000,
  testNameCharactersMax: 256,
  /** What tests may take before a swap; those that are left are a warning. Files of tests beside a policy. */
  testBudgetMs: 2_000,
  testFilesMax: 100,
  /** How long a file has to stand still until '--watch' of a command takes it for whole. */
  watchSettleMs: 200,
  /** Callers of one file that 'postern test --generate' tries. */
  generatedCallersMax: 20,
  /** Until a request of a test has its verdict. */
  testVerdictMs: 5_000,
  /** Lines of `postern test` about what no test has tried. */
  testLinesMax: 50,
  /** Routes and sections that the log names of each kind of change that a reload makes. */
  changeNamesMax: 3,
  /** Requests that `postern diff` asks both policies about, over all; of one place at least so many. */
  diffWitnessesMax: 60_000,
  diffPlaceWitnessesMin: 24,
  /** Who asks at one place; callers of one file that differ in what a rule can look at, among so many that are looked at. */
  diffAskersMax: 96,
  diffCallersMax: 8,
  /** Callers of a file that differ in what a rule can look at, of whom each place takes those. */
  diffCallersKeptMax: 256,
  /** Callers of files that are looked at: by 'diff', and for the one whom a test of a policy may have meant. */
  callersSeenMax: 10_000,
  /** Paths of one place on which another template's own text stands in place of a parameter. */
  diffMeetingsMax: 8,
  /** Patterns of one place that are told from each other, and texts that are kept for other places. */
  diffPatternsMax: 16,
  diffPatternsKeptMax: 4_096,
  /** Differences that it tells for a person, and for each of them who is meant. */
  diffDifferencesMax: 200,
  diffIdentitiesMax: 5,
  /** Of a rule that a comment names and that is none, so many characters are told. */
  lintNameLengthMax: 64,
  /** Problems shown for one file that a policy names. */
  fileProblemsMax: 20,
  /** A timer of more than 2^31 - 1 ms fires at once; a day is more than any timeout needs. */
  timeoutMsMax: 86_400_000,
  headBytesCeiling: 1024 * 1024,
  /** Characters of a path template; bounds how deep the route tree gets. */
  templateLengthMax: 1024,
  /** Places that the search for a broader route looks at for each one, so that branches of parameters cannot multiply. */
  broaderPlacesMax: 256,
  /** From being ready to watching the policy: to load a watcher takes 20 ms, which the first requests need not wait for. */
  watchDelayMs: 100,
  reloadDebounceMs: 100,
  reloadPollMs: 2_000,
  /** How long a file that is written where it stands has to stand still before it is taken for whole. */
  reloadSettleMs: 1_000,
  /** The same for one that ended with YAML's `...` and does not any more. */
  reloadUnmarkedMs: 30_000,
  /** A file that the policy names and that never stands still is taken as it is after so long; the policy never. */
  reloadSettleMaxMs: 10_000,
  drainTimeoutMs: 25_000,
  /** After the first policy is in force: how long a while without requests is, and for how many of them one is waited for. */
  quietLookMs: 1_000,
  quietLooksMax: 30,
  /** How long a reload holds up requests at a stretch, where its steps can be cut. */
  compileSliceMs: 2,
  /** How often deadlines of connections are looked at; a deadline is met late by at most this. */
  sweepIntervalMs: 250,
  forwardedHopsMax: 32,
  certificateWarningDays: 30,
  /** A client's chain, where postern looks at it itself: how many authorities it may send, and how many signatures are verified. */
  chainCertificatesMax: 8,
  chainSignaturesMax: 16,
  /** A certificate in a header: its size with its chain, how many are remembered once they were judged, and for how long. */
  forwardedCertificateBytesMax: 24_576,
  forwardedCertificatesMax: 256,
  /** URIs and DNS names that a proxy tells without the certificate. */
  forwardedNamesMax: 64,
  forwardedCertificateMs: 60_000,
  /** DER of a client's chain that the service is told; of a longer one it is told the leaf. */
  certificateLinesBytesMax: 8_192,
  /** A SPIFFE agent: its answers, how long the first may take, pauses before it is asked again, authorities of a trust domain. */
  workloadMessageBytesMax: 1_048_576,
  workloadAnswerMs: 30_000,
  workloadRetryMsMin: 500,
  workloadRetryMsMax: 30_000,
  bundleCertificatesMax: 64,
  /** A trust domain's bundle endpoint: how often it is asked, by its own hint within bounds, and when it does not answer. */
  bundleRefreshMs: 300_000,
  bundleRefreshMsMin: 60_000,
  bundleRefreshMsMax: 3_600_000,
  bundleRefreshSpread: 0.1,
  bundleRetryMsMin: 1_000,
  bundleRetryMsMax: 60_000,
  bundleBytesMax: 1_048_576,
  /** Trust domains, and revocation lists' files, of one listener. */
  trustBundlesMax: 64,
  revocationFilesMax: 64,
  /** The wall clock is looked at again so often while a certificate's end is waited for. */
  ageLookMs: 3_600_000,
  /** A reload that only a busy port has stopped is tried again after so long, then after twice as long, up to the longest. */
  reloadRetryMsMin: 1_000,
  reloadRetryMsMax: 60_000,
  reloadRetriesMax: 100,
  /** While saves keep coming, a reload waits at most this long for quiet. */
  reloadDebounceMaxMs: 1_000,
  /** A file whose change time is younger than this is hashed again: two saves may share a time stamp. */
  reloadStatTrustMs: 2_000,
  /** Symbolic links followed on the way to one watched file. */
  watchedLinksMax: 40,
  /** A folder of CA hashes aside, no policy names more; beyond it only the poll sees a change. */
  watchedFilesMax: 10_000,
} as const;
