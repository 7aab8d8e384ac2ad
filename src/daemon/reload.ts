import type { Problem, Snapshot } from "../policy/snapshot.ts";
import type { Clock } from "../support/clock.ts";
import { err, ok, type Result } from "../support/result.ts";
import type { ReloadResult } from "../telemetry/metrics.ts";
import { contentState, type FileState, type FileStates, type RecordedReads, recordReads } from "./file-states.ts";
import type { ReadFile } from "./regular-file.ts";

/** Text → snapshot. Reads files only through `readFile`, so that what was read is known. */
export type Compile = (
  policyFile: string,
  readFile: ReadFile,
  isInForce: IsInForce,
) => Promise<Result<Snapshot, readonly Problem[]>>;

/** Whether a file with this content is part of the policy that runs: what has aged in it refuses nothing. */
export type IsInForce = (content: Buffer) => boolean;

/** Puts a snapshot in force everywhere, or nowhere: problems mean that nothing has changed. */
export type Install = (snapshot: Snapshot) => Promise<Result<null, readonly Problem[]>>;

/**
 * Runs the tests of a policy that compiled, before it is put in force: problems where one fails, else what is worth a
 * warning.
 */
export type TestPolicy = (
  policyFile: string,
  readFile: ReadFile,
  snapshot: Snapshot,
) => Promise<Result<readonly Problem[], readonly Problem[]>>;

/** A file changed, or somebody asked: a signal, a command, the start. */
export type ReloadCause = "changed" | "asked";

type Outcome = Result<Pick<Attempt, "result" | "hash" | "warnings">, readonly Problem[]>;

/** One attempt to load the policy, as the admin port tells of it. */
export interface Attempt {
  readonly atMs: number;
  readonly result: ReloadResult;
  /** Hash of the policy that was read; null where it did not compile. */
  readonly hash: string | null;
  readonly problems: readonly Problem[];
  /** Of the policy's tests. */
  readonly warnings: readonly Problem[];
}

export interface ReloaderDeps {
  readonly policyFile: string;
  readonly clock: Clock;
  readonly readFile: ReadFile;
  readonly compile: Compile;
  readonly test: TestPolicy;
  readonly install: Install;
  /** Hears of what was put in force, and of all that was read for it. */
  readonly onInstalled?: (snapshot: Snapshot, contents: ReadonlyMap<string, Result<Buffer, string>>) => void;
  /**
   * Whether files that were read because they changed are whole. Where not, the attempt counts for nothing; whoever says
   * so asks again. Nobody is asked about an attempt that somebody called for.
   */
  confirms(states: FileStates): boolean;
  /** After every attempt that counts, whatever came of it. */
  onAttempt(attempt: Attempt, states: FileStates): void;
}

/** Loads the policy again when asked. One attempt at a time; requests during one make exactly one more, the latest. */
export class Reloader {
  readonly #deps: ReloaderDeps;
  #hash: string | null = null;
  /** Contents of the policy that runs; null before the first, when a start must not fail for what has merely aged. */
  #inForce: ReadonlySet<FileState> | null = null;
  #running: Promise<void> | null = null;
  /** What was asked for during the attempt that runs: nothing, a look at changes, or a load in any case. */
  #again: ReloadCause | null = null;
  #closed = false;

  constructor(deps: ReloaderDeps) {
    this.#deps = deps;
  }

