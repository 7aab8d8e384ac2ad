import type { Description } from "../../openapi/description.ts";
import type { Reading } from "../../openapi/media.ts";
import type { SchemaReference } from "../../openapi/operation.ts";
import { Spot } from "../../openapi/spot.ts";
import { pointerToken } from "../../schema/document.ts";

/** A schema that speaks of a value, with the pointer that leads to it from the document itself, through references. */
export interface Part {
  readonly spot: Spot;
  readonly pointer: string;
}

/** `pointer`: leads to the schema from the document itself; as it stands where nobody asks for its name. */
export function partOf(schema: SchemaReference, pointer: string = schema.pointer): Part {
  return { spot: new Spot(schema.document, schema.pointer, schema.value, null, ""), pointer };
}

/** Schemas that speak of one value; beyond that they say nothing. */
const TOGETHER_MAX = 64;

/** A schema with all that surely speaks of the same value. */
export function together(start: Part, reading: Reading): readonly Part[] {
  return reached([start], reading, (part) => [...inner(part, ["allOf"]), ...onlyAlternative(part)]);
}

/** What speaks of the same value where an alternative counts. */
export function alternatives(parts: readonly Part[], reading: Reading): readonly Part[] {
  const begun = parts.flatMap((part) => inner(part, ["oneOf", "anyOf", "then", "else", "dependentSchemas"]));
  return reached(begun, reading, (part) =>
    inner(part, ["allOf", "oneOf", "anyOf", "then", "else", "dependentSchemas"]),
  );
}

/** What an optional value may be but null, as FastAPI writes it; no part of a form is null. */
function onlyAlternative(part: Part): readonly Part[] {
  return ["anyOf", "oneOf"].flatMap((word) => {
    const others = inner(part, [word]).filter(({ spot }) => spot.text("type") !== "null");
    return others.length === 1 ? others : [];
  });
}

function reached(
  start: readonly Part[],
  { references }: Reading,
  next: (part: Part) => readonly Part[],
): readonly Part[] {
  const found: Part[] = [];
  const pending = [...start];
  for (let part = pending.shift(); part !== undefined && found.length < TOGETHER_MAX; part = pending.shift()) {
    const { spot, pointer } = part;
    const target = references.follow(spot, "what it says of the form is not enforced");
    if (target === null) continue;
    const own: Part = { spot: target, pointer };
    found.push(own);
    // 3.1 has words beside a reference.
    if (target !== spot && Object.keys(spot.members).length > 1) found.push(part);
    pending.push(...next(own));
  }
  return found;
}

/** Schemas that words of a schema lead to: one, a list or several by name. */
function inner({ spot, pointer }: Part, words: readonly string[]): readonly Part[] {
  return words.flatMap((word) => {
    const at = spot.at(word);
    if (at === null) return [];
    const path = `${pointer}/${word}`;
    if (word === "then" || word === "else") return [{ spot: at, pointer: path }];
    return [...at.all()].map(([key, one]) => ({ spot: one, pointer: `${path}/${pointerToken(key)}` }));
  });
}

export function namesIn(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === "string") : [];
}

export function firstText(parts: readonly Part[], key: string): string | null {
  return parts.map(({ spot }) => spot.text(key)).find((text) => text !== null) ?? null;
}

/** What a schema is called from the document itself; null where references on the way lead past it. */
export function nameOf(
  { document, pointer }: SchemaReference,
  part: Part,
  { file, library }: Description,
): string | null {
  const name = [part.spot.pointer, part.pointer].find((one) => {
    const found = library.find(file, one);
    return found?.document === document && found.pointer === pointer;
  });
  return name === undefined ? null : `${file}#${name}`;
}

/** Whether some of them say that the value is an object. */
export function sayObject(parts: readonly Part[]): boolean {
  return parts.some(({ spot }) => spot.text("type") === "object" || spot.at("properties") !== null);
}

/** Members of the value that a schema speaks of, in their order. */
export function propertiesOf({ spot, pointer }: Part): readonly (readonly [string, Part])[] {
  return [...(spot.at("properties")?.all() ?? [])].map(([name, own]) => {
    return [name, { spot: own, pointer: `${pointer}/properties/${pointerToken(name)}` }];
  });
}
