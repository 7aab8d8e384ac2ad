/** Whether a name of the certificate is one that the policy means. */
export type NameMatch = (name: string) => boolean;

/** `spiffe://example.org/ns/*\/sa/billing`, `spiffe://example.org/ns/shop/**` → match, segment by segment. */
export function spiffePattern(pattern: string): NameMatch {
  if (!pattern.includes("*")) return (id) => id === pattern;
  const open = pattern.endsWith("/**");
  const wanted = (open ? pattern.slice(0, -"/**".length) : pattern).split("/");
  return (id) => {
    const segments = id.split("/");
    if (open ? segments.length <= wanted.length : segments.length !== wanted.length) return false;
    return wanted.every((segment, at) => segment === "*" || segment === segments[at]);
  };
}

/** `*.example.org` stands for one label, as in RFC 6125 section 6.4.3; both sides are in lower case. */
export function dnsPattern(pattern: string): NameMatch {
  if (!pattern.startsWith("*.")) return (name) => name === pattern;
  const suffix = pattern.slice(1);
  return (name) => name.endsWith(suffix) && name.indexOf(".") === name.length - suffix.length && name !== suffix;
}
