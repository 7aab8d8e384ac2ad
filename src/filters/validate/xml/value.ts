import { noteMembers } from "../../../bodies/json-parser.ts";
import type { XmlAttribute, XmlVisitor } from "../../../bodies/xml/reader.ts";
import { XmlStop } from "../../../bodies/xml/scanner.ts";
import { ALL_TYPES, TYPE } from "../../../schema/subschema.ts";
import { excerpt } from "../../../support/excerpt.ts";
import { textValue, typeWords } from "../text-values.ts";
import { ANYWHERE, type XmlElement, type XmlMember, type XmlPlace } from "./plan.ts";

const SCHEMA_INSTANCE = "http://www.w3.org/2001/XMLSchema-instance";
const XML_NAMESPACE = "http://www.w3.org/XML/1998/namespace";
const LOCATIONS: ReadonlySet<string> = new Set(["schemaLocation", "noNamespaceSchemaLocation"]);
const TEXTS = TYPE.string | TYPE.integer | TYPE.number | TYPE.boolean;
/** White space of XML alone: other blanks are text. */
const BLANKS = " \t\r\n";

/** An element that is open. */
interface Frame {
  readonly place: XmlPlace;
  /** As in `tag[2]`. */
  readonly step: string;
  /** The member of the value around it; null for an item of a list, and for what nobody looks at. */
  readonly target: XmlMember | string | null;
  /** In which elements within may stand that say nothing of their own. */
  readonly namespace: string;
  readonly members: Map<string, unknown>;
  readonly items: unknown[];
  itemName: string | null;
  last: XmlMember | null;
  text: string;
  isBlank: boolean;
  sections: number;
  hasElements: boolean;
  hasAside: boolean;
  isNil: boolean;
}

/** Makes of a document the value that its schema judges, or stops where readers would not agree on it. */
export class XmlValue implements XmlVisitor {
  readonly #root: XmlElement;
  readonly #isTrimmed: boolean;
  readonly #open: Frame[] = [];
  value: unknown;
  /** Some text begins or ends with white space, which some readers take off. */
  hasBlankEnds = false;
  /** Of the outermost element. */
  name = "";

  constructor(root: XmlElement, isTrimmed: boolean) {
    this.#root = root;
    this.#isTrimmed = isTrimmed;
  }

  open(local: string, uri: string, attributes: readonly XmlAttribute[]): void {
    const parent = this.#open.at(-1);
    if (parent === undefined) this.name = local;
    const frame = parent === undefined ? this.#outermost(local, uri) : this.#child(parent, local, uri);
    this.#open.push(frame);
    for (const attribute of attributes) this.#attribute(frame, attribute);
  }

  text(piece: string, isCdata: boolean): void {
    const frame = this.#open.at(-1);
    if (frame === undefined) return;
    // Some readers take the first piece of a text for all of it.
    const isApart = isCdata ? !frame.isBlank || frame.sections > 0 : frame.sections > 0 && !isBlank(piece);
    if (isApart && frame.place !== ANYWHERE) this.#stop("expected no text beside a CDATA section");
    if (isCdata) frame.sections++;
    frame.isBlank &&= isBlank(piece);
    frame.text += piece;
  }

  aside(): void {
    const frame = this.#open.at(-1);
    if (frame !== undefined) frame.hasAside = true;
  }

  close(): void {
    const frame = this.#open.at(-1);
    if (frame === undefined) return;
    const value = this.#valueOf(frame);
    this.#open.pop();
    const parent = this.#open.at(-1);
    if (parent === undefined) this.value = value;
    else if (frame.target === null) parent.items.push(value);
    else if (typeof frame.target === "string") parent.members.set(frame.target, value);
    else if (frame.target.kind !== "item") parent.members.set(frame.target.member, value);
    else (parent.members.get(frame.target.member) as unknown[]).push(value);
  }

  // ---- elements and attributes -------------------------------------------------------------------------------------

  #outermost(local: string, uri: string): Frame {
    const { names, namespace } = this.#root;
    if (names?.includes(local) === false)
      this.#stop(`expected '${names.join("' or '")}' as the outermost element`, "xml", local);
    if (uri !== (namespace ?? "")) this.#stop(namespaceText(namespace), "xml", local);
    return frameOf(this.#root, local, null, "");
  }

