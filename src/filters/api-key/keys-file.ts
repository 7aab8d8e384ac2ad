import type { Document } from "yaml";
import type { z } from "zod";
import { DEFAULTS } from "../../support/defaults.ts";
import type { Steps } from "../../support/turns.ts";
import { composeDocument } from "../../yaml/compose.ts";
import { lineFinder } from "../../yaml/lines.ts";
import { plainValue } from "../../yaml/plain-value.ts";
import { readTokens } from "../../yaml/tokens.ts";
import { type Fault, findFaults, offsetOf, type Path, pathText } from "./keys-faults.ts";
import { type Caller, callerName, callerSchema, keyDigest, keySchema, keysFileSchema } from "./keys-schema.ts";

/** What is wrong with a keys file and where. The text repeats no value, for any of them may be a key in clear. */
export interface KeysProblem {
  readonly line: number;
  readonly column: number;
  readonly path: string;
  readonly text: string;
}

export interface ReadKeys {
  readonly callers: readonly Caller[];
  readonly problems: readonly KeysProblem[];
}

/** Text of a keys file → callers; with any problem none of them may be used. */
export function* readKeysFile(text: string): Steps<ReadKeys> {
  const at = lineFinder(text);
  const problems: KeysProblem[] = [];
  const report = (offset: number, path: Path, problem: string): void => {
    if (problems.length >= DEFAULTS.policyProblemsMax) return;
    problems.push({ ...at(offset), path: pathText(path), text: problem });
  };
  const document = yield* parse(text, (offset, problem) => report(offset, [], problem));
  if (document === null) return { callers: [], problems };
  const root =
    document.contents === null
      ? null
      : yield* plainValue(document.contents, null, ({ bare }, offset) => report(offset, [], bare));
  if (problems.length > 0) return { callers: [], problems };
  const reading = new Reading(document, ({ path, text: problem, offset }) =>
    report(offset ?? offsetOf(document, path), path, problem),
  );
  const callers = yield* reading.file(root, () => problems.length >= DEFAULTS.policyProblemsMax);
  return { callers: problems.length === 0 ? callers : [], problems };
}

/** Null where the text is no sound YAML: then the rest would be guesses. */
function* parse(text: string, report: (offset: number, problem: string) => void): Steps<Document.Parsed | null> {
  const tokens = yield* readTokens(text);
  if (typeof tokens === "number") {
    report(tokens, `nested deeper than ${DEFAULTS.policyDepthMax} levels`);
    return null;
  }
  const composed = yield* composeDocument(tokens, text.length);
  if (composed === null) {
    report(0, "not valid YAML");
    return null;
  }
  for (const { code, pos } of composed.faults.slice(0, DEFAULTS.fileProblemsMax)) {
    report(pos[0], `not valid YAML (${code})`);
  }
  if (composed.secondAt !== null) report(composed.secondAt, "a second document begins here; expected one");
  return composed.faults.length > 0 || composed.secondAt !== null ? null : composed.document;
}

/** The file, its callers and their keys, each by its own schema. */
class Reading {
  readonly #document: Document.Parsed;
  readonly #report: (fault: Fault) => void;
  readonly #names = new Set<string>();
  readonly #digests = new Set<string>();

  constructor(document: Document.Parsed, report: (fault: Fault) => void) {
    this.#document = document;
    this.#report = report;
  }

  *file(root: unknown, isFull: () => boolean): Steps<readonly Caller[]> {
    this.#check(keysFileSchema, root, []);
    const callers: Caller[] = [];
    for (const [at, value] of listUnder(root, "callers").entries()) {
      const caller = yield* this.#caller(value, ["callers", at]);
      if (caller !== null) callers.push(caller);
      if (isFull()) return [];
    }
    if (this.#digests.size > DEFAULTS.apiKeysMax) {
      this.#report({ path: ["callers"], text: `more than ${DEFAULTS.apiKeysMax} keys` });
    }
    return callers;
  }

  *#caller(value: unknown, path: Path): Steps<Caller | null> {
    const caller = this.#check(callerSchema, value, path);
    this.#claimName(value, path);
    const keys: Caller["keys"][number][] = [];
    for (const [at, one] of listUnder(value, "keys").entries()) {
      const keyPath = [...path, "keys", at];
      const key = this.#check(keySchema, one, keyPath);
      this.#claimDigest(one, keyPath);
      if (key !== undefined) keys.push(key);
      yield;
    }
    return caller === undefined ? null : { ...caller, keys };
  }

  #check<T>(schema: z.ZodType<T>, value: unknown, path: Path): T | undefined {
    const { data, error } = schema.safeParse(value);
    if (error === undefined) return data;
    const issues = error.issues.map((issue) => ({ ...issue, path: [...path, ...issue.path] }));
    for (const fault of findFaults(issues, this.#document)) this.#report(fault);
    return undefined;
  }

  /**
   * Two callers of one name, or one key for two callers: whose request it is would hang on the order in the file. Read
   * from the file as it stands, so that a fault elsewhere hides none of them.
   */
  #claimName(caller: unknown, path: Path): void {
    const { data: name } = callerName.safeParse(valueUnder(caller, "name"));
    if (name === undefined) return;
    if (this.#names.has(name)) this.#report({ path: [...path, "name"], text: "an earlier caller has this name" });
    this.#names.add(name);
  }

  #claimDigest(key: unknown, path: Path): void {
    const { data: digest } = keyDigest.safeParse(valueUnder(key, "sha256"));
    if (digest === undefined) return;
    if (this.#digests.has(digest)) {
      this.#report({ path: [...path, "sha256"], text: "this key stands in the file twice" });
    }
    this.#digests.add(digest);
  }
}

function valueUnder(mapping: unknown, key: string): unknown {
  if (typeof mapping !== "object" || mapping === null || !Object.hasOwn(mapping, key)) return undefined;
  return Reflect.get(mapping, key);
}

function listUnder(mapping: unknown, key: string): readonly unknown[] {
  const value = valueUnder(mapping, key);
  return Array.isArray(value) ? value : [];
}
