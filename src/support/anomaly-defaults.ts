const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** Of anomalies: what is learnt, how long, and from when on something is told. Those of kinds are for `normal`. */
export const ANOMALY_DEFAULTS = {
  /** What was counted is judged so often. */
  anomalyTickMs: 10_000,
  /** What is learnt of a mean is told against from then on. */
  anomalyLearnMs: DAY_MS,
  anomalyLearnMsMin: HOUR_MS,
  anomalyLearnMsMax: 30 * DAY_MS,
  /** A mean forgets in so long; a peak is worth half after so long. */
  anomalyMeanMs: 3 * DAY_MS,
  anomalyPeakMs: 14 * DAY_MS,
  /** What lasts so long is learnt from, too, or it would be told for ever. */
  anomalyNewNormalMs: 6 * HOUR_MS,
  /** Two windows of callers and addresses: for who is fast, and for who is slow. */
  anomalyShortMs: 10 * MINUTE_MS,
  anomalyLongMs: DAY_MS,
  /** Two decays of what routes count: for busy ones, and for quiet ones. */
  anomalyFastMs: MINUTE_MS,
  anomalySlowMs: 15 * MINUTE_MS,
  /** Deviations from a mean, and what is the least that counts for one, in powers of two. */
  anomalyDeviations: 6,
  /** Of counts in windows, of means of times, and of what callers ask for: these vary less than single requests. */
  anomalyCountDeviations: 2,
  anomalyTimeDeviations: 4,
  anomalyObjectsDeviations: 4,
  anomalyDeviationMin: 0.25,

  // error_rate: failures at least, their share, and how often the learned one.
  anomalyErrorsMin: 8,
  anomalyErrorShareMin: 0.05,
  anomalyErrorTimes: 3,
  /** Of fewer requests in a minute one that failed says that failing goes on. */
  anomalyFewRequests: 5,
  /** How many ticks a rise lasts before it is told: of the service as a whole, of a route. */
  anomalyServiceErrorTicks: 2,
  anomalyErrorTicks: 3,
  // denial_burst: in a minute by reason, in a short window by caller; how often the usual.
  anomalyDenialsMin: 20,
  anomalyDenialsSlowMin: 60,
  anomalyCallerDenialsMin: 100,
  anomalyTimes: 4,
  anomalyDenialTicks: 3,
  /** For reasons of which scans and guesses are made: those are told as what they are, once there is enough of them to tell. */
  anomalyDenialToldTicks: 18,
  // new_caller: so long nobody new, and so many times as long as is usual between two.
  anomalySettledTimes: 8,
  anomalySettledMsMin: 3 * DAY_MS,
  anomalyCallersMax: 64,
  // unusual_size: bytes at least, and how many within a slow decay.
  anomalySizeBytesMin: 64 * 1024,
  anomalySizesMin: 3,
  // unusual_time: milliseconds, requests within a fast decay, ticks; requests of a caller in an hour, and in all.
  anomalyTimeMsMin: 50,
  anomalyTimedMin: 20,
  anomalyTimeTicks: 12,
  anomalyHourRequestsMin: 20,
  anomalyHoursMax: 12,
  anomalyHourDaysMin: 5,
  anomalyHourAllMin: 200,
  // path_scan: different paths of one address in the short and the long window; of all addresses in a short one.
  anomalyPathsMin: 20,
  anomalyPathsLongMin: 60,
  anomalyPathsSpreadMin: 80,
  // id_enumeration: different objects of one caller at one route.
  anomalyIdsMin: 60,
  anomalyIdsLongMin: 400,
  anomalyMissingMin: 20,
  anomalyMissingLongMin: 60,
  // credential_stuffing: different identities of one address; failures of all, and addresses among them.
  anomalyIdentitiesMin: 10,
  anomalyIdentitiesLongMin: 30,
  anomalyFailuresMin: 40,
  anomalyFailedAddressesMin: 10,
  // replay: networks of one caller in a short window; of one who is not known yet.
  anomalyNetworksMin: 6,
  anomalyNetworksNewMin: 12,

  /** Operations, addresses and callers that are remembered; of the last two so many once more that are established. */
  anomalyOperationsMax: 4_096,
  anomalyActorsMax: 8_192,
  anomalyEstablishedMax: 8_192,
  /** Of one caller: routes of which its objects are counted. */
  anomalyObjectsMax: 16,
  /** The same of all addresses together, and of all callers: whoever has many addresses must not fill the memory. */
  anomalyObjectsAllMax: 16_384,
  /** Seen in so many windows, over so long: established. */
  anomalyEstablishedWindows: 3,
  anomalyEstablishedMs: HOUR_MS,

  /** More that begin at once, or are there, are told as one. */
  anomaliesAtOnceMax: 3,
  anomaliesOfKindMax: 8,
  /** What fails or is slow so soon after another operation did is told as that one. */
  anomalyTogetherMs: 10 * MINUTE_MS,
  /** Members of such a one that are told apart. */
  anomalyMembersMax: 1_024,
  anomaliesEndedMax: 128,
  anomaliesAcceptedMax: 256,
  /** What goes on is told again so often; a decrease to half of what was accepted is told again from twice on. */
  anomalyOngoingMs: HOUR_MS,
  anomalyExamplesMax: 3,
  anomalyNamesToldMax: 5,
  anomalyNameCharsMax: 128,
  anomalyListMax: 256,
  /** Changes of so long are one write; how long writing, reading and judging go on at a stretch. */
  anomalyWriteMs: 60_000,
  anomalySliceMs: 2,

  // The webhook.
  anomalyWebhookWaitingMax: 128,
  /** How long one that has ended goes on sending what waits. */
  anomalyWebhookEndMs: 5_000,
  anomalyWebhookTriesMax: 8,
  anomalyWebhookBackoffMsMin: 5_000,
  anomalyWebhookBackoffMsMax: 10 * MINUTE_MS,
  anomalyWebhookAnswerBytesMax: 16 * 1024,
  anomalyWebhookSecretBytesMin: 24,
  anomalyWebhookSecretBytesMax: 64,
} as const;
