import { MUTUAL_TLS_EXTENSION } from "../../openapi/extensions.ts";
import type { Operation, Requirement, SecurityScheme } from "../../openapi/operation.ts";
import type { SchemaPlace } from "../../schema/document.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import { authenticatorsOf, orderOf, type SchemeMapping } from "./schemes.ts";

/** Who may use an operation, in the policy's words. */
export interface Access {
  readonly authenticate: unknown;
  /** Undefined where every caller that is known may. */
  readonly authorize: Readonly<Record<string, unknown>> | undefined;
}

export interface AccessFault {
  readonly place: SchemaPlace;
  readonly text: string;
}

export interface AccessRules {
  readonly schemes: ReadonlyMap<string, SecurityScheme>;
  readonly mapping: SchemeMapping;
  /** The section lets operations without security be open. */
  readonly isPublic: boolean;
  /** `defaults.authenticate` asks for callers where a route says nothing. */
  readonly hasDefault: boolean;
  /** Extensions of other gateways that may open operations. */
  readonly extensions: readonly string[];
}

/** One way to be let in: all of these authenticators, the last of which says who it is, and what is asked of that one. */
interface Way {
  readonly names: readonly string[];
  readonly scopes: readonly string[];
  readonly roles: readonly string[];
  readonly place: SchemaPlace;
}

/** Null: everybody. */
export function accessOf(operation: Operation, rules: AccessRules): Access | AccessFault | "public" | "defaults" {
  const security = securityOf(operation, rules);
  const asked = security.filter(({ schemes }) => schemes.length > 0);
  const isOptional = asked.length < security.length;
  if (asked.length === 0) return openAccess(operation, rules);
  const ways: Way[] = [];
  for (const requirement of asked) {
    const found = waysOf(requirement, rules);
    if ("text" in found) return found;
    ways.push(...found.ways);
    if (ways.length > DEFAULTS.openapiAlternativesMax) {
      return { place: requirement.place, text: `more than ${DEFAULTS.openapiAlternativesMax} ways to be let in` };
    }
  }
  const confusion = confusionOf(ways);
  if (confusion !== null) return confusion;
  const anonymous = isOptional ? anonymousOf(operation, rules) : null;
  if (anonymous !== null && typeof anonymous !== "string") return anonymous;
  return { authenticate: authenticateOf(ways, anonymous), authorize: authorizeOf(ways, anonymous) };
}

/** What the document asks for, or what an extension leaves of it that the policy names: the certificate that it asks for of all. */
function securityOf(
  { security, extensions: { opening } }: Operation,
  { extensions }: AccessRules,
): readonly Requirement[] {
  if (security === null || opening === null || !extensions.includes(opening.name)) return security ?? [];
  const certificates = security.map(({ schemes, place }) => {
    return { schemes: schemes.filter(({ name }) => name === MUTUAL_TLS_EXTENSION), place };
  });
  return certificates.filter(({ schemes }) => schemes.length > 0);
}

function openAccess(operation: Operation, { isPublic, hasDefault }: AccessRules): AccessFault | "public" | "defaults" {
  const { closing } = operation.extensions;
  if (isPublic && closing !== null) {
    return {
      place: closing.place,
      text:
        `'${closing.name}' asks for callers of ${operation.method} ${operation.template} and 'security' for none, so that it would be ` +
        "open; expected 'security' in the document, or 'authenticate' or 'public: true' for it in 'operations' of the policy",
    };
  }
  if (isPublic) return "public";
  if (operation.security === null && hasDefault) return "defaults";
  return {
    place: operation.place,
    text:
      `nothing says who may use ${operation.method} ${operation.template}; expected 'security' in the document, ` +
      "a key in 'operations' of the policy, or 'public: true' in its section 'openapi'",
  };
}

function anonymousOf(operation: Operation, { isPublic, mapping }: AccessRules): string | AccessFault {
  const open = (operation.security ?? []).find(({ schemes }) => schemes.length === 0);
  const place = open?.place ?? operation.place;
  if (!isPublic) {
    return {
      place,
      text: "{} lets everybody in; expected 'public: true' in section 'openapi', or the document without it",
    };
  }
  const found = [...mapping.authenticators].find(([, type]) => type === "anonymous");
  if (found !== undefined) return found[0];
  return {
    place,
    text: "{} lets in who shows no credentials; expected an authenticator of type anonymous in the policy",
  };
}

