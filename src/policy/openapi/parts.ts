import { isJson, isText } from "../../bodies/media-type.ts";
import { schemaAt } from "../../openapi/media.ts";
import type { MediaRange, SchemaReference } from "../../openapi/operation.ts";
import { isMembers, type Members } from "../../openapi/spot.ts";
import type { SchemaPlace } from "../../schema/document.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import { type FieldKind, fileOf, kindOf, type Settings } from "./form-fields.ts";
import { firstText, nameOf, namesIn, type Part, partOf, propertiesOf, sayObject, together } from "./form-parts.ts";
import { type Lowering, takesAnyText } from "./lowering.ts";
import { unenforcedIn } from "./parameters.ts";
import { partHeaders } from "./part-headers.ts";

/** A body whose parts are told apart by their place, in the words of `validate`. */
export interface LoweredParts {
  readonly settings: Settings;
  /** Where each part stands that has a schema, by the way that leads to it in the settings. */
  readonly places: readonly (readonly [path: readonly (string | number)[], schema: SchemaReference])[];
}

/** Words about all parts together that no rule for one of them can hold. */
const WHOLE_WORDS = [
  "oneOf",
  "anyOf",
  "not",
  "if",
  "contains",
  "uniqueItems",
  "unevaluatedItems",
  "patternProperties",
  "minProperties",
  "maxProperties",
  "dependentRequired",
  "dependentSchemas",
  "unevaluatedProperties",
] as const;

/** What a part is of which nothing is said. */
const ANY: Settings = { content: "unchecked" };

/**
 * The parts of a multipart body in their order: of a list each item is one (OpenAPI 3.2 section 4.14.4), of an object in
 * multipart/related each property, the root in front (RFC 2387). Null where it is neither. `pointer`: leads to the schema from the document itself.
 */
export function lowerParts(media: MediaRange, pointer: string, lowering: Lowering): LoweredParts | null {
  const { itemSchema, schema } = media;
  const parts = new PartsLowering(media, lowering);
  const own = itemSchema ?? schema;
  if (own === null) {
    const isSaid = media.prefixEncoding !== null || media.itemEncoding !== null;
    return isSaid ? parts.byPlace([], null, []) : null;
  }
  const start = partOf(own, pointer);
  if (itemSchema !== null) return parts.byPlace([], start, []);
  const all = together(start, lowering.description.reading);
  const isList = all.some(({ spot }) => spot.text("type") === "array" || spot.at("prefixItems") !== null);
  if (isList) {
    const list = all.find(({ spot }) => spot.at("prefixItems") !== null);
    const first = [...(list?.spot.at("prefixItems")?.all() ?? [])].map(([at, spot]) => {
      return { spot, pointer: `${list?.pointer ?? ""}/prefixItems/${at}` };
    });
    return parts.byPlace(first, inner(all, "items"), all);
  }
  return sayObject(all) && media.range === "multipart/related" ? parts.byName(all) : null;
}

function inner(parts: readonly Part[], word: string): Part | null {
  for (const { spot, pointer } of parts) {
    const own = spot.at(word);
    if (own !== null) return { spot: own, pointer: `${pointer}/${word}` };
  }
  return null;
}

class PartsLowering {
  readonly #media: MediaRange;
  readonly #lowering: Lowering;
  readonly #places: [readonly (string | number)[], SchemaReference][] = [];

  constructor(media: MediaRange, lowering: Lowering) {
    this.#media = media;
    this.#lowering = lowering;
  }

