import type { MethodParameters } from "../bodies/method-parameters.ts";
import type { LintRule } from "../decision/lint-rule.ts";
import type { Place } from "../decision/verdict.ts";
import type { Bans } from "../filters/bans/evaluate.ts";
import type { Cors } from "../filters/cors/evaluate.ts";
import type { UnroutedCors } from "../filters/cors/unrouted.ts";
import type { Authenticator, Check, Detector, Limit, WebSocketRules } from "../filters/filter.ts";
import type { Shares } from "../filters/ladder.ts";
import type { MethodRule } from "../filters/method-rule.ts";
import type { Overload } from "../filters/overload/evaluate.ts";
import type { WithheldHeader } from "../filters/request/passage.ts";
import type { RequestIds } from "../filters/request-id/evaluate.ts";
import type { RouteAnswer } from "../filters/respond/evaluate.ts";
import type { AnswerReading, ResponseCheck } from "../filters/response-check.ts";
import type { TargetRewrite } from "../filters/rewrite/evaluate.ts";
import type { Versions } from "../filters/versions/evaluate.ts";
import type { HealthCheck } from "../health/health-check.ts";
import type { ServiceProbe } from "../health/service-probe.ts";
import type { HandshakeGate } from "../limits/handshake-gate.ts";
import type { CidrTable } from "../matching/cidr-table.ts";
import type { RouteTree } from "../matching/route-tree.ts";
import type { Address } from "../message/address.ts";
import type { ClientTrust } from "../message/client-trust.ts";
import type { HttpProtocol } from "../message/connection.ts";
import type { Exchange } from "../message/exchange.ts";
import type { ForwardedCertificates } from "../message/forwarded-certificate.ts";
import type { Geo } from "../message/geo.ts";
import type { HeaderBlock } from "../message/headers.ts";
import type { DecisionRecords } from "../records/decision-records.ts";
import type { Resource } from "../resources/resource.ts";
import type { LogSettings } from "../telemetry/log-settings.ts";
import type { CertificateFacts, RevocationListFacts } from "../telemetry/telemetry.ts";
import type { Tracing } from "../tracing/tracing.ts";
import type { LaidStep } from "./ladder-step.ts";
import type { PolicyOutline } from "./outline.ts";

/** A policy, compiled whole: immutable, swapped by one reference, kept by a request from its first byte to its last. */
export interface Snapshot {
  /** SHA-256 over the policy and every file it names, first 16 hex digits: what runs, for logs and metrics. */
  readonly hash: string;
  readonly service: string;
  readonly listeners: readonly ListenerSettings[];
  readonly upstreams: ReadonlyMap<string, UpstreamSettings>;
  readonly admin: AdminSettings;
  /** Null: what the machine allows. */
  readonly memoryBytesMax: number | null;
  /** Keys of `identity.token`, for the admin port; null where the policy has none. */
  readonly identityKeys: { published(): object } | null;
  /** What outlives it, by canonical settings. */
  readonly resources: ReadonlyMap<string, Resource>;
  readonly log: LogSettings;
  readonly authenticators: ReadonlyMap<string, Authenticator>;
  readonly limits: readonly Limit[];
  /** Rules that look for attacks; those of a route are its checks'. */
  readonly detectors: readonly Detector[];
  /** Null where the policy has none. */
  readonly bans: Bans | null;
  /** Null where the policy has nothing shed. */
  readonly overload: Overload | null;
  /** Null: an id of the client is a header as any. */
  readonly requestIds: RequestIds | null;
  /** What is known of where addresses are; null where the policy has no databases. */
  readonly geo: Geo | null;
  /** Who gets the facts of each decision; null where nobody does. */
  readonly records: DecisionRecords | null;
  /** Null: no request is traced, and what it says of a trace is a header as any. */
  readonly tracing: Tracing | null;
  /** Checks of `defaults` in phase `admit`: they judge every request, also those that no route matches. */
  readonly admitChecks: readonly Check[];
  /** What postern itself answers, before any route; null where the policy has nothing of that kind. */
  readonly ownPages: ReadonlyMap<string, OwnPage>;
  /** What refusals say to pages where no route is known; null where no route has `cors`. */
  readonly unroutedCors: UnroutedCors | null;
  readonly routes: RouteTree<Route>;
  /** Null where the policy knows no versions but those of paths: then `routes` are all. */
  readonly versions: Versions<Route> | null;
  /** What any of them keeps in its paths, of `KEPT` (message/kept-target.ts). */
  readonly keepsInPaths: number;
  readonly routeList: readonly Route[];
  /** Where the policy lists them: the place of a denial that no route made. */
  readonly routesPlace: Place;
  /** Response rules for answers that postern gives before a route is known. */
  readonly rewriteResponse: RewriteResponse;
  /** Every certificate the policy uses, for expiry metrics. */
  readonly certificates: readonly CertificateFacts[];
  /** Every revocation list, for the same. */
  readonly revocationLists: readonly RevocationListFacts[];
  /** Absolute names of all files that went in, the policy first: what is watched. */
  readonly files: readonly string[];
  /** Those of them that hold private keys and secrets. */
  readonly secretFiles: ReadonlySet<string>;
  /** Things that are allowed but look like mistakes. */
  readonly warnings: readonly Warning[];
  /** Of its section `tests`; there may be more in files beside it. */
  readonly hasTests: boolean;
  /** What tells it from the next policy; null where nobody compares. */
  readonly outline: PolicyOutline | null;
  /** For checks that enforce for a share of callers. */
  readonly shares: Shares;
  /** Checks that do not enforce, or not for everybody. */
  readonly rungs: readonly Rung[];
  /** What stands on another step of its ladder than the policy says. */
  readonly steps: readonly LaidStep[];
  /** Null: no other policy is tried beside it. */
  readonly candidate: CandidateSettings | null;
  /** Null: it stays in force whomever it denies. */
  readonly guard: GuardSettings | null;
  /** Upstreams whose requests are refused while the service is unhealthy, by name; null where there is none. */
  readonly refusals: ReadonlyMap<string, UnhealthyRefusal> | null;
}

