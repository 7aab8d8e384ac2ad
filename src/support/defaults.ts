import { ADDRESS_DEFAULTS } from "./address-defaults.ts";
import { ANOMALY_DEFAULTS } from "./anomaly-defaults.ts";
import { ANSWER_DEFAULTS } from "./answer-defaults.ts";
import { BODY_LANGUAGE_DEFAULTS } from "./body-language-defaults.ts";
import { DEPRECATED_DEFAULTS } from "./deprecated-defaults.ts";
import { DETECTION_DEFAULTS } from "./detection-defaults.ts";
import { GRPC_DEFAULTS } from "./grpc-defaults.ts";
import { HEALTH_DEFAULTS } from "./health-defaults.ts";
import { IDENTITY_DEFAULTS } from "./identity-defaults.ts";
import { INVENTORY_DEFAULTS } from "./inventory-defaults.ts";
import { LADDER_DEFAULTS } from "./ladder-defaults.ts";
import { LEAK_DEFAULTS } from "./leak-defaults.ts";
import { LEARNING_DEFAULTS } from "./learning-defaults.ts";
import { LIMIT_DEFAULTS } from "./limit-defaults.ts";
import { LOG_DEFAULTS } from "./log-defaults.ts";
import { MEMORY_DEFAULTS } from "./memory-defaults.ts";
import { OPENAPI_DEFAULTS } from "./openapi-defaults.ts";
import { POLICY_DEFAULTS } from "./policy-defaults.ts";
import { RECORDS_DEFAULTS } from "./records-defaults.ts";
import { TRACING_DEFAULTS } from "./tracing-defaults.ts";
import { VERSION_DEFAULTS } from "./version-defaults.ts";