  /** `all`: what speaks of the list as a whole. */
  byPlace(first: readonly Part[], rest: Part | null, all: readonly Part[]): LoweredParts {
    const { prefixEncoding, itemEncoding } = this.#media;
    this.#tellWhole(all);
    const count = Math.max(first.length, prefixEncoding?.length ?? 0);
    const prefix = Array.from({ length: count }, (_, at) => {
      const { [at]: own } = prefixEncoding ?? [];
      return this.#part(first[at] ?? rest, isMembers(own) ? own : (itemEncoding ?? {}), ["prefix", at]);
    });
    const isClosed = rest?.spot.value === false;
    const least = numberIn(all, "minItems");
    const most = numberIn(all, "maxItems");
    const settings = {
      prefix,
      ...(isClosed ? {} : { items: this.#part(rest, itemEncoding ?? {}, ["items"]) }),
      ...(least === null ? {} : { minParts: least }),
      ...(most === null || most === 0 ? {} : { maxParts: most }),
    };
    return { settings, places: this.#places };
  }

  /** Null, and told, where some property is a list that others follow. */
  byName(all: readonly Part[]): LoweredParts | null {
    this.#tellWhole(all);
    const required = new Set(all.flatMap(({ spot }) => namesIn(spot.members["required"])));
    const properties = all.flatMap(propertiesOf);
    const isClosed =
      this.#lowering.requests.undeclared !== "ignore" ||
      all.some(({ spot }) => spot.members["additionalProperties"] === false);
    const prefix: Settings[] = [];
    let items: Settings | null = isClosed ? null : ANY;
    let most: number | null = null;
    for (const [at, [name, part]] of properties.entries()) {
      const encoding = this.#encodingOf(name);
      const list = this.#listIn(part, encoding);
      if (list === null) {
        const own = this.#part(part, encoding, ["prefix", at]);
        prefix.push({ ...own, name, ...(required.has(name) ? { required: true } : {}) });
      } else if (at < properties.length - 1) {
        this.#lowering.loose("lists among the parts of multipart/related", part.spot.place);
        return null;
      } else {
        items = this.#part(list.item, encoding, ["items"]);
        most = list.most === null ? null : prefix.length + list.most;
      }
    }
    const bound = most === null || most === 0 ? {} : { maxParts: most };
    return { settings: { prefix, ...(items === null ? {} : { items }), ...bound }, places: this.#places };
  }

  /** Of a property that comes as often as it has items. */
  #listIn(part: Part, encoding: Members): { readonly item: Part | null; readonly most: number | null } | null {
    const kind = kindOf(part, encoding, this.#media.range, this.#lowering.description);
    const isList = kind.is === "list" || kind.is === "jsonList" || (kind.is === "file" && kind.isList);
    if (!isList) return null;
    const parts = together(part, this.#lowering.description.reading);
    return { item: inner(parts, "items"), most: numberIn(parts, "maxItems") };
  }

  #part(part: Part | null, encoding: Members, path: readonly (string | number)[]): Settings {
    const { description, loose } = this.#lowering;
    const headers = partHeaders(this.#media.partHeaders.get(encoding) ?? [], description, loose);
    return { ...this.#content(part, encoding, path), ...headers };
  }

  #content(part: Part | null, encoding: Members, path: readonly (string | number)[]): Settings {
    const said = encoding["contentType"];
    const types = typeof said === "string" ? typesIn(said) : null;
    const { description, loose } = this.#lowering;
    if (["encoding", "prefixEncoding", "itemEncoding"].some((word) => encoding[word] !== undefined))
      loose("parts within parts", this.#media.place);
    const asked = types === null ? {} : { types };
    if (part === null || typeof part.spot.value === "boolean") return { ...ANY, ...asked };
    const parts = together(part, description.reading);
    const kind = kindOf(part, encoding, this.#media.range, description);
    if (kind.is === "file" && !kind.isList) {
      if (sayObject(parts)) loose(`schemas of parts of ${kind.said ?? "other types"}`, part.spot.place);
      return fileOf(kind, parts);
    }
    const reference = schemaAt(part.spot, description.reading);
    const name = reference === null ? null : nameOf(reference, part, description);
    if (reference === null || name === null || !this.#canJudge(reference)) return { ...ANY, ...asked };
    const taken = types ?? usualTypes(kind, parts);
    const [other] = taken.filter((type) => !isJson(type) && !isText(type));
    if (other !== undefined && !(kind.is === "text" && other === "application/octet-stream"))
      loose(`schemas of parts of ${other}`, part.spot.place);
    this.#places.push([path, reference]);
    const asks = !taken.every(isText) || !takesAnyText(reference.value);
    const canLook = asks && taken.some((type) => isJson(type) || (isText(type) && kind.is === "text"));
    return canLook ? { schema: name, types: taken } : { ...ANY, types: taken };
  }

  #canJudge(schema: SchemaReference): boolean {
    const { description, findings, loose } = this.#lowering;
    const compiled = description.library.compile(schema, true);
    if (!compiled.ok) {
      for (const { place, text } of compiled.error.slice(0, DEFAULTS.fileProblemsMax))
        findings.warning(place ?? schema.place, `${text}; the schema is not enforced`);
      return false;
    }
    const isCheap = DEFAULTS.formFieldBytesLimit * compiled.value.cost.judgementsMax <= DEFAULTS.schemaWorkBytesMax;
    if (!isCheap) loose("schemas that would take minutes for one body", schema.place);
    for (const [word, at] of isCheap ? unenforcedIn(compiled.value) : []) loose(word, at ?? schema.place);
    return isCheap;
  }

  #tellWhole(all: readonly Part[]): void {
    for (const { spot } of all)
      for (const word of WHOLE_WORDS)
        if (spot.members[word] !== undefined) this.#tell(`${word} of multipart bodies`, spot.at(word)?.place);
  }

  #tell(what: string, place: SchemaPlace | undefined): void {
    this.#lowering.loose(what, place ?? this.#media.place);
  }

  #encodingOf(name: string): Members {
    const { encoding } = this.#media;
    const own = encoding !== null && Object.hasOwn(encoding, name) ? encoding[name] : null;
    return isMembers(own) ? own : {};
  }
}

function numberIn(parts: readonly Part[], word: string): number | null {
  const found = parts.map(({ spot }) => spot.members[word]).find((one) => typeof one === "number");
  return found === undefined ? null : Math.min(found, DEFAULTS.partsLimit);
}

/** Media types and ranges, as written. */
function typesIn(said: string): readonly string[] | null {
  const types = said.split(",").map((text) => (text.split(";", 1)[0] ?? "").trim().toLowerCase());
  const isNamed = types.every((type) => /^[!#$&^_.+a-z0-9-]+\/(?:\*|[!#$&^_.+a-z0-9-]+)$/.test(type));
  return isNamed ? types : null;
}

/** Where nothing says of what type a part is (OpenAPI 3.2 section 4.15.1). */
function usualTypes(kind: FieldKind, parts: readonly Part[]): readonly string[] {
  if (kind.is !== "text") return ["application/json"];
  const isEncoded = firstText(parts, "contentEncoding") !== null;
  return isEncoded ? ["text/plain", "application/octet-stream"] : ["text/plain"];
}
