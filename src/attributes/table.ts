import type { Phase } from "../decision/phases.ts";
import { browserAnomalies } from "../message/browser-anomalies.ts";
import type { Geo } from "../message/geo.ts";
import { ok, type Result } from "../support/result.ts";
import { groupList, isToken, roleList, scopeList } from "./principal-facts.ts";
import {
  bindBody,
  bindClaims,
  bindCookie,
  bindHeader,
  bindNow,
  bindParameter,
  bindQuery,
  bindRoute,
  certificateReader,
  clientAddress,
} from "./readers.ts";
import type { AttributeScope, AttributeType, Read, Shown } from "./types.ts";

/** One attribute, or a family of them. */
export interface Row {
  readonly name: string;
  /** What follows the name: nothing, one name, or the path to a member. */
  readonly rest: "none" | "name" | "path";
  readonly type: AttributeType;
  /** The first phase whose checks can read it, and the last where that is not `respond`. */
  readonly from: Phase;
  readonly until?: Phase;
  readonly shown: Shown;
  readonly example: string;
  readonly description: string;
  /** Names behind it are one in any case. */
  readonly isFolded?: boolean;
  bind(rest: readonly string[], scope: AttributeScope): Result<Read, string>;
}

const fixed = (read: Read) => (): Result<Read, string> => ok(read);

function row(
  name: string,
  type: AttributeType,
  from: Phase,
  shown: Shown,
  description: string,
  bind: Row["bind"],
): Row {
  return { name, rest: "none", type, from, shown, example: name, description, bind };
}

function family(example: string, rest: "name" | "path", parts: Omit<Row, "rest" | "example">): Row {
  return { ...parts, rest, example };
}

/** Everything that a rule can look at. REFERENCE.md is written from this. */
const TABLE: readonly Row[] = [
  row(
    "request.method",
    "text",
    "admit",
    "metric",
    "The method.",
    fixed(({ method }) => method),
  ),
  row(
    "request.path",
    "text",
    "admit",
    "log",
    "The canonical path that is judged and forwarded, escapes as they stand in it.",
    fixed(({ target }) => target.path || undefined),
  ),
  row(
    "request.host",
    "text",
    "admit",
    "log",
    "The host that is asked, in lower case and without its port.",
    fixed(({ host }) => host || undefined),
  ),
  family('request.headers["x-name"]', "name", {
    name: "request.headers",
    type: "text",
    from: "admit",
    shown: "log",
    isFolded: true,
    description: "A header of the client. Ambiguous where it stands on several lines or `Connection` names it.",
    bind: bindHeader,
  }),
  family('request.cookies["name"]', "name", {
    name: "request.cookies",
    type: "text",
    from: "admit",
    shown: "nowhere",
    description: "A cookie, as it stands there. Ambiguous where it comes twice or has odd blanks around its name.",
    bind: bindCookie,
  }),
  family("path.orderId", "name", {
    name: "path",
    type: "text",
    from: "authenticate",
    shown: "log",
    description: "A parameter of the route's path, its escapes decoded once.",
    bind: bindParameter,
  }),
  family("query.page", "name", {
    name: "query",
    type: "text",
    from: "admit",
    shown: "nowhere",
    description:
      "A parameter of the query, decoded. Ambiguous where it comes twice or in a spelling that some services read as it.",
    bind: bindQuery,
  }),
  family("body.owner.id", "path", {
    name: "body",
    type: "any",
    from: "validate",
    until: "validate",
    shown: "nowhere",
    description:
      "A member of the body, once `validate.body.schema` has judged it, or a field of the message of a gRPC call. Ambiguous where the object has the name in another case, too.",
    bind: bindBody,
  }),
  row(
    "client.address",
    "text",
    "admit",
    "log",
    "The client's IP address, behind trusted proxies the one that they tell. None on a Unix socket.",
    fixed(clientAddress),
  ),
  row(
    "client.ja4",
    "text",
    "admit",
    "log",
    "JA4 of the client's TLS hello, on listeners with `tls: { ja4: true }`.",
    fixed(({ connection }) => connection.ja4 ?? undefined),
  ),
  row(
    "client.anomalies",
    "texts",
    "admit",
    "metric",
    "What no browser like the one that the user agent names would send: its names, as docs/addresses.md has them. Empty for other clients.",
    fixed(browserAnomalies),
  ),
  ...geoRows(),
  ...certificateRows(),
  row(
    "principal.id",
    "text",
    "authorize",
    "log",
    "Who asks. Nobody where the caller is anonymous.",
    fixed(({ principal }) => (principal?.type === "anonymous" ? undefined : principal?.id)),
  ),
  row(
    "principal.authenticator",
    "text",
    "authorize",
    "metric",
    "Name of the authenticator that knows the caller.",
    fixed(({ principal }) => principal?.authenticator),
  ),
  row(
    "principal.type",
    "text",
    "authorize",
    "metric",
    "Its type, as in jwt or api-key.",
    fixed(({ principal }) => principal?.type),
  ),
  row(
    "principal.scopes",
    "texts",
    "authorize",
    "log",
    "Scopes of the caller.",
    fixed(({ principal }) => (principal === null ? undefined : scopeList(principal))),
  ),
  row(
    "principal.roles",
    "texts",
    "authorize",
    "log",
    "Roles of the caller: its claim `roles`, a list or one text.",
    fixed(({ principal }) => (principal === null ? undefined : roleList(principal))),
  ),
  row(
    "principal.groups",
    "texts",
    "authorize",
    "log",
    "Groups of the caller: its claim `groups`, a list or one text.",
    fixed(({ principal }) => (principal === null ? undefined : groupList(principal))),
  ),
  family("principal.claims.tenant", "path", {
    name: "principal.claims",
    type: "any",
    from: "authorize",
    shown: "log",
    description: "A claim of the caller, whatever it showed: a token, or an API key that has claims.",
    bind: bindClaims(() => true),
  }),
  family("jwt.realm_access.roles", "path", {
    name: "jwt",
    type: "any",
    from: "authorize",
    shown: "log",
    description: "A claim of the caller's token; none where the caller showed something else.",
    bind: bindClaims(isToken),
  }),
  row("route", "text", "authenticate", "metric", "The route's path template.", bindRoute),
  row(
    "upstream",
    "text",
    "authenticate",
    "metric",
    "The upstream that the request goes to: the route's, or the listener's.",
    fixed(({ upstream }) => upstream || undefined),
  ),
  row("now", "time", "admit", "log", "The time of the judgement.", bindNow),
];

