import type { Document } from "yaml";
import type { z } from "zod";
import { DEFAULTS } from "../../support/defaults.ts";
import type { Steps } from "../../support/turns.ts";
import { type CallerFacts, callerName } from "../caller-schema.ts";
import { type NamedAt, noteNames } from "../named-limits.ts";
import { listUnder, readSecretFile, type SecretFileProblem, SecretFileReport, valueUnder } from "../secret-file.ts";
import { findFaults, type Path } from "../secret-file-faults.ts";
import { type Caller, callerSchema, KNOWN_KEYS, keyDigest, keySchema, keysFileSchema } from "./keys-schema.ts";

export interface ReadKeys {
  readonly callers: readonly Caller[];
  readonly problems: readonly SecretFileProblem[];
  /** Limits and plans of the policy that the file names, each with where it does first. */
  readonly limits: readonly NamedAt[];
}

/** Text of a keys file → callers; with any problem none of them may be used. */
export function* readKeysFile(text: string): Steps<ReadKeys> {
  const report = new SecretFileReport(text);
  const { problems } = report;
  const file = yield* readSecretFile(text, report);
  if (file === null) return { callers: [], problems, limits: [] };
  const reading = new Reading(file.document, report);
  const callers = yield* reading.file(file.root);
  return { callers: problems.length === 0 ? callers : [], problems, limits: [...reading.limits.values()] };
}

/** The file, its callers and their keys, each by its own schema. */
class Reading {
  readonly limits: Map<string, NamedAt> = new Map();
  readonly #document: Document.Parsed;
  readonly #report: SecretFileReport;
  readonly #names = new Set<string>();
  readonly #digests = new Set<string>();

  constructor(document: Document.Parsed, report: SecretFileReport) {
    this.#document = document;
    this.#report = report;
  }

  *file(root: unknown): Steps<readonly Caller[]> {
    this.#check(keysFileSchema, root, []);
    const callers: Caller[] = [];
    for (const [at, value] of listUnder(root, "callers").entries()) {
      const caller = yield* this.#caller(value, ["callers", at]);
      if (caller !== null) callers.push(caller);
      if (this.#report.isFull) return [];
    }
    if (this.#digests.size > DEFAULTS.apiKeysMax) {
      this.#fault(["callers"], `more than ${DEFAULTS.apiKeysMax} keys`);
    }
    return callers;
  }

  *#caller(value: unknown, path: Path): Steps<Caller | null> {
    const caller = this.#check(callerSchema, value, path);
    this.#claimName(value, path);
    this.#noteNames(caller, path);
    const keys: Caller["keys"][number][] = [];
    for (const [at, one] of listUnder(value, "keys").entries()) {
      const keyPath = [...path, "keys", at];
      const key = this.#check(keySchema, one, keyPath);
      this.#claimDigest(one, keyPath);
      this.#noteNames(key, keyPath);
      if (key !== undefined) keys.push(key);
      yield;
    }
    return caller === undefined ? null : { ...caller, keys };
  }

  #check<T>(schema: z.ZodType<T>, value: unknown, path: Path): T | undefined {
    const { data, error } = schema.safeParse(value);
    if (error === undefined) return data;
    const issues = error.issues.map((issue) => ({ ...issue, path: [...path, ...issue.path] }));
    for (const fault of findFaults(issues, this.#document, KNOWN_KEYS)) this.#report.fault(this.#document, fault);
    return undefined;
  }

  #fault(path: Path, text: string): void {
    this.#report.fault(this.#document, { path, text });
  }

  #noteNames(one: Pick<CallerFacts, "limit" | "plan"> | undefined, path: Path): void {
    noteNames(one, this.limits, (key) => this.#report.placeOf(this.#document, [...path, key]));
  }

  /**
   * Two callers of one name, or one key for two callers: whose request it is would hang on the order in the file. Read
   * from the file as it stands, so that a fault elsewhere hides none of them.
   */
  #claimName(caller: unknown, path: Path): void {
    const { data: name } = callerName.safeParse(valueUnder(caller, "name"));
    if (name === undefined) return;
    if (this.#names.has(name)) this.#fault([...path, "name"], "an earlier caller has this name");
    this.#names.add(name);
  }

  #claimDigest(key: unknown, path: Path): void {
    const { data: digest } = keyDigest.safeParse(valueUnder(key, "sha256"));
    if (digest === undefined) return;
    if (this.#digests.has(digest)) this.#fault([...path, "sha256"], "this key stands in the file twice");
    this.#digests.add(digest);
  }
}
