import type { SchemaPlace } from "../schema/document.ts";
import { excerpt } from "../support/excerpt.ts";
import { CORS_EXTENSIONS, type CorsExtension, corsExtension } from "./cors-extension.ts";
import { isMembers, type Members, type Spot } from "./spot.ts";

/** A member `x-…`, where it stands. */
export interface ExtensionAt {
  readonly name: string;
  readonly place: SchemaPlace;
}

/** What members `x-…` of an operation, its path and the document say that has one meaning here. The nearest counts. */
export interface Extensions {
  /** Somebody else asked for callers by it, whatever `security` says. */
  readonly closing: ExtensionAt | null;
  /** Somebody else let everybody in by it. */
  readonly opening: ExtensionAt | null;
  /** Null for no bound. */
  readonly bodyBytesMax: number | null;
  /** Pages of other origins may call it; null where nothing is said. */
  readonly cors: CorsExtension | null;
  /** What they ask for that a policy says in its own words: `the rate of x-kong-plugin-rate-limiting (5 a second)`. */
  readonly unmet: readonly { readonly what: string; readonly place: SchemaPlace }[];
}

/** Extensions that open operations, where the policy names them. */
export const OPENING_EXTENSIONS = ["x-auth-type", "x-wso2-disable-security"] as const;

/** WSO2: `mandatory` asks for a client certificate besides whatever `security` asks for. Of the whole document. */
export const MUTUAL_TLS_EXTENSION = "x-wso2-mutual-ssl";

/** What `postern inventory` tells of an operation; it asks for nothing. */
export const OBSERVED_EXTENSION = "x-observed";

const TYK = "x-tyk-api-gateway";

/** Plugins of Kong by which callers are known. */
const KONG_CALLERS = [
  "basic-auth",
  "header-cert-auth",
  "hmac-auth",
  "jwt",
  "jwt-signer",
  "key-auth",
  "key-auth-enc",
  "ldap-auth",
  "ldap-auth-advanced",
  "mtls-auth",
  "oauth2",
  "oauth2-introspection",
  "openid-connect",
  "saml",
  "vault-auth",
].map((plugin) => `x-kong-plugin-${plugin}`);

type Reads = (value: unknown) => boolean;

const CLOSING: ReadonlyMap<string, Reads> = new Map<string, Reads>([
  ...KONG_CALLERS.map((name) => [name, isEnabled] as const),
  // AWS: `{ type: AWS_IAM }` or `{ type: NONE }`.
  ["x-amazon-apigateway-auth", (value) => isMembers(value) && !isWord(value["type"], "none")],
  ["x-auth-type", (value) => typeof value === "string" && !isWord(value, "none")],
  [TYK, (value) => inside(value, "server", "authentication", "enabled") === true],
  ["x-wso2-application-security", (value) => isMembers(value) && value["optional"] !== true],
]);

const OPENING: ReadonlyMap<string, Reads> = new Map<string, Reads>([
  ["x-auth-type", (value) => isWord(value, "none")],
  ["x-wso2-disable-security", (value) => value === true],
]);

/** AWS: an operation of all methods that the path has no other for. */
export const ANY_METHOD_EXTENSION = "x-amazon-apigateway-any-method";

const SIZE = "x-kong-plugin-request-size-limiting";
const SIZE_UNITS: Readonly<Record<string, number>> = { bytes: 1, kilobytes: 1_000, megabytes: 1_000_000 };

const KONG_RATE = "x-kong-plugin-rate-limiting";
const WINDOWS = ["second", "minute", "hour", "day", "month", "year"] as const;
/** Names of rates that stand elsewhere. */
const TIERS = ["x-wso2-throttling-tier", "x-throttling-tier"];

/** What nobody here asks for by itself. */
const RESTRICTIONS = [
  "x-amazon-apigateway-policy",
  "x-google-quota",
  "x-kong-plugin-acl",
  "x-kong-plugin-ip-restriction",
  // It answers by itself, so that the service gets no such request.
  "x-kong-plugin-request-termination",
];

/** What a description says is enforced anyway. */
const ENFORCED = [
  "x-amazon-apigateway-request-validator",
  "x-amazon-apigateway-request-validators",
  "x-kong-plugin-request-validator",
];

