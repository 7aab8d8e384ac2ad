import type { Site } from "./document.ts";
import { isObject, member, type Resource, resolveUri, type SchemaObject } from "./resource.ts";

/** The member that says which alternative is meant, as OpenAPI has it (3.2 section 4.25). */
export interface Discriminator {
  readonly name: string;
  readonly site: Site | null;
  /** Value → the alternative that it names, as an absolute URI. */
  readonly mapping: ReadonlyMap<string, string>;
  /** For values that name none, and where the member is missing: `defaultMapping` of 3.2; null for none. */
  readonly otherwise: string | null;
  /** What each alternative is called; null where it stands there itself. */
  readonly uris: readonly (string | null)[];
}

/** A schema's name; anything else is a reference. */
const NAME = /^[A-Za-z0-9._-]+$/;

/**
 * What a schema's own `discriminator` says of its alternatives; null where it is none, or there are none to choose from. `heirs`:
 * what may be meant where it has no `oneOf` and no `anyOf`, itself among them.
 */
export function readDiscriminator(
  raw: SchemaObject,
  resource: Resource,
  site: Site | null,
  heirs: readonly string[],
): Discriminator | null {
  const value = member(raw, "discriminator");
  if (!isObject(value)) return null;
  const name = member(value, "propertyName");
  const parts = member(raw, "oneOf") ?? member(raw, "anyOf");
  if (typeof name !== "string" || (!Array.isArray(parts) && heirs.length < 2)) return null;
  const uriOf = (text: string): string => {
    const isName = NAME.test(text) && !/\.(?:json|ya?ml)$/i.test(text);
    return resolveUri(isName ? `#/components/schemas/${text}` : text, resource.uri);
  };
  const mapping = new Map<string, string>();
  const written = member(value, "mapping");
  for (const [tag, target] of Object.entries(isObject(written) ? written : {}))
    if (typeof target === "string") mapping.set(tag, uriOf(target));
  const otherwise = member(value, "defaultMapping");
  const uriOfPart = (part: unknown): string | null => {
    const reference = isObject(part) ? member(part, "$ref") : undefined;
    return typeof reference === "string" ? resolveUri(reference, resource.uri) : null;
  };
  const uris = Array.isArray(parts) ? parts.map(uriOfPart) : heirs;
  return { name, site, mapping, otherwise: typeof otherwise === "string" ? uriOf(otherwise) : null, uris };
}
