import { claimAt } from "../attributes/claim-path.ts";
import { groupList, roleList, scopeList } from "../attributes/principal-facts.ts";
import type { Place } from "../decision/verdict.ts";
import type { ClientCertificate, ConnectionFacts } from "../message/connection.ts";
import type { HeaderBlock } from "../message/headers.ts";
import type { Principal } from "../message/principal.ts";
import { allQueryValues, queryNames } from "../message/query.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { isPlain, quoted } from "../support/json-text.ts";
import { maskTokens } from "../support/mask-tokens.ts";
import { logText } from "../telemetry/log-text.ts";
import type { RequestRecord } from "../telemetry/request-record.ts";
import { type ConnectionPieces, PiecesByConnection } from "./connection-pieces.ts";
import type { CertificateFacts, ClaimValue, PrincipalFacts } from "./decision-facts.ts";
import { SHOWN_CLAIMS, SHOWN_HEADERS, shown } from "./redaction.ts";
import { placeText } from "./step.ts";
import { shapeOf } from "./value-shape.ts";

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
  /** Parameters of queries. */
  readonly query: ReadonlySet<string>;
}

/** What a route's requests have in common. */
interface RoutePiece {
  readonly route: string;
  readonly piece: Uint8Array;
}

const NULL = Buffer.from("null");
export const NO_QUERY: Uint8Array = Buffer.from(',"query":[]');
export const NO_VERSION: Uint8Array = Buffer.from(',"version":null');
const NO_PRINCIPAL = Buffer.from(',"principal":null');
const NO_CERTIFICATE = Buffer.from(',"certificate":null');

/**
 * What many requests share, as pieces of their lines, each made once: of a connection, a block of headers, a principal, a
 * certificate, a route.
 */
export class FactsPieces {
  readonly #claims: readonly ShownClaim[];
  readonly #headers: ReadonlySet<string>;
  readonly #query: ReadonlySet<string>;
  readonly #connections = new PiecesByConnection();
  readonly #routes = new WeakMap<Place, RoutePiece>();
  readonly #places = new WeakMap<Place, Uint8Array>();
  readonly #principals = new WeakMap<Principal, Uint8Array>();
  readonly #certificates = new WeakMap<ClientCertificate, Uint8Array>();
  readonly #blocks = new WeakMap<HeaderBlock, Uint8Array>();
  readonly #names = new KnownTexts((name) => jsonOf(name, DEFAULTS.factsNameCharsMax));
  readonly #values = new KnownTexts((value) => jsonOf(value, DEFAULTS.factsValueCharsMax));

  constructor({ claims, headers, query }: FactsSettings) {
    this.#claims = [...SHOWN_CLAIMS.map((name) => ({ text: name, path: [name] })), ...claims];
    this.#headers = SHOWN_HEADERS.union(headers);
    this.#query = query;
  }

  of(connection: ConnectionFacts): ConnectionPieces {
    return this.#connections.of(connection);
  }

  /** Listener, client, protocol, security, method and host; what comes next is the path. */
  beginning({ clientAddress: client, listener, protocol, exchange }: RequestRecord): Uint8Array {
    const method = quoted(exchange.method.slice(0, DEFAULTS.logMethodCharsMax));
    const host = this.#values.of(exchange.host);
    const { secure } = exchange.connection;
    return Buffer.from(
      `,"listener":${quoted(listener)},"client":${quoted(client)},"protocol":"${protocol}","secure":${secure},"method":${method},"host":${host},"path":`,
    );
  }

  /** Of a request without query and version: what comes between its path and its numbers. */
  who({ exchange, route }: RequestRecord, place: Place | null): Uint8Array {
    return Buffer.concat([
      NO_QUERY,
      this.headers(exchange.headers),
      this.route(route, place),
      NO_VERSION,
      this.principal(exchange.principal),
      this.certificate(exchange.certificate),
    ]);
  }

  /** Its template and its place; `unmatched` has none. */
  route(route: string, place: Place | null): Uint8Array {
    const known = place === null ? undefined : this.#routes.get(place);
    if (known?.route === route) return known.piece;
    const piece = Buffer.concat([Buffer.from(`,"route":${quoted(route)},"place":`), this.place(place)]);
    if (place !== null) this.#routes.set(place, { route, piece });
    return piece;
  }

  place(place: Place | null): Uint8Array {
    if (place === null) return NULL;
    return remembered(this.#places, place, (it) => quoted(placeText(it) ?? ""));
  }

  headers(block: HeaderBlock): Uint8Array {
    return remembered(this.#blocks, block, ({ names, values }) => {
      const lines = names.slice(0, DEFAULTS.factsHeadersMax).map((name, at) => {
        if (!this.#headers.has(name)) return this.#names.of(name);
        return `"${name}: ${this.#values.of(values[at] ?? "").slice(1)}`;
      });
      return `,"headers":[${lines.join(",")}]`;
    });
  }

  /** Of a query that is not empty: names, shapes, and values of those that are shown. */
  query(query: string): string {
    const names = queryNames(query).slice(0, DEFAULTS.factsNamesMax);
    const values = allQueryValues(query).slice(0, DEFAULTS.factsNamesMax);
    const listed = names.map((name) => this.#names.of(name)).join(",");
    const told = `,"query":[${listed}],"shapes":["${values.map(shapeOf).join('","')}"]`;
    if (this.#query.size === 0 || !names.some((name) => this.#query.has(name))) return told;
    const open = names.map((name, at) => (this.#query.has(name) ? this.#values.of(values[at] ?? "") : "null"));
    return `${told},"values":[${open.join(",")}]`;
  }

  principal(principal: Principal | null): Uint8Array {
    if (principal === null) return NO_PRINCIPAL;
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
      return `,"principal":${JSON.stringify(facts)}`;
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

  certificate(certificate: ClientCertificate | null): Uint8Array {
    if (certificate === null) return NO_CERTIFICATE;
    return remembered(this.#certificates, certificate, ({ subject, issuer, spiffeId, fingerprint, untrusted }) => {
      const facts: CertificateFacts = {
        subject: shown(subject, DEFAULTS.factsValueCharsMax),
        issuer: shown(issuer, DEFAULTS.factsValueCharsMax),
        spiffeId: spiffeId === null ? null : shown(spiffeId, DEFAULTS.factsValueCharsMax),
        fingerprint,
        untrusted,
      };
      return `,"certificate":${JSON.stringify(facts)}`;
    });
  }
}

function remembered<Of extends object>(known: WeakMap<Of, Uint8Array>, of: Of, make: (of: Of) => string): Uint8Array {
  let piece = known.get(of);
  if (piece === undefined) {
    piece = Buffer.from(make(of));
    known.set(of, piece);
  }
  return piece;
}

/** Texts of 32 KiB at most, the head's own limit. */
const TEXTS_MAX = 64;

/** What clients of a service send few different ones of. */
class KnownTexts<Made> {
  readonly #known = new Map<string, Made>();
  readonly #make: (text: string) => Made;

  constructor(make: (text: string) => Made) {
    this.#make = make;
  }

  of(text: string): Made {
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
export function jsonOf(text: string, charsMax: number): string {
  const masked = maskTokens(text);
  return masked.length <= charsMax && isPlain(masked) ? `"${masked}"` : JSON.stringify(logText(masked, charsMax));
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
