const ID_BYTES_MAX = 2048;
const TRUST_DOMAIN = /^[a-z0-9._-]{1,255}$/;
/** No user, port, query, fragment or escape has a place in it, so there is nothing to normalize and one reading only. */
const SPIFFE_ID = /^spiffe:\/\/([a-z0-9._-]{1,255})((?:\/[A-Za-z0-9._-]+)*)$/;

/** A SPIFFE ID (SPIFFE-ID section 2), split. */
export interface SpiffeId {
  readonly text: string;
  /** `example.org` of `spiffe://example.org/ns/shop` */
  readonly trustDomain: string;
  /** `/ns/shop`, or empty */
  readonly path: string;
}

/** Text → SPIFFE ID, or null where it is none. */
export function parseSpiffeId(text: string): SpiffeId | null {
  if (text.length > ID_BYTES_MAX) return null;
  const match = SPIFFE_ID.exec(text);
  if (match === null) return null;
  const [, trustDomain = "", path = ""] = match;
  if (path.split("/").some((segment) => segment === "." || segment === "..")) return null;
  return { text, trustDomain, path };
}

export function isTrustDomain(text: string): boolean {
  return TRUST_DOMAIN.test(text);
}
