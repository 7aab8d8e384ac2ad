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
  "x-forwarded",
  "forwarded-for",
  "client-ip",
  "x-real-ip",
  "x-client-ip",
  "x-cluster-client-ip",
  "x-original-forwarded-for",
  "x-remote-ip",
  "x-remote-addr",
  "true-client-ip",
  "cf-connecting-ip",
  "fastly-client-ip",
  "fly-client-ip",
  "x-envoy-external-address",
  "remote-user",
  "remote-groups",
  "remote-name",
  "remote-email",
  "x-remote-user",
  "x-authenticated-user",
  "x-webauth-user",
  // Who the caller is, in the words of gateways and login proxies that a service may have stood behind before.
  "x-amzn-oidc-identity",
  "x-amzn-oidc-data",
  "x-amzn-oidc-accesstoken",
  "cf-access-authenticated-user-email",
  "cf-access-jwt-assertion",
  "x-arr-clientcert",
  "x-ssl-cert",
  "x-anonymous-consumer",
  "x-credential-identifier",
  "client-cert", // RFC 9440
  "client-cert-chain",
  // What is asked for, after it was judged: another path, host or method.
  "x-original-url",
  "x-original-uri",
  "x-original-host",
  "x-rewrite-url",
  "x-http-method",
  "x-http-method-override",
  "x-original-method",
  "x-method-override",
]);

const NEVER_FORWARDED_PREFIXES = [
  "x-postern-",
  "x-forwarded-", // also X-Forwarded-Client-Cert, -User, -Email, -Prefix
  "x-auth-request-", // oauth2-proxy
  "x-consumer-", // Kong
  "x-goog-authenticated-user-", // Google's identity-aware proxy
  "x-goog-iap-",
  "x-ms-client-principal", // Azure App Service
  "x-pomerium-",
  "tailscale-user-",
  "x-client-cert",
  "x-ssl-client-",
  "ssl-client-",
] as const;

/** Whether no client may say this to the service. `name` in lower case and with `-`. */
export function isNeverForwarded(name: string): boolean {
  return NEVER_FORWARDED.has(name) || NEVER_FORWARDED_PREFIXES.some((prefix) => name.startsWith(prefix));
}

/**
 * CGI, WSGI, PHP and Rack make one character of everything that is no letter and no digit, so X_Env and X.Env would arrive
 * as X-Env. `name` in lower case.
 */
export function canonicalName(name: string): string {
  return /[^a-z0-9-]/.test(name) ? name.replace(/[^a-z0-9]/g, "-") : name;
}

/** Whether `name` (lower case) is not a reserved name but would become one where a service turns it into a variable. */
export function isRespelled(name: string): boolean {
  const canonical = canonicalName(name);
  return canonical !== name && isNeverForwarded(canonical);
}
