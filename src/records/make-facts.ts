import { claimAt } from "../attributes/claim-path.ts";
import { groupList, roleList, scopeList } from "../attributes/principal-facts.ts";
import { REASONS, type Reason } from "../decision/reason.ts";
import type { Denial, Place } from "../decision/verdict.ts";
import type { ClientCertificate } from "../message/connection.ts";
import type { HeaderBlock } from "../message/headers.ts";
import type { Principal } from "../message/principal.ts";
import { queryNames } from "../message/query.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { logText } from "../telemetry/log-text.ts";
import type { RequestRecord } from "../telemetry/telemetry.ts";
import {
  type CertificateFacts,
  type ClaimValue,
  type DecisionFacts,
  type DenialFacts,
  FACTS_VERSION,
  type PrincipalFacts,
} from "./decision-facts.ts";
import { SHOWN_CLAIMS, SHOWN_HEADERS, shown } from "./redaction.ts";
import { placeText, type Step } from "./step.ts";

/** A request that is over, as the proxy tells of it. */
export interface FinishedRequest extends RequestRecord {
  /** It was denied, and nothing of it was forwarded. */
  readonly denied: boolean;
}

/** A claim whose value the policy has shown. */
export interface ShownClaim {
  readonly text: string;
  readonly path: readonly string[];
}

/** What the policy has shown beside the usual. */
export interface FactsSettings {
  readonly claims: readonly ShownClaim[];
  /** Lower case. */
  readonly headers: ReadonlySet<string>;
}

/** What is the same for many requests is made once: of a principal, of a block of headers, of a certificate. */
export class FactsMaker {
  readonly #claims: readonly ShownClaim[];
  readonly #headers: ReadonlySet<string>;
  readonly #principals = new WeakMap<Principal, PrincipalFacts>();
  /** What is shown of values of headers. */
  readonly #values = new Map<string, string>();
  readonly #blocks = new WeakMap<HeaderBlock, readonly string[]>();
  readonly #certificates = new WeakMap<ClientCertificate, CertificateFacts>();
  readonly #places = new WeakMap<Place, string>();

  constructor({ claims, headers }: FactsSettings) {
    this.#claims = [...SHOWN_CLAIMS.map((name) => ({ text: name, path: [name] })), ...claims];
    this.#headers = SHOWN_HEADERS.union(headers);
  }

  make(finished: FinishedRequest, place: Place | null, wallMs: number, trace?: readonly Step[]): DecisionFacts {
    const { exchange, reason, denial, upstreamMs } = finished;
    const { connection, target, principal, certificate, audited } = exchange;
    return {
      v: FACTS_VERSION,
      id: finished.id,
      atMs: Math.round(wallMs),
      listener: finished.listener,
      client: finished.clientAddress,
      protocol: finished.protocol,
      secure: connection.secure,
      method: exchange.method.slice(0, DEFAULTS.logMethodCharsMax),
      host: shown(exchange.host, DEFAULTS.factsValueCharsMax),
      path: shown(target.path, DEFAULTS.logPathCharsMax),
      query: target.query.length <= 1 ? NONE : namesOf(target.query),
      headers: this.#headersOf(exchange.headers),
      route: finished.route,
      place: place === null ? null : this.#placeOf(place),
      version: exchange.version,
      principal: principal === null ? null : this.#principalOf(principal),
      certificate: certificate === null ? null : this.#certificateOf(certificate),
      requestBytes: finished.requestBodyBytes,
      responseBytes: finished.responseBodyBytes,
      verdict: verdictOf(finished),
      reason,
      denial: denial === null ? null : denialFacts(denial),
      audited: audited === null ? NONE : audited.slice(0, DEFAULTS.factsAuditedMax).map(denialFacts),
      status: finished.status,
      decisionUs: Math.round(finished.decisionMs * 10_000) / 10,
      upstreamMs: upstreamMs < 0 ? null : Math.round(upstreamMs * 1000) / 1000,
      durationMs: Math.round(finished.durationMs * 1000) / 1000,
      policyHash: finished.policyHash,
      ...(trace === undefined ? {} : { trace: trace.map(maskedStep) }),
    };
  }

