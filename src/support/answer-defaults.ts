/** Of answers that are judged: the part of `DEFAULTS` about `response`. */
export const ANSWER_DEFAULTS = {
  /** JSON of an answer that is looked into. */
  answerDepthMax: 256,
  /** A name, with the comma and the blanks around it. */
  answerNameBytesMax: 16 * 1024,
  /** A longer value is masked without a look at it. */
  maskedBytesMax: 16 * 1024,
  /** What stands in place of a masked value. */
  maskTextCharsMax: 256,
  /** One event of a stream. */
  answerEventBytesMax: 256 * 1024,
  /** An answer that says it is no longer than this is judged when all of it is here, and leaves whole. */
  answerAtOnceBytesMax: 16 * 1024,
  /** What comes out of a compressed answer before its head leaves, where all of it has come already. */
  answerHeldBytesMax: 64 * 1024,
  /** Entries of `fields` or of `mask`, each with a condition of its own. */
  answerRulesMax: 30,
  /** Paths of one of them. */
  answerPathsMax: 256,
  answerPathCharsMax: 512,
  /** Places in an answer that paths lead to, as far as answers had them; more are worked out each time. */
  answerPlacesMax: 4_096,
  /** What stands in place of an error's body. */
  errorTemplateCharsMax: 16 * 1024,

  /** Rules of `cookies`, and names in each of their lists. */
  cookieRulesMax: 30,
  cookieNamesMax: 100,
  /** Names of `allowHeaders`. */
  allowedHeadersMax: 256,
  /** Entries of each list of `location`. */
  locationOriginsMax: 100,
  /** Characters of an answer that the policy has for a route. */
  ownAnswerCharsMax: 65_536,

  // Pages of other origins.
  corsOriginsMax: 100,
  corsNamesMax: 100,
  corsMaxAgeMs: 600_000,

  /** A longer id of a request is replaced. */
  requestIdCharsMax: 128,
} as const;