const READ: ReadonlySet<string> = new Set([
  ...CLOSING.keys(),
  ...OPENING.keys(),
  SIZE,
  ...CORS_EXTENSIONS,
  KONG_RATE,
  ...TIERS,
  ...RESTRICTIONS,
  ...ENFORCED,
  MUTUAL_TLS_EXTENSION,
  ANY_METHOD_EXTENSION,
  OBSERVED_EXTENSION,
  "x-ms-paths",
]);

/** Whether it is looked at; whatever else begins with `x-` means nothing here. */
export function isReadExtension(name: string): boolean {
  return READ.has(name);
}

/** `levels`: the operation, its path, the document. */
export function extensionsOf(levels: readonly Spot[]): Extensions {
  const found = new Map<string, Spot>();
  for (const level of levels) {
    for (const name of Object.keys(level.members)) {
      const spot = READ.has(name) && !found.has(name) ? level.at(name) : null;
      if (spot !== null) found.set(name, spot);
    }
  }
  if (found.size === 0) return NONE;
  const first = (table: ReadonlyMap<string, Reads>): ExtensionAt | null => {
    for (const [name, spot] of found) if (table.get(name)?.(spot.value) === true) return { name, place: spot.place };
    return null;
  };
  return {
    closing: first(CLOSING),
    opening: first(OPENING),
    bodyBytesMax: sizeOf(found.get(SIZE)?.value),
    cors: corsOf(found),
    unmet: [...found].flatMap(([name, { value, place }]) => {
      const what = unmetOf(name, value);
      return what === null ? [] : [{ what, place }];
    }),
  };
}

const NONE: Extensions = { closing: null, opening: null, bodyBytesMax: null, cors: null, unmet: [] };

function unmetOf(name: string, value: unknown): string | null {
  if (name === KONG_RATE && isEnabled(value)) {
    const rates = WINDOWS.flatMap((window) => {
      const count = inside(value, "config", window);
      return typeof count === "number" ? [`${count} a ${window}`] : [];
    });
    return rates.length === 0 ? null : `the rate of ${name} (${rates.join(", ")})`;
  }
  if (TIERS.includes(name) && typeof value === "string" && !isWord(value, "unlimited")) {
    return `the rate of ${name} (${/^[\w .-]{1,40}$/.test(value) ? value : "a tier"})`;
  }
  if (name === TYK) {
    const blocked = Object.entries(inside(value, "middleware", "operations") ?? {}).flatMap(([id, one]) =>
      inside(one, "block", "enabled") === true ? [id] : [],
    );
    return blocked.length === 0 ? null : `operations that ${name} blocks (${excerpt(blocked.join(", "))})`;
  }
  return RESTRICTIONS.includes(name) && isEnabled(value) ? name : null;
}

/** The first that is switched on. */
function corsOf(found: ReadonlyMap<string, Spot>): CorsExtension | null {
  for (const name of CORS_EXTENSIONS) {
    const spot = found.get(name);
    const cors = spot === undefined ? null : corsExtension(name, spot.value, spot.place);
    if (cors !== null) return cors;
  }
  return null;
}

/** Bytes, by Kong's units; it counts in megabytes where nothing is said. */
function sizeOf(plugin: unknown): number | null {
  if (!isEnabled(plugin)) return null;
  const size = inside(plugin, "config", "allowed_payload_size") ?? 128;
  const unit = inside(plugin, "config", "size_unit") ?? "megabytes";
  const bytes = typeof size === "number" && typeof unit === "string" ? size * (SIZE_UNITS[unit] ?? 0) : 0;
  return Number.isSafeInteger(bytes) && bytes > 0 ? bytes : null;
}

/** Plugins can be switched off where they stand. */
function isEnabled(plugin: unknown): boolean {
  return isMembers(plugin) && plugin["enabled"] !== false;
}

function isWord(value: unknown, word: string): boolean {
  return typeof value === "string" && value.toLowerCase() === word;
}

function inside(value: unknown, ...keys: readonly string[]): unknown {
  let at = value;
  for (const key of keys) at = isMembers(at) && Object.hasOwn(at, key) ? (at as Members)[key] : undefined;
  return at;
}
