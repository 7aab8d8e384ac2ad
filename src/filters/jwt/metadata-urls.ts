import { callUrl } from "../../calls/call-url.ts";

/**
 * Where an issuer's metadata is: behind its own path (OpenID Connect Discovery 1.0 section 4), else before it (RFC 8414 section
 * 3.1). A slash at the issuer's end is left out in both.
 */
export function metadataUrls(issuer: string): readonly URL[] {
  const { origin, pathname } = new URL(issuer);
  const path = pathname.replace(/\/$/, "");
  return [
    new URL(`${origin}${path}/.well-known/openid-configuration`),
    new URL(`${origin}/.well-known/oauth-authorization-server${path}`),
  ];
}

/** What is wrong with an issuer that is to say where its keys are; null for nothing. */
export function discoveryFault(issuer: string): string | null {
  const url = callUrl(issuer);
  if (!url.ok) return `an issuer that is no place to ask for keys: ${url.error}; else name 'jwks' or 'keys'`;
  return url.value.search === "" ? null : "an issuer with a query; expected 'jwks' or 'keys'";
}
