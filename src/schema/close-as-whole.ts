import type { Site } from "./document.ts";
import { closedOut } from "./questions/facts.ts";
import { blank } from "./read.ts";
import { togetherWith } from "./requests.ts";
import { isOfOpenApi } from "./resource.ts";
import type { Subschema } from "./subschema.ts";

/**
 * Generators for .NET close a class and its base each by `additionalProperties: false`, which knows its own members alone, so
 * that each refuses the other's. In descriptions the whole has no other members then, as they mean it.
 */
export function closeAsWhole(all: Subschema[], tell: (site: Site | null) => void): void {
  if (all.every(({ object }) => object?.additional?.isNever !== true)) return;
  const trees = all.filter((schema) => isComposed(schema) && closedOut(schema) !== null && !narrows(schema));
  const [first] = trees;
  if (first === undefined) return;
  const nothing = blank(all.length, first.resource, first.pointer, first.site, true);
  all.push(nothing);
  const opened = new Map<Subschema, Subschema>();
  /** A part of a tree; elsewhere it stays as it is. */
  const open = (schema: Subschema): Subschema => {
    const known = opened.get(schema);
    if (known !== undefined) return known;
    const made = { ...schema, index: all.length };
    all.push(made);
    opened.set(schema, made);
    openUp(made);
    return made;
  };
  const openUp = (schema: Subschema): void => {
    const { object } = schema;
    if (object?.additional?.isNever === true) schema.object = { ...object, additional: null };
    if (schema.unevaluatedProperties === nothing) schema.unevaluatedProperties = null;
    schema.allOf = schema.allOf.map(open);
    schema.refs = schema.refs.map(open);
  };
  for (const tree of trees) {
    openUp(tree);
    tree.unevaluatedProperties ??= nothing;
    tell(tree.site);
  }
}

/** Whether some closed part only says again what others have declared: it may well mean to leave the rest out. */
function narrows(tree: Subschema): boolean {
  const objects = [...togetherWith(tree)].flatMap(({ object }) => (object === null ? [] : [object]));
  return objects.some((own) => {
    if (own.additional?.isNever !== true || own.properties.size === 0) return false;
    const isOthers = (name: string): boolean => objects.some((one) => one !== own && one.properties.has(name));
    return [...own.properties.keys()].every(isOthers);
  });
}

function isComposed({ resource, allOf, refs, object }: Subschema): boolean {
  return isOfOpenApi(resource) && (allOf.length > 0 || (refs.length > 0 && object !== null));
}