/** Each combination of the authenticators that may stand for each of the requirement's schemes. */
function waysOf({ schemes, place }: Requirement, rules: AccessRules): { readonly ways: readonly Way[] } | AccessFault {
  const parts = schemes.map((one) => ({ ...one, scheme: rules.schemes.get(one.name) }));
  const unknown = parts.find(({ scheme }) => scheme === undefined);
  if (unknown !== undefined) {
    return { place: unknown.place, text: `the document defines no security scheme '${unknown.name}' that can be used` };
  }
  // Of two of a kind the one that something is asked of says who it is.
  const rankOf = ({ scheme, scopes }: (typeof parts)[number]): number =>
    scheme === undefined ? 0 : 2 * orderOf(scheme) + (scopes.length > 0 ? 1 : 0);
  parts.sort((a, b) => rankOf(a) - rankOf(b));
  let ways: readonly Way[] = [{ names: [], scopes: [], roles: [], place }];
  for (const { scheme, scopes } of parts) {
    if (scheme === undefined) continue;
    const names = authenticatorsOf(scheme, rules.mapping);
    if (typeof names === "string") return { place: scheme.place, text: names };
    const takesScopes = ["oauth2", "openIdConnect", "bearer"].includes(scheme.kind);
    ways = ways.flatMap((way) =>
      names.map((name) => ({
        names: way.names.includes(name) ? way.names : [...way.names, name],
        scopes: takesScopes ? [...new Set([...way.scopes, ...scopes])] : way.scopes,
        roles: takesScopes ? way.roles : [...new Set([...way.roles, ...scopes])],
        place,
      })),
    );
    if (ways.length > DEFAULTS.openapiAlternativesMax) break;
  }
  const unasked = parts.find(({ scheme, scopes }) => scopes.length > 0 && !isLast(scheme, ways, rules.mapping));
  return unasked === undefined ? { ways } : { place: unasked.place, text: unaskedText(unasked.name) };
}

/** Whether a scheme's authenticators are those that say who the caller is: no rule sees what another has shown. */
function isLast(scheme: SecurityScheme | undefined, ways: readonly Way[], mapping: SchemeMapping): boolean {
  const names = scheme === undefined ? [] : authenticatorsOf(scheme, mapping);
  return typeof names !== "string" && ways.every((way) => names.includes(way.names.at(-1) ?? ""));
}

function unaskedText(name: string): string {
  return (
    `scopes or roles are asked of '${name}', and another scheme of this combination says who the caller is, so that they would be ` +
    "asked of that one; expected 'authenticate' and 'authorize' for this operation in 'operations' of the policy"
  );
}

/**
 * A rule sees who the caller is, and not what else was shown. Were one way `mesh and okta with scope a` and another `okta with
 * scope b`, a token with `a` alone would get in by the one way and be allowed by the other.
 */
function confusionOf(ways: readonly Way[]): AccessFault | null {
  for (const [at, way] of ways.entries()) {
    for (const other of ways.slice(0, at)) {
      if (way.names.at(-1) !== other.names.at(-1) || sameWords(way.names, other.names)) continue;
      if (asksAlike(way, other)) continue;
      return {
        place: way.place,
        text:
          `two alternatives end with the authenticator '${way.names.at(-1)}' and ask for different scopes, so that they cannot be told ` +
          "apart; expected 'authenticate' and 'authorize' for this operation in 'operations' of the policy",
      };
    }
  }
  return null;
}

function asksAlike(a: Way, b: Way): boolean {
  return sameWords(a.scopes, b.scopes) && sameWords(a.roles, b.roles);
}

function sameWords(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((word) => b.includes(word));
}

function authenticateOf(ways: readonly Way[], anonymous: string | null): unknown {
  const distinct: Way[] = [];
  for (const way of ways) if (!distinct.some(({ names }) => sameWords(names, way.names))) distinct.push(way);
  const [only] = distinct;
  if (distinct.length === 1 && anonymous === null && only !== undefined) {
    return only.names.length === 1 ? only.names : { all: only.names };
  }
  const terms = distinct.map(({ names }) => (names.length === 1 ? names[0] : { all: names }));
  return anonymous === null ? terms : [...terms, anonymous];
}

function authorizeOf(ways: readonly Way[], anonymous: string | null): Access["authorize"] {
  const [first] = ways;
  if (first === undefined || ways.every((way) => way.scopes.length === 0 && way.roles.length === 0)) return undefined;
  if (anonymous === null && ways.every((way) => asksAlike(way, first))) return ruleOf(first);
  const rules = ways.map((way) => ({ authenticators: way.names.at(-1), ...ruleOf(way) }));
  return { any: anonymous === null ? rules : [...rules, { authenticators: anonymous }] };
}

function ruleOf({ scopes, roles }: Way): Readonly<Record<string, unknown>> {
  return { ...(scopes.length > 0 ? { scopes } : {}), ...(roles.length > 0 ? { roles } : {}) };
}
