import * as z from "zod";
import type { CompileContext } from "../filters/filter.ts";
import { type Fault, faultsOf } from "./issues.ts";
import type { Path } from "./path.ts";

/** Settings as far as their schema takes them. */
export interface Salvage<T> {
  readonly settings: T;
  /** What was taken out or replaced, as paths in the value that was read; empty where the settings are whole. */
  readonly lost: readonly Path[];
  /** Where a path in `settings` leads in the value that was read: entries may be gone from its lists. */
  original(inner: Path): Path;
}

/** A filter that runs always gets this where the policy says nothing. */
export const WITHOUT_SETTINGS: Salvage<undefined> = { settings: undefined, lost: [], original: (inner) => inner };

/** Each round takes out what the one before uncovered; real policies need two or three. */
const ROUNDS_MAX = 8;
const LOST_MAX = 100;

/**
 * What is left of a value that a schema refused, without its faults, so that a fault in one key hides nothing of the
 * others; null where nothing is left that says something, or too much is at fault to go on. `found`: what the schema refused
 * it for. Good for finding problems only: a rule that lost a part must never come into force.
 */
export function salvage<T>(schema: z.ZodType<T>, value: unknown, found: readonly Fault[]): Salvage<T> | null {
  const losses = new Losses(schema);
  let [left, faults] = [value, found];
  let original = (inner: Path): Path => inner;
  for (let round = 1; round < ROUNDS_MAX && losses.paths.length + faults.length <= LOST_MAX; round++) {
    for (const { subject } of faults) {
      if (!losses.add(original(subject), left)) return null;
    }
    const kept = new Map<string, readonly number[]>();
    left = withStandIns(without(value, [], losses, kept), losses.standIns);
    original = (inner) => originalPath(inner, kept);
    const result = schema.safeParse(left);
    if (result.success) return { settings: result.data, lost: losses.paths, original };
    faults = faultsOf(result.error.issues, left);
  }
  return null;
}

/** Texts that a required key may take; `principal` is what limits count by. */
const TEXTS: readonly unknown[] = ["x", ["x"], "principal"];

const NONE: ReadonlySet<never> = new Set();

class Losses {
  readonly paths: Path[] = [];
  /** Values of required keys in place of those that are lost. */
  readonly standIns = new Map<string, unknown>();
  readonly #schema: z.ZodType;
  /** The last steps of what is lost, by what they are in. */
  readonly #within = new Map<string, Set<string | number>>();

  constructor(schema: z.ZodType) {
    this.#schema = schema;
  }

  has(path: Path): boolean {
    const last = path.at(-1);
    return last !== undefined && this.within(path.slice(0, -1)).has(last);
  }

  /** What is lost of the list or mapping at `path`. */
  within(path: Path): ReadonlySet<string | number> {
    return this.#within.get(keyOf(path)) ?? NONE;
  }

  /**
   * Takes the value at `path` out; where it is gone and the schema wants it, replaces it or takes out what it is in.
   * False where the whole is at fault, or a key that nothing can replace.
   */
  add(path: Path, left: unknown): boolean {
    const [key] = path;
    if (key === undefined) return false;
    const choices = typeof key === "string" ? this.#choices(key) : null;
    if (typeof key === "string" && choices !== null) {
      // With all choices at once, nothing else can seem not to fit the ones that were left.
      this.#lose([key]);
      this.standIns.set(key, choices);
    } else if (!this.has(path)) this.#lose(path);
    else if (path.length > 1) this.#lose(path.slice(0, -1));
    else return typeof key === "string" && this.#standIn(key, left);
    return true;
  }