export interface UnhealthyRefusal {
  readonly check: Pick<HealthCheck, "isUnhealthy" | "lastFault">;
  readonly place: Place;
  /** What a client is told to wait. */
  readonly retrySeconds: number;
}

/** When a policy that has just come into force gives way to the one before it. */
export interface GuardSettings {
  /** Of known callers, 0 to 1. */
  readonly share: number;
  readonly withinMs: number;
  readonly callersMin: number;
}

/** Which policy is tried beside the one that has this. */
export interface CandidateSettings {
  /** Absolute. */
  readonly file: string;
  /** Of requests, 0 to 1. */
  readonly share: number;
  /** Of one processor's time, 0 to 1. */
  readonly cpuShare: number;
  readonly place: Place;
}

/** A check of the policy below the top of its ladder, and the routes it stands before. */
export interface Rung extends LadderCheck {
  /** Empty where it judges every request, before a route is known. */
  readonly routes: readonly Route[];
}

/** What the ladder has to know of a check, of a request or of its answer. */
export type LadderCheck = Pick<Check, "name" | "enforcePercent" | "place">;

/** One path that postern answers in place of the service. */
export interface OwnPage {
  /** In place of a route's template, in log and metrics. */
  readonly label: string;
  /** Canonical. */
  readonly path: string;
  readonly place: Place;
  readonly headers: HeaderBlock;
  readonly body: Buffer;
}

/** What is wrong with a policy, where, and what is expected instead. */
export interface Problem {
  readonly place: Place;
  readonly text: string;
}

/** What is allowed but looks like a mistake, and the kind of mistake. */
export interface Warning extends Problem {
  readonly rule: LintRule;
}

/** A warning that a comment of its author keeps from being told. */
export interface Silenced {
  readonly warning: Warning;
  readonly because: string;
  /** Of the comment. */
  readonly place: Place;
}