  #child(parent: Frame, local: string, uri: string): Frame {
    const { place } = parent;
    parent.hasElements = true;
    if (place.item !== null) return this.#item(parent, place.item, local, uri);
    const member = place.elements.get(local);
    if (member === undefined) return this.#undeclared(parent, local);
    this.#checkNamespace(member, uri, parent, local);
    const isFirst = !parent.members.has(member.member);
    if (!isFirst && member.kind !== "item") this.#stop("expected this element once", "xml", local);
    // Some readers keep the items alone that stand together.
    if (!isFirst && parent.last !== member)
      this.#stop("expected the items of a list one behind the other", "xml", local);
    parent.last = member;
    if (member.kind !== "item") {
      parent.members.set(member.member, undefined);
      return frameOf(member, local, member, parent.namespace);
    }
    if (isFirst) parent.members.set(member.member, []);
    const items = parent.members.get(member.member) as unknown[];
    return frameOf(member, `${local}[${items.length + 1}]`, member, parent.namespace);
  }

  #item(parent: Frame, item: XmlElement, local: string, uri: string): Frame {
    const { names } = item;
    const isOther = names?.includes(local) === false || (parent.itemName !== null && parent.itemName !== local);
    if (isOther) this.#stop(`expected elements '${names?.[0] ?? parent.itemName}' alone`, "xml", local);
    parent.itemName = local;
    this.#checkNamespace(item, uri, parent, local);
    return frameOf(item, `${local}[${parent.items.length + 1}]`, null, parent.namespace);
  }

  #undeclared(parent: Frame, local: string): Frame {
    const { place } = parent;
    this.#checkOther(place, local, local);
    parent.last = null;
    if (place.other !== null && parent.members.has(local)) this.#stop("expected this element once", "xml", local);
    const element = { names: null, namespace: null, isDefault: false, place: place.other ?? ANYWHERE };
    return frameOf(element, excerpt(local), local, parent.namespace);
  }

  /** Readers find members by their name alone, in any case, and some do not tell attributes from elements. */
  #checkOther(place: XmlPlace, local: string, step: string): void {
    if (place.folded.has(local.toLowerCase()))
      this.#stop("expected another spelling, or an attribute in place of an element or the other way", "xml", step);
  }

  #checkNamespace({ namespace }: XmlElement, uri: string, parent: Frame, step: string): void {
    const isExpected = namespace === null ? uri === "" || uri === parent.namespace : uri === namespace;
    if (!isExpected) this.#stop(namespaceText(namespace), "xml", step);
  }

  #attribute(frame: Frame, { local, uri, value }: XmlAttribute): void {
    if (uri === XML_NAMESPACE) return;
    const step = `@${excerpt(local)}`;
    if (uri === SCHEMA_INSTANCE) {
      if (local === "nil" && /^(?:true|1)$/.test(value)) frame.isNil = true;
      else if (!LOCATIONS.has(local) && local !== "nil")
        this.#stop("expected no attribute that says what the element is", "xml", step);
      return;
    }
    const { place, members } = frame;
    const declared = place.attributes.get(local);
    if (declared !== undefined) {
      if (uri !== (declared.namespace ?? "")) this.#stop(namespaceText(declared.namespace), "xml", step);
      members.set(declared.member, this.#typed(value, declared.place.types, step));
      return;
    }
    this.#checkOther(place, local, step);
    if (place === ANYWHERE) return;
    if (place.item !== null || (place.types & TYPE.object) === 0) this.#stop("expected no attribute", "xml", step);
    const other = place.other?.types ?? TYPE.string;
    members.set(local, this.#typed(value, other === ALL_TYPES ? TYPE.string : other, step));
  }

  // ---- values ------------------------------------------------------------------------------------------------------

  #valueOf(frame: Frame): unknown {
    const { place, members, hasElements, text } = frame;
    const isEmpty = frame.isBlank;
    if (frame.isNil) {
      if (hasElements || text !== "") this.#stop("expected nothing within an element that is nil");
      return null;
    }
    if (place.item !== null) {
      if (!isEmpty) this.#stop("expected no text beside elements");
      return frame.items;
    }
    const takesText = (place.types & TEXTS) !== 0 && place.text === null;
    const isObject = hasElements || members.size > 0 || !takesText || (isEmpty && place.members.size > 0);
    if (!isObject) return this.#leaf(frame, place.types);
    const isMixed = !isEmpty && (hasElements || place.text === null);
    if (isMixed && place !== ANYWHERE) this.#stop("expected no text beside elements");
    if (place.text !== null && !hasElements) members.set(place.text.member, this.#leaf(frame, place.text.place.types));
    for (const name of place.emptyLists) if (!members.has(name)) members.set(name, []);
    // Makes members of its own, `__proto__` too.
    const object = Object.fromEntries(members);
    noteMembers(object, [...members.keys()]);
    return object;
  }

  #leaf(frame: Frame, types: number): unknown {
    // Some readers take what stands before a comment for the whole text.
    if (frame.hasAside && frame.place !== ANYWHERE) this.#stop("expected no comment or instruction within a text");
    return this.#typed(frame.text, types === ALL_TYPES ? TYPE.string : types, "");
  }

  #typed(text: string, types: number, step: string): unknown {
    const trimmed = withoutBlankEnds(text);
    const takesText = (types & TYPE.string) !== 0;
    if (takesText && trimmed !== text) this.hasBlankEnds = true;
    const value = textValue(takesText && !this.#isTrimmed ? text : trimmed, types & TEXTS, false);
    if (value === undefined) this.#stop(`expected ${typeWords(types & TEXTS)}`, "type", step);
    return value;
  }

  #stop(text: string, keyword = "xml", step = ""): never {
    const steps = [...this.#open.map((frame) => frame.step), ...(step === "" ? [] : [excerpt(step)])];
    throw new XmlStop({ kind: "meaning", keyword, text, path: `/${steps.join("/")}` });
  }
}

