import { type TextTypes, textTypesOf } from "../../../schema/questions/texts.ts";
import { ALL_TYPES, inPlaceParts, type Subschema, TYPE, type XmlWords } from "../../../schema/subschema.ts";
import { DEFAULTS } from "../../../support/defaults.ts";
import { err, ok, type Result } from "../../../support/result.ts";

/** What an element may hold, by the schema of the value that it stands for. */
export interface XmlPlace {
  /** Bits of TYPE. */
  readonly types: number;
  /** By local name; the items of a list that has no element of its own among them. */
  readonly elements: ReadonlyMap<string, XmlMember>;
  readonly attributes: ReadonlyMap<string, XmlMember>;
  /** The member that is the element's own text; null for none. */
  readonly text: XmlMember | null;
  /** By the member's name. */
  readonly members: ReadonlyMap<string, XmlMember>;
  /** Names of elements, attributes and members in small letters. */
  readonly folded: ReadonlySet<string>;
  /** Lists without an element of their own that have to be there: without items nothing of them is seen. */
  readonly emptyLists: readonly string[];
  /** What the elements of a list are; null for what is none. */
  readonly item: XmlElement | null;
  /** What elements and attributes are that nobody declares. */
  readonly other: XmlPlace | null;
}

/** An element with the names that it may have. */
export interface XmlElement {
  /** Null for any. */
  readonly names: readonly string[] | null;
  /** Null for none of its own. */
  readonly namespace: string | null;
  /** Whether elements within it stand in its namespace, too, where they say nothing. */
  readonly isDefault: boolean;
  readonly place: XmlPlace;
}

export interface XmlMember extends XmlElement {
  readonly member: string;
  /** `item`: each of them is an item of the member's list. */
  readonly kind: "element" | "attribute" | "text" | "item";
}

/**
 * A schema as a plan for documents (XML Object of OpenAPI 3.0 to 3.2); the error is what of it has no one reading as XML, as in
 * `lists of lists`.
 */
export function xmlPlanOf(root: Subschema): Result<XmlElement, string> {
  const planner = new Planner();
  const element = planner.outermost(root);
  return planner.fault === null ? ok(element) : err(planner.fault);
}

type Mutable<Value> = { -readonly [Key in keyof Value]: Value[Key] };

/** Schemas of one value, and which types it may have. */
interface Spoken {
  readonly schemas: readonly Subschema[];
  readonly types: TextTypes;
}

class Planner {
  /** The first thing that has no one reading. */
  fault: string | null = null;
  readonly #known = new Map<string, XmlPlace>();

  outermost(root: Subschema): XmlElement {
    const names = this.#namesOf(root, null);
    const alternatives = [...(root.oneOf?.parts ?? []), ...(root.anyOf?.parts ?? [])];
    if (names === null && alternatives.some((part) => componentOf(part) !== null))
      this.#tell("alternatives that the name of the outermost element tells apart");
    const types = textTypesOf([root]);
    return this.#element({ schemas: [root], types }, root, names);
  }