/** One route with everything that can be known before a request comes. */
export interface Route {
  /** The path as the policy has it, `/v1/orders/{orderId}`: the metric label, never the raw path. */
  readonly template: string;
  /** Upper case; empty means the usual ones (message/method.ts). */
  readonly methods: readonly string[];
  /** Which versions' route it is; empty where they are of no account. */
  readonly versions: readonly string[];
  /** The service tells upper from lower case in this route's paths. */
  readonly isCaseSensitive: boolean;
  /** What its paths may have because the service is known to read it as it stands, of `KEPT`. */
  readonly keepsInPaths: number;
  /** Methods whose requests may have a body though none is defined, because the service is known to read it. */
  readonly keepsBodiesIn: readonly string[];
  /** Lower case; empty means any host. `*.example.org` is every name below example.org. */
  readonly hosts: readonly string[];
  readonly place: Place;
  readonly isPublic: boolean;
  /** In phase order. */
  readonly checks: readonly Check[];
  /** Of phase `respond`, in the order of the filters; empty for the many routes whose answers nobody judges. */
  readonly responseChecks: readonly ResponseCheck[];
  /** Those that are off: nobody asks them. */
  readonly offChecks: readonly LadderCheck[];
  /** How bodies are read that a check looks into; null where none does. */
  readonly answerReading: AnswerReading | null;
  /** Null: the listener's. */
  readonly upstream: string | null;
  readonly rewriteRequest: RewriteRequest;
  /** The query as the service gets it, without credentials; null where it gets all of it. */
  readonly rewriteQuery: ((query: string, version: string | null) => string) | null;
  /** Whether tokens among a WebSocket's sub-protocols come off, so that the service is offered the others alone. */
  readonly hidesProtocolTokens: boolean;
  /** Which headers of a client would not reach the service, and why: for `explain`. */
  readonly withheldHeaders: (headers: HeaderBlock) => readonly WithheldHeader[];
  readonly rewriteResponse: RewriteResponse;
  readonly rewriteTrailers: RewriteTrailers;
  /** Parameters in which the service may find another method; null where it reads none. */
  readonly methodParameters: MethodParameters | null;
  /** Which methods its rules tell apart, so that a request of the one must not name the other in a parameter. */
  readonly tellsMethods: MethodRule;
  readonly bodyBytesMax: number;
  /** Null: upgrades are refused. */
  readonly webSocket: WebSocketRules | null;
  /** Null: preflights are the service's, as any request. */
  readonly cors: Cors | null;
  /** Null: the service gets the target that is judged. */
  readonly targetRewrite: TargetRewrite | null;
  /** What postern answers itself; null: the service does. */
  readonly answer: RouteAnswer | null;
  /** Null: those of the upstream. */
  readonly timeouts: Partial<
    Pick<UpstreamSettings, "responseTimeoutMs" | "streamIdleTimeoutMs" | "streamDurationMaxMs">
  > | null;
}

/**
 * Header lines for the service, each `name: value` with CR LF: what the client sent less what must not pass, plus what
 * postern says of the caller. Host and framing are the forwarder's.
 */
export type RewriteRequest = (headers: HeaderBlock, exchange: Exchange) => string;

/** Header lines for the client, each with CR LF, without framing. `secure`: TLS protects the connection. */
export type RewriteResponse = (headers: HeaderBlock, secure: boolean) => string;

/** Trailers → lines for the other side, each with CR LF: what may pass of them, and nothing added. */
export interface RewriteTrailers {
  request(trailers: HeaderBlock): string;
  response(trailers: HeaderBlock): string;
}

export type ListenAddress =
  | { readonly type: "tcp"; readonly host: string; readonly port: number }
  | { readonly type: "unix"; readonly path: string }
  | { readonly type: "fd"; readonly name: string };

/** Peers that the policy names; other than in a CidrTable, those of a Unix socket may be among them. */
export interface PeerSet {
  has(address: Address): boolean;
}

/** Where the policy sets no limit, a number here is Infinity. */
export interface ListenerSettings {
  readonly name: string;
  readonly address: ListenAddress;
  readonly place: Place;
  /** Null: plain HTTP. */
  readonly tls: TlsSettings | null;
  /** In order of preference. Without TLS, `h2` stands for HTTP/2 with prior knowledge. */
  readonly protocols: readonly HttpProtocol[];
  /** Who must begin a connection with a PROXY header; others are not served. Null: nobody, and no header is read. */
  readonly proxyProtocol: PeerSet | null;
  readonly trustedProxies: CidrTable | null;
  /** Whether X-Forwarded-Host and -Port of these are believed. */
  readonly trustsForwardedHost: boolean;
  /** Reads the client's certificate out of what these forward. Null: it is the connection's. */
  readonly forwardedCertificates: ForwardedCertificates | null;
  readonly upstream: string;
  readonly headBytesMax: number;
  readonly headersCountMax: number;
  readonly handshakeTimeoutMs: number;
  readonly headTimeoutMs: number;
  readonly requestTimeoutMs: number;
  readonly idleTimeoutMs: number;
  /** 0 for none. */
  readonly bodyBytesPerSecondMin: number;
  readonly bodyGraceMs: number;
  readonly bodyProgressTimeoutMs: number;
  readonly writeTimeoutMs: number;
  readonly connectionsMax: number;
  readonly addressConnectionsMax: number;
  /** Of one client certificate's holder; Infinity for no end. */
  readonly identityConnectionsMax: number;
  /** Counts handshakes that begin; null where the policy does not bound them. */
  readonly handshakes: HandshakeGate | null;
  readonly requestsPerConnectionMax: number;
  readonly connectionAgeMaxMs: number;
}

