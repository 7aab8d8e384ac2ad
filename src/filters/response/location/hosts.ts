/** Names that no public DNS has (RFC 6761, RFC 6762, ICANN's .internal), and those of clusters. */
const INTERNAL_NAME =
  /^(?:[^.]+|(?:.*\.)?(?:localhost|internal|local|localdomain|lan|home\.arpa|intranet|corp|svc|cluster\.local|consul|docker))\.?$/;
/** RFC 1918, RFC 1122 (loopback, this host), RFC 3927, RFC 6598. */
const PRIVATE_4 =
  /^(?:0|10|127)\.|^169\.254\.|^192\.168\.|^172\.(?:1[6-9]|2\d|3[01])\.|^100\.(?:6[4-9]|[7-9]\d|1[01]\d|12[0-7])\./;
const IS_4 = /^\d{1,3}(?:\.\d{1,3}){3}$/;
/** RFC 4193, RFC 4291: as the URL parser writes them, shortest. */
const PRIVATE_6 = /^\[(?:::1?|f[cd][0-9a-f]{2}:.*|fe[89ab][0-9a-f]:.*|::ffff:(?:7f|a|a[0-9a-f]{2}|c0a8).*)\]$/;

/** Whether a host, as the URL parser writes it, is of a network that clients have no business in. */
export function isInternalHost(host: string): boolean {
  if (host.startsWith("[")) return PRIVATE_6.test(host);
  return IS_4.test(host) ? PRIVATE_4.test(host) : INTERNAL_NAME.test(host);
}

/** A private address or a URL, in whatever a header holds. */
const ADDRESS = /(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w.]*\w)|https?:\/\/[^\s"'<>,;/?#]+/gi;

/** Whether the value of a header holds an address of such a network. */
export function holdsInternalAddress(value: string): boolean {
  for (const [found] of value.matchAll(ADDRESS)) {
    if (!found.includes("://")) {
      if (PRIVATE_4.test(found)) return true;
    } else if (URL.canParse(found) && isInternalHost(new URL(found).hostname)) return true;
  }
  return false;
}