  #placeOf(place: Place): string | null {
    const known = this.#places.get(place);
    if (known !== undefined) return known;
    const text = placeText(place);
    if (text !== null) this.#places.set(place, text);
    return text;
  }

  #headersOf(block: HeaderBlock): readonly string[] {
    let lines = this.#blocks.get(block);
    if (lines === undefined) {
      lines = block.names
        .slice(0, DEFAULTS.factsHeadersMax)
        .map((name, at) =>
          this.#headers.has(name)
            ? `${name}: ${this.#headerValue(block.values[at] ?? "")}`
            : shown(name, DEFAULTS.factsNameCharsMax),
        );
      this.#blocks.set(block, lines);
    }
    return lines;
  }

  /** Clients of a service send few different ones. */
  #headerValue(value: string): string {
    let masked = this.#values.get(value);
    if (masked === undefined) {
      masked = shown(value, DEFAULTS.factsValueCharsMax);
      if (this.#values.size >= VALUES_MAX) this.#values.clear();
      this.#values.set(value, masked);
    }
    return masked;
  }

  #principalOf(principal: Principal): PrincipalFacts {
    let facts = this.#principals.get(principal);
    if (facts === undefined) {
      facts = {
        id: logText(principal.id),
        authenticator: principal.authenticator,
        type: principal.type,
        scopes: listOf(scopeList(principal)),
        roles: listOf(roleList(principal)),
        groups: listOf(groupList(principal)),
        claimNames: listOf(Object.keys(principal.claims)),
        claims: this.#claimsOf(principal),
      };
      this.#principals.set(principal, facts);
    }
    return facts;
  }

  #claimsOf({ claims }: Principal): Record<string, ClaimValue> {
    const values: Record<string, ClaimValue> = {};
    for (const { text, path } of this.#claims) {
      const value = claimValue(claimAt(claims, path));
      if (value !== undefined) values[text] = value;
    }
    return values;
  }

  #certificateOf(certificate: ClientCertificate): CertificateFacts {
    let facts = this.#certificates.get(certificate);
    if (facts === undefined) {
      const { subject, issuer, spiffeId, fingerprint, untrusted } = certificate;
      facts = {
        subject: shown(subject, DEFAULTS.factsValueCharsMax),
        issuer: shown(issuer, DEFAULTS.factsValueCharsMax),
        spiffeId: spiffeId === null ? null : shown(spiffeId, DEFAULTS.factsValueCharsMax),
        fingerprint,
        untrusted,
      };
      this.#certificates.set(certificate, facts);
    }
    return facts;
  }
}

/** Values of 32 KiB at most, the head's own limit. */
const VALUES_MAX = 64;

const NONE: readonly never[] = Object.freeze([]);

function namesOf(query: string): readonly string[] {
  return queryNames(query)
    .slice(0, DEFAULTS.factsNamesMax)
    .map((name) => shown(name, DEFAULTS.factsNameCharsMax));
}

function listOf(texts: readonly string[]): readonly string[] {
  return texts.slice(0, DEFAULTS.factsItemsMax).map((text) => shown(text, DEFAULTS.factsNameCharsMax));
}

/** Undefined for what is absent, or has no place in a line. */
function claimValue(value: unknown): ClaimValue | undefined {
  if (Array.isArray(value)) {
    const items: unknown[] = value.slice(0, DEFAULTS.factsItemsMax);
    const plain = items.map(plainValue);
    return plain.some((item) => item === undefined) ? undefined : plain.filter((item) => item !== undefined);
  }
  return plainValue(value);
}

function plainValue(value: unknown): string | number | boolean | undefined {
  if (typeof value === "string") return shown(value, DEFAULTS.factsValueCharsMax);
  return typeof value === "number" || typeof value === "boolean" ? value : undefined;
}

function denialFacts({ reason, place, seen, wanted }: Denial): DenialFacts {
  return {
    reason,
    place: placeText(place),
    rule: place?.path ?? null,
    seen: shown(seen, DEFAULTS.logTextCharsMax),
    wanted: shown(wanted, DEFAULTS.logTextCharsMax),
  };
}

function maskedStep(step: Step): Step {
  const saw = shown(step.saw, DEFAULTS.logTextCharsMax);
  return { ...step, saw, wanted: step.wanted === null ? null : shown(step.wanted, DEFAULTS.logTextCharsMax) };
}

/** What fails between postern and the service, or at the client's end, no rule has decided. */
function verdictOf({ reason, denied }: FinishedRequest): DecisionFacts["verdict"] {
  if (!denied || reason === null) return "allow";
  if (REASONS[reason].source === "upstream") return "allow";
  return LEFT.has(reason) ? "none" : "deny";
}

const LEFT: ReadonlySet<Reason> = new Set(["client_closed", "client_read_timeout"]);
