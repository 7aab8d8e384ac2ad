import * as z from "zod";
import { foldName, namesRead } from "../bodies/names.ts";
import type { Denial } from "../decision/verdict.ts";
import { isCookieDisguised } from "../message/cookies.ts";
import type { Exchange } from "../message/exchange.ts";
import { queryNames } from "../message/query.ts";
import { readOffer } from "../message/sub-protocols.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { headerName } from "../support/schema.ts";
import { cookieName, parameterName } from "./credential-schema.ts";
import { type CredentialSource, cookieSource, headerSource, querySource, Unreadable } from "./credential-source.ts";
import { CrossSite } from "./cross-site.ts";
import type { CompileContext, TokenFacts } from "./filter.ts";
import { bearerToken, OTHER_SCHEME } from "./jwt/token.ts";
import { misplacedTokens } from "./misplaced-tokens.ts";
import { originText } from "./origin.ts";

/** Keys of an authenticator that say where its tokens stand. */
export const tokenPlacesShape = {
  header: headerName
    .optional()
    .describe(
      "Header of the token. One other than Authorization holds the token alone, without 'Bearer'. Authorization if neither 'header' nor 'cookie' nor 'query' is there.",
    ),
  cookie: cookieName
    .optional()
    .describe(
      "Cookie that holds the token; it does not reach the service, others do. A request that changes something, and a WebSocket, has to come from a page of the authority that is asked.",
    ),
  origins: z
    .array(originText)
    .min(1)
    .max(DEFAULTS.websocketOriginsMax)
    .optional()
    .describe("Origins whose pages may use the cookie too, beside those of the authority that is asked."),
  query: parameterName
    .optional()
    .describe(
      "Query parameter that holds the token; it does not reach the service. Proxies and browsers keep queries.",
    ),
  websocketProtocol: z
    .boolean()
    .optional()
    .describe(
      "The token of a WebSocket may stand in Sec-WebSocket-Protocol, as browsers have to send it: 'bearer, TOKEN', or as Kubernetes has it. It does not reach the service. false if absent.",
    ),
};

/** What `tokenPlacesShape` reads. */
export interface TokenPlacesSettings {
  readonly header?: string | undefined;
  readonly cookie?: string | undefined;
  readonly origins?: readonly string[] | undefined;
  readonly query?: string | undefined;
  readonly websocketProtocol?: boolean | undefined;
}

const AUTHORIZATION = "authorization";
/** Headers with a list of other things, and those by which the token would be read or taken off for the wrong reason. */
const TAKEN: ReadonlyMap<string, string> = new Map([
  ["cookie", "a cookie is no header of a token; expected 'cookie: NAME'"],
  ["sec-websocket-protocol", "expected 'websocketProtocol: true'"],
]);

/** Where tokens stand; null with the problems reported. */
export function compileTokenPlaces(settings: TokenPlacesSettings, context: CompileContext): TokenPlaces | null {
  const { header, cookie, query, origins } = settings;
  const taken = TAKEN.get(header ?? "");
  if (taken !== undefined) context.problem(taken, "header");
  const strayOrigins = origins !== undefined && cookie === undefined;
  if (strayOrigins) context.problem("whose pages may use a cookie, and there is none; expected 'cookie'", "origins");
  if (query !== undefined) {
    context.warning(
      "credential_in_query",
      "tokens in the query stay in the logs of proxies and in the histories of browsers; expected 'header' where clients can set one",
      "query",
    );
  }
  if (taken !== undefined || strayOrigins) return null;
  const place = context.place(origins === undefined ? "cookie" : "origins");
  return new TokenPlaces(settings, cookie === undefined ? null : new CrossSite(origins ?? [], place));
}

/** Where the tokens of one authenticator stand, and how they are read there. */
export class TokenPlaces {
  /** Whether what `read` gives begins with a scheme, as in Authorization. */
  readonly hasScheme: boolean;
  readonly bearerMethods: TokenFacts["bearerMethods"];
  /** Lower case. */
  readonly headers: readonly string[];
  readonly cookies: readonly string[];
  readonly parameters: readonly string[];
  readonly websocketProtocol: boolean;
  readonly #sources: readonly CredentialSource[];
  /** The one place of most authenticators; null for others. */
  readonly #header: CredentialSource | null;
  readonly #crossSite: CrossSite | null;