  #lose(path: Path): void {
    const last = path.at(-1);
    if (last === undefined || this.has(path)) return;
    const key = keyOf(path.slice(0, -1));
    this.#within.set(key, (this.#within.get(key) ?? new Set()).add(last));
    this.paths.push(path);
  }

  #standIn(key: string, left: unknown): boolean {
    if (this.standIns.has(key)) return false;
    const fitting = TEXTS.find((text) => {
      const { error } = this.#schema.safeParse(withStandIns(left, new Map([[key, text]])));
      return error === undefined || !error.issues.some(({ path }) => path[0] === key || path.length === 0);
    });
    if (fitting !== undefined) this.standIns.set(key, fitting);
    return fitting !== undefined;
  }

  /** All choices of a key whose value is a list of choices (`algorithms`), or null. */
  #choices(key: string): readonly unknown[] | null {
    const property = propertiesOf(this.#schema)[key];
    const items = typeof property === "object" && property.type === "array" ? property.items : undefined;
    return typeof items === "object" && !Array.isArray(items) ? (items.enum ?? null) : null;
  }
}

type Properties = NonNullable<z.core.JSONSchema.BaseSchema["properties"]>;

/** Once for each schema: it takes a third of a millisecond, and a list may have a fault in every entry. */
const knownProperties = new WeakMap<z.ZodType, Properties>();

function propertiesOf(schema: z.ZodType): Properties {
  const known = knownProperties.get(schema);
  if (known !== undefined) return known;
  const properties = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }).properties ?? {};
  knownProperties.set(schema, properties);
  return properties;
}

function withStandIns(value: unknown, standIns: ReadonlyMap<string, unknown>): unknown {
  if (standIns.size === 0 || !isMapping(value)) return value;
  return Object.assign(Object.create(null), value, Object.fromEntries(standIns));
}

/** A copy of `value` without what is lost; `kept` gets, for each list, where its entries stood. */
function without(value: unknown, path: Path, lost: Losses, kept: Map<string, readonly number[]>): unknown {
  if (Array.isArray(value)) {
    const gone = lost.within(path);
    const indices = [...value.keys()].filter((at) => !gone.has(at));
    kept.set(keyOf(path), indices);
    return indices.map((at) => without(value[at], [...path, at], lost, kept));
  }
  if (!isMapping(value)) return value;
  const copy: Record<string, unknown> = Object.create(null);
  const gone = lost.within(path);
  for (const [key, inner] of Object.entries(value)) {
    if (!gone.has(key)) copy[key] = without(inner, [...path, key], lost, kept);
  }
  return copy;
}

function originalPath(inner: Path, kept: ReadonlyMap<string, readonly number[]>): Path {
  const path: (string | number)[] = [];
  for (const step of inner) {
    path.push(typeof step === "number" ? (kept.get(keyOf(path))?.[step] ?? step) : step);
  }
  return path;
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function keyOf(path: Path): string {
  return JSON.stringify(path);
}

/** The context for settings as they were read: it passes on no problem that may come from what they lost. */
export function salvageContext<C extends CompileContext>(context: C, { lost, original }: Salvage<unknown>): C {
  if (lost.length === 0) return context;
  const isIn = (path: Path): boolean => lost.some((one) => begins(path, one));
  // A mapping that lost a key may seem to say nothing at all.
  const isAround = (path: Path): boolean => lost.some((one) => typeof one.at(-1) === "string" && begins(one, path));
  return {
    ...context,
    place: (...inner) => context.place(...original(inner)),
    problem: (text, ...inner) => {
      const path = original(inner);
      if (!isIn(path) && !isAround(path)) context.problem(text, ...path);
    },
    problemWithin: (offset, text, ...inner) => {
      const path = original(inner);
      if (!isIn(path)) context.problemWithin(offset, text, ...path);
    },
    readFile: (name, ...inner) => {
      const path = original(inner);
      return isIn(path) ? null : context.readFile(name, ...path);
    },
    readLargeFile: (name, ...inner) => {
      const path = original(inner);
      return isIn(path) ? null : context.readLargeFile(name, ...path);
    },
    readFolder: (name, ...inner) => {
      const path = original(inner);
      return isIn(path) ? null : context.readFolder(name, ...path);
    },
  };
}

function begins(path: Path, start: Path): boolean {
  return start.length <= path.length && start.every((step, at) => path[at] === step);
}
