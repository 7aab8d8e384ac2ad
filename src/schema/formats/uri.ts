import { isIpv6 } from "./hosts.ts";
import { fits, type Span, type Spans } from "./spans.ts";

const SCHEME = /^[A-Za-z0-9+.-]*$/;
const DIGITS = /^\d*$/;
const IP_FUTURE = /^v[0-9A-F]+\.[A-Za-z0-9\-._~!$&'()*+,;=:]+$/i;
/** Of an address in brackets; one of IPv6 has at most 45. */
const LITERAL_CHARS_MAX = 128;

/** `ucschar` and `iprivate` of RFC 3987 section 2.2. */
export const UCS =
  "\\u{a0}-\\u{d7ff}\\u{f900}-\\u{fdcf}\\u{fdf0}-\\u{ffef}" +
  [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13].map((plane) => range(plane, "0000")).join("") +
  range(14, "1000");
export const PRIVATE = `\\u{e000}-\\u{f8ff}${range(15, "0000")}${range(16, "0000")}`;

function range(plane: number, first: string): string {
  return `\\u{${plane.toString(16)}${first}}-\\u{${plane.toString(16)}fffd}`;
}

/** What a part may consist of. */
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
export const uriSpans: Spans = (text) => spansOf(text, URI, true);

/** `URI-reference` of RFC 3986 section 4.1: a scheme, or anything that is read beside a base. */
export const uriReferenceSpans: Spans = (text) => spansOf(text, URI, false);

export function isUri(text: string): boolean {
  return fits(uriSpans(text));
}

export function isUriReference(text: string): boolean {
  return fits(uriReferenceSpans(text));
}

/** `IRI` of RFC 3987 section 2.2. */
export const iriSpans: Spans = (text) => spansOf(text, IRI, true);

/** `IRI-reference` of RFC 3987 section 2.2. */
export const iriReferenceSpans: Spans = (text) => spansOf(text, IRI, false);

/** Parts by RFC 3986 appendix B, found without a look at each character: scheme, authority, path, query, fragment. */
function spansOf(text: string, grammar: Grammar, absolute: boolean): readonly Span[] | null {
  const [beforeFragment, fragment] = cut(text, "#");
  const [hierarchy, query] = cut(beforeFragment, "?");
  const colon = hierarchy.indexOf(":");
  const slash = hierarchy.indexOf("/");
  const hasScheme = colon >= 0 && (slash < 0 || colon < slash);
  // Without a scheme, a colon in the first segment would make one of it.
  if (hasScheme ? !/^[A-Za-z]/.test(text) : absolute) return null;
  const spans: Span[] = [
    { text: query, every: grammar.query },
    { text: fragment, every: grammar.fragment },
  ];
  if (hasScheme) spans.push({ text: hierarchy.slice(0, colon), every: SCHEME });
  const rest = hasScheme ? hierarchy.slice(colon + 1) : hierarchy;
  const end = rest.startsWith("//") ? rest.indexOf("/", 2) : 0;
  const authority = end < 0 ? rest : rest.slice(0, end);
  spans.push({ text: rest.slice(authority.length), every: grammar.path });
  if (authority === "") return spans;
  const inAuthority = authoritySpans(authority.slice(2), grammar);
  return inAuthority === null ? null : [...spans, ...inAuthority];
}

function authoritySpans(authority: string, grammar: Grammar): readonly Span[] | null {
  const at = authority.indexOf("@");
  const userinfo: Span = { text: authority.slice(0, Math.max(0, at)), every: grammar.userinfo };
  const host = authority.slice(at + 1);
  if (!host.startsWith("[")) {
    const [name, port] = cut(host, ":");
    return [userinfo, { text: name, every: grammar.name }, { text: port, every: DIGITS }];
  }
  const end = host.indexOf("]");
  const literal = host.slice(1, end);
  const port = host.slice(end + 1);
  if (end < 0 || literal.length > LITERAL_CHARS_MAX || (port !== "" && !port.startsWith(":"))) return null;
  if (!isIpv6(literal) && !IP_FUTURE.test(literal)) return null;
  return [userinfo, { text: port.slice(1), every: DIGITS }];
}

/** What stands before and behind the first of them. */
function cut(text: string, mark: string): readonly [string, string] {
  const at = text.indexOf(mark);
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}
