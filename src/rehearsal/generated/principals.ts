import { basename, extname } from "node:path";
import { parse } from "yaml";
import type { DescribedPolicy } from "../../policy/described-routes.ts";
import type { TestIdentity } from "../../policy/tests/request-section.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import type { ReadBeside } from "../test-request.ts";

/** Somebody who may ask. */
export interface Principal {
  /** As a test file names it. */
  readonly name: string;
  readonly as: TestIdentity;
}

type Mapping = Readonly<Record<string, unknown>>;

/**
 * Whom the policy tells apart: who has a token, with each scope and each role that its routes name, and with all of these scopes;
 * the callers of its files; who shows one of these `certificates`, for they are nobody's to make up; and nobody.
 */
export function principalsOf(
  { routes, authenticators, roles }: DescribedPolicy,
  readFile: ReadBeside,
  certificates: readonly string[] = [],
): readonly Principal[] {
  const asked = new Set(routes.flatMap((route) => [...route.authenticators]));
  const kinds = Object.entries(mapping(authenticators)).filter(([name]) => asked.has(name));
  const found: Principal[] = [];
  const add = (name: string, as: TestIdentity): void => {
    const known = new Set(found.map((one) => one.name));
    let own = wordOf(name);
    for (let nth = 2; known.has(own) || own === "nobody"; nth++) own = `${wordOf(name)}-${nth}`;
    found.push({ name: own, as });
  };
  if (kinds.some(([, kind]) => /^(?:jwt|introspection)$/.test(String(mapping(kind)["type"])))) {
    for (const [name, claims] of tokensOf(routes, mapping(roles))) add(name, { jwt: { sub: "someone", ...claims } });
  }
  for (const [, kind] of kinds) {
    const { type, keys, users, callers } = mapping(kind);
    if (type === "api-key") for (const name of namesIn(keys, "callers", readFile)) add(name, { "api-key": name });
    if (type === "basic") for (const name of namesIn(users, "users", readFile)) add(name, { basic: name });
    if (type === "signature")
      for (const name of namesIn(callers ?? keys, "callers", readFile)) add(name, { signature: name });
  }
  for (const file of certificates) add(basename(file, extname(file)), { certificate: file });
  return [...found, { name: "nobody", as: "nobody" }];
}

function* tokensOf(routes: DescribedPolicy["routes"], roles: Mapping): Generator<readonly [string, Mapping]> {
  const scopes = [...new Set(routes.flatMap((route) => [...route.scopes]))].sort();
  yield ["token", {}];
  for (const scope of scopes) yield [scope, { scope }];
  if (scopes.length > 1) yield ["every-scope", { scope: scopes.join(" ") }];
  const named = new Map(routes.flatMap(({ authorize }) => [...rolesIn(authorize)]).map((role) => [role.name, role]));
  for (const role of [...named.values()].sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const rule = role.claim === null ? roles[role.name] : undefined;
    yield [
      `role-${role.name}`,
      rule === undefined ? { [role.claim ?? "roles"]: [role.name] } : claimsOf(mapping(rule)),
    ];
  }
}

interface NamedRole {
  readonly name: string;
  /** Null: what the policy says of it, or the claim `roles`. */
  readonly claim: string | null;
}

/** `roles` of a rule, and of the rules within it. */
function* rolesIn(rule: unknown): Generator<NamedRole> {
  if (Array.isArray(rule)) for (const one of rule) yield* rolesIn(one);
  const { roles, any, all, not } = mapping(rule);
  const { claim = null, has = roles } = mapping(roles);
  for (const name of listed(has)) yield { name, claim: typeof claim === "string" ? claim : null };
  for (const inner of [any, all, not]) if (inner !== undefined) yield* rolesIn(inner);
}

/** What a token says that meets a role's rule, as far as claims go. */
function claimsOf({ scopes, groups, claims, any, all }: Mapping): Mapping {
  const own: Record<string, unknown> = {};
  if (scopes !== undefined) own["scope"] = listed(scopes).join(" ");
  if (groups !== undefined) own["groups"] = listed(groups);
  for (const [name, values] of Object.entries(mapping(claims))) own[name] = Array.isArray(values) ? values[0] : values;
  const inner = [...(Array.isArray(any) ? any.slice(0, 1) : []), ...(Array.isArray(all) ? all : [])];
  return Object.assign(own, ...inner.map((rule) => claimsOf(mapping(rule))));
}

/** Headers in which credentials stand, lower case. */
export function credentialHeaders({ authenticators }: DescribedPolicy): ReadonlySet<string> {
  const own = Object.values(mapping(authenticators)).flatMap((kind) => listed(mapping(kind)["header"]));
  return new Set(["authorization", "proxy-authorization", "cookie", ...own.map((name) => name.toLowerCase())]);
}

/** Names of the first callers of a file; none where it cannot be read: then the policy says so. */
function namesIn(file: unknown, section: string, readFile: ReadBeside): readonly string[] {
  const content = typeof file === "string" ? readFile(file) : null;
  if (content?.ok !== true) return [];
  try {
    const entries: unknown = mapping(parse(content.value.toString(), { maxAliasCount: 0 }))[section];
    const names = (Array.isArray(entries) ? entries : []).map((entry) => mapping(entry)["name"]);
    return names.filter((name) => typeof name === "string").slice(0, DEFAULTS.generatedCallersMax);
  } catch {
    return [];
  }
}

function listed(value: unknown): readonly string[] {
  return (Array.isArray(value) ? value : [value]).filter((one) => typeof one === "string");
}

function mapping(value: unknown): Mapping {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Mapping) : {};
}

/** A name of the policy language. */
function wordOf(text: string): string {
  const word = text
    .replace(/[^A-Za-z0-9_.-]+/g, "-")
    .replace(/^[^A-Za-z]+/, "")
    .slice(0, NAME_CHARACTERS_MAX);
  return word === "" ? "caller" : word;
}

const NAME_CHARACTERS_MAX = 56;
