import type { z } from "zod";
import { unknownKey } from "../support/schema.ts";
import type { PolicyDocument } from "./document.ts";
import { faultsOf, valueAt } from "./issues.ts";
import type { Path } from "./path.ts";
import type { ProblemList } from "./problems.ts";
import { type Salvage, salvage } from "./salvage.ts";
import { nameSchema } from "./schema.ts";

type Shape = Readonly<Record<string, z.ZodType>>;

/** What could be read of a mapping: a key that is absent or wrong is undefined. */
export type Fields<S extends Shape> = { readonly [K in keyof S]?: z.output<S[K]> | undefined };

/** Reads a policy's values by schemas; whatever is wrong with one value hides nothing of the others. */
export class EntryReader {
  readonly document: PolicyDocument;
  readonly #problems: ProblemList;

  constructor(document: PolicyDocument, problems: ProblemList) {
    this.document = document;
    this.#problems = problems;
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
    const result = schema.safeParse(value);
    if (result.success) return result.data;
    const full = place ?? ((inner: Path) => [...path, ...inner]);
    for (const fault of faultsOf(result.error.issues, value)) {
      if (fault.isKey) this.keyProblem(fault.text, full(fault.path));
      else this.problem(fault.text, full(fault.path));
    }
    return undefined;
  }

  /** The same for settings that are one whole: where they have faults, what is left of them to look for more in. */
  readParts<T>(schema: z.ZodType<T>, value: unknown, path: Path, place?: (inner: Path) => Path): Salvage<T> | null {
    const settings = this.read(schema, value, path, place);
    return settings === undefined ? salvage(schema, value) : { settings, lost: [], original: (inner) => inner };
  }

  /** The keys of a mapping one by one; `others` are keys that somebody else reads. */
  fields<S extends Shape>(shape: S, path: Path, others: readonly string[] = []): Fields<S> {
    const fields: Record<string, unknown> = {};
    const keys = this.keys(path);
    if (keys === null) return fields as Fields<S>;
    const known = [...Object.keys(shape), ...others];
    for (const key of keys) {
      if (this.#problems.isFull) break;
      if (!known.includes(key)) this.keyProblem(unknownKey(key, known), [...path, key]);
    }
    for (const [key, schema] of Object.entries(shape)) {
      const value = this.raw([...path, key]);
      if (value !== undefined) fields[key] = this.read(schema, value, [...path, key]);
      else if (!schema.safeParse(undefined).success) {
        this.problem(`'${key}' is missing${describe(schema)}`, path);
      }
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

function describe(schema: z.ZodType): string {
  return schema.description === undefined ? "" : `; expected: ${schema.description}`;
}
