/** Of who asks and what they may: the part of `DEFAULTS` about calls to others, credentials, attributes and conditions. */
export const IDENTITY_DEFAULTS = {
  // Calls to others: identity providers, decision services.
  callConnectTimeoutMs: 2_000,
  callTimeoutMs: 5_000,
  callTimeoutMsMax: 60_000,
  callHeadBytesMax: 32 * 1024,
  /** Of one caller, to one address. */
  callConnectionsMax: 16,
  callsUnderWayMax: 256,
  callIdleTimeoutMs: 4_000,
  /** Failures in a row after which nobody waits for an endpoint, and for how long before one call tries it again. */
  breakerFailures: 5,
  breakerMsMin: 1_000,
  breakerMsMax: 30_000,
  /** Requests that wait for what somebody else says, such as a provider's keys. */
  waitingRequestsMax: 1_000,
  introspectionAnswerBytesMax: 64 * 1024,
  /** Tokens of one client that are being asked about at once. */
  introspectionsPerClientMax: 16,
  introspectionCacheMs: 30_000,
  introspectionInactiveCacheMs: 10_000,
  introspectionCacheMsMax: 3_600_000,
  decisionAnswerBytesMax: 64 * 1024,
  decisionQuestionCharsMax: 64 * 1024,
  decisionCacheMsMax: 3_600_000,
  /** Members of a part of the document for a decision service, and ids of a list that are asked about at once. */
  decisionMembersMax: 64,
  decisionBatchMax: 50,
  /** Life of what the service is told of a caller in a token, and of the keys that sign it. */
  identityTokenMs: 60_000,
  identityTokenMsMin: 5_000,
  identityTokenMsMax: 3_600_000,
  identityKeyMs: 86_400_000,
  /** So long before it signs a key is published. */
  identityKeyLeadMs: 3_600_000,
  identityClaimsMax: 32,
  stateFileBytesMax: 8 * 1024 * 1024,
  /** A file of a moment that is so old was left by a process that was killed. */
  stateLeftoverMs: 60_000,
  secretBytesMax: 16 * 1024,

  // Tokens and keys.
  clockSkewMs: 30_000,
  tokenBytesMax: 16 * 1024,
  /** Half of them at least are kept, whatever comes beside: two generations. */
  tokenCacheEntriesMax: 20_000,
  /** Text of all cached tokens of one authenticator; one token costs at most tokenBytesMax of it. */
  tokenCacheBytesMax: 32 * 1024 * 1024,
  /** First verifications that later requests with the same token may join; beyond it each verifies for itself. */
  tokenVerificationsSharedMax: 1024,
  tokenKeysMax: 256,
  /** Signature checks that one token may cost, where it names no key. */
  tokenKeyTriesMax: 4,
  clockSkewMsMax: 300_000,
  rsaKeyBitsMin: 2048,
  /** Longest life of a proof of possession, from the second in which it was made. */
  proofAgeMs: 60_000,
  proofAgeMsMax: 900_000,
  /** How old a signature over a request may be. */
  signatureAgeMs: 300_000,
  /** Signatures of one request that are looked at. */
  signaturesMax: 8,
  signatureComponentsMax: 64,
  signatureKeysMax: 1_000,
  /** Agents of an authenticator whose directories are fetched. */
  signatureAgentsMax: 100,
  /** Largest body that is held to check it, where the policy says nothing else, and the most that it may say. */
  provenBodyBytesMax: 1024 * 1024,
  provenBodyBytesCeiling: 64 * 1024 * 1024,
  /** How much of a body is hashed before others may have their turn. */
  hashAtOnceBytesMax: 256 * 1024,
  proofBytesMax: 8 * 1024,
  proofIdBytesMax: 256,
  /** Largest RSA key that a client may bring: what checking one signature costs grows with it. */
  proofKeyBitsMax: 4096,
  /** How long a nonce that was handed out may be shown. */
  proofNonceMs: 300_000,
  /** Proofs that end within one stretch of this length are forgotten together. */
  replayBucketMs: 10_000,
  apiKeyBytesMax: 512,
  /** Shorter keys can be guessed from their SHA-256. */
  apiKeyBytesAdvised: 32,
  apiKeysMax: 100_000,
  /** Entries of a file of what is revoked, characters of one, and entries of one value with different limits. */
  revokedEntriesMax: 100_000,
  revokedTextMax: 1024,
  revokedAlikeMax: 64,
  usersMax: 10_000,
  /** A password that was verified is not verified again for so long. */
  passwordCachedMs: 5 * 60_000,
  /** A password that was right so long ago is still no guess, however many others guess. */
  passwordRecalledMs: 24 * 3_600_000,
  /** Passwords are verified so many at a time; the rest waits. */
  passwordsVerifiedMax: 2,
  passwordsWaitingMax: 64,
  /** Of those, of one client address. */
  passwordsWaitingPerAddressMax: 32,
  passwordWaitMsMax: 5_000,
  /** Wrong passwords of one address: so many at once, then so many a minute; and the same for one user. */
  passwordAddressFailures: { burst: 30, perMinute: 20 },
  passwordUserFailures: { burst: 20, perMinute: 10 },
  /** Addresses and users whose failures are counted at once. */
  passwordFailureKeys: 16_384,
  passwordBytesAdvised: 12,
  /** Credentials of an authenticator whose last use is told, each with a series of its own. */
  credentialUsesMax: 1_000,

  // Attributes and conditions.
  /** A condition: its characters, its parts, and how deep they stand in one another. */
  expressionCharsMax: 4_096,
  expressionNodesMax: 512,
  expressionDepthMax: 32,
  /** What one evaluation may take: each item that it looks at is a step of some 50 ns. */
  expressionStepsMax: 10_000,
  /** Items of a list that it goes through or makes, and characters of a text that it searches or makes. */
  expressionItemsMax: 1_000,
  expressionTextMax: 64 * 1024,
  /** Characters of an attribute's name in a policy, and names behind that of its family. */
  attributeCharsMax: 256,
  attributePathMax: 8,
  /** Members of an object of a body in which a rule looks for one: each is compared with it without regard to case. */
  attributeMembersMax: 4_096,
  /** Names of query parameters of which the last value is remembered. */
  attributeQueriesMax: 256,
  /** Items of a list that are compared with a value. */
  attributeItemsMax: 10_000,

  // Key sets of identity providers.
  /** Microsoft's has 30 KB. */
  keySetBytesMax: 256 * 1024,
  /** How long a set is fresh whose provider does not say, and between which bounds what it says counts. */
  keySetFreshMs: 600_000,
  keySetFreshMsMin: 60_000,
  keySetFreshMsMax: 3_600_000,
  /** So long after the last answer its keys still serve where no other comes. */
  keySetStaleMsMax: 86_400_000,
  /** Renewed after this share of its time at the earliest, and so much later at the latest. */
  keySetRenewShare: 0.75,
  keySetRenewSpread: 0.15,
  /** After a failure. */
  keySetRetryMsMin: 1_000,
  keySetRetryMsMax: 60_000,
  /** Between two fetches that tokens ask for, by a kid that nobody knows or a signature that fails, whoever sends them. */
  keySetRefetchMs: 30_000,
  /** How long a request waits for the first keys, or for newer ones. */
  keySetWaitMs: 5_000,
  keySetFaultsKept: 8,
} as const;
