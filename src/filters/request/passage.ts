import { CERTIFICATE_LINES_HEADERS } from "../../message/certificate-lines.ts";
import { namedByConnection } from "../../message/connection-options.ts";
import type { HeaderBlock } from "../../message/headers.ts";
import { canonicalName, isPlainName, isReserved } from "../../message/reserved-names.ts";
import { TAKEN, trustedRow } from "../../message/trusted-headers.ts";
import type { RequestRules } from "../filter.ts";
import { fateOf, type HeaderFate, PASSES, RESERVED, WITHHELD } from "./header-fate.ts";

/** A header of a client that does not reach the service, and why, for `explain`. */
export interface WithheldHeader {
  readonly name: string;
  readonly why: string;
}

/**
 * What passes a closed list (`forward`) too: without it the message would be another. How the body is to be read, the
 * conditions without which a write would be done that its sender did not want, and the handshake of a WebSocket.
 */
export const ALWAYS_FORWARDED: readonly string[] = [
  "content-type",
  "content-encoding",
  "content-range",
  "grpc-encoding",
  "if-match",
  "if-none-match",
  "if-modified-since",
  "if-unmodified-since",
  "if-range",
  "sec-websocket-key",
  "sec-websocket-version",
  "sec-websocket-protocol",
  "sec-websocket-extensions",
];

/**
 * Which headers of a client reach the service on one route. All of it is known at load: a name costs two look-ups. To the
 * policy's own word on a header its fate is `RESERVED`, to what its author may not expect `WITHHELD`.
 */
export class Passage {
  /** Names that the policy takes off; of those that pass by themselves, so each in its one spelling. */
  readonly #off: ReadonlySet<string>;
  /** Names that the policy lets pass though they would come off. */
  readonly #named: ReadonlySet<string>;
  /** The closed list, whole; null where there is none. */
  readonly #only: ReadonlySet<string> | null;
  readonly #removed: ReadonlySet<string>;

  /** Cookies that come off; null for none. */
  readonly cookies: ReadonlySet<string> | null;
  /** Tokens among a WebSocket's sub-protocols come off. */
  readonly hidesProtocolTokens: boolean;

  /** `credentialHeaders` in lower case. */
  constructor(
    rules: RequestRules,
    credentialHeaders: readonly string[],
    credentialCookies: readonly string[] = [],
    credentialProtocols = false,
  ) {
    this.hidesProtocolTokens = credentialProtocols && !rules.keepCredentials;
    this.cookies = rules.keepCredentials || credentialCookies.length === 0 ? null : new Set(credentialCookies);
    const own = rules.clientCertificate.flatMap((format) => CERTIFICATE_LINES_HEADERS[format]);
    const set = [...rules.setHeaders.map(([name]) => name), ...rules.identity.map(({ name }) => name), ...own];
    const credentials = rules.keepCredentials ? [] : credentialHeaders;
    const removed = new Set([...rules.removeHeaders, ...set, ...credentials].map(canonicalName));
    // What a rule has read passes in the spelling that it has read, and in no other.
    const judged = new Set([...rules.declaredHeaders, ...(rules.keepCredentials ? credentialHeaders : [])]);
    const judgedCanonical = new Set([...judged].map(canonicalName));
    const mayPass = (name: string): boolean => {
      const canonical = canonicalName(name);
      if (isReserved(canonical) || removed.has(canonical)) return false;
      return judged.has(name) || !judgedCanonical.has(canonical);
    };
    const { forward, keepHeaders } = rules;
    this.#removed = removed;
    this.#off = new Set([...removed, ...[...judgedCanonical].filter((name) => !judged.has(name))]);
    this.#named = new Set([...judged, ...(forward ?? []), ...keepHeaders].filter(mayPass));
    this.#only = forward === null ? null : new Set([...this.#named, ...ALWAYS_FORWARDED.filter(mayPass)]);
  }

  /** `name` in lower case. */
  fateOf(name: string): HeaderFate {
    if (this.#only !== null) return this.#fateByList(name, this.#only);
    const fate = fateOf(name);
    if (fate === PASSES) return this.#off.has(name) ? RESERVED : PASSES;
    return this.#named.has(name) ? PASSES : fate;
  }

  #fateByList(name: string, only: ReadonlySet<string>): HeaderFate {
    if (only.has(name)) return PASSES;
    return this.#off.has(name) || fateOf(name) === RESERVED ? RESERVED : WITHHELD;
  }

  lets(name: string): boolean {
    return this.fateOf(name) === PASSES;
  }

  /** The headers of a block that do not pass, each once. */
  withheld(headers: HeaderBlock): WithheldHeader[] {
    const named = namedByConnection(headers);
    return [...new Set(headers.names)].flatMap((name) => {
      if (!this.lets(name)) return [{ name, why: this.#why(name) }];
      return named?.has(name) === true ? [{ name, why: "named by Connection" }] : [];
    });
  }

  #why(name: string): string {
    const canonical = canonicalName(name);
    if (isReserved(canonical)) return "postern writes or answers it itself";
    if (this.#removed.has(canonical))
      return "the policy takes it off: a credential, removeHeaders, setHeaders or identity";
    if (this.#only !== null) return "not in 'forward'";
    const row = trustedRow(canonical);
    if (row !== null) return `${row.product}: ${TAKEN[row.taken]} (${row.source}); not in 'keepHeaders'`;
    if (!isPlainName(name)) return "not only letters, digits and dashes; not in 'keepHeaders'";
    return "another spelling of a header that the policy reads";
  }
}