  constructor({ header, cookie, query, websocketProtocol = false }: TokenPlacesSettings, crossSite: CrossSite | null) {
    const own = header ?? (cookie === undefined && query === undefined ? AUTHORIZATION : null);
    this.hasScheme = own === AUTHORIZATION;
    // RFC 6750 section 2.3 has one name for the parameter; clients that go by the word know no other.
    this.bearerMethods = [
      ...(this.hasScheme ? ["header" as const] : []),
      ...(query === "access_token" ? ["query" as const] : []),
    ];
    this.headers = own === null ? [] : [own];
    this.cookies = cookie === undefined ? [] : [cookie];
    this.parameters = query === undefined ? [] : [query];
    this.websocketProtocol = websocketProtocol;
    this.#sources = [
      ...this.headers.map((name) => (name === AUTHORIZATION ? bearerSource() : headerSource(name))),
      ...this.cookies.map(tokenCookieSource),
      ...this.parameters.map(tokenQuerySource),
      ...(websocketProtocol ? [protocolSource()] : []),
    ];
    this.#header = own !== null && this.#sources.length === 1 ? headerSource(own) : null;
    this.#crossSite = crossSite;
  }

  /**
   * What an Authorization header would hold where `hasScheme`, and else the token alone; null where there is none. Of tokens in
   * two places the service might read the other one (RFC 6750 section 2: a client uses one).
   */
  read(exchange: Exchange): string | Unreadable | Denial | null {
    if (this.#header !== null) return this.#header.read(exchange);
    let found: CredentialSource | null = null;
    let token = "";
    for (const source of this.#sources) {
      const read = source.read(exchange);
      if (read === null) continue;
      if (read instanceof Unreadable) return read;
      if (found !== null) return new Unreadable(`a token in ${found.words} and one in ${source.words}`);
      found = source;
      token = read;
    }
    if (found === null) return null;
    const denial = found.kind === "cookie" ? (this.#crossSite?.judge(exchange) ?? null) : null;
    if (denial !== null) return denial;
    return this.hasScheme && found.kind !== "scheme" ? `Bearer ${token}` : token;
  }

  misplaced(exchange: Exchange): readonly string[] {
    return misplacedTokens(exchange, this.#sources);
  }
}

function bearerSource(): CredentialSource {
  const { read } = headerSource(AUTHORIZATION);
  return {
    kind: "scheme",
    words: "Authorization: Bearer",
    read: (exchange) => {
      const value = read(exchange);
      return typeof value === "string" && bearerToken(value) === OTHER_SCHEME ? null : value;
    },
  };
}

function tokenCookieSource(name: string): CredentialSource {
  const source = cookieSource(name);
  return {
    ...source,
    read: (exchange) => {
      const value = source.read(exchange);
      if (typeof value !== "string") return value;
      if (isCookieDisguised(exchange.headers, name)) return new Unreadable(`another spelling of the ${source.words}`);
      // RFC 6265 section 4.1.1: a value may stand in quotes, which are no part of it to most services.
      return value.length >= 2 && value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : value;
    },
  };
}

/** Beside the token no other spelling of its name, by which some service would find a token that nobody has judged. */
function tokenQuerySource(name: string): CredentialSource {
  const source = querySource(name);
  const folded = foldName(name);
  return {
    ...source,
    read: (exchange) => {
      const value = source.read(exchange);
      if (typeof value !== "string") return value;
      const alike = queryNames(exchange.target.query.replaceAll(";", "&")).filter((one) =>
        namesRead(one).includes(folded),
      );
      return alike.length > 1 ? new Unreadable(`more than one spelling of the ${source.words}`) : value;
    },
  };
}

/** Of a WebSocket alone: other requests can have a header. */
function protocolSource(): CredentialSource {
  return {
    kind: "websocketProtocol",
    words: "Sec-WebSocket-Protocol",
    read: ({ upgrade, headers }) => {
      const offer = upgrade === null ? null : readOffer(headers);
      if (offer === null) return null;
      const [first, ...others] = offer.tokens;
      if (others.length > 0) return new Unreadable("more than one token in Sec-WebSocket-Protocol");
      if (first?.ok !== true) return new Unreadable(first?.error ?? "no token");
      // Whatever the service chooses, the client has to be answered one that it offered, and no answer repeats a token.
      if (offer.protocols.length > 0 || offer.namesToken) return first.value;
      return new Unreadable("a token as the only sub-protocol; expected another one beside it to choose");
    },
  };
}
