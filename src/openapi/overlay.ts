import { JsonNumber } from "../bodies/json-number.ts";
import type { SchemaPlace, Site } from "../schema/document.ts";
import { DEFAULTS } from "../support/defaults.ts";
import type { Findings } from "./findings.ts";
import { type Found, JsonPath } from "./json-path.ts";
import type { SourceDocument } from "./source.ts";
import { isMembers, type Members, Spot } from "./spot.ts";

/** Where a member that an Overlay wrote stands. */
interface Origin {
  readonly site: Site | null;
  readonly place: SchemaPlace;
}

/**
 * A description as an Overlay (OpenAPI Overlay 1.0, 1.1) changes it. The document's own value is changed, for nobody else has
 * it; what the Overlay wrote has its place in the Overlay's file.
 */
export function overlaid(document: SourceDocument, overlay: SourceDocument, findings: Findings): SourceDocument {
  const root = Spot.root(overlay);
  if (typeof root.members["overlay"] !== "string") {
    findings.problem(root.place, "'overlay' is missing; expected an Overlay, as it begins: overlay: 1.0.0");
    return document;
  }
  const actions = root.at("actions");
  if (actions === null || !Array.isArray(actions.value)) {
    findings.problem(root.place, "'actions' is missing; expected a list of changes");
    return document;
  }
  const applying = new Applying(document, findings);
  for (const [, action] of actions.all()) {
    applying.apply(action);
    if (applying.isFull) break;
  }
  return applying.result();
}

class Applying {
  readonly #document: SourceDocument;
  readonly #findings: Findings;
  readonly #origins = new Map<object, Map<string | number, Origin>>();
  /** Values that may still be written: actions that copy what others copied would double it each time. */
  #valuesLeft: number = DEFAULTS.openapiOverlayValuesMax;

  constructor(document: SourceDocument, findings: Findings) {
    this.#document = document;
    this.#findings = findings;
  }

  result(): SourceDocument {
    const origins = this.#origins;
    const document = this.#document;
    const originOf = (container: object, key: string | number): Origin | undefined => origins.get(container)?.get(key);
    return {
      ...document,
      site: (container, key) => originOf(container, key)?.site ?? document.site(container, key),
      place: (container, key) => originOf(container, key)?.place ?? document.place(container, key),
    };
  }

  get isFull(): boolean {
    return this.#valuesLeft < 0;
  }

  apply(action: Spot): void {
    const target = action.text("target");
    if (target === null) {
      this.#findings.problem(action.place, "'target' is missing; expected a JSONPath, as in $.paths['/orders'].get");
      return;
    }
    const place = action.at("target")?.place ?? action.place;
    const path = JsonPath.parse(target);
    if (!path.ok) {
      this.#findings.problem(place, path.error);
      return;
    }
    const found = path.value.find(this.#document.value);
    if (found === null) this.#findings.problem(place, "the target looks at too many parts; expected a narrower one");
    // A rule that was to close something and meets nothing is a slip, and nobody would see it.
    else if (found.length === 0) this.#findings.warning(place, "the target meets nothing in the document");
    else if (action.flag("remove")) this.#remove(found, place);
    else this.#change(found, action);
    if (this.isFull)
      this.#findings.problem(place, `the Overlay writes more than ${DEFAULTS.openapiOverlayValuesMax} values`);
  }

  /** From the last to the first, so that items of lists keep their numbers. */
  #remove(found: readonly Found[], place: SchemaPlace): void {
    for (const { container, key } of found.toReversed()) {
      if (container === null) this.#findings.problem(place, "the whole document cannot be removed");
      else if (Array.isArray(container)) {
        const at = Number(key);
        container.splice(at, 1);
        this.#shift(container, at);
      } else Reflect.deleteProperty(container, key);
    }
  }

