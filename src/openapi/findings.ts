import type { SchemaPlace } from "../schema/document.ts";
import { DEFAULTS } from "../support/defaults.ts";

/** What is wrong or odd in a description, where, and how to mend it. */
export interface Finding {
  readonly place: SchemaPlace;
  readonly text: string;
}

/** Something that is written in a description and is not enforced, each kind once. */
export interface Loose {
  /** As in `style deepObject`. */
  readonly what: string;
  /** Where it stands first. */
  readonly place: SchemaPlace;
  /** At how many places: an operation at several base paths, or of several methods, stands in the document once. */
  readonly count: number;
}

interface Kind {
  readonly place: SchemaPlace;
  readonly places: Set<string>;
}

/** What is found while a description is read. Bounded in number; each place and text counts once. */
export class Findings {
  readonly #problems = new Map<string, Finding>();
  readonly #warnings = new Map<string, Finding>();
  readonly #loose = new Map<string, Kind>();
  readonly #extensions = new Map<string, Kind>();

  /** The description cannot be used as it is. */
  problem(place: SchemaPlace, text: string): void {
    add(this.#problems, place, text);
  }

  /** It can, and one thing in it cannot; the text says what becomes of that. */
  warning(place: SchemaPlace, text: string): void {
    add(this.#warnings, place, text);
  }

  /** It asks for something that nobody enforces. */
  loose(what: string, place: SchemaPlace): void {
    count(this.#loose, what, place);
  }

  /** A member `x-…` of the document, a path or an operation, that nobody reads. */
  extension(name: string, place: SchemaPlace): void {
    count(this.#extensions, name, place);
  }

  get problems(): readonly Finding[] {
    return [...this.#problems.values()];
  }

  get warnings(): readonly Finding[] {
    return [...this.#warnings.values()];
  }

  get extensions(): readonly Loose[] {
    return listOf(this.#extensions);
  }

  get unenforced(): readonly Loose[] {
    return listOf(this.#loose);
  }
}

function count(kinds: Map<string, Kind>, what: string, place: SchemaPlace): void {
  const known = kinds.get(what);
  if (known !== undefined) known.places.add(placeText(place));
  else if (kinds.size < DEFAULTS.openapiFindingsMax) kinds.set(what, { place, places: new Set([placeText(place)]) });
}

function listOf(kinds: ReadonlyMap<string, Kind>): readonly Loose[] {
  return [...kinds].map(([what, { place, places }]) => ({ what, place, count: places.size }));
}

function add(list: Map<string, Finding>, place: SchemaPlace, text: string): void {
  const key = `${placeText(place)} ${text}`;
  if (list.size < DEFAULTS.openapiFindingsMax && !list.has(key)) list.set(key, { place, text });
}

/** `openapi/orders.yaml:12:5`. */
export function placeText({ file, line, column }: SchemaPlace): string {
  return `${file}:${line}:${column}`;
}
