import { isIpv6 } from "./hosts.ts";

/** Parts of a reference by RFC 3986 appendix B: scheme, authority, path, query, fragment. */
const PARTS = /^(?:([^:/?#]+):)?(?:\/\/([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#(.*))?$/s;
const SCHEME = /^[A-Za-z][A-Za-z0-9+.-]*$/;
const PORT = /^(?::\d*)?$/;
const IP_FUTURE = /^v[0-9A-F]+\.[A-Za-z0-9\-._~!$&'()*+,;=:]+$/i;
const BAD_ESCAPE = /%(?![0-9A-Fa-f]{2})/;

/** `ucschar` and `iprivate` of RFC 3987 section 2.2. */
export const UCS =
  "\\u{a0}-\\u{d7ff}\\u{f900}-\\u{fdcf}\\u{fdf0}-\\u{ffef}" +
  [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13].map((plane) => range(plane, "0000")).join("") +
  range(14, "1000");
export const PRIVATE = `\\u{e000}-\\u{f8ff}${range(15, "0000")}${range(16, "0000")}`;

function range(plane: number, first: string): string {
  return `\\u{${plane.toString(16)}${first}}-\\u{${plane.toString(16)}fffd}`;
}

/** What a part may consist of; escapes are judged apart, so that each is one class and nothing can backtrack. */
interface Grammar {
  readonly userinfo: RegExp;
  readonly name: RegExp;
  readonly path: RegExp;
  readonly query: RegExp;
  readonly fragment: RegExp;
}

function grammarOf(beyondAscii: string, inQuery: string): Grammar {
  const of = (more: string): RegExp => new RegExp(`^[A-Za-z0-9\\-._~!$&'()*+,;=%${more}]*$`, "u");
  return {
    userinfo: of(`:${beyondAscii}`),
    name: of(beyondAscii),
    path: of(`:@\\/${beyondAscii}`),
    query: of(`:@\\/?${beyondAscii}${inQuery}`),
    fragment: of(`:@\\/?${beyondAscii}`),
  };
}

const URI = grammarOf("", "");
const IRI = grammarOf(UCS, PRIVATE);

/** `URI` of RFC 3986 section 3: with a scheme. */
export function isUri(text: string): boolean {
  return isReference(text, URI, true);
}

/** `URI-reference` of RFC 3986 section 4.1: a scheme, or anything that is read beside a base. */
export function isUriReference(text: string): boolean {
  return isReference(text, URI, false);
}

/** `IRI` of RFC 3987 section 2.2. */
export function isIri(text: string): boolean {
  return isReference(text, IRI, true);
}

/** `IRI-reference` of RFC 3987 section 2.2. */
export function isIriReference(text: string): boolean {
  return isReference(text, IRI, false);
}

function isReference(text: string, grammar: Grammar, absolute: boolean): boolean {
  const [, scheme, authority, path = "", query = "", fragment = ""] = PARTS.exec(text) ?? [];
  if (BAD_ESCAPE.test(text) || (scheme === undefined ? absolute : !SCHEME.test(scheme))) return false;
  if (authority !== undefined && !isAuthority(authority, grammar)) return false;
  // Without scheme and authority a colon in the first segment would make a scheme of it.
  if (scheme === undefined && authority === undefined && (path.split("/", 1)[0] ?? "").includes(":")) return false;
  return grammar.path.test(path) && grammar.query.test(query) && grammar.fragment.test(fragment);
}

function isAuthority(authority: string, grammar: Grammar): boolean {
  const at = authority.lastIndexOf("@");
  if (at >= 0 && !grammar.userinfo.test(authority.slice(0, at))) return false;
  const host = authority.slice(at + 1);
  if (host.startsWith("[")) {
    const end = host.indexOf("]");
    const literal = host.slice(1, end);
    return end > 0 && PORT.test(host.slice(end + 1)) && (isIpv6(literal) || IP_FUTURE.test(literal));
  }
  const colon = host.indexOf(":");
  if (colon < 0) return grammar.name.test(host);
  return grammar.name.test(host.slice(0, colon)) && PORT.test(host.slice(colon));
}
