import type { SchemeKind, SecurityScheme } from "../../openapi/operation.ts";
import { nearestHint } from "../../support/schema.ts";

/** Which authenticators may know a caller of a scheme. */
const TYPES: Readonly<Record<SchemeKind, readonly string[]>> = {
  oauth2: ["jwt", "introspection"],
  openIdConnect: ["jwt", "introspection"],
  bearer: ["jwt", "introspection"],
  basic: ["basic"],
  apiKey: ["api-key"],
  mutualTLS: ["client-certificate"],
  http: [],
};

/** In a combination the last one says who it is: of a machine and its user, the user. */
const ORDER: readonly SchemeKind[] = ["mutualTLS", "apiKey", "http", "basic", "bearer", "oauth2", "openIdConnect"];

export interface SchemeMapping {
  /** `authenticate` of the section: scheme or kind → authenticators. */
  readonly written: Readonly<Record<string, string | readonly string[]>>;
  /** All authenticators of the policy: name → type. */
  readonly authenticators: ReadonlyMap<string, unknown>;
}

/** The authenticators of a scheme, or what to do about it that there is none. */
export function authenticatorsOf(scheme: SecurityScheme, mapping: SchemeMapping): readonly string[] | string {
  const { written, authenticators } = mapping;
  const named = Object.hasOwn(written, scheme.name)
    ? written[scheme.name]
    : Object.hasOwn(written, scheme.kind)
      ? written[scheme.kind]
      : undefined;
  if (named !== undefined) return typeof named === "string" ? [named] : named;
  const fits = (type: unknown): boolean => TYPES[scheme.kind].some((one) => one === type);
  if (fits(authenticators.get(scheme.name))) return [scheme.name];
  const fitting = [...authenticators].filter(([, type]) => fits(type)).map(([name]) => name);
  if (fitting.length === 1) return fitting;
  const some = fitting.length === 0 ? "there is none" : `there are ${fitting.join(", ")}`;
  return (
    `the policy does not say which authenticator knows callers of '${scheme.name}' (${scheme.kind}); ` +
    `of that kind ${some}. Expected 'authenticate: { ${scheme.name}: NAME }' in section 'openapi'`
  );
}

export function orderOf({ kind }: SecurityScheme): number {
  return ORDER.indexOf(kind);
}

/** What is wrong with the keys and names of `authenticate`, each with the key. */
export function mappingFaults(
  { written, authenticators }: SchemeMapping,
  schemes: ReadonlyMap<string, SecurityScheme>,
): readonly { readonly key: string; readonly at: number | null; readonly text: string }[] {
  const kinds: readonly string[] = ORDER;
  const faults: { key: string; at: number | null; text: string }[] = [];
  for (const [key, value] of Object.entries(written)) {
    if (!schemes.has(key) && !kinds.includes(key)) {
      const text = `the document has no security scheme '${key}'; ${nearestHint(key, [...schemes.keys(), ...kinds])}`;
      faults.push({ key, at: null, text });
    }
    const names = typeof value === "string" ? [value] : value;
    for (const [at, name] of names.entries()) {
      if (authenticators.has(name)) continue;
      const text = `authenticator '${name}' is not defined; ${nearestHint(name, [...authenticators.keys()])}`;
      faults.push({ key, at: typeof value === "string" ? null : at, text });
    }
  }
  return faults;
}
