import { applyDiscriminator } from "./discriminate.ts";
import type { Site } from "./document.ts";
import { blank } from "./read.ts";
import { togetherWith } from "./requests.ts";
import type { Subschema } from "./subschema.ts";

/**
 * Has values of a schema with a discriminator and heirs judged as the heir that they name, wherever it is referred to, but for the
 * `allOf` of the heirs themselves. `tell`: of those that nobody can tell apart. Gives the schema that stands in place of `root`.
 */
export function applyInheritance(all: Subschema[], root: Subschema, tell: (site: Site | null) => void): Subschema {
  if (all.every(({ heirs }) => heirs.length === 0)) return root;
  let start = root;
  const written = [...all];
  for (const parent of written) {
    const { discriminator, heirs } = parent;
    if (discriminator === null || heirs.length === 0) continue;
    const any = blank(all.length, parent.resource, parent.pointer, parent.site, false);
    const { isReadOnly, isWriteOnly, xml } = parent;
    Object.assign(any, { isReadOnly, isWriteOnly, xml, default: parent.default, discriminator });
    any.anyOf = { parts: [...heirs, parent], site: discriminator.site };
    all.push(any);
    const isApplied = applyDiscriminator(any, all, parent);
    parent.discriminator = null;
    any.discriminator = null;
    if (!isApplied) {
      any.anyOf = null;
      tell(discriminator.site);
      continue;
    }
    const isRequired = [...togetherWith(parent)].some(
      ({ object }) => object?.required.some(({ value }) => value === discriminator.name) ?? false,
    );
    if (!isRequired)
      any.anyOf = { ...any.anyOf, parts: [...any.anyOf.parts, nameless(parent, discriminator.name, all)] };
    const kept = new Set(heirs.flatMap(({ allOf }) => allOf));
    for (const schema of written)
      if (!kept.has(schema) && schema.refs.includes(parent))
        schema.refs = schema.refs.map((target) => (target === parent ? any : target));
    if (start === parent) start = any;
  }
  return start;
}

const NO_RULES = { patterns: [], additional: null, names: null, namesSite: null, dependentRequired: [] };

/** The parent, for values that do not say what they are. */
function nameless(parent: Subschema, name: string, all: Subschema[]): Subschema {
  const { resource, pointer, site } = parent;
  const named = blank(all.length, resource, pointer, site, false);
  named.object = { ...NO_RULES, required: [{ value: name, site }], properties: new Map(), propertiesSite: null };
  all.push(named);
  const made = blank(all.length, resource, pointer, site, false);
  made.allOf = [parent];
  made.not = { parts: [named], site };
  all.push(made);
  return made;
}