/** Of the databases that the policy's `geo` names; without it, and for private addresses, there is none of them. */
function geoRows(): Row[] {
  const of = (key: Exclude<keyof Geo, "knows">, shown: Shown, description: string): Row =>
    row(
      `client.${key}`,
      "text",
      "admit",
      shown,
      description,
      fixed(({ geo, clientAddress: address }) => geo?.[key](address) ?? undefined),
    );
  return [
    of("country", "metric", "Country of the client's address by `geo.countries`, two letters of ISO 3166-1, as in DE."),
    of("continent", "metric", "Its continent, two letters, as in EU."),
    of("asn", "log", "Number of the network that its address is of by `geo.networks`, as in AS64496."),
    of("network", "log", "Who that network belongs to."),
  ];
}

function certificateRows(): Row[] {
  const of = (key: Parameters<typeof certificateReader>[0], type: AttributeType, description: string): Row =>
    row(`certificate.${key}`, type, "admit", "log", description, (_, { clock }) => ok(certificateReader(key, clock)));
  return [
    of(
      "subject",
      "text",
      "Subject of the client's certificate (RFC 2253). Of one that is not trusted or has expired there is nothing.",
    ),
    of("issuer", "text", "Its issuer."),
    of("serialNumber", "text", "Its serial number, in upper-case hexadecimal digits."),
    of("spiffeId", "text", "Its SPIFFE ID."),
    of("dnsNames", "texts", "Its DNS names, in lower case."),
    of("uris", "texts", "Its URIs."),
    of("emails", "texts", "Its mail addresses."),
    of("addresses", "texts", "Its IP addresses."),
    of("fingerprint", "text", "SHA-256 over its DER, in 64 lower-case hexadecimal digits."),
  ];
}

export const ROWS: ReadonlyMap<string, Row> = new Map(TABLE.map((one) => [one.name, one]));
