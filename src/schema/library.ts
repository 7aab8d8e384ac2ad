import { pointerToken, type SchemaDocument } from "./document.ts";
import { heirPointers } from "./heirs.ts";
import { hasBooleanSchemas, neededBy, refStandsAlone, type Shape } from "./keywords.ts";
import { type LibraryOptions, languageOf } from "./language.ts";
import { Notes, slipText } from "./notes.ts";
import {
  isObject,
  isOfOpenApi,
  keywordIn,
  type Language,
  member,
  type Resource,
  resolveUri,
  type SchemaObject,
  splitUri,
} from "./resource.ts";
import { shapeFault } from "./shapes.ts";

/** Where a schema stands in its document. */
interface Spot {
  readonly resource: Resource;
  readonly pointer: string;
}

interface Reference extends Spot {
  readonly from: SchemaObject;
  readonly keyword: "$ref" | "$dynamicRef" | "$recursiveRef";
  readonly text: string;
}

/** What a reference leads to. */
export interface Target {
  readonly schema: SchemaObject | boolean;
  readonly resource: Resource;
  /** Name of the dynamic anchor by which the scope may lead elsewhere; null where it may not. */
  readonly dynamicAnchor: string | null;
}

/** Documents with all that they refer to: every schema has been looked at, every reference followed, before one judges. */
export class Library {
  readonly notes: Notes = new Notes();
  readonly #options: LibraryOptions;
  readonly #resources = new Map<string, Resource>();
  readonly #spots = new Map<SchemaObject, Spot>();
  readonly #targets = new Map<SchemaObject, Map<string, Target>>();
  readonly #heirs = new Map<SchemaObject, readonly Target[]>();
  readonly #pending: Reference[] = [];
  readonly #missing = new Set<string>();
  /** True where a reference depends on the way that led to it. */
  isDynamic = false;

  constructor(options: LibraryOptions) {
    this.#options = options;
  }

  /** Reads a document, or the part of it at a JSON Pointer, and everything that it leads to. */
  open(document: SchemaDocument, pointer: string): Target {
    const added = this.#add(document);
    const part = pointer === "" ? this.#rootOf(added) : this.#partAt(added, pointer);
    if (part === null) this.notes.problem(document, null, "", pointer, `there is no schema at '${pointer}'`);
    for (let next = this.#pending.pop(); next !== undefined; next = this.#pending.pop()) this.#follow(next);
    const resource = this.#resources.get(added.uri) ?? added;
    return pointer === "" ? { schema: resource.root, resource, dynamicAnchor: null } : (part ?? nothingIn(resource));
  }

  get resources(): Iterable<Resource> {
    return this.#resources.values();
  }

  resourceOf(schema: SchemaObject): Resource | undefined {
    return this.#spots.get(schema)?.resource;
  }

  /** True where `$ref` makes all that stands beside it mean nothing. */
  isAlone(schema: SchemaObject, { language }: Resource): boolean {
    return refStandsAlone(language.dialect) && typeof member(schema, "$ref") === "string";
  }

  pointerOf(schema: SchemaObject): string {
    return this.#spots.get(schema)?.pointer ?? "";
  }

  /** Of a schema that has a discriminator and no alternatives: the components that extend it. */
  heirsOf(schema: SchemaObject): readonly Target[] {
    return this.#heirs.get(schema) ?? [];
  }

  uriOf({ schema, resource }: Target): string {
    return `${resource.uri}#${typeof schema === "boolean" ? "" : this.pointerOf(schema)}`;
  }

  targetOf(schema: SchemaObject, keyword: string): Target | undefined {
    return this.#targets.get(schema)?.get(keyword);
  }

  #add(document: SchemaDocument): Resource {
    const { value } = document;
    const isSchema = isObject(value) || typeof value === "boolean";
    const options = document.holds === undefined ? this.#options : { ...this.#options, dialect: document.holds };
    const language = languageOf(document, value, null, options, this.notes);
    const resource = newResource(document.uri, document, isSchema ? value : true, language);
    this.#resources.set(resource.uri, resource);
    // What holds schemas has much besides; each is looked at when something leads to it.
    if (document.holds !== undefined) return resource;
    if (isSchema) this.#visit(value, document.value as object, "", { resource, pointer: "" });
    else this.notes.problem(document, null, "", "", "expected a schema: an object, or true or false");
    return resource;
  }

