/** Whether a name of the certificate is one that the policy means. */
export type NameMatch = (name: string) => boolean;

/**
 * `spiffe://example.org/ns/*\/sa/billing`, `https://example.org/teams/**` → match, segment by segment. What a pattern stands
 * for never leads out of it: a name with `.` or `..` among its segments is no match.
 */
export function pathPattern(pattern: string): NameMatch {
  if (!pattern.includes("*")) return (id) => id === pattern;
  const open = pattern.endsWith("/**");
  const wanted = (open ? pattern.slice(0, -"/**".length) : pattern).split("/");
  return (id) => {
    const segments = id.split("/");
    if (open ? segments.length <= wanted.length : segments.length !== wanted.length) return false;
    if (segments.some((segment) => segment === "." || segment === "..")) return false;
    return wanted.every((segment, at) => segment === "*" || segment === segments[at]);
  };
}

/** `*.example.org` stands for one label, as in RFC 6125 section 6.4.3; both sides are in lower case. */
export function dnsPattern(pattern: string): NameMatch {
  if (!pattern.startsWith("*.")) return (name) => name === pattern;
  const suffix = pattern.slice(1);
  return (name) => name.endsWith(suffix) && name.indexOf(".") === name.length - suffix.length && name !== suffix;
}

/** `ops@example.org`, or `*@example.org` for every mailbox of the host: the host in any case, the mailbox as it is. */
export function emailPattern(pattern: string): NameMatch {
  const [box, host] = mailbox(pattern);
  return (name) => {
    const [ownBox, ownHost] = mailbox(name);
    return host !== "" && ownHost === host && ownBox !== "" && (box === "*" || ownBox === box);
  };
}

/** RFC 5280 section 7.5: the host without regard to case. Split at the last `@`, for a quoted mailbox may have one. */
function mailbox(address: string): readonly [box: string, host: string] {
  const at = address.lastIndexOf("@");
  return [address.slice(0, Math.max(at, 0)), address.slice(at + 1).toLowerCase()];
}