  #tell(fault: string): void {
    this.fault ??= fault;
  }

  #element(spoken: Spoken, first: Subschema, names: readonly string[] | null): XmlElement {
    const { namespace, prefix } = wordsOf(first);
    const isDefault = namespace !== null && prefix === null;
    return { names, namespace, isDefault, place: this.#place(spoken, names) };
  }

  /** What elements of a schema are called; `usual`: by where it stands. */
  #namesOf(schema: Subschema, usual: readonly string[] | null): readonly string[] | null {
    const { name } = wordsOf(schema);
    if (name !== null) return [name];
    const component = componentOf(schema);
    // Since 3.2 a reference has the name of what it leads to, before that of where it stands.
    return component === null ? usual : [...new Set([...(usual ?? []), component])];
  }

  /** `itemNames`: what items are called that say nothing themselves. */
  #place({ schemas, types }: Spoken, itemNames: readonly string[] | null): XmlPlace {
    const key = `${schemas.map(({ index }) => index).join()} ${types.types} ${itemNames?.join() ?? ""}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const place: Mutable<XmlPlace> = { ...ANYWHERE, types: types.types };
    this.#known.set(key, place);
    if (this.#known.size > DEFAULTS.xmlPlacesMax) this.#tell(`more than ${DEFAULTS.xmlPlacesMax} kinds of elements`);
    if (this.fault !== null) return place;
    const all = speaking(schemas);
    if (this.#isList(types.types)) place.item = this.#item(all, types, itemNames);
    this.#addMembers(all, types, place);
    return place;
  }

  #isList(types: number): boolean {
    if ((types & TYPE.array) === 0) return false;
    if ((types & ~(TYPE.array | TYPE.null)) === 0) return true;
    // Where anything may be, a list is nothing that could be told from the rest.
    const isAny = (types & TYPE.object) !== 0 && (types & TYPE.string) !== 0;
    if (!isAny) this.#tell("what is a list or something else");
    return false;
  }

  #item(all: readonly Subschema[], types: TextTypes, names: readonly string[] | null): XmlElement {
    const arrays = all.flatMap(({ array }) => (array === null ? [] : [array]));
    if (arrays.some(({ prefix }) => prefix.length > 0)) this.#tell("lists with items in an order");
    const schemas = arrays.flatMap(({ rest }) => rest ?? []);
    const [first] = schemas;
    const item = types.item(0);
    if (this.#isList(item.types)) this.#tell("lists of lists");
    if (first === undefined) return { names, namespace: null, isDefault: false, place: ANYWHERE };
    return this.#element({ schemas, types: item }, first, this.#namesOf(first, names));
  }

  #addMembers(all: readonly Subschema[], types: TextTypes, place: Mutable<XmlPlace>): void {
    const objects = all.flatMap(({ object }) => (object === null ? [] : [object]));
    if (objects.length === 0) return;
    if (objects.some(({ patterns }) => patterns.length > 0)) this.#tell("patternProperties");
    const required = new Set(objects.flatMap((object) => object.required.map(({ value }) => value)));
    const elements = new Map<string, XmlMember>();
    const attributes = new Map<string, XmlMember>();
    const members = new Map<string, XmlMember>();
    const emptyLists: string[] = [];
    for (const name of types.names) {
      const schemas = objects.flatMap(({ properties }) => properties.get(name) ?? []);
      const member = this.#member(name, { schemas, types: types.member(name) });
      members.set(name, member);
      if (member.kind === "item" && required.has(name)) emptyLists.push(name);
      if (member.kind === "text") {
        if (place.text !== null) this.#tell("two texts of one element");
        place.text = member;
        continue;
      }
      for (const one of member.names ?? []) {
        if (elements.has(one) || attributes.has(one)) this.#tell("two members of one name");
        (member.kind === "attribute" ? attributes : elements).set(one, member);
      }
    }
    const additional = objects.flatMap((object) => object.additional ?? []).filter(({ isNever }) => !isNever);
    const other = types.member("");
    if (this.#isList(other.types)) this.#tell("lists by names that nobody declares");
    const names = [...elements.keys(), ...attributes.keys(), ...members.keys()];
    const folded = new Set(names.map((name) => name.toLowerCase()));
    Object.assign(place, { elements, attributes, members, folded, emptyLists });
    if (additional.length > 0) place.other = this.#place({ schemas: additional, types: other }, null);
  }

  #member(member: string, { schemas, types }: Spoken): XmlMember {
    const [first] = schemas as readonly [Subschema];
    const words = wordsOf(first);
    const { nodeType } = words;
    if (schemas.some((schema) => !isSame(wordsOf(schema), words)))
      this.#tell("a member that alternatives write in several ways");
    const isList = this.#isList(types.types);
    if (isList && (nodeType === null || nodeType === "none"))
      return { ...this.#item(speaking(schemas), types, [member]), member, kind: "item" };
    const names = this.#namesOf(first, [member]) ?? [member];
    if (nodeType === "none") this.#tell("members without an element (nodeType none)");
    if (nodeType === null || nodeType === "element" || nodeType === "none") {
      // The items of a list in an element of its own are called as that, or as the member.
      const element = this.#element({ schemas, types }, first, isList ? [...new Set([...names, member])] : null);
      return { ...element, names, member, kind: "element" };
    }
    if ((types.types & (TYPE.array | TYPE.object)) !== 0 && (types.types & TYPE.string) === 0)
      this.#tell("lists and objects as attributes or texts");
    const element = this.#element({ schemas, types }, first, names);
    return { ...element, member, kind: nodeType === "attribute" ? "attribute" : "text" };
  }
}

function isSame(one: XmlWords, other: XmlWords): boolean {
  const keys = ["name", "namespace", "nodeType"] as const;
  return keys.every((key) => one[key] === other[key]);
}

/** Of which no schema says a word. */
export const ANYWHERE: XmlPlace = {
  types: ALL_TYPES,
  elements: new Map(),
  attributes: new Map(),
  text: null,
  members: new Map(),
  folded: new Set(),
  emptyLists: [],
  item: null,
  other: null,
};
/** Everything that may speak of the same value, alternatives among it; what `not` and `if` say is no part of it. */
function speaking(schemas: readonly Subschema[]): readonly Subschema[] {
  const found = new Set(schemas);
  for (const schema of found) {
    const { not, condition } = schema;
    const asked = new Set([...(not?.parts ?? []), ...(condition === null ? [] : [condition.if])]);
    for (const part of inPlaceParts(schema)) if (!asked.has(part)) found.add(part);
  }
  return [...found];
}

/** What a schema says of how it is written, or what it refers to, the nearest first. */
function wordsOf(schema: Subschema): XmlWords {
  const chain = leadingFrom(schema);
  const first = <Key extends keyof XmlWords>(key: Key): XmlWords[Key] | null =>
    chain.find(({ xml }) => (xml?.[key] ?? null) !== null)?.xml?.[key] ?? null;
  return { name: first("name"), namespace: first("namespace"), prefix: first("prefix"), nodeType: first("nodeType") };
}

/** A schema and what it stands for: by a reference, or by the one part of an `allOf`. */
function leadingFrom(schema: Subschema): readonly Subschema[] {
  const found = [schema];
  for (let at: Subschema | undefined = schema; at !== undefined && found.length < CHAIN_MAX; ) {
    at = at.refs[0] ?? (at.allOf.length === 1 ? at.allOf[0] : undefined);
    if (at !== undefined) found.push(at);
  }
  return found;
}

const CHAIN_MAX = 32;

/** Under which name a schema, or what it refers to, stands among the components; null for none. */
function componentOf(schema: Subschema): string | null {
  for (const { pointer, xml } of leadingFrom(schema)) {
    if (xml?.name != null) return null;
    const name = /^\/components\/schemas\/([^/]+)$/.exec(pointer)?.[1];
    if (name !== undefined) return name;
  }
  return null;
}
