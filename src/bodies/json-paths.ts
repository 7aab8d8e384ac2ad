import { DEFAULTS } from "../support/defaults.ts";
import { err, ok, type Result } from "../support/result.ts";
import type { Steps } from "../support/turns.ts";
import { AskedNames } from "./json-asked.ts";

/** One step of a path. `deep`: it may stand at any depth below (`..`). */
interface Step {
  readonly deep: boolean;
  /** Any member and any item. */
  readonly any: boolean;
  /** Null for no member. */
  readonly name: string | null;
  /** -1 for no item. */
  readonly index: number;
}

export type JsonPath = readonly Step[];

const SEGMENT =
  /(\.\.?)(?:([A-Za-z_\u0080-\uffff][\w\u0080-\uffff-]*)|(\*)|(?=\[))|\[(?:(\*)|(0|[1-9]\d{0,8})|'((?:[^'\\]|\\['\\])*)'|"((?:[^"\\]|\\["\\])*)")\]/y;
const POINTER_INDEX = /^(?:0|[1-9]\d{0,8})$/;
const EXPECTED =
  "expected a path, as in $.customer.ssn, $.items[*].cost or $..ssn, or a JSON Pointer, as in /items/0/cost";

/**
 * Where values stand in a JSON text: the part of JSONPath (RFC 9535) that a text can be asked for as it goes by, names,
 * indexes, `*` and `..`; or a JSON Pointer (RFC 6901), whose numbers are items of lists and members of that name.
 */
export function parseJsonPath(text: string): Result<JsonPath, string> {
  if (text.length > DEFAULTS.answerPathCharsMax)
    return err(`expected at most ${DEFAULTS.answerPathCharsMax} characters`);
  if (text.startsWith("/")) return pointer(text);
  if (!text.startsWith("$")) return err(EXPECTED);
  const steps: Step[] = [];
  let isDeep = false;
  SEGMENT.lastIndex = 1;
  while (SEGMENT.lastIndex < text.length) {
    const match = SEGMENT.exec(text);
    if (match === null) return err(EXPECTED);
    const [, dots, name, star, anything, index, single, double] = match;
    if (dots !== undefined) {
      // `.[` is no JSONPath, and a step that is deep twice is none either.
      if (isDeep || (name === undefined && star === undefined && dots === ".")) return err(EXPECTED);
      isDeep = dots === "..";
      if (name === undefined && star === undefined) continue;
    }
    steps.push(stepOf(isDeep, name ?? single ?? double, star ?? anything, index));
    isDeep = false;
  }
  return isDeep ? err(EXPECTED) : ok(steps);
}

function stepOf(deep: boolean, name: string | undefined, any: string | undefined, index: string | undefined): Step {
  if (any !== undefined) return { deep, any: true, name: null, index: -1 };
  if (index !== undefined) return { deep, any: false, name: null, index: Number(index) };
  return { deep, any: false, name: (name ?? "").replace(/\\(.)/g, "$1"), index: -1 };
}

function pointer(text: string): Result<JsonPath, string> {
  if (/~(?![01])/.test(text)) return err("expected ~0 or ~1 behind ~ in a JSON Pointer");
  const tokens = text.slice(1).split("/");
  return ok(
    tokens.map((token): Step => {
      const name = token.replaceAll("~1", "/").replaceAll("~0", "~");
      return { deep: false, any: false, name, index: POINTER_INDEX.test(name) ? Number(name) : -1 };
    }),
  );
}

/** A path, and which of up to 30 entries it is of. */
export interface EntryPath {
  readonly path: JsonPath;
  readonly entry: number;
}

/**
 * A place in a JSON text, as far as paths tell places apart. Entries are bits: of an entry's paths one `ends` here, has ended
 * above (`within`), or `leads` on from here.
 */
export class JsonPlace {
  readonly ends: number;
  readonly within: number;
  readonly leads: number;
  readonly #places: Places;
  /** Positions in the paths: path and step, as one number. */
  readonly #positions: readonly number[];
  readonly #members = new Map<string, JsonPlace | null>();
  readonly #items = new Map<number, JsonPlace | null>();
  #otherMember: Found | null = null;
  #otherItem: Found | null = null;

  constructor(places: Places, positions: readonly number[], within: number) {
    this.#places = places;
    this.#positions = positions;
    this.within = within;
    let [ends, leads] = [0, 0];
    for (const position of positions) {
      const { isEnd, bit } = places.at(position);
      if (isEnd) ends |= bit;
      else leads |= bit;
    }
    this.ends = ends;
    this.leads = leads;
  }

  /** Where a member or an item leads; null where no path speaks of it, nor of anything around it. */
  child(key: string | number): JsonPlace | null {
    return typeof key === "number" ? this.#item(key) : this.#member(key);
  }

  /** All names that the paths have; any other leads to `other`. */
  get asked(): AskedNames {
    return this.#places.asked;
  }

  /** Where members lead that no path names. */
  get other(): JsonPlace | null {
    this.#otherMember ??= { place: this.#next(({ any }) => any) };
    return this.#otherMember.place;
  }

  #member(name: string): JsonPlace | null {
    const found = this.#members.get(name);
    if (found !== undefined) return found;
    if (!this.#places.names.has(name)) return this.other;
    const made = this.#next(({ name: own, any }) => any || own === name);
    this.#members.set(name, made);
    return made;
  }

  #item(index: number): JsonPlace | null {
    if (index > this.#places.indexMax || !this.#places.indexes.has(index)) {
      this.#otherItem ??= { place: this.#next(({ any }) => any) };
      return this.#otherItem.place;
    }
    const found = this.#items.get(index);
    if (found !== undefined) return found;
    const made = this.#next(({ index: own, any }) => any || own === index);
    this.#items.set(index, made);
    return made;
  }

  #next(leads: (step: Step) => boolean): JsonPlace | null {
    const next = new Set<number>();
    for (const position of this.#positions) {
      const { step } = this.#places.at(position);
      if (step === null) continue;
      if (leads(step)) next.add(position + 1);
      if (step.deep) next.add(position);
    }
    return this.#places.placeOf(
      [...next].sort((a, b) => a - b),
      this.within | this.ends,
    );
  }
}

