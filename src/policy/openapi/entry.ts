import type { Place } from "../../decision/verdict.ts";
import type { SchemaPlace } from "../../schema/document.ts";
import type { Path } from "../path.ts";

type PlaceOf = (rest: Path) => Place;

/** A route in the policy's own words that stands elsewhere: each part of it knows where. */
export class RouteEntry {
  readonly value: Record<string, unknown> = Object.create(null);
  readonly #places = new Map<string, PlaceOf>();

  constructor(place: Place) {
    this.#places.set(keyOf([]), () => place);
  }

  /** Sets a key of the route, or deeper. */
  set(path: Path, value: unknown, place: PlaceOf): void {
    let owner: Record<string, unknown> = this.value;
    for (const step of path.slice(0, -1)) {
      const inner = owner[step];
      if (isMapping(inner)) owner = inner;
      else owner = owner[step] = Object.create(null) as Record<string, unknown>;
    }
    owner[String(path.at(-1))] = value;
    this.placeAt(path, place);
  }

  placeAt(path: Path, place: PlaceOf): void {
    this.#places.set(keyOf(path), place);
  }

  remove(key: string): void {
    Reflect.deleteProperty(this.value, key);
  }

  /** Where the value at `path` stands: of what is known, the nearest around it. */
  place(path: Path): Place {
    let key = keyOf(path);
    for (let length = path.length; ; length--) {
      const known = this.#places.get(key);
      if (known !== undefined) return known(path.slice(length));
      if (length === 0) throw new Error("an entry knows its own place");
      key = key.slice(0, -1 - String(path[length - 1]).length);
    }
  }
}

export function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Each step behind a separator. A name with the separator in it would have a place told that is not its own, and no more. */
function keyOf(path: Path): string {
  let key = "";
  for (let at = 0; at < path.length; at++) key += `\0${path[at]}`;
  return key;
}

/** A place of a description; `pointer` leads there in its file. */
export function placeOf({ file, line, column }: SchemaPlace, pointer: string): Place {
  return { file, line, column, path: `#${pointer}` };
}

/**
 * Lays a route's keys over an entry: they are added, or stand in place of its own. `validate`, of answers too, key by key
 * through and through, so that a smaller body does not lose its schema; who may use it as one thing.
 */
export function overlayKeys(entry: RouteEntry, own: Readonly<Record<string, unknown>>, place: PlaceOf): void {
  const { value } = entry;
  for (const [key, setting] of Object.entries(own)) {
    const at: PlaceOf = (rest) => place([key, ...rest]);
    const base = value[key];
    if (key === "authenticate") {
      entry.remove("public");
      entry.set([key], withTerms(base, setting), at);
    } else if (key === "public") {
      if (!Object.hasOwn(own, "authenticate")) entry.remove("authenticate");
      if (!Object.hasOwn(own, "authorize")) entry.remove("authorize");
      entry.set([key], setting, at);
    } else if (key === "validate") overlayDeep(entry, [key], base, setting, at);
    else if (isMapping(base) && isMapping(setting)) {
      for (const [inner, part] of Object.entries(setting)) {
        const place: PlaceOf = (rest) => at([inner, ...rest]);
        if (key === "response" && inner === "validate") overlayDeep(entry, [key, inner], base[inner], part, place);
        else entry.set([key, inner], part, place);
      }
    } else entry.set([key], setting, at);
  }
}

/** `{ acr: … }` alone asks more of the same callers. */
function withTerms(base: unknown, setting: unknown): unknown {
  if (!isMapping(setting) || Object.hasOwn(setting, "any") || Object.hasOwn(setting, "all")) return setting;
  if (Array.isArray(base)) return { any: base, ...setting };
  return isMapping(base) ? { ...base, ...setting } : setting;
}

function overlayDeep(entry: RouteEntry, path: Path, base: unknown, setting: unknown, place: PlaceOf): void {
  if (!isMapping(base) || !isMapping(setting)) {
    entry.set(path, setting, place);
    return;
  }
  for (const [key, inner] of Object.entries(setting)) {
    overlayDeep(entry, [...path, key], base[key], inner, (rest) => place([key, ...rest]));
  }
}
