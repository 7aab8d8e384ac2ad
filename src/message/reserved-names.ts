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

/** What postern writes or answers itself besides those, each with its attack. */
const RESERVED: ReadonlySet<string> = new Set([
  ...HOP_BY_HOP,
  "host", // written by `forward` from the authority that was judged
  "expect", // answered here; a second 100 Continue from behind would desynchronise
  "proxy", // httpoxy: becomes HTTP_PROXY in CGI-like environments
  "forwarded", // RFC 7239, written anew
]);

const RESERVED_PREFIXES = [
  "proxy-", // meant for a proxy, which we are; WebLogic and Jetty would take address and certificate from some
  "x-forwarded-", // also X-Forwarded-Client-Cert, -User, -Prefix
  "x-postern-",
] as const;

/**
 * Whether postern has the only word on this header: no client's reaches the service, and no policy can change that.
 * `name` in lower case and with `-`.
 */
export function isReserved(name: string): boolean {
  return RESERVED.has(name) || RESERVED_PREFIXES.some((prefix) => name.startsWith(prefix));
}

/** Letters, digits and dashes: a name that arrives as it was sent, whatever the service is. `name` in lower case. */
export function isPlainName(name: string): boolean {
  return !/[^a-z0-9-]/.test(name);
}

/**
 * CGI, WSGI, PHP and Rack make one character of everything that is no letter and no digit, so X_Env and X.Env would arrive
 * as X-Env. `name` in lower case.
 */
export function canonicalName(name: string): string {
  return isPlainName(name) ? name : name.replace(/[^a-z0-9]/g, "-");
}

/** Whether `name` (lower case) is not a reserved name but would become one where a service turns it into a variable. */
export function isRespelled(name: string): boolean {
  const canonical = canonicalName(name);
  return canonical !== name && isReserved(canonical);
}
