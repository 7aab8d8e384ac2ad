import { isJson, isMultipart, isText, mediaTypeOf } from "../../bodies/media-type.ts";
import { shapeOf } from "../../filters/validate/compile-parameters.ts";
import type { Description } from "../../openapi/description.ts";
import { schemaAt } from "../../openapi/media.ts";
import type { MediaRange, SchemaReference } from "../../openapi/operation.ts";
import { isMembers, type Members, Spot } from "../../openapi/spot.ts";
import { pointerToken, type SchemaPlace } from "../../schema/document.ts";
import { type TextTypes, textTypesOf } from "../../schema/questions/texts.ts";
import { TYPE } from "../../schema/subschema.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import { unenforcedIn } from "./parameters.ts";

/** As a policy has them. */
type Settings = Readonly<Record<string, unknown>>;

/** A form in the words of `validate`, and what of its schema and encoding these have no word for. */
export interface LoweredForm {
  /** Null where nothing of it can be said. */
  readonly settings: Settings | null;
  /** Where each field and file stands. */
  readonly places: ReadonlyMap<string, SchemaReference>;
  readonly loose: readonly (readonly [what: string, place: SchemaPlace])[];
}

/** What becomes of members that nobody declares, and of those that only the service sets. */
interface FormRequests {
  readonly readOnly: string;
  readonly undeclared: string;
}

/** A schema that speaks of a value, with the pointer that leads to it from the document itself, through references. */
interface Part {
  readonly spot: Spot;
  readonly pointer: string;
}

/** Schemas that speak of one value; beyond that they say nothing. */
const TOGETHER_MAX = 64;
/** Words of a form's schema that no rule for one field can hold. */
const WHOLE_WORDS = [
  "oneOf",
  "anyOf",
  "not",
  "if",
  "patternProperties",
  "propertyNames",
  "minProperties",
  "maxProperties",
  "dependentRequired",
  "dependentSchemas",
  "dependencies",
  "unevaluatedProperties",
] as const;

/**
 * The schema of a form as rules for its fields and files (OpenAPI 3.2 section 4.14.4): what is binary is a file, an object is JSON,
 * a list comes as often as it has items. `pointer`: leads to the schema from the document itself.
 */
export function lowerForm(
  media: MediaRange,
  pointer: string,
  description: Description,
  requests: FormRequests,
): LoweredForm {
  const { schema, place } = media;
  if (schema === null) return { settings: null, places: new Map(), loose: [] };
  return new FormLowering(media, description, requests).lower(schema, pointer, place);
}

class FormLowering {
  readonly #media: MediaRange;
  readonly #description: Description;
  readonly #requests: FormRequests;
  readonly #fields = new Map<string, Settings>();
  readonly #files = new Map<string, Settings>();
  readonly #places = new Map<string, SchemaReference>();
  readonly #loose: [string, SchemaPlace][] = [];
  /** A name that may be a field as well as a file has no rule. */
  #isOpen = false;

  constructor(media: MediaRange, description: Description, requests: FormRequests) {
    this.#media = media;
    this.#description = description;
    this.#requests = requests;
  }