interface Found {
  readonly place: JsonPlace | null;
}

interface Position {
  /** Null at the end of a path. */
  readonly step: Step | null;
  readonly isEnd: boolean;
  readonly bit: number;
}

/** All places that the paths tell apart, made when an answer has one; places of the same meaning are one. */
class Places {
  readonly names = new Set<string>();
  readonly indexes = new Set<number>();
  /** The largest of them. */
  indexMax = -1;
  readonly #positions: Position[] = [];
  #asked: AskedNames | null = null;
  readonly #made = new Map<string, JsonPlace>();
  readonly #starts: number[] = [];

  add({ path, entry }: EntryPath): void {
    const bit = 1 << entry;
    this.#starts.push(this.#positions.length);
    for (const step of path) {
      if (step.name !== null) this.names.add(step.name);
      this.indexes.add(step.index);
      this.indexMax = Math.max(this.indexMax, step.index);
      this.#positions.push({ step, isEnd: false, bit });
    }
    this.#positions.push({ step: null, isEnd: true, bit });
  }

  get asked(): AskedNames {
    this.#asked ??= new AskedNames(this.names);
    return this.#asked;
  }

  at(position: number): Position {
    return this.#positions[position] ?? { step: null, isEnd: false, bit: 0 };
  }

  root(): JsonPlace {
    return new JsonPlace(this, this.#starts, 0);
  }

  placeOf(positions: readonly number[], within: number): JsonPlace | null {
    if (positions.length === 0 && within === 0) return null;
    const key = `${positions.join()}/${within}`;
    const found = this.#made.get(key);
    if (found !== undefined) return found;
    const made = new JsonPlace(this, positions, within);
    if (this.#made.size < DEFAULTS.answerPlacesMax) this.#made.set(key, made);
    return made;
  }
}

/** The root of a text, from which the places of all paths are found. */
export function* placesOf(paths: readonly EntryPath[]): Steps<JsonPlace> {
  const places = new Places();
  for (const path of paths) {
    places.add(path);
    yield;
  }
  return places.root();
}