  /** Items behind one that is gone know their places under other numbers. */
  #shift(list: readonly unknown[], from: number): void {
    const document = this.#document;
    const known = this.#origins.get(list) ?? new Map<string | number, Origin>();
    const before = (at: number): Origin =>
      known.get(at) ?? { site: document.site(list, at), place: document.place(list, at) };
    const moved = new Map(known);
    for (let at = from; at < list.length; at++) moved.set(at, before(at + 1));
    this.#origins.set(list, moved);
  }

  /** What `update` holds or `copy` leads to comes to every target. */
  #change(found: readonly Found[], action: Spot): void {
    const update = action.at("update");
    const copy = action.at("copy");
    if (update !== null && copy !== null)
      this.#findings.problem(copy.place, "'update' and 'copy' in one action; expected one of them");
    else if (update !== null) this.#update(found, update);
    else if (copy !== null) {
      const source = this.#source(copy);
      if (source !== null) this.#update(found, source);
    } else this.#findings.problem(action.place, "neither 'update', 'copy' nor 'remove: true'; expected one of them");
  }

  /** The one part of the document that `copy` means, as it is before the action. */
  #source(copy: Spot): Spot | null {
    const path = typeof copy.value === "string" ? JsonPath.parse(copy.value) : null;
    const found = path?.ok === true ? (path.value.find(this.#document.value) ?? []) : [];
    const [one] = found;
    if (path === null || !path.ok) {
      const text = path === null ? "expected a JSONPath, as in $.paths['/orders'].get" : path.error;
      this.#findings.problem(copy.place, text);
      return null;
    }
    if (one === undefined || found.length > 1) {
      this.#findings.problem(copy.place, `'copy' means ${found.length} parts of the document; expected one`);
      return null;
    }
    const document = this.result();
    const owner: object = Array.isArray(one.container) ? [] : Object.create(null);
    const spot = new Spot(document, "", one.value, one.container, one.key);
    this.#note(owner, one.key, spot);
    return new Spot(document, "", this.#copy(spot), owner, one.key);
  }

  #update(found: readonly Found[], update: Spot): void {
    for (const { container, key, value } of found) {
      if (Array.isArray(value)) this.#append(value, update);
      else if (isObject(value) && isObject(update.value)) this.#merge(value, update);
      else if (!isOwner(value) && !isOwner(update.value) && container !== null) this.#put(container, key, update);
      else this.#mismatch(value, update);
    }
  }

  #put(container: object, key: string | number, update: Spot): void {
    this.#note(container, key, update);
    Reflect.set(container, key, this.#copy(update));
  }

  #mismatch(value: unknown, { place, value: update }: Spot): void {
    const text = `${kindOf(update)} cannot be added to ${kindOf(value)} of the document; expected another one, or 'remove' before`;
    this.#findings.problem(place, text);
  }

  #append(list: unknown[], update: Spot): void {
    const items = Array.isArray(update.value) ? [...update.all()].map(([, item]) => item) : [update];
    for (const item of items) {
      this.#note(list, list.length, item);
      list.push(this.#copy(item));
    }
  }

  #merge(target: object, update: Spot): void {
    for (const [key, inner] of update.all()) {
      const own: unknown = Object.hasOwn(target, key) ? Reflect.get(target, key) : undefined;
      if (isObject(own) && isObject(inner.value)) this.#merge(own, inner);
      else if (Array.isArray(own) && Array.isArray(inner.value)) this.#append(own, inner);
      // `components:` with nothing behind it would take all schemas away, and with them what they refuse.
      else if (isOwner(own) && Object.hasOwn(target, key)) this.#mismatch(own, inner);
      else this.#put(target, key, inner);
    }
  }

  /** A part of the Overlay may come to several places, each of which may be changed again. */
  #copy(spot: Spot): unknown {
    const { value } = spot;
    this.#valuesLeft--;
    if (!isOwner(value) || this.#valuesLeft < 0) return value;
    const copy: object = Array.isArray(value) ? [] : Object.create(null);
    for (const [key, inner] of spot.all()) {
      const at = Array.isArray(value) ? Number(key) : key;
      this.#note(copy, at, inner);
      Reflect.set(copy, at, this.#copy(inner));
    }
    return copy;
  }

  #note(container: object, key: string | number, spot: Spot): void {
    const known = this.#origins.get(container) ?? new Map<string | number, Origin>();
    this.#origins.set(container, known.set(key, { site: spot.site, place: spot.place }));
  }
}

/** A list or an object; a long number is neither. */
function isOwner(value: unknown): value is object {
  return typeof value === "object" && value !== null && !(value instanceof JsonNumber);
}

function isObject(value: unknown): value is Members {
  return isMembers(value) && isOwner(value);
}

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return "a list";
  return isOwner(value) ? "an object" : value === null ? "nothing" : "a value";
}
