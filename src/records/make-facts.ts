import { claimAt } from "../attributes/claim-path.ts";
import { groupList, roleList, scopeList } from "../attributes/principal-facts.ts";
import { REASONS, type Reason } from "../decision/reason.ts";
import type { Denial, Place } from "../decision/verdict.ts";
import type { ClientCertificate } from "../message/connection.ts";
import type { HeaderBlock } from "../message/headers.ts";
import type { Principal } from "../message/principal.ts";
import { queryNames } from "../message/query.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { fixed, isPlain, quoted } from "../support/json-text.ts";
import { logText } from "../telemetry/log-text.ts";
import type { RequestRecord } from "../telemetry/request-record.ts";
import {
  type CertificateFacts,
  type ClaimValue,
  type DecisionFacts,
  FACTS_VERSION,
  type PrincipalFacts,
} from "./decision-facts.ts";
import { DecisionLine } from "./decision-line.ts";
import { maskTokens, SHOWN_CLAIMS, SHOWN_HEADERS, shown } from "./redaction.ts";
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

/**
 * A finished request → its facts as a line of JSON, by hand: each request of a recorded service costs one, and an object that is
 * serialized takes several times as long. What many requests share is made once: of a principal, a block of headers, a certificate,
 * a route.
 */
export class FactsMaker {
  readonly #claims: readonly ShownClaim[];
  readonly #headers: ReadonlySet<string>;
  readonly #principals = new WeakMap<Principal, string>();
  readonly #certificates = new WeakMap<ClientCertificate, string>();
  readonly #blocks = new WeakMap<HeaderBlock, string>();
  readonly #places = new WeakMap<Place, string>();
  readonly #names = new KnownTexts((name) => jsonOf(name, DEFAULTS.factsNameCharsMax));
  readonly #values = new KnownTexts((value) => jsonOf(value, DEFAULTS.factsValueCharsMax));

  constructor({ claims, headers }: FactsSettings) {
    this.#claims = [...SHOWN_CLAIMS.map((name) => ({ text: name, path: [name] })), ...claims];
    this.#headers = SHOWN_HEADERS.union(headers);
  }

  make(finished: FinishedRequest, place: Place | null, wallMs: number, trace?: readonly Step[]): DecisionLine {
    const { exchange, id, reason, denial, upstreamMs } = finished;
    const { connection, target, version, audited } = exchange;
    const verdict = verdictOf(finished);
    const text =
      `{"v":${FACTS_VERSION},"id":${quoted(id)},"atMs":${Math.round(wallMs)},"listener":${quoted(finished.listener)},` +
      `"client":${quoted(finished.clientAddress)},"protocol":"${finished.protocol}","secure":${connection.secure},` +
      `"method":${quoted(exchange.method.slice(0, DEFAULTS.logMethodCharsMax))},"host":${this.#values.of(exchange.host)},` +
      `"path":${jsonOf(target.path, DEFAULTS.logPathCharsMax)},"query":${namesOf(target.query)},` +
      `"headers":${this.#headersOf(exchange.headers)},"route":${quoted(finished.route)},"place":${this.#placeOf(place)},` +
      `"version":${version === null ? "null" : quoted(version)},"principal":${this.#principalOf(exchange.principal)},` +
      `"certificate":${this.#certificateOf(exchange.certificate)},"requestBytes":${finished.requestBodyBytes},` +
      `"responseBytes":${finished.responseBodyBytes},"verdict":"${verdict}","reason":${reason === null ? "null" : `"${reason}"`},` +
      `"denial":${denial === null ? "null" : this.#denialOf(denial)},` +
      `"audited":${audited === null ? "[]" : this.#auditedOf(audited)},"status":${finished.status},` +
      `"decisionUs":${fixed(finished.decisionMs * 10_000, 1)},` +
      `"upstreamMs":${upstreamMs < 0 ? "null" : fixed(upstreamMs * 1000, 3)},` +
      `"durationMs":${fixed(finished.durationMs * 1000, 3)},"policyHash":${quoted(finished.policyHash)}` +
      `${trace === undefined ? "" : `,"trace":${JSON.stringify(trace.map(maskedStep))}`}}`;
    return new DecisionLine(id, reason, verdict, text);
  }

