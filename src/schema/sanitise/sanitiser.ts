import type { ContainerRules, JsonPath } from "../../bodies/json-editor.ts";
import type { BodyEdits } from "../../message/body-edits.ts";
import { excerpt } from "../../support/excerpt.ts";
import { pointerToken } from "../document.ts";
import type { Pattern } from "../pattern/index.ts";
import type { Subschema } from "../subschema.ts";
import { type Group, Groups, groupKey } from "./group.ts";
import { Place, type SanitiseRules } from "./place.ts";

/** Places that are remembered; there are as many as a schema has objects, unless it has many alternatives. */
const PLACES_MAX = 10_000;

/**
 * Says of values of a schema what is to be changed in them. It proposes: what comes of it is read anew and judged by the
 * schema, which has the last word. So it may go by what shows at a glance where alternatives disagree.
 */
export class Sanitiser {
  readonly #root: Group;
  readonly #rules: SanitiseRules;
  readonly #patternOf: (source: string) => Pattern;
  readonly #groups = new Groups();
  readonly #places = new Map<string, Place>();
  /** Of groups around which it is the same for every value. */
  readonly #placeOfAll = new WeakMap<Group, Place>();

  constructor(root: Subschema, rules: SanitiseRules, patternOf: (source: string) => Pattern) {
    this.#root = { certain: new Set([root]), possible: new Set() };
    this.#rules = rules;
    this.#patternOf = patternOf;
  }

  /** For a whole value; what is changed is told to `edits`. Null for what has no members and no items. */
  rulesOf(value: unknown, edits: BodyEdits): ContainerRules | null {
    return typeof value === "object" && value !== null ? this.inside(this.#root, value, edits) : null;
  }

  /** Null where no schema speaks of the value. */
  inside(start: Group, value: object, edits: BodyEdits): ContainerRules | null {
    if (start.certain.size + start.possible.size === 0) return null;
    return new Guide(this, this.#placeOfAll.get(start) ?? this.#placeOf(start, value), value, edits);
  }

  #placeOf(start: Group, value: object): Place {
    const group = this.#groups.around(start, value);
    const place = this.#placeOfGroup(group);
    if (this.#groups.isOfAll) this.#placeOfAll.set(start, place);
    return place;
  }

  #placeOfGroup(group: Group): Place {
    const key = groupKey(group);
    const known = this.#places.get(key);
    if (known !== undefined) return known;
    if (this.#places.size >= PLACES_MAX) this.#places.clear();
    const place = new Place(group, this.#groups.alternativesIn(group), this.#rules, this.#patternOf);
    this.#places.set(key, place);
    return place;
  }
}

/** One object or list of a value. */
class Guide implements ContainerRules {
  readonly #sanitiser: Sanitiser;
  readonly #place: Place;
  readonly #value: object;
  readonly #edits: BodyEdits;

  constructor(sanitiser: Sanitiser, place: Place, value: object, edits: BodyEdits) {
    this.#sanitiser = sanitiser;
    this.#place = place;
    this.#value = value;
    this.#edits = edits;
  }

  removes(name: string, path: JsonPath): boolean {
    const plan = this.#place.member(name);
    if (typeof plan !== "string") return false;
    this.#edits.add(plan, () => pointerOf(path.keys()));
    return true;
  }

  inside(key: string | number, value: object): ContainerRules | null {
    const start = typeof key === "number" ? this.#place.item(key) : this.#place.member(key);
    return typeof start === "string" ? null : this.#sanitiser.inside(start, value, this.#edits);
  }

  added(path: JsonPath): readonly string[] {
    if (Array.isArray(this.#value)) return NONE;
    const missing = this.#place.defaults.filter(({ name }) => !Object.hasOwn(this.#value, name));
    for (const { name } of missing) this.#edits.add("defaults", () => pointerOf([...path.keys().slice(0, -1), name]));
    return missing.length === 0 ? NONE : missing.map(({ text }) => text);
  }
}

const NONE: readonly string[] = [];

/** A JSON Pointer (RFC 6901) for a log: names that a client chose are cut and escaped. */
export function pointerOf(keys: readonly (string | number)[]): string {
  return keys.map((key) => `/${pointerToken(typeof key === "number" ? key : excerpt(key))}`).join("");
}