export interface TlsSettings {
  /** PEM, leaf first. Null with its key: whoever is to give it has not yet, and no handshake can be. */
  readonly certificate: Buffer | null;
  readonly key: Buffer | null;
  readonly minVersion: "TLSv1.2" | "TLSv1.3";
  readonly clientCertificate: "off" | "optional" | "required";
  readonly clientCa: Buffer | null;
  /** Whose chain may end where; null: any authority of `clientCa` may issue any name. */
  readonly trust: ClientTrust | null;
  /** An authority of `clientCa` is trusted without those above it, which the file does not hold. */
  readonly hasPartialChains: boolean;
  /** PEM, one list after another. */
  readonly clientCrl: Buffer | null;
  /** JA4 of each client's hello is to be known. */
  readonly hasJa4?: boolean;
  /** Changes with any of the above but that: a listener swaps its TLS context when it differs. */
  readonly fingerprint: string;
}

export interface UpstreamSettings {
  readonly name: string;
  readonly address:
    | { readonly type: "tcp"; readonly host: string; readonly port: number }
    | { readonly type: "unix"; readonly path: string };
  /** `h2` without TLS is spoken with prior knowledge (RFC 9113 section 3.3). */
  readonly protocol: "http/1.1" | "h2";
  /** Null: in the clear. */
  readonly tls: UpstreamTlsSettings | null;
  readonly connectTimeoutMs: number;
  readonly writeTimeoutMs: number;
  readonly responseTimeoutMs: number;
  /** Without a byte in either direction once the head of the answer is there. */
  readonly streamIdleTimeoutMs: number;
  /** Infinity for none. */
  readonly streamDurationMaxMs: number;
  /** Of an answer: status line and headers, and how many lines they are. */
  readonly headBytesMax: number;
  readonly headersCountMax: number;
  readonly idleTimeoutMs: number;
  readonly connectionsMax: number;
}

/** The service is always verified: its chain up to a trusted authority, and its name. */
export interface UpstreamTlsSettings {
  /** DNS name or IP address that its certificate must carry. */
  readonly serverName: string;
  /** PEM. Null: the authorities that the system trusts. */
  readonly ca: Buffer | null;
  /** An authority of `ca` is trusted without those above it, which the file does not hold. */
  readonly hasPartialChains: boolean;
  /** Postern's own certificate for the service, PEM, leaf first; null for none. */
  readonly certificate: Buffer | null;
  readonly key: Buffer | null;
  readonly minVersion: "TLSv1.2" | "TLSv1.3";
  /** Changes with any of the above: the upstream gets new connections when it differs. */
  readonly fingerprint: string;
}

export const NO_ADMIN: AdminSettings = {
  address: null,
  probes: null,
  hosts: [],
  readyWithExpiredCertificate: true,
  readyWithoutKeys: true,
  serviceProbes: new Map(),
  token: null,
  metrics: null,
  metricsHosts: [],
};

export interface AdminSettings {
  /** Null: no admin port. */
  readonly address: { readonly host: string; readonly port: number } | null;
  /** Names that a request may have in Host besides addresses and `localhost`. */
  readonly hosts: readonly string[];
  /** Readiness says yes although a certificate that postern shows has expired. */
  readonly readyWithExpiredCertificate: boolean;
  /** And although keys that tokens are verified by have never come. */
  readonly readyWithoutKeys: boolean;
  /** What of the service is asked for at the port for probes, by path. */
  readonly serviceProbes: ReadonlyMap<string, ServiceProbe>;
  /** What who asks for an act has to know; null: nobody may act. */
  readonly token: Buffer | null;
  /** Null: no port for probes. */
  readonly probes: { readonly host: string; readonly port: number } | null;
  /** Null: no port for metrics alone. */
  readonly metrics: { readonly host: string; readonly port: number } | null;
  /** `hosts` of that port. */
  readonly metricsHosts: readonly string[];
}
