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
  nameAlternatives(all, tell);
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
    if (!isRequired(parent, discriminator.name))
      any.anyOf = { ...any.anyOf, parts: [...any.anyOf.parts, nameless(parent, discriminator.name, all)] };
    const kept = new Set(heirs.flatMap(({ allOf }) => allOf));
    for (const schema of written)
      if (!kept.has(schema) && schema.refs.includes(parent))
        schema.refs = schema.refs.map((target) => (target === parent ? any : target));
    if (start === parent) start = any;
  }
  return start;
}

/** A list of heirs that does not itself say which of them is meant, as springdoc writes it: their parent's word holds. */
function nameAlternatives(all: Subschema[], tell: (site: Site | null) => void): void {
  const parents = all.filter(({ discriminator, heirs }) => discriminator !== null && heirs.length > 0);
  for (const schema of [...all]) {
    const key = schema.oneOf === null ? "anyOf" : "oneOf";
    const alternatives = schema[key];
    if (alternatives === null || schema.discriminator !== null) continue;
    const targets = alternatives.parts.map(({ refs: [target] }) => target ?? null);
    for (const parent of parents) {
      const { discriminator } = parent;
      const family = [...parent.heirs, parent];
      const uris = targets.map((target) =>
        target === null ? null : (discriminator?.uris[family.indexOf(target)] ?? null),
      );
      if (discriminator === null || uris.includes(null)) continue;
      const parts = alternatives.parts.map((part, at) => (targets[at] === parent ? parent : part));
      schema[key] = { ...alternatives, parts };
      schema.discriminator = { ...discriminator, uris };
      const isApplied = applyDiscriminator(schema, all, parent);
      schema.discriminator = null;
      if (!isApplied) {
        schema[key] = alternatives;
        tell(discriminator.site);
      } else if (!isRequired(parent, discriminator.name)) {
        const unnamed = blank(all.length, schema.resource, schema.pointer, schema.site, false);
        unnamed[key] = alternatives;
        all.push(unnamed);
        const { parts: named = [], ...others } = schema[key] ?? alternatives;
        schema[key] = { ...others, parts: [...named, nameless(unnamed, discriminator.name, all)] };
      }
      break;
    }
  }
}

function isRequired(schema: Subschema, name: string): boolean {
  return [...togetherWith(schema)].some(({ object }) => object?.required.some(({ value }) => value === name) ?? false);
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