  #denialOf({ reason, place, seen, wanted }: Denial): string {
    return (
      `{"reason":"${reason}","place":${this.#placeOf(place)},"rule":${place === null ? "null" : quoted(place.path)},` +
      `"seen":${jsonOf(seen, DEFAULTS.logTextCharsMax)},"wanted":${jsonOf(wanted, DEFAULTS.logTextCharsMax)}}`
    );
  }

  #auditedOf(audited: readonly Denial[]): string {
    const first = audited.slice(0, DEFAULTS.factsAuditedMax);
    return `[${first.map((denial) => this.#denialOf(denial)).join(",")}]`;
  }

  #placeOf(place: Place | null): string {
    return remembered(this.#places, place, (it) => quoted(placeText(it) ?? ""));
  }

  #headersOf(block: HeaderBlock): string {
    return remembered(this.#blocks, block, ({ names, values }) => {
      const lines = names.slice(0, DEFAULTS.factsHeadersMax).map((name, at) => {
        if (!this.#headers.has(name)) return this.#names.of(name);
        return `"${name}: ${this.#values.of(values[at] ?? "").slice(1)}`;
      });
      return `[${lines.join(",")}]`;
    });
  }

  #principalOf(principal: Principal | null): string {
    return remembered(this.#principals, principal, (it) => {
      const facts: PrincipalFacts = {
        id: logText(it.id),
        authenticator: it.authenticator,
        type: it.type,
        scopes: listOf(scopeList(it)),
        roles: listOf(roleList(it)),
        groups: listOf(groupList(it)),
        claimNames: listOf(Object.keys(it.claims)),
        claims: this.#claimsOf(it),
      };
      return JSON.stringify(facts);
    });
  }

  #claimsOf({ claims }: Principal): Record<string, ClaimValue> {
    const values: Record<string, ClaimValue> = {};
    for (const { text, path } of this.#claims) {
      const value = claimValue(claimAt(claims, path));
      if (value !== undefined) values[text] = value;
    }
    return values;
  }

  #certificateOf(certificate: ClientCertificate | null): string {
    return remembered(this.#certificates, certificate, ({ subject, issuer, spiffeId, fingerprint, untrusted }) => {
      const facts: CertificateFacts = {
        subject: shown(subject, DEFAULTS.factsValueCharsMax),
        issuer: shown(issuer, DEFAULTS.factsValueCharsMax),
        spiffeId: spiffeId === null ? null : shown(spiffeId, DEFAULTS.factsValueCharsMax),
        fingerprint,
        untrusted,
      };
      return JSON.stringify(facts);
    });
  }
}

function remembered<Of extends object>(known: WeakMap<Of, string>, of: Of | null, make: (of: Of) => string): string {
  if (of === null) return "null";
  let text = known.get(of);
  if (text === undefined) {
    text = make(of);
    known.set(of, text);
  }
  return text;
}

/** Texts of 32 KiB at most, the head's own limit. */
const TEXTS_MAX = 64;

/** What clients of a service send few different ones of. */
class KnownTexts {
  readonly #known = new Map<string, string>();
  readonly #make: (text: string) => string;

  constructor(make: (text: string) => string) {
    this.#make = make;
  }

  of(text: string): string {
    let made = this.#known.get(text);
    if (made === undefined) {
      made = this.#make(text);
      if (this.#known.size >= TEXTS_MAX) this.#known.clear();
      this.#known.set(text, made);
    }
    return made;
  }
}

/** Text from outside as JSON, as it is shown. */
function jsonOf(text: string, charsMax: number): string {
  const masked = maskTokens(text);
  return masked.length <= charsMax && isPlain(masked) ? `"${masked}"` : JSON.stringify(logText(masked, charsMax));
}

/** Names of a query's parameters as JSON. */
function namesOf(query: string): string {
  if (query.length <= 1) return "[]";
  const names = queryNames(query).slice(0, DEFAULTS.factsNamesMax);
  return `[${names.map((name) => jsonOf(name, DEFAULTS.factsNameCharsMax)).join(",")}]`;
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