  /** A schema and all inside it. `container` and `key` are where it stands, for problems with the schema itself. */
  #visit(schema: unknown, container: object, key: string | number, spot: Spot): void {
    const { document, language } = spot.resource;
    if (typeof schema === "boolean") return;
    if (!isObject(schema)) {
      this.notes.problem(
        document,
        container,
        key,
        spot.pointer,
        `expected a schema, an object${hasBooleanSchemas(language.dialect) ? " or true or false" : ""}`,
      );
      return;
    }
    if (this.#spots.has(schema)) return;
    const alone = this.isAlone(schema, spot.resource);
    const inner = alone ? spot : this.#identify(schema, spot);
    this.#spots.set(schema, inner);
    for (const name in schema) this.#visitKeyword(schema, name, schema[name], inner, alone && name !== "$ref");
  }

  /** Takes note of a schema's identifiers; where its inside belongs to. */
  #identify(schema: SchemaObject, spot: Spot): Spot {
    const { document, language } = spot.resource;
    const idKeyword = language.dialect === "draft-04" ? "id" : "$id";
    const id = language.dialect === "openapi-3.0" ? undefined : member(schema, idKeyword);
    let inner = spot;
    if (typeof id === "string") {
      const { uri, fragment } = splitUri(resolveUri(id, spot.resource.uri));
      if (fragment !== "" && language.dialect.startsWith("draft-")) this.#name(fragment, idKeyword, schema, spot);
      if (fragment !== "" && !language.dialect.startsWith("draft-")) {
        this.notes.problem(
          document,
          schema,
          idKeyword,
          `${spot.pointer}/${idKeyword}`,
          "an identifier has no fragment here; write '$anchor'",
        );
      } else if (fragment === "" || !id.startsWith("#")) inner = this.#identified(schema, uri, spot);
    }
    const anchor = keywordIn("$anchor", inner.resource.language) === undefined ? undefined : member(schema, "$anchor");
    if (typeof anchor === "string") this.#name(anchor, "$anchor", schema, inner);
    if (inner.resource.language.dialect === "2020-12") {
      const dynamic = member(schema, "$dynamicAnchor");
      if (typeof dynamic === "string") {
        this.#name(dynamic, "$dynamicAnchor", schema, inner);
        inner.resource.dynamicAnchors.set(dynamic, schema);
      }
    }
    if (inner.resource.language.dialect === "2019-09" && member(schema, "$recursiveAnchor") === true) {
      inner.resource.dynamicAnchors.set(RECURSIVE, schema);
    }
    return inner;
  }

  #name(anchor: string, keyword: string, schema: SchemaObject, spot: Spot): void {
    const { anchors } = spot.resource;
    if ((anchors.get(anchor) ?? schema) !== schema) this.#twice(`anchor '${anchor}'`, keyword, schema, spot);
    anchors.set(anchor, schema);
  }

  #twice(what: string, keyword: string, schema: SchemaObject, { resource, pointer }: Spot): void {
    const text = `a second schema with the ${what}; expected one`;
    this.notes.problem(resource.document, schema, keyword, `${pointer}/${keyword}`, text);
  }

  #identified(schema: SchemaObject, uri: string, spot: Spot): Spot {
    const { resource } = spot;
    if (schema === resource.root) {
      // The document is known by where it was found and by what it says of itself.
      const renamed: Resource = { ...resource, uri };
      this.#resources.set(resource.uri, renamed);
      this.#resources.set(uri, renamed);
      return { resource: renamed, pointer: spot.pointer };
    }
    const language = languageOf(resource.document, schema, resource.language, this.#options, this.notes);
    const inner = newResource(uri, resource.document, schema, language);
    const known = this.#resources.get(uri);
    if (known !== undefined && known.root !== schema) this.#twice(`identifier '${uri}'`, "$id", schema, spot);
    else this.#resources.set(uri, inner);
    return { resource: inner, pointer: spot.pointer };
  }

  #visitKeyword(schema: SchemaObject, name: string, value: unknown, spot: Spot, isIgnored: boolean): void {
    const { document, language } = spot.resource;
    const keyword = keywordIn(name, language);
    if (keyword === undefined) {
      const slip = this.#options.takesUnknownKeywords ? null : slipText(name, language.dialect);
      // Whether that is enforced, its reader finds out.
      const isRead = name === "discriminator" && isOfOpenApi(spot.resource);
      if (isRead) this.#visitHeirs(schema, spot);
      if (slip === null && !isRead) this.notes.unenforced(name, document, schema, name);
      if (slip === null) return;
      this.notes.problem(document, schema, name, pointerIn(spot, name), slip);
      return;
    }
    if (isIgnored && keyword.vocabulary !== "core" && keyword.vocabulary !== "meta-data") {
      this.notes.unenforced(`${name} beside $ref`, document, schema, name);
    }
    const needed = neededBy(name, value);
    if (needed !== undefined && member(schema, needed) === undefined)
      this.notes.unenforced(`${name} without ${needed}`, document, schema, name);
    const fault = shapeFault(keyword.shape, value, language.dialect === "draft-04");
    if (fault !== null) {
      if (!isIgnored) this.notes.problem(document, schema, name, pointerIn(spot, name), `'${name}': ${fault}`);
      return;
    }
    if (
      !isIgnored &&
      (name === "$ref" || name === "$dynamicRef" || name === "$recursiveRef") &&
      typeof value === "string"
    ) {
      const pointer = pointerIn(spot, name);
      this.#pending.push({ resource: spot.resource, pointer, from: schema, keyword: name, text: value });
    }
    // Most keywords hold no schemas, and their pointers are for nobody.
    if (!WITH_SCHEMAS.has(keyword.shape)) return;
    this.#visitParts(keyword.shape, name, schema, value, { resource: spot.resource, pointer: pointerIn(spot, name) });
  }

  /** What stands in place of a schema that has a discriminator and no alternatives. */
  #visitHeirs(schema: SchemaObject, { resource, pointer }: Spot): void {
    if (member(schema, "oneOf") !== undefined || member(schema, "anyOf") !== undefined) return;
    const heirs = heirPointers(resource, pointer).map((heir) => this.#partAt(resource, heir));
    this.#heirs.set(
      schema,
      heirs.filter((heir) => heir !== null),
    );
  }

  #visitParts(shape: Shape, name: string, schema: SchemaObject, value: unknown, spot: Spot): void {
    const { dialect } = spot.resource.language;
    const takesBoolean = hasBooleanSchemas(dialect) || name.startsWith("additional");
    const one = (part: unknown, container: object, key: string | number): void => {
      const pointer = part === value ? spot.pointer : pointerIn(spot, key);
      if (typeof part === "boolean" && !takesBoolean) {
        this.notes.problem(
          spot.resource.document,
          container,
          key,
          pointer,
          `expected an object: ${dialect} has no schemas that are true or false`,
        );
      } else this.#visit(part, container, key, { resource: spot.resource, pointer });
    };
    if (shape === "schema") one(value, schema, name);
    if (shape === "schemaOrList") this.#visitItems(value, schema, spot, one);
    if (shape === "schemaList" && Array.isArray(value)) for (const [at, part] of value.entries()) one(part, value, at);
    if (!isObject(value)) return;
    if (shape === "schemaMap" || shape === "patternMap") {
      for (const key in value) one(value[key], value, key);
    } else if (shape === "dependencies") {
      for (const key in value) if (!Array.isArray(value[key])) one(value[key], value, key);
    }
  }

  #visitItems(
    value: unknown,
    schema: SchemaObject,
    { resource, pointer }: Spot,
    one: (part: unknown, container: object, key: string | number) => void,
  ): void {
    if (!Array.isArray(value)) {
      one(value, schema, "items");
      return;
    }
    const { dialect } = resource.language;
    if (dialect === "2020-12" || dialect === "openapi-3.0") {
      const mend = dialect === "2020-12" ? "write 'prefixItems'" : "it knows one schema for all items";
      this.notes.problem(resource.document, schema, "items", pointer, `'items': ${dialect} has no list here; ${mend}`);
      return;
    }
    for (const [at, part] of value.entries()) one(part, value, at);
  }

  #follow(reference: Reference): void {
    const { resource, from, keyword, text, pointer } = reference;
    const target = this.#resolve(text, resource);
    if (typeof target === "string") {
      this.notes.problem(resource.document, from, keyword, pointer, target);
      return;
    }
    const targets = this.#targets.get(from) ?? new Map<string, Target>();
    this.#targets.set(from, targets);
    targets.set(keyword, keyword === "$ref" ? target : this.#dynamic(keyword, text, target));
  }

  #dynamic(keyword: string, text: string, target: Target): Target {
    const name = keyword === "$recursiveRef" ? RECURSIVE : splitUri(text).fragment;
    if (target.resource.dynamicAnchors.get(name) !== target.schema) return target;
    this.isDynamic = true;
    return { ...target, dynamicAnchor: name };
  }

  #resolve(text: string, from: Resource): Target | string {
    const { uri, fragment } = splitUri(resolveUri(text, from.uri));
    const resource = this.#resourceAt(uri);
    if (typeof resource === "string") return `cannot follow the reference '${text}': ${resource}`;
    if (fragment === "") return this.#rootOf(resource);
    if (!fragment.startsWith("/")) {
      const anchored = resource.anchors.get(fragment);
      if (anchored === undefined) return `cannot follow the reference '${text}': there is no anchor '${fragment}'`;
      return { schema: anchored, resource: this.resourceOf(anchored) ?? resource, dynamicAnchor: null };
    }
    return (
      this.#partAt(resource, fragment) ?? `cannot follow the reference '${text}': there is no schema at '${fragment}'`
    );
  }

  #rootOf(resource: Resource): Target {
    const { document, root, uri } = resource;
    if (document.holds !== undefined && typeof root !== "boolean") {
      this.#visit(root, document.value as object, "", { resource, pointer: "" });
    }
    const own = this.#resources.get(uri) ?? resource;
    return { schema: own.root, resource: own, dynamicAnchor: null };
  }

  #resourceAt(uri: string): Resource | string {
    const known = this.#resources.get(uri) ?? this.#resources.get(uri.replace(/\/$/, ""));
    if (known !== undefined) return known;
    if (this.#missing.has(uri)) return `'${uri}' cannot be read`;
    const found = this.#options.retrieve(uri);
    if (found?.ok) {
      // It may be known by another URI.
      const resource = this.#resources.get(found.value.uri) ?? this.#add(found.value);
      return this.#resources.get(resource.uri) ?? resource;
    }
    this.#missing.add(uri);
    if (found === null)
      return `'${uri}' is no schema that can be had here; expected one of this file, or a file beside it`;
    this.notes.problems.push(found.error);
    return `'${uri}' cannot be read`;
  }

  /** A JSON Pointer may lead into parts that no keyword leads to; they are looked at now. */
  #partAt(start: Resource, pointer: string): Target | null {
    let part: unknown = start.root;
    let container: object | null = null;
    let key = "";
    let resource = start;
    let inner = "";
    for (const token of pointer.split("/").slice(1)) {
      key = token.replaceAll("~1", "/").replaceAll("~0", "~");
      if (typeof part !== "object" || part === null || !Object.hasOwn(part, key)) return null;
      container = part;
      if (isObject(part)) resource = this.resourceOf(part) ?? resource;
      part = (part as Record<string, unknown>)[key];
      inner += `/${token}`;
    }
    if (typeof part === "boolean") return { schema: part, resource, dynamicAnchor: null };
    if (!isObject(part) || container === null) return null;
    this.#visit(part, container, key, { resource, pointer: inner });
    return { schema: part, resource: this.resourceOf(part) ?? resource, dynamicAnchor: null };
  }
}

const RECURSIVE = "";

const WITH_SCHEMAS: ReadonlySet<Shape> = new Set([
  "schema",
  "schemaOrList",
  "schemaList",
  "schemaMap",
  "patternMap",
  "dependencies",
]);

function pointerIn({ pointer }: Spot, key: string | number): string {
  return `${pointer}/${pointerToken(key)}`;
}

function nothingIn(resource: Resource): Target {
  return { schema: true, resource, dynamicAnchor: null };
}

function newResource(
  uri: string,
  document: SchemaDocument,
  root: SchemaObject | boolean,
  language: Language,
): Resource {
  return { uri: splitUri(uri).uri, document, root, language, anchors: new Map(), dynamicAnchors: new Map() };
}