/** Every default and every limit of the product, in one place. Units stand last in the names. */
export const DEFAULTS = {
  ...IDENTITY_DEFAULTS,
  ...ADDRESS_DEFAULTS,
  ...LIMIT_DEFAULTS,
  ...OPENAPI_DEFAULTS,
  ...LEAK_DEFAULTS,
  ...BODY_LANGUAGE_DEFAULTS,
  ...ANSWER_DEFAULTS,
  ...DEPRECATED_DEFAULTS,
  ...LADDER_DEFAULTS,
  ...INVENTORY_DEFAULTS,
  ...ANOMALY_DEFAULTS,
  ...LEARNING_DEFAULTS,
  ...DETECTION_DEFAULTS,
  ...VERSION_DEFAULTS,
  ...GRPC_DEFAULTS,
  ...HEALTH_DEFAULTS,
  ...POLICY_DEFAULTS,
  ...MEMORY_DEFAULTS,
  ...RECORDS_DEFAULTS,
  ...TRACING_DEFAULTS,
  ...LOG_DEFAULTS,

  // Client side, per connection and per request.
  headBytesMax: 32 * 1024,
  headersCountMax: 100,
  /** Header lines up to this size are remembered for the connection's next request. */
  headRememberedBytesMax: 4 * 1024,
  headTimeoutMs: 10_000,
  handshakeTimeoutMs: 10_000,
  /** A client whose certificate is refused gets so long to read why. */
  alertLingerMs: 1_000,
  idleTimeoutMs: 65_000,
  bodyBytesMax: 10 * 1024 * 1024,
  /** Longest a body may stand still, however fast it came before. */
  bodyProgressTimeoutMs: 30_000,
  /** Below it a body is a slow attack, not a slow line: 56k modems sent 7,000. */
  bodyBytesPerSecondMin: 240,
  /** What a body may be behind that rate: the time for lines to settle. */
  bodyGraceMs: 5_000,
  /** One block of what is written to a client (about 64 KiB beyond the kernel's buffers) is to be taken within this. */
  writeTimeoutMs: 30_000,
  /** A body of known length is read so far before it may hold a connection to the service. */
  bodyPreludeBytes: 16 * 1024,
  bodyInspectedBytesMax: 1024 * 1024,
  /** Of all bodies that are being read to be looked into; without it each connection could hold one for as long as it likes. */
  bodiesInspectedBytesMax: 64 * 1024 * 1024,
  /** A longer body is read and judged a stretch at a time, so that others are answered in between; a shorter one, too, where
   * its schema has many alternatives or patterns. */
  bodyAtOnceBytesMax: 32 * 1024,
  bodySliceMs: 1,
  /** A stretch of long work while others are served or wait for theirs; a request waits for some two or three of them. */
  turnSharedMs: 0.125,
  /** How long others are taken to be there after they were served. */
  turnServedMs: 20,
  /** From stretch to stretch, however busy others are: long work ends under full load, too. */
  turnRestMsMax: 4,
  /** Of a client one longer body is judged at a time; one that waited for so long is refused. */
  longBodyWaitMsMax: 5_000,
  /** Of all that are judged side by side, or one that is longer; short ones, as heads with much to search, count as so many. */
  longBodiesBytesMax: 1024 * 1024,
  longBodyBytesMin: 16 * 1024,
  jsonDepthMax: 64,
  /** Members of one object. The platform makes its table of twice as many anew in one go, which takes 1.5 ms here and 6 at 100,000. */
  jsonMembersMax: 32_768,
  /** Digits cost more to count with than to send. */
  jsonNumberCharsMax: 1_024,
  /** A name in a body that is looked at for a method, as sent, and such a string of JSON; what is behind them changes no reading. */
  methodNameCharactersMax: 512,
  /** Of the value: a method, each letter of it escaped, and blanks around it. A longer one is refused. */
  methodValueCharactersMax: 192,
  /** Fields of a form whose names resemble those that name a method; services take 1,000 to 4,096 fields in all. */
  methodFieldsMax: 4_096,
  /** Headers of one part of a multipart body; services take up to 8 or 16 KiB. */
  partHeadCharactersMax: 16 * 1024,
  /** Fields of a form or query that a policy judges, repeated ones too; PHP, Django and Express read no more. */
  formFieldsMax: 1_000,
  /** A name in such a form, as sent: all spellings that services read are gone through. */
  formNameCharactersMax: 4_096,
  /** Fields and files of a form that a policy judges. */
  formPartsMax: 100,
  /** The most that a policy may set for it. */
  partsLimit: 10_000,
  /** A field that is no file: it stays here until it was judged. */
  formFieldBytesMax: 64 * 1024,
  /** The most that a policy may set for it. */
  formFieldBytesLimit: 1024 * 1024,
  formFieldsBytesMax: 1024 * 1024,
  /** An item of a stream that is judged item by item: it stays here until it was judged. */
  itemBytesMax: 64 * 1024,
  /** The most that a policy may set for it. */
  itemBytesLimit: 1024 * 1024,
  itemsMax: 100_000,
  /** So much may come out of a compressed body however few bytes it has. */
  inflatedFreeBytes: 1024 * 1024,
  /** Beyond that, so many times the bytes that came; text of machines has 10 to 30. */
  inflationMax: 100,
  /** Headers of one part of a multipart form that is judged. */
  partHeadBytesMax: 8 * 1024,
  // Patterns of schemas, each.
  patternCharactersMax: 32 * 1024,
  /** Of a text of a format; those of URIs and of base64 may be longer. */
  formatCharsMax: 64 * 1024,
  /** Of one of format `regex`, which is parsed in one go: some 2 ms. */
  formatRegexCharsMax: 8 * 1024,
  /** Instructions, counts written out. */
  patternStepsMax: 20_000,
  /** Instructions that a text can be at, at once: its work on each character at worst. */
  patternStepsPerCharacterMax: 256,
  /** Work that proving so may take: some 20 ms. */
  patternProofStepsMax: 250_000,
  /** Instructions gone through beyond the tables by all patterns of one judgement, or of one turn of a long one: some 10 ms. */
  patternWorkMax: 400_000,
  /** The same of a body that is judged in one go: beyond it, it is judged in turns. */
  patternWorkAtOnceMax: 100_000,
  /** Cells of an automaton's table, of four bytes, and characters of its states' names, of two, that texts may fill. */
  patternCellsMax: 16 * 1024,
  /** How often one text may fill them before it goes on without. */
  patternFillingsMax: 8,
  /** Compiled ones that are kept by their text. */
  patternsKeptMax: 1_000,
  patternKeptCharactersMax: 1_024,
  chunkHeadBytesMax: 256,
  trailerBytesMax: 4 * 1024,
  lingerTimeoutMs: 2_000,
  lingerBytesMax: 256 * 1024,
  /** The same for the rest of an upload that was refused, while it comes at this rate; as nginx's lingering_time. */
  lingerUploadTimeoutMs: 30_000,
  lingerUploadBytesMax: 64 * 1024 * 1024,
  lingerBytesPerSecondMin: 16 * 1024,
  /** Connections of which so much is read, at a time. */
  lingerUploadsMax: 256,
  connectionsMax: 10_000,
  /** Of a listener's connections, those that one client address may have, so that it cannot shut the others out. */
  addressConnectionsShare: 0.5,
  /** PROXY header, version 2: addresses take at most 232 bytes, the rest is extensions. */
  proxyHeaderBytesMax: 4 * 1024,
  /** Bytes of pipelined requests kept while one is being answered; beyond it the socket is paused. */
  pipelineBytesMax: 64 * 1024,

  /** So long a head that has begun is taken for one that goes on, and its connection is not asked to give way. */
  headYieldMs: 1_000,
  /** Less than this, kept of what a client sends, is in what its connection or stream costs anyway. */
  keptBytesMin: 2 * 1024,
  /** Of a TLS hello; what is longer is read by TLS itself. */
  helloBytesMax: 4 * 1024,

  // HTTP/2, per connection.
  h2StreamsMax: 128,
  /** Streams that a connection has room for in what it costs anyway, and how many more are counted at a time. */
  h2StreamsFree: 4,
  h2StreamsBlock: 16,
  /** What a client may send on a stream before somebody reads it. */
  h2WindowBytes: 256 * 1024,
  /** The same on all streams of a connection. */
  h2ConnectionWindowBytes: 1024 * 1024,
  /** Frames of one head: at 16 KiB each they bring more than any head may have. */
  h2HeadFramesMax: 16,
  /** Frames that wait for the socket, beyond which streams wait for their turn. */
  h2OutputBytesMax: 64 * 1024,
  /** How long a client has to hear that the connection is going away before its last stream is named. */
  h2GoawayNoticeMs: 1_000,
  /** Streams that were given up with data under way, which is not held against the client when it comes. */
  h2CutStreamsMax: 1_024,
  /** Heads that are no request, frames that streams do not take, and DATA frames of no bytes. */
  h2InvalidFramesBurst: 100,
  h2InvalidFramesPerSecond: 10,
  /** Streams beyond those that may be open at a time. */
  h2RefusedStreamsBurst: 100,
  h2RefusedStreamsPerSecond: 10,
  /** Streams that end before their answers, by reset or by a fault: a client that changes its mind, not its trade. */
  h2ResetsBurst: 500,
  h2ResetsPerSecond: 33,
  /** Beyond one for each DATA frame that was sent: gRPC clients measure their bandwidth with one at each read. */
  h2PingsBurst: 1_000,
  h2PingsPerSecond: 100,
  h2SettingsBurst: 100,
  h2SettingsPerSecond: 10,
  /** Bytes of no use to a request: WINDOW_UPDATE, PRIORITY, padding, unknown frames, data of streams that are closed. */
  h2OverheadBytesBurst: 512 * 1024,
  h2OverheadBytesPerSecond: 64 * 1024,
  /** How often a session without streams is looked at. */
  h2CheckIntervalMs: 1_000,
  /** A smaller piece of a body is copied out of the buffer that it shares with the rest of its read. */
  h2ChunkSharedBytesMin: 4 * 1024,

  // Upstream side.
  connectTimeoutMs: 1_000,
  /** Between two attempts to reach a service that does not listen for a moment, as while it restarts. */
  connectRetryMsMin: 10,
  connectRetryMsMax: 100,
  responseTimeoutMs: 30_000,
  /** One block of a request is to be taken by the service within this. */
  upstreamWriteTimeoutMs: 30_000,
  /** Between two bytes of an answer: event streams send a sign of life every few seconds to minutes. */
  streamIdleTimeoutMs: 300_000,
  /** Below the 5 s keep-alive of a plain Node service, so that postern closes first. */
  upstreamIdleTimeoutMs: 4_000,
  /** So much before the time that a service's Keep-Alive names, its connection is not used any more. */
  upstreamKeepAliveMarginMs: 500,
  /** From a failed write to the end of what the service said before: it lies in the socket, or nowhere. */
  upstreamLastWordsMs: 1_000,
  upstreamConnectionsMax: 256,
  upstreamQueueMax: 1024,
  upstreamKeepAliveMs: 30_000,
  /** Streams of one HTTP/2 connection to a service. */
  upstreamStreamsMax: 100,
  /** Bytes of one answer, and of all on one connection, that the service may send before they are taken off its hands. */
  upstreamStreamWindowBytes: 256 * 1024,
  upstreamConnectionWindowBytes: 1024 * 1024,
  /** How often a request is sent again that the service vouches not to have begun; nginx ends a connection each 1,000. */
  upstreamRepeatsMax: 10,
  /** While others wait for a connection, a client that has kept one waiting for so long has to give it up. */
  slowClientYieldMs: 250,
  /** The same for a client that holds more connections than the one who waits. */
  greedyClientYieldMs: 20,
  /** 1xx responses before the final one. */
  informationalMax: 32,

  // WebSockets and other streams that outlive a moment.
  websocketFrameBytesMax: 16 * 1024 * 1024,
  websocketFrameBytesCeiling: 1024 * 1024 * 1024,
  /** Time for the closing handshake, and between the two ends' going. */
  websocketCloseTimeoutMs: 3_000,
  websocketOriginsMax: 256,
  /** Where so many streams last already, no further WebSocket begins; each holds two sockets. */
  lastingStreamsMax: 10_000,
  /** An answer that still runs after this long is judged again when the policy changes; shorter ones are let be. */
  streamSettleMs: 1_000,
  /** Streams judged again per millisecond, and the longest time over which that is spread. */
  streamsJudgedPerMs: 1,
  streamJudgeWindowMs: 5_000,
  /** Streams judged in one go, before other work has its turn. */
  streamsJudgedAtOnce: 32,
  /** Streams whose credentials end at one moment are closed within this time, where the allowed clock skew lasts as long. */
  streamExpirySpreadMs: 10_000,
  /** How often a stream's end is computed anew: the wall clock may be set. */
  streamLookMs: 60_000,

  // Authorization, validation, headers.
  authorizeDepthMax: 4,
  schemaBytesMax: 1024 * 1024,
  /** Levels of nesting in a schema; two or three of them describe one of a body. */
  schemaDepthMax: 256,
  /** Schemas in a row for one value, as by `allOf` and `$ref`: each takes some of the stack at each level of a body. */
  schemaChainMax: 64,
  /** Of JSON in a text that `contentSchema` judges: it is read in one go. */
  contentCharsMax: 64 * 1024,
  /** Faults of one body that are told. */
  schemaFaultsMax: 20,
  /** Patterns of a schema that are told to be wrong, at a time. */
  schemaPatternFaultsMax: 20,
  /** How often a schema may judge one value of a body; a recursion that forks gets beyond any number. */
  schemaJudgementsMax: 1_000,
  /** So often a schema may judge one part of a body before `check` looks at what that makes of a whole body. */
  schemaJudgementsKnownMax: 64,
  /** Bytes of the longest body times judgements of each of its parts: above it `check` warns, some seconds of a core. */
  schemaWorkWarnedBytes: 32 * 1024 * 1024,
  /** Above it, some minutes, the policy does not load. */
  schemaWorkBytesMax: 4 * 1024 * 1024 * 1024,
  /** Names of request headers whose fate is remembered; longer ones than `headerNameBytesMax` are judged each time. */
  headerNamesRememberedMax: 512,
  headerNameBytesMax: 64,
  principalHeaderBytesMax: 512,
  scopesHeaderBytesMax: 2048,
  /** Of one header of `identity`; a longer value is not sent. */
  identityHeaderBytesMax: 4096,
  /** How long clients may keep the page of `resourceMetadata`. */
  resourceMetadataAgeSeconds: 300,
  /** Of one policy, each with a page of its own. */
  protectedResourcesMax: 16,
  resourceNameCharactersMax: 200,

  // Telemetry.
  /** A stretch of so long in which no event is handled is counted, with the name of the work that took it. */
  threadHeldMs: 20,
  /** How often stretches without a name are looked for, and for how long the longest is given. */
  threadLookMs: 2_000,
  threadWindowMs: 60_000,
  /** Cells of postern_requests_total; past it new combinations are counted under route `overflow`. */
  metricSeriesMax: 20_000,
  /** Routes with durations of their own: each has 18 lines in a scrape. */
  metricTimedRoutesMax: 1_000,
  metricLabelCharsMax: 256,
  problemsKeptMax: 100,

  // Listeners.
  listenBacklog: 1_024,
  unixSocketMode: 0o660,
  unixProbeTimeoutMs: 500,

  // Admin port.
  adminHeadBytesMax: 8 * 1024,
  adminConnectionsMax: 32,
  /** Of an act at the admin port. */
  adminAnswerBytesMax: 4 * 1024 * 1024,
  adminBodyBytesMax: 16 * 1024,
  /** A token of fewer characters can be guessed. */
  adminTokenBytesMin: 16,
  adminHostsMax: 32,
  adminTimeoutMs: 5_000,
  /** How long who asks for a reload is kept waiting for what comes of it; below `adminTimeoutMs`. */
  adminReloadWaitMs: 4_000,
} as const;
