import { isObject, member, type Resource, resolveUri, splitUri } from "./resource.ts";

const COMPONENT = /^\/components\/schemas\/([^/]+)$/;

/** Of each document, which components are parts of `allOf` of which others: parent → children, by name. */
const children = new WeakMap<object, ReadonlyMap<string, readonly string[]>>();

/** Pointers of all components whose `allOf` leads to the one at `pointer`, over others, too (OpenAPI 3.2 section 4.25.4). */
export function heirPointers(resource: Resource, pointer: string): readonly string[] {
  const name = COMPONENT.exec(pointer)?.[1];
  if (name === undefined || typeof resource.root === "boolean") return [];
  const known = children.get(resource.root) ?? childrenIn(resource);
  children.set(resource.root, known);
  const found = new Set([name]);
  for (const parent of found) for (const child of known.get(parent) ?? []) found.add(child);
  found.delete(name);
  return [...found].map((heir) => `/components/schemas/${heir}`);
}

function childrenIn({ root, uri }: Resource): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  const components = isObject(root) ? member(root, "components") : undefined;
  const schemas = isObject(components) ? member(components, "schemas") : undefined;
  for (const [name, schema] of Object.entries(isObject(schemas) ? schemas : {})) {
    const parts = isObject(schema) ? member(schema, "allOf") : undefined;
    for (const part of Array.isArray(parts) ? parts : []) {
      const reference = isObject(part) ? member(part, "$ref") : undefined;
      if (typeof reference !== "string") continue;
      const target = splitUri(resolveUri(reference, uri));
      const parent = target.uri === uri ? COMPONENT.exec(target.fragment)?.[1] : undefined;
      if (parent !== undefined) found.set(parent, [...(found.get(parent) ?? []), name]);
    }
  }
  return found;
}
