import { type Address, parseAddress, UNIX_PEER, UNKNOWN_CLIENT } from "../message/address.ts";
import { EMPTY_BODY, type RequestBody } from "../message/body.ts";
import type { ClientCertificate } from "../message/connection.ts";
import { type AssumedIdentity, Exchange } from "../message/exchange.ts";
import { HeaderBlock } from "../message/headers.ts";
import { keptTarget } from "../message/kept-target.ts";
import { WITHOUT_BODY } from "../message/method.ts";
import type { Target } from "../message/target.ts";
import type { ListenerSettings, Snapshot } from "../policy/snapshot.ts";
import type { CertificateFacts, DecisionFacts, PrincipalFacts } from "../records/decision-facts.ts";
import { type RecordedRequest, UNTOLD_CLIENT } from "../records/recorded-line.ts";
import { REDACTED } from "../support/mask-tokens.ts";
import { err, ok, type Result } from "../support/result.ts";
import { assume } from "./described-request.ts";

/** What of a request is not in its record and was looked at: `body`, `query`, `header authorization`. */
export type Touched = Set<string>;

/** Told by the proxy before us, whose word the record has already: the client's address, and its certificate. */
const FORWARDED = /^(?:forwarded|x-forwarded-.*|x-real-ip|x-client-cert.*|client-cert.*)$/;

/** Clients without an address, as records and nginx's access log name them. */
const ADDRESSLESS: ReadonlyMap<string, Address> = new Map([
  [UNIX_PEER.text, UNIX_PEER],
  ["unix:", UNIX_PEER],
  [UNKNOWN_CLIENT.text, UNKNOWN_CLIENT],
  [UNTOLD_CLIENT, UNKNOWN_CLIENT],
]);

/**
 * Facts → the exchange that the request was, as far as they tell. Whoever looks at what they do not hold finds a placeholder, and
 * `touched` gets to know. The caller is assumed to be whom the record names.
 */
export function recordedExchange(
  { facts, hasHeaders }: RecordedRequest,
  listener: ListenerSettings,
  snapshot: Snapshot,
  touched: Touched,
): Result<Exchange, string> {
  const peer = ADDRESSLESS.get(facts.client) ?? parseAddress(facts.client);
  if (peer === null) return err("'client': expected an IP address");
  if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}$/.test(facts.method)) return err("'method': expected one of HTTP");
  const values = facts.values ?? [];
  const isKnown = facts.query.every((_, at) => values[at]?.includes(REDACTED) === false);
  const query = facts.query.length === 0 ? "" : `?${facts.query.map((name, at) => pairOf(name, values[at])).join("&")}`;
  const target = keptTarget(facts.path + query, snapshot.keepsInPaths);
  if (!target.ok) return err(`'path': ${target.error.seen}`);
  const exchange = new Exchange(
    {
      listener: listener.name,
      peer,
      proxyPeer: null,
      protocol: facts.protocol,
      secure: facts.secure,
      certificate: facts.certificate === null ? null : certificateOf(facts.certificate),
    },
    facts.method,
    isKnown ? target.value.target : watchedTarget(target.value.target, touched),
    facts.host,
    facts.host,
    hasHeaders ? headersOf(facts, touched) : unknownHeaders(facts, touched),
    bodyOf(facts, touched),
  );
  if (facts.client === UNTOLD_CLIENT) watchAddress(exchange, touched);
  exchange.upstream = listener.upstream;
  exchange.oddity = target.value.oddity;
  exchange.receivedTarget = facts.path + query;
  assume(exchange, identityOf(facts.principal, snapshot));
  return ok(exchange);
}

/** What the line does not tell of its client: whoever asks for its address gets none, and is seen to. */
function watchAddress(exchange: Exchange, touched: Touched): void {
  let address = exchange.clientAddress;
  Object.defineProperty(exchange, "clientAddress", {
    get: () => {
      touched.add("client address");
      return address;
    },
    set: (next: Address) => {
      address = next;
    },
  });
}

function pairOf(name: string, value: string | null | undefined): string {
  return `${encodeURIComponent(name)}=${value === null || value === undefined ? REDACTED : encodeURIComponent(value)}`;
}

function watchedTarget({ path, query }: Target, touched: Touched): Target {
  return {
    path,
    get query() {
      touched.add("query");
      return query;
    },
  };
}

/** Names all stand there; a value that does not is seen to be read. */
function headersOf({ headers, host }: DecisionFacts, touched: Touched): HeaderBlock {
  const names: string[] = [];
  const values: string[] = [];
  const unknown = new Map<string, string>();
  for (const line of headers) {
    const colon = line.indexOf(": ");
    const name = colon < 0 ? line : line.slice(0, colon);
    if (FORWARDED.test(name)) continue;
    const value = colon >= 0 ? line.slice(colon + 2) : name === "host" ? host : REDACTED;
    if (value.includes(REDACTED)) unknown.set(String(names.length), name);
    names.push(name);
    values.push(value);
  }
  return new HeaderBlock(names, unknown.size === 0 ? values : watchedValues(values, unknown, touched));
}