  /** The first load: its problems end the start. */
  load(): Promise<Attempt> {
    return new Promise((resolve) => {
      this.#running = this.#attempt("asked").then((attempt) => {
        // One that was asked for always counts.
        resolve(attempt as Attempt);
        this.#finished();
      });
    });
  }

  /** Puts in force what a file said before, where the first load was refused; the policy's hash, or what is wrong with it now. */
  restore(readFile: ReadFile): Promise<Result<string, readonly Problem[]>> {
    const restored = this.#restore(readFile).catch((error: unknown) =>
      err([wholeFileProblem(this.#deps.policyFile, `internal error: ${messageOf(error)}`)]),
    );
    this.#running = restored.then(() => this.#finished());
    return restored;
  }

  async #restore(readFile: ReadFile): Promise<Result<string, readonly Problem[]>> {
    const reads = recordReads(readFile);
    const compiled = await this.#deps.compile(this.#deps.policyFile, reads.readFile, this.#isInForce);
    if (!compiled.ok) return compiled;
    const installed = await this.#deps.install(compiled.value);
    if (!installed.ok) return installed;
    this.#hash = compiled.value.hash;
    this.#inForce = new Set(reads.states.values());
    return ok(compiled.value.hash);
  }

  request(cause: ReloadCause): void {
    if (this.#closed) return;
    if (this.#running !== null) {
      if (this.#again !== "asked") this.#again = cause;
      return;
    }
    this.#running = this.#attempt(cause).then(() => this.#finished());
  }

  /** Resolves when no attempt is running or due. */
  async settled(): Promise<void> {
    while (this.#running !== null) await this.#running;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.settled();
  }

  #finished(): void {
    this.#running = null;
    const cause = this.#again;
    this.#again = null;
    if (cause !== null) this.request(cause);
  }

  readonly #isInForce: IsInForce = (content) => this.#inForce?.has(contentState(content)) ?? true;

  /** Null where the attempt counts for nothing. */
  async #attempt(cause: ReloadCause): Promise<Attempt | null> {
    const reads = recordReads(this.#deps.readFile);
    const outcome = await this.#tryPolicy(reads, cause);
    if (outcome === null) return null;
    if (outcome.ok) this.#inForce = new Set(reads.states.values());
    const atMs = this.#deps.clock.wallMs();
    const attempt: Attempt = outcome.ok
      ? { atMs, ...outcome.value, problems: [] }
      : { atMs, result: "refused", hash: null, problems: outcome.error, warnings: [] };
    this.#deps.onAttempt(attempt, reads.states);
    return attempt;
  }

  async #tryPolicy({ readFile: read, states }: RecordedReads, cause: ReloadCause): Promise<Outcome | null> {
    const contents = new Map<string, Result<Buffer, string>>();
    const readFile = readOnce(read, contents);
    try {
      const compiled = await this.#deps.compile(this.#deps.policyFile, readFile, this.#isInForce);
      if (cause === "changed" && !this.#deps.confirms(states)) return null;
      if (!compiled.ok) return compiled;
      const { hash } = compiled.value;
      if (hash === this.#hash) return ok({ result: "unchanged", hash, warnings: [] });
      const tested = await this.#deps.test(this.#deps.policyFile, readFile, compiled.value);
      if (!tested.ok) return tested;
      const installed = await this.#deps.install(compiled.value);
      if (!installed.ok) return installed;
      this.#hash = hash;
      this.#deps.onInstalled?.(compiled.value, contents);
      return ok({ result: "ok", hash, warnings: tested.value });
    } catch (error) {
      // A defect of ours, set off by some policy: the old one must go on serving all the same.
      return err([wholeFileProblem(this.#deps.policyFile, `internal error: ${messageOf(error)}`)]);
    }
  }
}

/** What is tested has to be what was compiled, though somebody writes meanwhile. */
function readOnce(read: ReadFile, contents: Map<string, Result<Buffer, string>>): ReadFile {
  return (absolute, isPolicy) => {
    const content = contents.get(absolute) ?? read(absolute, isPolicy);
    contents.set(absolute, content);
    return content;
  };
}

/** A problem of the policy as a whole. */
export function wholeFileProblem(file: string, text: string, path = ""): Problem {
  return { place: { file, line: 1, column: 1, path }, text };
}

/** `file:line:column: text`, which editors and terminals make a link of. */
export function problemText({ place, text }: Problem): string {
  return `${place.file}:${place.line}:${place.column}: ${text}`;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
