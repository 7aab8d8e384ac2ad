import type { PolicyDocument } from "./document.ts";
import type { Path } from "./path.ts";

/** Sections of included files: lists, whose entries are appended, and mappings, whose names are united. */
export const JOINED_LISTS = ["openapi", "grpc", "routes", "tests"] as const;
export const JOINED_MAPPINGS = [
  "upstreams",
  "authenticators",
  "roles",
  "decisionServices",
  "detectors",
  "limits",
  "stores",
  "plans",
  "bans",
] as const;

/** A name that two files define. */
export interface Twice {
  readonly section: string;
  readonly name: string;
  readonly first: PolicyDocument;
  readonly second: PolicyDocument;
}

/** The entries of one section of one file, and how many stand before them. */
interface Part {
  readonly document: PolicyDocument;
  readonly from: number;
}

/**
 * The policy and its included files as one document: each stage reads it as if all stood in one file, and each place is
 * its own file's. Sections of another kind than they should be are left as they stand in the policy, and out of the rest.
 */
export class JoinedDocument implements PolicyDocument {
  readonly file: string;
  readonly value: unknown;
  readonly twice: readonly Twice[];
  readonly #main: PolicyDocument;
  /** By section; in their order. */
  readonly #lists = new Map<string, readonly Part[]>();
  /** By section; who defines which name. */
  readonly #owners = new Map<string, ReadonlyMap<string, PolicyDocument>>();
  /** The first file that has a section. */
  readonly #first = new Map<string, PolicyDocument>();

  constructor(main: PolicyDocument, included: readonly PolicyDocument[]) {
    this.file = main.file;
    this.#main = main;
    const value: Record<string, unknown> = Object.assign(Object.create(null), main.value);
    const twice: Twice[] = [];
    for (const section of JOINED_LISTS) this.#joinList(section, included, value);
    for (const section of JOINED_MAPPINGS) this.#joinMapping(section, included, value, twice);
    this.value = value;
    this.twice = twice;
  }

  readonly place: PolicyDocument["place"] = (path) => this.#lead(path, ({ document, own }) => document.place(own));

  readonly placeWithin: PolicyDocument["placeWithin"] = (path, offset) =>
    this.#lead(path, ({ document, own }) => document.placeWithin(own, offset));

  readonly keyPlace: PolicyDocument["keyPlace"] = (path) =>
    this.#lead(path, ({ document, own }) => document.keyPlace(own));

  #joinList(section: string, included: readonly PolicyDocument[], value: Record<string, unknown>): void {
    const entries: unknown[] = [];
    const parts: Part[] = [];
    for (const document of this.#having(section, included, value)) {
      const own = sectionOf(document, section);
      if (!Array.isArray(own)) continue;
      parts.push({ document, from: entries.length });
      for (const entry of own) entries.push(entry);
    }
    if (parts.length === 0) return;
    value[section] = entries;
    this.#lists.set(section, parts);
  }

  #joinMapping(
    section: string,
    included: readonly PolicyDocument[],
    value: Record<string, unknown>,
    twice: Twice[],
  ): void {
    const entries: Record<string, unknown> = Object.create(null);
    const owners = new Map<string, PolicyDocument>();
    for (const document of this.#having(section, included, value)) {
      const own = sectionOf(document, section);
      if (!isMapping(own)) continue;
      for (const [name, entry] of Object.entries(own)) {
        const first = owners.get(name);
        if (first !== undefined) twice.push({ section, name, first, second: document });
        else {
          owners.set(name, document);
          entries[name] = entry;
        }
      }
    }
    if (owners.size === 0) return;
    value[section] = entries;
    this.#owners.set(section, owners);
  }

  /** The files that have the section, in their order; none where the policy's own is at fault in any case. */
  #having(
    section: string,
    included: readonly PolicyDocument[],
    { [section]: own }: Readonly<Record<string, unknown>>,
  ): readonly PolicyDocument[] {
    const isList = JOINED_LISTS.some((one) => one === section);
    if (own !== undefined && !(isList ? Array.isArray(own) : isMapping(own))) return [];
    const having = [this.#main, ...included].filter((document) => sectionOf(document, section) !== undefined);
    const [first] = having;
    if (first !== undefined) this.#first.set(section, first);
    return having;
  }

  #lead<T>(path: Path, there: (found: { readonly document: PolicyDocument; readonly own: Path }) => T): T {
    const [section, step, ...inner] = path;
    if (typeof section !== "string") return there({ document: this.#main, own: path });
    const first = { document: this.#first.get(section) ?? this.#main, own: path };
    if (typeof step === "number") {
      const part = this.#lists.get(section)?.findLast(({ from }) => from <= step);
      return there(
        part === undefined ? first : { document: part.document, own: [section, step - part.from, ...inner] },
      );
    }
    const owner = step === undefined ? undefined : this.#owners.get(section)?.get(step);
    return there(owner === undefined ? first : { document: owner, own: path });
  }
}

function sectionOf({ value }: PolicyDocument, section: string): unknown {
  return isMapping(value) ? value[section] : undefined;
}

export function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