function watchedValues(values: string[], unknown: ReadonlyMap<string, string>, touched: Touched): readonly string[] {
  return new Proxy(values, {
    get: (target, key) => {
      const name = typeof key === "string" ? unknown.get(key) : undefined;
      if (name !== undefined) touched.add(`header ${name}`);
      return Reflect.get(target, key);
    },
  });
}

/** Of an access log: whichever header is asked for may have been there. */
function unknownHeaders({ headers }: DecisionFacts, touched: Touched): HeaderBlock {
  const lines = headers.map((line) => line.split(": ", 2));
  const names = lines.map(([name = ""]) => name);
  const known = new Set(names);
  const block = new HeaderBlock(
    new Proxy(names, {
      get: (target, key) => {
        if (key !== "indexOf") {
          if (typeof key === "string" && key !== "length") touched.add("headers");
          return Reflect.get(target, key);
        }
        return (name: string, from?: number): number => {
          if (!known.has(name)) touched.add(`header ${name}`);
          return target.indexOf(name, from);
        };
      },
    }),
    lines.map(([, value = ""]) => value),
  );
  return block;
}

function bodyOf({ requestBytes, method }: DecisionFacts, touched: Touched): RequestBody {
  if (requestBytes <= 0) return EMPTY_BODY;
  return {
    announcedBytes: requestBytes,
    bytes: 0,
    isStray: WITHOUT_BODY.has(method),
    isKept: false,
    accept: () => {},
    start: (sink) => {
      touched.add("body");
      sink.onBodyEnd(null);
    },
    pause: () => {},
    resume: () => {},
    setPatience: () => {},
  };
}

/** As one that a trusted proxy tells: names alone. */
function certificateOf({ subject, issuer, spiffeId, fingerprint, untrusted }: CertificateFacts): ClientCertificate {
  return {
    subject,
    issuer,
    serialNumber: "",
    fingerprint,
    dnsNames: [],
    uris: spiffeId === null ? [] : [spiffeId],
    emails: [],
    addresses: [],
    spiffeId,
    notBeforeMs: Number.NEGATIVE_INFINITY,
    notAfterMs: Number.POSITIVE_INFINITY,
    untrusted,
    x509: null,
  };
}

/** Whom the record names, in place of credentials; null where a certificate says it, or nobody is named. */
function identityOf(principal: PrincipalFacts | null, { authenticators }: Snapshot): AssumedIdentity | null {
  if (principal === null) return null;
  // An access log names the authenticator alone.
  const type = principal.type === "" ? authenticators.get(principal.authenticator)?.type : principal.type;
  switch (type) {
    case "jwt":
    case "introspection":
      return { type: "jwt", claims: claimsOf(principal) };
    case "api-key":
    case "signature":
      return { type, caller: principal.id };
    case "basic":
      return { type: "basic", user: principal.id };
    default:
      return null;
  }
}

function claimsOf({ id, scopes, roles, groups, claims }: PrincipalFacts): Record<string, unknown> {
  const nested: Record<string, unknown> = Object.create(null);
  for (const [path, value] of Object.entries(claims)) {
    if (/^[\w-]+(?:\.[\w-]+)*$/.test(path)) put(nested, path.split("."), value);
    else nested[path.replace(/^"|"$/g, "")] = value;
  }
  return {
    sub: id,
    ...(scopes.length === 0 ? {} : { scope: scopes.join(" ") }),
    ...(roles.length === 0 ? {} : { roles }),
    ...(groups.length === 0 ? {} : { groups }),
    ...nested,
  };
}

function put(into: Record<string, unknown>, [first = "", ...rest]: readonly string[], value: unknown): void {
  if (rest.length === 0) {
    into[first] = value;
    return;
  }
  const inner = into[first];
  const next: Record<string, unknown> =
    typeof inner === "object" && inner !== null ? { ...inner } : Object.create(null);
  put(next, rest, value);
  into[first] = next;
}

/** Claims that were there and are not in the record: their names. Those of its lifetime held, and are nobody's rule. */
export function claimsUnknown({ claimNames, claims }: PrincipalFacts): readonly string[] {
  const known = new Set(Object.keys(claims).map((path) => path.split(".")[0]));
  return claimNames.filter((name) => !known.has(name) && !TOLD_OTHERWISE.has(name));
}

const TOLD_OTHERWISE: ReadonlySet<string | undefined> = new Set([
  "sub",
  "scope",
  "scp",
  "roles",
  "groups",
  "exp",
  "nbf",
  "iat",
  "jti",
]);
