import { hash } from "node:crypto";
import type { Steps } from "../support/turns.ts";
import { digestSteps } from "./digests.ts";

/**
 * Tables that compiling made, by the hash of what they were made of. Those of the policy in force are kept for the next
 * one, and so are those of the last attempt, for a policy that is refused is mended in one place.
 */
export class Kept {
  #inForce: ReadonlyMap<string, unknown> = new Map();
  #attempted: ReadonlyMap<string, unknown> = new Map();
  #current = new Map<string, unknown>();
  readonly #others: Kept | null;

  /** `others`: of another compilation, whose tables that never change serve this one, too. */
  constructor(others: Kept | null = null) {
    this.#others = others;
  }

  /** What `make` gives, or gave for the same inputs; null is made anew each time, for its problems have to be told. */
  *get<T>(kind: string, inputs: readonly (string | Buffer)[], make: () => Steps<T | null>): Steps<T | null> {
    const key = yield* keyOf(kind, inputs);
    const known = this.find(key) ?? (isImmutable(kind) ? this.#others?.find(key) : undefined);
    // A kind makes one type of table.
    const table = known === undefined ? yield* make() : (known as T);
    if (table !== null) this.#current.set(key, table);
    return table;
  }

  /** Undefined where nothing was made of the same inputs. */
  protected find(key: string): unknown {
    return [this.#current, this.#inForce, this.#attempted].find((map) => map.has(key))?.get(key);
  }

  /** What tables in force have counted is forgotten: each test of a policy begins so. */
  forget(): void {
    for (const table of this.#inForce.values()) if (counts(table)) table.forget();
  }

  /** A compilation is over: what it did not ask for is let go. */
  settle(isSound: boolean): void {
    if (isSound) this.#inForce = this.#current;
    this.#attempted = isSound ? new Map() : this.#current;
    this.#current = new Map();
  }
}

/** Kinds of tables that are large and neither count nor know a clock; what stands behind a blank is whose they are. */
const IMMUTABLE: ReadonlySet<string> = new Set(["detector", "addresses", "address", "geo", "grpc", "openapi"]);

function isImmutable(kind: string): boolean {
  return IMMUTABLE.has(kind.split(" ")[0] ?? "");
}

/** Whether it counts what requests do, beside what was read from files. */
function counts(table: unknown): table is { forget(): void } {
  return typeof table === "object" && table !== null && "forget" in table && typeof table.forget === "function";
}

function* keyOf(kind: string, inputs: readonly (string | Buffer)[]): Steps<string> {
  const digests: string[] = [];
  for (const input of inputs)
    digests.push(typeof input === "string" ? hash("sha256", input) : yield* digestSteps(input));
  return [kind, ...digests].join(":");
}
