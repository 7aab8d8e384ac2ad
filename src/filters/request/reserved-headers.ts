import { DEFAULTS } from "../../support/defaults.ts";

/**
 * Headers that belong to one connection (RFC 9110 section 7.6.1), or to the framing and the authority that `forward`
 * writes itself.
 */
export const HOP_BY_HOP: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "proxy-authorization",
  "proxy-authenticate",
  "proxy-authentication-info",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "http2-settings",
  "content-length",
]);

/** Off every request besides those, each with its attack. */
const NEVER_FORWARDED: ReadonlySet<string> = new Set([
  ...HOP_BY_HOP,
  "host", // written by `forward` from the authority that was judged
  "expect", // answered here; a second 100 Continue from behind would desynchronise
  "proxy", // httpoxy: becomes HTTP_PROXY in CGI-like environments
  // Who the client is, in the dialects that services and frameworks believe.
  "forwarded",
  "x-real-ip",
  "x-client-ip",
  "x-cluster-client-ip",
  "x-original-forwarded-for",
  "x-remote-ip",
  "x-remote-addr",
  "true-client-ip",
  "cf-connecting-ip",
  "fastly-client-ip",
  "remote-user",
  "x-remote-user",
  "x-authenticated-user",
  "x-webauth-user",
  "client-cert", // RFC 9440
  "client-cert-chain",
  // What is asked for, after it was judged: another path, host or method.
  "x-original-url",
  "x-original-uri",
  "x-original-host",
  "x-rewrite-url",
  "x-http-method",
  "x-http-method-override",
  "x-method-override",
]);

const NEVER_FORWARDED_PREFIXES = [
  "x-postern-",
  "x-forwarded-", // also X-Forwarded-Client-Cert, -User, -Email, -Prefix
  "x-client-cert",
  "x-ssl-client-",
  "ssl-client-",
] as const;

/** Names that `setHeaders` may not have, because postern writes them itself. */
export function isReserved(name: string): boolean {
  const canonical = canonicalName(name);
  return (
    HOP_BY_HOP.has(canonical) ||
    canonical === "host" ||
    canonical === "forwarded" ||
    canonical.startsWith("x-postern-") ||
    canonical.startsWith("x-forwarded-")
  );
}

/** CGI, WSGI, PHP and Rack turn `-` into `_`, so X_Postern_Principal would arrive as X-Postern-Principal. */
export function canonicalName(name: string): string {
  return name.includes("_") ? name.replaceAll("_", "-") : name;
}

/** What becomes of a client's header, whatever the route: forwarded, dropped, or to be looked at by its other spelling. */
export const PASS = 0;
export const DROP = 1;
export const RESPELLED = 2;
export type HeaderFate = typeof PASS | typeof DROP | typeof RESPELLED;

function judge(name: string): HeaderFate {
  const canonical = canonicalName(name);
  if (NEVER_FORWARDED.has(canonical)) return DROP;
  for (const prefix of NEVER_FORWARDED_PREFIXES) if (canonical.startsWith(prefix)) return DROP;
  return canonical === name ? PASS : RESPELLED;
}

const remembered = new Map<string, HeaderFate>();

/**
 * The fate of `name` (lower case). Names are remembered, so that it is one look-up; a client that sends ever new ones
 * empties the memory now and then and slows nobody but itself.
 */
export function fateOf(name: string): HeaderFate {
  const known = remembered.get(name);
  if (known !== undefined) return known;
  const fate = judge(name);
  if (name.length <= DEFAULTS.headerNameBytesMax) {
    if (remembered.size >= DEFAULTS.headerNamesRememberedMax) remembered.clear();
    // A copy: a name cut out of a head would keep the whole head in memory.
    remembered.set(Buffer.from(name, "latin1").toString("latin1"), fate);
  }
  return fate;
}
