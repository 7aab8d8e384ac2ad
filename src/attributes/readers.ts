import { parseForm } from "../bodies/form.ts";
import { memberNames } from "../bodies/json-parser.ts";
import { DeclaredNames } from "../bodies/names.ts";
import { isAddressless } from "../message/address.ts";
import type { ClientCertificate } from "../message/connection.ts";
import { namedByConnection } from "../message/connection-options.ts";
import { cookieValues, isCookieDisguised, isCookieInOtherCase } from "../message/cookies.ts";
import type { Exchange } from "../message/exchange.ts";
import type { Principal } from "../message/principal.ts";
import { decodeSegment } from "../message/target.ts";
import type { Clock } from "../support/clock.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { foldCase } from "../support/fold-case.ts";
import { err, ok, type Result } from "../support/result.ts";
import { nearestHint } from "../support/schema.ts";
import { claimAt } from "./claim-path.ts";
import { AMBIGUOUS, type AttributeScope, type Read } from "./types.ts";

/** How the families of the table are read. What can be found at load, as a parameter's index, is found there. */

export function bindParameter([name = ""]: readonly string[], scope: AttributeScope): Result<Read, string> {
  const { parameters } = scope;
  if (parameters === null) return err("no route is known here, so that its path has no parameters");
  const at = parameters.indexOf(name);
  if (at < 0)
    return err(
      `the route's path has no parameter '${name}'; ${parameters.length === 0 ? "it has none" : nearestHint(name, parameters)}`,
    );
  return ok(({ params }) => {
    const segment = params[at];
    return segment === undefined ? undefined : decodeSegment(segment);
  });
}

/** One line, and one that reaches the service: another reading of it would be another header. */
export function bindHeader([name = ""]: readonly string[]): Result<Read, string> {
  if (!/^[!#$%&'*+\-.^_`|~0-9a-z]+$/.test(name)) return err(`'${name}' is no name of a header`);
  return ok(({ headers }) => {
    const value = headers.get(name);
    if (value === undefined) return undefined;
    return headers.count(name) > 1 || namedByConnection(headers)?.has(name) === true ? AMBIGUOUS : value;
  });
}

/** A crumb whose name has more than blanks around it is another cookie to browsers, and this one to many servers. */
export function bindCookie([name = ""]: readonly string[]): Result<Read, string> {
  if (!/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(name)) return err(`'${name}' is no name of a cookie`);
  return ok(({ headers }) => {
    if (headers.get("cookie") === undefined) return undefined;
    const values = cookieValues(headers, name);
    const isUnclear = isCookieDisguised(headers, name) || isCookieInOtherCase(headers, name);
    return values.length > 1 || isUnclear ? AMBIGUOUS : values[0];
  });
}

export function bindQuery([name = ""]: readonly string[]): Result<Read, string> {
  const find = queryFinder(name);
  return ok(({ target: { query } }) => (query.length < 2 ? undefined : find(query)));
}

/** By name: rules of a route that ask for one parameter parse a query once. */
const queryFinders = new Map<string, (query: string) => unknown>();

function queryFinder(name: string): (query: string) => unknown {
  const known = queryFinders.get(name);
  if (known !== undefined) return known;
  const declared = new DeclaredNames([name]);
  let lastQuery = "";
  let lastValue: unknown;
  const find = (query: string): unknown => {
    if (query === lastQuery) return lastValue;
    const parsed = parseForm(query.slice(1), declared);
    const values = parsed.ok ? parsed.value.get(name) : undefined;
    lastValue = !parsed.ok || (values !== undefined && values.length > 1) ? AMBIGUOUS : values?.[0];
    lastQuery = query;
    return lastValue;
  };
  if (queryFinders.size >= DEFAULTS.attributeQueriesMax) queryFinders.clear();
  queryFinders.set(name, find);
  return find;
}

export function bindBody(path: readonly string[]): Result<Read, string> {
  const steps = path.map((name) => ({ name, folded: foldCase(name) }));
  return ok(({ bodyValue }) => {
    let value: unknown = bodyValue;
    for (const { name, folded } of steps) {
      if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
      value = memberOf(value, name, folded);
      if (value === AMBIGUOUS) return value;
    }
    return value ?? undefined;
  });
}

/**
 * The member of that name; undefined where there is none, AMBIGUOUS beside another of the same name in other case: Go and
 * others take OWNER for owner, so that the one would be judged and the other be believed.
 */
export function memberOf(object: object, name: string, folded: string = foldCase(name)): unknown {
  const names = memberNames(object);
  if (names.length > DEFAULTS.attributeMembersMax) return AMBIGUOUS;
  for (const other of names) {
    if (other.length === name.length && other !== name && foldCase(other) === folded) return AMBIGUOUS;
  }
  return Object.hasOwn(object, name) ? (object as Readonly<Record<string, unknown>>)[name] : undefined;
}

export function bindClaims(has: (principal: Principal) => boolean) {
  return (path: readonly string[]): Result<Read, string> =>
    ok(({ principal }) => {
      if (principal === null || !has(principal)) return undefined;
      return claimAt(principal.claims, path) ?? undefined;
    });
}

export function bindRoute(_: readonly string[], { route }: AttributeScope): Result<Read, string> {
  return route === null ? err("no route is known here") : ok(() => route);
}

export function bindNow(_: readonly string[], { clock }: AttributeScope): Result<Read, string> {
  return ok(() => clock.wallMs());
}

export function clientAddress({ clientAddress: address }: Exchange): string | undefined {
  return isAddressless(address) ? undefined : address.text;
}

/** Of a certificate that the handshake verified and that has not expired since; another one proves nothing. */
export function provenCertificate({ certificate }: Exchange, clock: Pick<Clock, "wallMs">): ClientCertificate | null {
  if (certificate === null || certificate.untrusted !== null) return null;
  return clock.wallMs() > certificate.notAfterMs ? null : certificate;
}

type CertificateKey = Exclude<keyof ClientCertificate, "notBeforeMs" | "notAfterMs" | "untrusted" | "x509">;

export function certificateReader(key: CertificateKey, clock: Pick<Clock, "wallMs">): Read {
  return (exchange) => provenCertificate(exchange, clock)?.[key] || undefined;
}
