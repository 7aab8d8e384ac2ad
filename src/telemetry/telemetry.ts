import type { Reason } from "../decision/reason.ts";
import type { CheckName } from "../decision/verdict.ts";
import type { Http1CloseReason } from "../http1/close-reason.ts";
import type { Http2CloseReason } from "../http2/close-reason.ts";
import type { Http2Unjudged } from "../http2/unjudged.ts";
import { CERTIFICATE_FAULTS } from "../message/certificate-fault.ts";
import type { LogSettings } from "./log-settings.ts";
import type { RequestRecord } from "./request-record.ts";

/** Why a TLS handshake did not come about; closed, for it is a metric label. */
export const HANDSHAKE_FAILURES = [
  "certificate_missing",
  ...CERTIFICATE_FAULTS,
  "protocol_version",
  "no_shared_cipher",
  "no_shared_protocol",
  "not_tls",
  "timeout",
  "closed",
  "memory_handshakes", // it gave way to a newer one
  "other",
] as const;

export type HandshakeFailure = (typeof HANDSHAKE_FAILURES)[number];

/** Why a connection was closed before it could ask for anything; closed, for it is a metric label. */
export const CONNECTION_REFUSALS = [
  "connections_max",
  "address_connections_max",
  "identity_connections_max",
  "address_handshakes_rate",
  "handshakes_rate",
  "proxy_peer_unnamed",
  "proxy_header_missing",
  "proxy_header_invalid",
  "proxy_header_timeout",
  "protocol_timeout",
  "protocol_unsupported",
  "certificate_pending", // the SPIFFE agent has given none yet
  "memory_handshakes", // no room, and nobody gave way
] as const;

export type ConnectionRefusal = (typeof CONNECTION_REFUSALS)[number];

/** What became of an act that was asked for at the admin port; closed, for it is a metric label. */
export const ADMIN_ACT_RESULTS = [
  "done",
  "failed", // what was asked for cannot be done
  "unauthorized", // without the token
  "no_token", // the policy has none
  "cross_site", // a page of another site asked, or what only a form sends
] as const;

export type AdminActResult = (typeof ADMIN_ACT_RESULTS)[number];

/** Where events go; the live one counts and logs, tests pass one that remembers. */
export interface Telemetry {
  requestStarted(): void;
  requestFinished(record: RequestRecord): void;
  connectionOpened(listener: string): void;
  connectionClosed(listener: string): void;
  handshakeFailed(listener: string, failure: HandshakeFailure, peer: string, detail: string): void;
  /** An HTTP/1.1 connection is over. */
  http1ConnectionClosed(listener: string, reason: Http1CloseReason): void;
  /** A request over HTTP/2 came and was never looked at, so that no record of it follows. */
  http2RequestUnjudged(listener: string, why: Http2Unjudged): void;
  /** Somebody was refused too often, the last time for `reason`; null for who was not refused, but too suspicious. */
  banned(ban: BanFacts, reason: Reason | null): void;
  /** An HTTP/2 session is over. */
  http2SessionClosed(listener: string, reason: Http2CloseReason, peer: string, seen: string): void;
}

/** Who writes what happens to the process where a change of it shows. It neither waits nor throws. */
export interface AuditTrail {
  event(event: string, fields: Readonly<Record<string, unknown>>): void;
  /** `tell` hears of the newest line, as number and hash, now and then. */
  onHead(tell: (head: string) => void): void;
}

/** Who tells of what is unusual, while its policy is in force. It neither waits nor throws. */
export interface AnomaliesInForce {
  /** The policy has come into force; `tell` hears of each anomaly as it begins, goes on and ends. */
  inForce(tell: (row: Readonly<Record<string, unknown>>) => void): void;
  /** Of each kind, a closed list: how many began, and how many are there. */
  figures(): Iterable<{ readonly kind: string; readonly begun: number; readonly active: number }>;
}

export interface CertificateFacts {
  /** Absolute file name. */
  readonly file: string;
  /** What for: `listener inbound`, `listener inbound client CA`. */
  readonly use: string;
  readonly subject: string;
  readonly notAfterMs: number;
  /** Postern shows it to others; else it vouches for theirs. */
  readonly isShown: boolean;
}

/** A revocation list that the policy uses; of several of one issuer, the one that ends last. */
export interface RevocationListFacts {
  readonly file: string;
  readonly use: string;
  readonly issuer: string;
  /** When the next list is due (RFC 5280 section 5.1.2.5): from then on its authority's certificates are refused. */
  readonly nextUpdateMs: number;
}

/** What telemetry needs to know of a policy that comes into force; a snapshot has it all. */
export interface PolicyInForce {
  readonly hash: string;
  readonly service: string;
  readonly log: LogSettings;
  readonly records?: { readonly audit: AuditTrail | null; readonly anomalies: AnomaliesInForce | null } | null;
  readonly listeners: readonly { readonly name: string }[];
  readonly upstreams: ReadonlyMap<string, unknown>;
  readonly routeList: readonly { readonly template: string; readonly versions: readonly string[] }[];
  readonly ownPages: ReadonlyMap<string, { readonly label: string }>;
  readonly certificates: readonly CertificateFacts[];
  readonly revocationLists: readonly RevocationListFacts[];
  readonly limits: readonly LimitFacts[];
  readonly bans: BansInForce | null;
  readonly overload: OverloadInForce | null;
  /** Checks whose denials are counted by caller, for they are not enforced for everybody. */
  readonly rungs: readonly CheckName[];
  readonly authenticators: ReadonlyMap<string, AuthenticatorFacts>;
}

/** A ban that has begun: its name in the policy, whom it meets, until when, and the how many-th of late. */
export interface BanFacts {
  readonly ban: string;
  readonly key: string;
  readonly id: string;
  readonly untilMs: number;
  readonly count: number;
}

/** The bans of a policy: their names, how often each began, how many hold, and how many had no room in the list. */
export interface BansInForce {
  readonly facts: readonly { readonly name: string }[];
  readonly book: {
    figures(name: string): { readonly begun: number; readonly active: number; readonly unlisted: number };
  };
}

/** How much is shed. */
export interface OverloadInForce {
  readonly watch: { readonly level: number; readonly delayMs: number };
}

/** An authenticator, and when credentials of its callers were used last; a bounded number of them. */
export interface AuthenticatorFacts {
  readonly name: string;
  uses?(): Iterable<{ readonly caller: string; readonly credential: string; readonly lastUsedMs: number }>;
}

/** A limit, and what it counted of itself. */
export interface LimitFacts {
  readonly name: string;
  report(): LimitCounts;
}

export interface LimitCounts {
  /** Requests that passed while their caller had used more than four fifths of it. */
  readonly near: number;
  readonly denied: number;
  /** Keys that gave way to others while requests of theirs were counted. */
  readonly evictions: number;
  /** Of one that holds requests or is held by them: how many are under way (null: it has no places), how many wait, and what
   * may be under way of each key that adapts. */
  readonly places?: {
    readonly inFlight: number | null;
    readonly waiting: number;
    readonly adapted: readonly number[];
  };
}
