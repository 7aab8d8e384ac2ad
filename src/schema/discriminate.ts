import { excerpt } from "../support/excerpt.ts";
import type { Discriminator } from "./discriminator.ts";
import { tagsOf } from "./judge/alternatives.ts";
import { blank } from "./read.ts";
import type { Alternatives, Subschema } from "./subschema.ts";

/** Deeper references are not followed to find what an alternative says of the member itself. */
const TAGS_DEPTH_MAX = 8;
const SHOWN_MAX = 10;

/**
 * Has each alternative hold for the values that name it, and for no other: a body that says it is a card is judged as a
 * card, though it would be a good transfer. False where some alternative has no name, so that nobody can tell. `parent`: where
 * the others are its heirs.
 */
export function applyDiscriminator(schema: Subschema, all: Subschema[], parent: Subschema | null = null): boolean {
  const { discriminator } = schema;
  const key = schema.oneOf === null ? "anyOf" : "oneOf";
  const alternatives = schema[key];
  if (discriminator === null || alternatives === null) return false;
  const tags = tagsByPart(discriminator, alternatives.parts, parent);
  if (tags === null) return false;
  const known = new Set(tags.flatMap((values) => [...values]));
  const add = (): Subschema => {
    const made = blank(all.length, schema.resource, schema.pointer, discriminator.site, false);
    all.push(made);
    return made;
  };
  const parts = alternatives.parts.map((part, at) => named(part, tags[at] ?? new Set(), discriminator, add));
  const fallback = alternatives.parts[discriminator.uris.indexOf(discriminator.otherwise ?? "")];
  if (discriminator.otherwise !== null && fallback === undefined) return false;
  if (fallback !== undefined) parts.push(unnamed(fallback, known, discriminator, add));
  const isOpen = fallback !== undefined;
  schema[key] = { parts, site: alternatives.site, none: complaintOf(discriminator, known, isOpen) };
  return true;
}

/** Which values name each alternative: those of the mapping, its own name, or what it says of the member itself. */
function tagsByPart(
  { name, mapping, uris }: Discriminator,
  parts: readonly Subschema[],
  parent: Subschema | null,
): readonly ReadonlySet<string>[] | null {
  // What a parent says of the member holds for all of its heirs, and tells none from another.
  const common = parent === null ? undefined : tagsOf(parent, TAGS_DEPTH_MAX).get(name);
  const taken = new Set<string>();
  const tags = parts.map((_, at) => {
    const own = [...mapping].filter(([, uri]) => uri === uris[at]).map(([tag]) => tag);
    for (const tag of own) taken.add(tag);
    return new Set(own);
  });
  for (const [at, part] of parts.entries()) {
    const own = tags[at];
    const implicit = nameIn(uris[at] ?? null);
    if (implicit !== null && !taken.has(implicit)) own?.add(implicit);
    // Documents that name values by 'enum' alone mean these.
    for (const tag of tagsOf(part, TAGS_DEPTH_MAX).get(name) ?? [])
      if (!taken.has(tag) && common?.has(tag) !== true) own?.add(tag);
    if (part === parent) continue;
    const isReached = own !== undefined && (common === undefined || [...own].some((tag) => common.has(tag)));
    if (own === undefined || own.size === 0 || !isReached) return null;
  }
  return tags;
}

/** Of `#/components/schemas/Card`. */
function nameIn(uri: string | null): string | null {
  return uri === null ? null : (/#\/components\/schemas\/([^/]+)$/.exec(uri)?.[1] ?? null);
}

const NO_RULES = { patterns: [], additional: null, names: null, namesSite: null, dependentRequired: [] };

/** The alternative, for these values of the member. */
function named(
  part: Subschema,
  tags: ReadonlySet<string>,
  { name, site }: Discriminator,
  add: () => Subschema,
): Subschema {
  const tag = add();
  tag.values = [{ keyword: "enum", list: [...tags], site }];
  const made = add();
  const properties = new Map([[name, tag]]);
  made.object = { ...NO_RULES, required: [{ value: name, site }], properties, propertiesSite: site };
  made.allOf = [part];
  return made;
}

/** The alternative, for all other values and for none. */
function unnamed(
  part: Subschema,
  known: ReadonlySet<string>,
  discriminator: Discriminator,
  add: () => Subschema,
): Subschema {
  const nothing = add();
  const made = add();
  made.allOf = [part];
  made.not = { parts: [named(nothing, known, discriminator, add)], site: discriminator.site };
  return made;
}

function complaintOf(
  { name, site }: Discriminator,
  known: ReadonlySet<string>,
  isOpen: boolean,
): Alternatives["none"] & object {
  const shown = [...known].slice(0, SHOWN_MAX).map((tag) => JSON.stringify(excerpt(tag)));
  const more = known.size > SHOWN_MAX ? ` and ${known.size - SHOWN_MAX} more` : "";
  const detail = `expected what member '${excerpt(name)}' says it is${isOpen ? "" : `: ${shown.join(", ")}${more}`}`;
  return { keyword: "discriminator", detail, site };
}
