import type { z } from "zod";
import { DEFAULTS } from "../support/defaults.ts";
import { unknownKey } from "../support/schema.ts";
import type { PolicyDocument } from "./document.ts";
import { type Fault, faultsOf, valueAt } from "./issues.ts";
import type { Path } from "./path.ts";
import type { ProblemList } from "./problems.ts";
import { type Judged, retyped } from "./retype.ts";
import { type Salvage, salvage } from "./salvage.ts";
import { nameSchema } from "./schema.ts";

const NO_HOMES: ReadonlyMap<string, string> = new Map();

type Shape = Readonly<Record<string, z.ZodType>>;

/** What could be read of a mapping: a key that is absent or wrong is undefined. */
export type Fields<S extends Shape> = { readonly [K in keyof S]?: z.output<S[K]> | undefined };

/** Reads a policy's values by schemas; whatever is wrong with one value hides nothing of the others. */
export class EntryReader {
  readonly document: PolicyDocument;
  readonly #problems: ProblemList;

  /** Texts that a schema may take as numbers, or as true or false. */
  readonly #convertible: ReadonlySet<string>;

  constructor(document: PolicyDocument, problems: ProblemList, convertible: ReadonlySet<string> = new Set()) {
    this.document = document;
    this.#problems = problems;
    this.#convertible = convertible;
  }

  raw(path: Path): unknown {
    return valueAt(this.document.value, path);
  }

  problem(text: string, path: Path): void {
    this.#problems.add(this.document.place(path), text);
  }

  keyProblem(text: string, path: Path): void {
    this.#problems.add(this.document.keyPlace(path), text);
  }

  /**
   * `value` by `schema`, or undefined with problems reported. `place` says where in the policy a path inside the value
   * stands; without it the value is the one at `path`.
   */
  read<T>(schema: z.ZodType<T>, value: unknown, path: Path, place?: (inner: Path) => Path): T | undefined {
    const { value: judged, result } = this.#judge(schema, value);
    if (result.success) return result.data;
    this.#report(faultsOf(result.error.issues, judged), place ?? ((inner: Path) => [...path, ...inner]));
    return undefined;
  }

  #judge<T>(schema: z.ZodType<T>, value: unknown): Judged<T> {
    const judged = { value, result: schema.safeParse(value) };
    return judged.result.success || this.#convertible.size === 0 ? judged : retyped(schema, judged, this.#convertible);
  }

  #report(faults: readonly Fault[], place: (inner: Path) => Path): void {
    for (const { isKey, text, path } of faults) {
      if (isKey) this.keyProblem(text, place(path));
      else this.problem(text, place(path));
    }
  }

  /** The same for settings that are one whole: where they have faults, what is left of them to look for more in. */
  readParts<T>(schema: z.ZodType<T>, value: unknown, path: Path, place?: (inner: Path) => Path): Salvage<T> | null {
    const { value: judged, result } = this.#judge(schema, value);
    if (result.success) return { settings: result.data, lost: [], original: (inner) => inner };
    const faults = faultsOf(result.error.issues, judged);
    this.#report(faults, place ?? ((inner: Path) => [...path, ...inner]));
    return salvage(schema, judged, faults);
  }

  /** The keys of a mapping one by one; `others` are keys that somebody else reads, `homes` say where keys belong that stand here in error. */
  fields<S extends Shape>(
    shape: S,
    path: Path,
    others: readonly string[] = [],
    homes: ReadonlyMap<string, string> = NO_HOMES,
  ): Fields<S> {
    const fields: Record<string, unknown> = {};
    const keys = this.keys(path);
    if (keys === null) return fields as Fields<S>;
    let unknown = 0;
    for (const key of keys) {
      if (this.#problems.isFull) break;
      if (Object.hasOwn(shape, key) || others.includes(key)) continue;
      const known = [...Object.keys(shape), ...others];
      const home = homes.get(key);
      const text = ++unknown > DEFAULTS.hintsMax ? `unknown key '${key}'` : unknownKey(key, known);
      this.keyProblem(home === undefined ? text : `'${key}' does not stand here; expected it ${home}`, [...path, key]);
    }
    const values = this.raw(path) as Readonly<Record<string, unknown>>;
    for (const key in shape) {
      const schema = shape[key];
      const value = Object.hasOwn(values, key) ? values[key] : undefined;
      if (schema === undefined) continue;
      if (value !== undefined) fields[key] = this.read(schema, value, [...path, key]);
      else if (isRequired(schema)) this.problem(`'${key}' is missing${describe(schema)}`, path);
    }
    return fields as Fields<S>;
  }

  /** The keys of the mapping at `path`; null, with a problem, where there is something else. */
  keys(path: Path): readonly string[] | null {
    const value = this.raw(path);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return Object.keys(value);
    this.problem("expected a mapping", path);
    return null;
  }

  /** Names defined by the mapping at `path`; none where the section is absent. */
  names(path: Path): readonly string[] {
    if (this.raw(path) === undefined) return [];
    return (this.keys(path) ?? []).filter((name) => {
      const result = nameSchema.safeParse(name);
      if (!result.success)
        this.keyProblem(`'${name}' is not a name; ${result.error.issues[0]?.message}`, [...path, name]);
      return result.success;
    });
  }

  /** How many entries the list at `path` has; none where it is absent. */
  listLength(path: Path): number {
    const value = this.raw(path);
    if (value === undefined) return 0;
    if (Array.isArray(value)) return value.length;
    this.problem("expected a list", path);
    return 0;
  }
}

const REQUIRED = new WeakMap<z.ZodType, boolean>();

/** Asked of each key that each of a thousand routes does not have. */
function isRequired(schema: z.ZodType): boolean {
  let isRequired = REQUIRED.get(schema);
  if (isRequired === undefined) {
    isRequired = !schema.safeParse(undefined).success;
    REQUIRED.set(schema, isRequired);
  }
  return isRequired;
}

function describe(schema: z.ZodType): string {
  return schema.description === undefined ? "" : `; expected: ${schema.description}`;
}
