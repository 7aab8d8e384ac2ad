/** Names that no public DNS has (RFC 6761, RFC 6762, ICANN's .internal), and those of clusters. */
const INTERNAL_NAME =
  /^(?:[^.]+|(?:.*\.)?(?:localhost|internal|local|localdomain|lan|home\.arpa|intranet|corp|svc|cluster\.local|consul|docker))\.?$/;
/** RFC 1918, RFC 1122 (loopback, this host), RFC 3927, RFC 6598. */
const PRIVATE_4 =
  /^(?:0|10|127)\.|^169\.254\.|^192\.168\.|^172\.(?:1[6-9]|2\d|3[01])\.|^100\.(?:6[4-9]|[7-9]\d|1[01]\d|12[0-7])\./;
const IS_4 = /^\d{1,3}(?:\.\d{1,3}){3}$/;
/** RFC 4193, RFC 4291: as the URL parser writes them, shortest. */
const PRIVATE_6 = /^\[(?:::1?|f[cd][0-9a-f]{2}:.*|fe[89ab][0-9a-f]:.*)\]$/;
/** The last four bytes are an address of version 4 (RFC 4291 section 2.5.5.2, RFC 6052). */
const MAPPED = /^\[(?:::ffff:|64:ff9b::)([0-9a-f]{1,4}):([0-9a-f]{1,4})\]$/;

/** Whether a host, as the URL parser writes it, is of a network that clients have no business in. */
export function isInternalHost(host: string): boolean {
  if (host.startsWith("[")) return PRIVATE_6.test(host) || PRIVATE_4.test(mappedAddress(host));
  return IS_4.test(host) ? PRIVATE_4.test(host) : INTERNAL_NAME.test(host);
}

function mappedAddress(host: string): string {
  const [, high, low] = MAPPED.exec(host) ?? [];
  if (high === undefined || low === undefined) return "";
  const bytes = [high, low].map((half) => Number.parseInt(half, 16)).flatMap((half) => [half >> 8, half & 0xff]);
  return bytes.join(".");
}

/** A private address or a URL, in whatever a header holds; the groups of four digits tell version 6 from digests. */
const ADDRESS =
  /(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w.]*\w)|https?:\/\/[^\s"'<>,;/?#]+|(?<![\w:.])f(?:[cd]|e[89ab])[0-9a-f]{1,2}(?::[0-9a-f]{0,4}){2,7}(?![\w:])/gi;

/** Whether the value of a header holds an address of such a network. */
export function holdsInternalAddress(value: string): boolean {
  for (const [found] of value.matchAll(ADDRESS)) {
    if (found.startsWith("f") || found.startsWith("F")) {
      if (URL.canParse(`http://[${found}]`)) return true;
    } else if (!found.includes("://")) {
      if (PRIVATE_4.test(found)) return true;
    } else if (URL.canParse(found) && isInternalHost(new URL(found).hostname)) return true;
  }
  return false;
}
