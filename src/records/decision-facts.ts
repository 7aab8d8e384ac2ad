import type { Reason } from "../decision/reason.ts";
import type { HttpProtocol } from "../message/connection.ts";
import type { Step } from "./step.ts";
import type { ValueShape } from "./value-shape.ts";

/** Layout of the facts; another layout is another number, and readers refuse what they do not know. */
export const FACTS_VERSION = 1;

/** In answers to who signs a request with the policy's key; no service's own gets through then. */
export const DECISION_HEADER = "postern-decision";

/**
 * What there is to know of one decision, once it is over: plain JSON, bounded, and without secrets, as `redaction.ts` says.
 * Whatever was masked holds the word `~redacted~`.
 */
export interface DecisionFacts {
  readonly v: typeof FACTS_VERSION;
  readonly id: string;
  /** Unix milliseconds of the request's end. */
  readonly atMs: number;
  readonly listener: string;
  /** Address of the client, behind trusted proxies the one that they tell. */
  readonly client: string;
  readonly protocol: HttpProtocol;
  /** TLS protects the connection. */
  readonly secure: boolean;
  /** Empty, with the path, of a request that could not be read. */
  readonly method: string;
  readonly host: string;
  /** Canonical. */
  readonly path: string;
  /** Names of the query's parameters, as often as they stand there. */
  readonly query: readonly string[];
  /** What kind of value each of them has and how large it is, as `value-shape.ts` tells it; absent where there is none. */
  readonly shapes?: readonly ValueShape[];
  /** Values of those that the policy has shown, null for others; absent where none is shown. */
  readonly values?: readonly (string | null)[];
  /** `name: value` of the few whose values tell nothing secret, else the name alone; in the order received. */
  readonly headers: readonly string[];
  /** The route's template; `unmatched` where none matched. */
  readonly route: string;
  /** `file:line:column`. */
  readonly place: string | null;
  readonly version: string | null;
  readonly principal: PrincipalFacts | null;
  readonly certificate: CertificateFacts | null;
  readonly requestBytes: number;
  readonly responseBytes: number;
  /** `none`: its client left before there was one. What fails behind postern was allowed. */
  readonly verdict: "allow" | "deny" | "none";
  /** Null where the service's answer went to the client whole. */
  readonly reason: Reason | null;
  readonly denial: DenialFacts | null;
  /** Of checks that only audit. */
  readonly audited: readonly DenialFacts[];
  readonly status: number;
  /** From the first byte of the head to the verdict. */
  readonly decisionUs: number;
  /** From forwarding to the service's head; null where nothing was forwarded. */
  readonly upstreamMs: number | null;
  readonly durationMs: number;
  readonly policyHash: string;
  /** One in so many requests was recorded; absent where each was. */
  readonly oneIn?: number;
  /** Each check as it was seen, of a decision that was traced. */
  readonly trace?: readonly Step[];
}

export interface PrincipalFacts {
  readonly id: string;
  readonly authenticator: string;
  readonly type: string;
  readonly scopes: readonly string[];
  readonly roles: readonly string[];
  readonly groups: readonly string[];
  /** Names of all claims, so that who reads this knows what there was beside those told. */
  readonly claimNames: readonly string[];
  /** Path → value, of those that always show and of those that `decisions.claims` names. */
  readonly claims: Readonly<Record<string, ClaimValue>>;
}

export type ClaimValue = string | number | boolean | readonly (string | number | boolean)[];

export interface CertificateFacts {
  readonly subject: string;
  readonly issuer: string;
  readonly spiffeId: string | null;
  /** SHA-256 over its DER. */
  readonly fingerprint: string;
  /** Why its chain is not trusted; null where it is. */
  readonly untrusted: string | null;
}

export interface DenialFacts {
  readonly reason: Reason;
  /** `file:line:column` of the check; null where the refusal is HTTP's own. */
  readonly place: string | null;
  /** The keys that lead there. */
  readonly rule: string | null;
  readonly seen: string;
  readonly wanted: string;
}