function frameOf(
  { place, namespace, isDefault }: XmlElement,
  step: string,
  target: Frame["target"],
  around: string,
): Frame {
  return {
    place,
    step,
    target,
    namespace: namespace !== null && isDefault ? namespace : around,
    members: new Map(),
    items: [],
    itemName: null,
    last: null,
    text: "",
    isBlank: true,
    sections: 0,
    hasElements: false,
    hasAside: false,
    isNil: false,
  };
}

function isBlank(text: string): boolean {
  return !/[^ \t\r\n]/.test(text);
}

function withoutBlankEnds(text: string): string {
  let from = 0;
  let to = text.length;
  while (from < to && BLANKS.includes(text[from] ?? "")) from++;
  while (to > from && BLANKS.includes(text[to - 1] ?? "")) to--;
  return from === 0 && to === text.length ? text : text.slice(from, to);
}

function namespaceText(namespace: string | null): string {
  return namespace === null ? "expected no namespace" : `expected namespace '${excerpt(namespace)}'`;
}

/** A pointer into the value as the way to what it was made of, as in `/Pet/tag[2]/@id`. */
export function pathOf(root: XmlElement, rootName: string, pointer: string): string {
  let path = `/${rootName}`;
  let place = root.place;
  let list: XmlElement | null = place.item;
  let isList = false;
  for (const token of pointer.split("/").slice(1)) {
    if (list !== null) {
      // Of a list without an element of its own the member has no step.
      path += `/${list.names?.[0] ?? "*"}[${Number(token) + 1}]`;
      place = list.place;
      list = place.item;
      isList = false;
      continue;
    }
    const name = token.replaceAll("~1", "/").replaceAll("~0", "~");
    const member = place.members.get(name);
    if (member?.kind === "item") {
      list = member;
      isList = true;
      continue;
    }
    const step = member?.names?.[0] ?? name;
    path += member?.kind === "text" ? "/text()" : `/${member?.kind === "attribute" ? "@" : ""}${step}`;
    place = member?.place ?? place.other ?? ANYWHERE;
    list = place.item;
  }
  return isList ? `${path}/${list?.names?.[0] ?? "*"}` : path;
}
