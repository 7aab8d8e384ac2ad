import { hasNamedParts } from "../../bodies/media-type.ts";
import type { Description } from "../../openapi/description.ts";
import { schemaAt } from "../../openapi/media.ts";
import type { MediaRange, SchemaReference } from "../../openapi/operation.ts";
import { isMembers, type Members, type Spot } from "../../openapi/spot.ts";
import type { SchemaPlace } from "../../schema/document.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import { type FieldKind, fieldOfKind, fileOf, kindOf, type Settings, styledAs } from "./form-fields.ts";
import { alternatives, nameOf, namesIn, type Part, partOf, propertiesOf, together } from "./form-parts.ts";
import { unenforcedIn } from "./parameters.ts";
import { partHeaders } from "./part-headers.ts";

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

/** Words of a form's schema that no rule for one field can hold: the form as a whole is held against it. */
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
  "discriminator",
] as const;

/**
 * The schema of a form as rules for its fields and files (OpenAPI 3.2 section 4.14.4): what is binary is a file, an object is JSON,
 * a list comes as often as it has items. What only alternatives declare is judged with the form as a whole. `pointer`: leads to the schema from the document itself.
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
  readonly #kinds = new Map<string, FieldKind>();
  readonly #places = new Map<string, SchemaReference>();
  readonly #loose: [string, SchemaPlace][] = [];
  /** What only the form as a whole shows. */
  readonly #whole: [string, SchemaPlace][] = [];
  /** A name that may be a field as well as a file has no rule. */
  #isOpen = false;
  /** Some value of the form has several readings: it cannot be held against a schema as one object. */
  #isUnclear = false;

  constructor(media: MediaRange, description: Description, requests: FormRequests) {
    this.#media = media;
    this.#description = description;
    this.#requests = requests;
  }

  lower(schema: SchemaReference, pointer: string, place: SchemaPlace): LoweredForm {
    const start = partOf(schema, pointer);
    const parts = together(start, this.#description.reading);
    // What comes by its place alone has no names that could be looked for, and no form is a text.
    const isOther = parts.some(
      ({ spot }) => (spot.text("type") ?? "object") !== "object" || spot.at("prefixItems") !== null,
    );
    if (isOther) this.#skip("forms that are no objects", schema.place);
    const required = new Set(parts.flatMap(({ spot }) => namesIn(spot.members["required"])));
    let isClosed = this.#requests.undeclared !== "ignore";
    for (const { spot } of parts) isClosed = this.#wholeWords(spot, place) || isClosed;
    for (const part of parts)
      for (const [name, own] of propertiesOf(part)) this.#property(name, own, required.has(name));
    const others = new Map<string, Part[]>();
    for (const part of alternatives(parts, this.#description.reading))
      for (const [name, own] of propertiesOf(part)) others.set(name, [...(others.get(name) ?? []), own]);
    for (const [name, own] of others) this.#alternative(name, own);
    this.#tellEncoding(place);
    const whole = this.#wholeOf(schema, start);
    const settings: Settings = {
      ...(whole === null ? {} : { schema: whole }),
      fields: Object.fromEntries(this.#fields),
      files: Object.fromEntries(this.#files),
      undeclared: isClosed && !this.#isOpen ? "refuse" : "ignore",
    };
    return { settings, places: this.#places, loose: this.#loose };
  }

  /** Takes note of what it says of the form as a whole; true where it closes it. */
  #wholeWords(spot: Spot, place: SchemaPlace): boolean {
    const { members } = spot;
    for (const word of WHOLE_WORDS)
      if (members[word] !== undefined) this.#whole.push([`${word} of forms`, spot.at(word)?.place ?? place]);
    // Heirs of an `allOf` have properties that nothing leads to from here.
    const isAlone = members["oneOf"] === undefined && members["anyOf"] === undefined;
    if (members["discriminator"] !== undefined && isAlone) this.#isUnclear = true;
    const { additionalProperties: additional } = members;
    if (isMembers(additional) && Object.keys(additional).length > 0)
      this.#whole.push(["additionalProperties of forms", spot.at("additionalProperties")?.place ?? place]);
    return additional === false;
  }

  /** The schema of all of it by its name, where something needs it and it can be held against it; null, and told, else. */
  #wholeOf(schema: SchemaReference, start: Part): string | null {
    if (this.#whole.length === 0) return null;
    const { library } = this.#description;
    const judged = (rule: string): "ignore" | "refuse" => (rule === "ignore" ? "ignore" : "refuse");
    const view = { readOnly: judged(this.#requests.readOnly), undeclared: judged(this.#requests.undeclared) };
    const compiled = this.#isUnclear ? null : library.compile(schema, true, view);
    const name = nameOf(schema, start, this.#description);
    if (compiled?.ok === true && name !== null) {
      const { cost } = compiled.value;
      if (DEFAULTS.formFieldsBytesMax * cost.judgementsMax <= DEFAULTS.schemaWorkBytesMax) {
        for (const [word, at] of unenforcedIn(compiled.value)) this.#tell(word, at ?? schema.place);
        return name;
      }
    }
    for (const [what, place] of this.#whole) this.#tell(what, place);
    return null;
  }

  #property(name: string, part: Part, isRequired: boolean): void {
    const { spot } = part;
    if (name === "") return;
    if (this.#fields.has(name) || this.#files.has(name)) {
      this.#whole.push(["two schemas of one field of a form", spot.place]);
      this.#sameKind(name, part);
      return;
    }
    const reference = schemaAt(spot, this.#description.reading);
    const schema = reference === null ? null : nameOf(reference, part, this.#description);
    if (reference === null || schema === null) {
      this.#skip("fields of forms beside a reference", spot.place);
      return;
    }
    const compiled = this.#description.library.compile(reference, true);
    if (!compiled.ok) {
      this.#skip("schemas of fields that have faults", spot.place);
      return;
    }
    const parts = together(part, this.#description.reading);
    this.#places.set(name, reference);
    const isSetByService = parts.some(({ spot: { members } }) => members["readOnly"] === true);
    if (isSetByService && this.#requests.readOnly !== "ignore") {
      this.#fields.set(name, { type: "string", not: {} });
      return;
    }
    const kind = this.#kindOf(name, part);
    this.#know(name, kind);
    const need = isRequired && !isSetByService ? { required: true } : {};
    const styled = styledAs(kind, this.#encodingOf(name), this.#media.range);
    if (kind.is === "file") this.#files.set(name, { ...fileOf(kind, parts), ...need });
    else if (kind.is === "untyped") this.#skip("fields of forms without a type", spot.place);
    else if (kind.is === "none") this.#skip("lists of lists in forms", spot.place);
    else if (typeof styled === "string") this.#skip(styled, spot.place);
    else {
      for (const [word, at] of unenforcedIn(compiled.value)) this.#tell(word, at ?? spot.place);
      const blob = kind.is === "json" && hasNamedParts(this.#media.range) ? { blob: "allow" } : {};
      this.#fields.set(name, { schema, ...(styled["style"] === undefined ? blob : {}), ...styled, ...need });
    }
  }

  /** A property of alternatives alone: what kind of a field it is, so that it can be read; the whole form says if it fits. */
  #alternative(name: string, parts: readonly Part[]): void {
    const [first] = parts;
    if (first === undefined || name === "") return;
    if (this.#kinds.has(name)) {
      for (const part of parts) this.#sameKind(name, part);
      return;
    }
    const kinds = parts.map((part) => this.#kindOf(name, part)).filter(({ is }) => is !== "untyped");
    const [kind] = kinds;
    const styled = kind === undefined ? {} : styledAs(kind, this.#encodingOf(name), this.#media.range);
    const isOne = kinds.every(({ is }) => is === kind?.is);
    if (kind === undefined || kind.is === "none" || !isOne || typeof styled === "string") {
      this.#isUnclear ||= kind !== undefined;
      this.#skip("fields of forms that alternatives do not agree on", first.spot.place);
      return;
    }
    for (const one of kinds) this.#know(name, one);
    if (kind.is === "file") this.#files.set(name, { ...fileOf(kind, null), content: "unchecked" });
    else this.#fields.set(name, fieldOfKind(kind.is, styled, hasNamedParts(this.#media.range)));
  }

  #kindOf(name: string, part: Part): FieldKind {
    return kindOf(part, this.#encodingOf(name), this.#media.range, this.#description);
  }

  /** Of a file the form as a whole has an empty text: its schema has to take that. */
  #know(name: string, kind: FieldKind): void {
    this.#kinds.set(name, kind);
    if (kind.is === "file" && !kind.takesPlaceholder) this.#isUnclear = true;
  }

  #sameKind(name: string, part: Part): void {
    const kind = this.#kindOf(name, part);
    const known = this.#kinds.get(name);
    if (kind.is === "untyped") return;
    if (kind.is !== known?.is || (kind.is === "file" && !kind.takesPlaceholder)) this.#isUnclear = true;
  }

  #encodingOf(name: string): Members {
    const { encoding } = this.#media;
    const own = encoding !== null && Object.hasOwn(encoding, name) ? encoding[name] : null;
    return isMembers(own) ? own : {};
  }

  #tellEncoding(place: SchemaPlace): void {
    for (const name of Object.keys(this.#media.encoding ?? {})) {
      const own = this.#encodingOf(name);
      if (own["headers"] !== undefined) this.#addHeaders(name, own, place);
      if (["encoding", "prefixEncoding", "itemEncoding"].some((word) => own[word] !== undefined))
        this.#tell("parts within parts of forms", place);
    }
  }

  /** Of an urlencoded form there are no parts that could have some. */
  #addHeaders(name: string, own: Members, place: SchemaPlace): void {
    const { range, partHeaders: described } = this.#media;
    const all = [this.#fields, this.#files].find((settings) => settings.has(name));
    if (all === undefined || !hasNamedParts(range)) this.#tell("headers of parts of forms", place);
    else {
      const headers = partHeaders(described.get(own) ?? [], this.#description, (what, at) => this.#tell(what, at));
      all.set(name, { ...all.get(name), ...headers });
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
