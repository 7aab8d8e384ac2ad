import type { SchemaPlace, Site } from "../schema/document.ts";
import type { Findings } from "./findings.ts";
import { type Found, JsonPath } from "./json-path.ts";
import type { SourceDocument } from "./source.ts";
import { isMembers, Spot } from "./spot.ts";

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
  for (const [, action] of actions.all()) applying.apply(action);
  return applying.result();
}

class Applying {
  readonly #document: SourceDocument;
  readonly #findings: Findings;
  readonly #origins = new Map<object, Map<string | number, Origin>>();

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
    else this.#update(found, action);
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

  #update(found: readonly Found[], action: Spot): void {
    const update = action.at("update");
    if (update === null) {
      this.#findings.problem(action.place, "neither 'update' nor 'remove: true'; expected one of them");
      return;
    }
    for (const { value } of found) {
      if (Array.isArray(value)) this.#append(value, update);
      else if (isMembers(value) && isMembers(update.value)) this.#merge(value, update);
      else this.#findings.problem(update.place, "the target is no object or list, so that nothing can be added to it");
    }
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
      if (isMembers(own) && isMembers(inner.value)) this.#merge(own, inner);
      else if (Array.isArray(own) && Array.isArray(inner.value)) this.#append(own, inner);
      else {
        this.#note(target, key, inner);
        Reflect.set(target, key, this.#copy(inner));
      }
    }
  }

  /** A part of the Overlay may come to several places, each of which may be changed again. */
  #copy(spot: Spot): unknown {
    const { value } = spot;
    if (typeof value !== "object" || value === null) return value;
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