  lower({ document, pointer: own, value }: SchemaReference, pointer: string, place: SchemaPlace): LoweredForm {
    const parts = this.#together({ spot: new Spot(document, own, value, null, ""), pointer });
    const required = new Set(parts.flatMap(({ spot }) => namesIn(spot.members["required"])));
    let isClosed = this.#requests.undeclared !== "ignore";
    for (const { spot } of parts) {
      const { members } = spot;
      for (const word of WHOLE_WORDS)
        if (members[word] !== undefined) this.#tell(`${word} of forms`, spot.at(word)?.place ?? place);
      const { additionalProperties: additional } = members;
      if (additional === false) isClosed = true;
      else if (isMembers(additional) && Object.keys(additional).length > 0)
        this.#tell("additionalProperties of forms", spot.at("additionalProperties")?.place ?? place);
    }
    for (const part of parts) {
      for (const [name, spot] of part.spot.at("properties")?.all() ?? [])
        this.#property(name, { spot, pointer: `${part.pointer}/properties/${pointerToken(name)}` }, required.has(name));
    }
    this.#tellEncoding(place);
    const settings: Settings = {
      fields: Object.fromEntries(this.#fields),
      files: Object.fromEntries(this.#files),
      undeclared: isClosed && !this.#isOpen ? "refuse" : "ignore",
    };
    return { settings, places: this.#places, loose: this.#loose };
  }

  /** A schema with all that surely speaks of the same value. */
  #together(start: Part): readonly Part[] {
    const { references } = this.#description.reading;
    const found: Part[] = [];
    const pending = [start];
    for (let part = pending.shift(); part !== undefined && found.length < TOGETHER_MAX; part = pending.shift()) {
      const { spot, pointer } = part;
      const target = references.follow(spot, "what it says of the form is not enforced");
      if (target === null) continue;
      found.push({ spot: target, pointer });
      // 3.1 has words beside a reference.
      if (target !== spot && Object.keys(spot.members).length > 1) found.push({ spot, pointer });
      for (const [key, inner] of target.at("allOf")?.all() ?? [])
        pending.push({ spot: inner, pointer: `${pointer}/allOf/${key}` });
    }
    return found;
  }

  #property(name: string, part: Part, isRequired: boolean): void {
    const { spot } = part;
    if (name === "") return;
    if (this.#fields.has(name) || this.#files.has(name)) {
      this.#tell("two schemas of one field of a form", spot.place);
      return;
    }
    const reference = schemaAt(spot, this.#description.reading);
    const schema = reference === null ? null : this.#nameOf(reference, part);
    if (reference === null || schema === null) {
      this.#skip("fields of forms beside a reference", spot.place);
      return;
    }
    const compiled = this.#description.library.compile(reference, true);
    if (!compiled.ok) {
      this.#skip("schemas of fields that have faults", spot.place);
      return;
    }
    const parts = this.#together(part);
    this.#places.set(name, reference);
    const isSetByService = parts.some(({ spot: { members } }) => members["readOnly"] === true);
    if (isSetByService && this.#requests.readOnly !== "ignore") {
      this.#fields.set(name, { type: "string", not: {} });
      return;
    }
    const types = textTypesOf([compiled.value.root]);
    const file = this.#fileOf(name, parts, types);
    const need = isRequired && !isSetByService ? { required: true } : {};
    if (file !== null) this.#files.set(name, { ...file, ...need });
    else if (isUntyped(parts)) this.#skip("fields of forms without a type", spot.place);
    else if (!canBeField(types)) this.#skip("lists of lists or objects in forms", spot.place);
    else {
      for (const [word, at] of unenforcedIn(compiled.value)) this.#tell(word, at ?? spot.place);
      {
        const blob = isMultipart(this.#media.range) && shapeOf(types, "form") === "object" ? { blob: "allow" } : {};
        this.#fields.set(name, { schema, ...blob, ...need });
      }
    }
  }

  /** What a schema is called from the document itself; null where references on the way lead past it. */
  #nameOf({ document, pointer }: SchemaReference, part: Part): string | null {
    const { file, library } = this.#description;
    const name = [part.spot.pointer, part.pointer].find((one) => {
      const found = library.find(file, one);
      return found?.document === document && found.pointer === pointer;
    });
    return name === undefined ? null : `${file}#${name}`;
  }

  /** What a file may be; null for what is none. */
  #fileOf(name: string, parts: readonly Part[], types: TextTypes): Settings | null {
    if (!isMultipart(this.#media.range)) return null;
    const list = parts.find(({ spot }) => spot.at("items") !== null);
    const isList = list !== undefined && (types.types & TYPE.array) !== 0;
    const item = isList ? list.spot.at("items") : null;
    const own = item === null ? parts : this.#together({ spot: item, pointer: "" });
    const written = this.#encodingOf(name)["contentType"];
    const said = typeof written === "string" ? written : firstText(own, "contentMediaType");
    const isBinary = own.some(({ spot }) => spot.members["format"] === "binary");
    const isEncoded = firstText(own, "contentEncoding") !== null;
    const isOther = said !== null && !said.split(",").every(isFieldType);
    if (!isBinary && (isEncoded || !isOther)) return null;
    const kinds = typesOf(said);
    const length = own.map(({ spot }) => spot.members["maxLength"]).find((one) => typeof one === "number");
    const items = parts.map(({ spot }) => spot.members["maxItems"]).find((one) => typeof one === "number");
    return {
      ...(kinds === null ? { content: "unchecked" as const } : { types: kinds }),
      ...(length === undefined || length < 1 ? {} : { maxBytes: `${length}B` }),
      ...(isList ? { maxCount: Math.max(1, items ?? DEFAULTS.formPartsMax) } : {}),
    };
  }

  #encodingOf(name: string): Members {
    const { encoding } = this.#media;
    const own = encoding !== null && Object.hasOwn(encoding, name) ? encoding[name] : null;
    return isMembers(own) ? own : {};
  }

  #tellEncoding(place: SchemaPlace): void {
    for (const name of Object.keys(this.#media.encoding ?? {})) {
      const own = this.#encodingOf(name);
      if (own["headers"] !== undefined) this.#tell("headers of parts of forms", place);
      if (["style", "explode", "allowReserved"].some((word) => own[word] !== undefined))
        this.#tell("styles of fields of forms", place);
      if (["encoding", "prefixEncoding", "itemEncoding"].some((word) => own[word] !== undefined))
        this.#tell("parts within parts of forms", place);
    }
  }

  #skip(what: string, place: SchemaPlace): void {
    this.#isOpen = true;
    this.#tell(what, place);
  }

  #tell(what: string, place: SchemaPlace): void {
    this.#loose.push([what, place]);
  }
}

function namesIn(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === "string") : [];
}

function firstText(parts: readonly Part[], key: string): string | null {
  return parts.map(({ spot }) => spot.text(key)).find((text) => text !== null) ?? null;
}

/** Nothing that it says is of one type: a client may send a text as well as a file. */
function isUntyped(parts: readonly Part[]): boolean {
  const words = [
    "type",
    "properties",
    "items",
    "enum",
    "const",
    "pattern",
    "minLength",
    "maxLength",
    "format",
    "minimum",
    "maximum",
    "anyOf",
    "oneOf",
  ];
  return !parts.some(({ spot: { members } }) => words.some((word) => members[word] !== undefined));
}

/** A text, an object as JSON, or a list of texts. */
function canBeField(types: TextTypes): boolean {
  const isText = (part: TextTypes): boolean => (part.types & ~(TYPE.array | TYPE.object | TYPE.null)) !== 0;
  const shape = shapeOf(types, "form");
  return shape === "object" || isText(shape === "array" ? types.item(0) : types);
}

/** Whether a part of this type is a text that its schema judges. */
function isFieldType(text: string): boolean {
  const type = mediaTypeOf(text.trim())?.type ?? "";
  return isJson(type) || isText(type);
}

/** Types and ranges that a file may have; null for any. */
function typesOf(said: string | null): readonly string[] | null {
  const types = (said ?? "*/*").split(",").map((text) => (text.split(";", 1)[0] ?? "").trim().toLowerCase());
  const isNamed = types.every((type) => /^[!#$&^_.+a-z0-9-]+\/(?:\*|[!#$&^_.+a-z0-9-]+)$/.test(type));
  return isNamed && !types.includes("application/octet-stream") ? types : null;
}
