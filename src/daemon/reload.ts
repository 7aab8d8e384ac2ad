import type { LadderStep } from "../policy/ladder-step.ts";
import type { Problem, Snapshot } from "../policy/snapshot.ts";
import type { Clock } from "../support/clock.ts";
import { err, ok, type Result } from "../support/result.ts";
import type { ReloadResult, RollbackCause } from "../telemetry/metrics.ts";
import { contentState, type FileState, type FileStates, type RecordedReads, recordReads } from "./file-states.ts";
import type { RolledBack } from "./policy-room.ts";
import type { ReadFile } from "./regular-file.ts";
import type { Overlaid, StepChange, StepOverlay, StepsSet, StepWay } from "./step-change.ts";
import { type Loaded, UndoneChange } from "./undone-change.ts";

/** Text → snapshot. Reads files only through `readFile`, so that what was read is known. */
export type Compile = (
  policyFile: string,
  readFile: ReadFile,
  isInForce: IsInForce,
  overlay?: StepOverlay,
) => Promise<Result<Snapshot, readonly Problem[]>>;

/** Whether a file with this content is part of the policy that runs: what has aged in it refuses nothing. */
export type IsInForce = (content: Buffer) => boolean;

/**
 * Puts a snapshot in force everywhere, or nowhere: problems mean that nothing has changed. `base` is the same policy as its file
 * has it, without steps that are set.
 */
export type Install = (snapshot: Snapshot, base: Snapshot) => Promise<Result<null, readonly Problem[]>>;

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
  /** Absent where nobody can set any. */
  readonly steps?: StepsSet;
  /** Puts the policy in force as `snapshot` has it; null: as its file does. */
  readonly lay?: (snapshot: Snapshot | null, way: StepWay) => Promise<Result<Snapshot, readonly Problem[]>>;
  /** Puts the policy before the one that runs in force; why not, where nothing has changed. */
  readonly putBack?: (cause: RollbackCause) => Promise<Result<RolledBack, string>>;
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
  /** The policy that runs, and the one before. */
  #loaded: Loaded | null = null;
  #earlier: Loaded | null = null;
  #undone: UndoneChange | null = null;
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
    const installed = await this.#deps.install(compiled.value, compiled.value);
    if (!installed.ok) return installed;
    const { hash } = compiled.value;
    this.#follow({ hash, states: reads.states });
    return ok(hash);
  }

  /** Puts the policy before the one that runs in force again, and refuses the change between them until it is another. */
  rollBack(cause: RollbackCause): Promise<Result<RolledBack, string>> {
    return this.#alone(() => this.#rollBack(cause));
  }

  /** Lays other steps of the ladder over the policy in force; why not, where nothing has changed. */
  relay(change: StepChange): Promise<Result<null, string>> {
    return this.#alone(() => this.#relay(change));
  }

  /** Does what changes the policy in force while nothing else does. */
  async #alone<T>(act: () => Promise<Result<T, string>>): Promise<Result<T, string>> {
    while (this.#running !== null) await this.#running;
    if (this.#closed) return err("the process is ending");
    const done = act().catch((error: unknown) => err(`internal error: ${messageOf(error)}`));
    this.#running = done.then(() => this.#finished());
    return done;
  }

  async #relay(change: StepChange): Promise<Result<null, string>> {
    const steps = change.steps();
    const laid = steps.length === 0 ? ok(null) : await this.#compileWith(steps);
    if (!laid.ok) return laid;
    const fault = laid.value === null ? null : change.fault(laid.value);
    if (fault !== null) return err(fault);
    const installed = (await this.#deps.lay?.(laid.value, change.way())) ?? err([]);
    if (!installed.ok) return err(`it cannot be put in force: ${installed.error.map(problemText).join("; ")}`);
    change.done(installed.value);
    return ok(null);
  }

  /** The policy in force with steps, of the files as they stand on disk. */
  async #compileWith(steps: readonly LadderStep[]): Promise<Result<Snapshot, string>> {
    const { policyFile, compile, readFile } = this.#deps;
    const compiled = await compile(policyFile, readOnce(readFile, new Map()), this.#isInForce, { steps });
    if (!compiled.ok)
      return err(`the policy does not compile with it: ${compiled.error.map(problemText).slice(0, 3).join("; ")}`);
    if (compiled.value.hash === this.#loaded?.hash) return compiled;
    return err("the policy on disk is not the one in force; a step can be set once it is, or the old one stands there");
  }

  async #rollBack(cause: RollbackCause): Promise<Result<RolledBack, string>> {
    const done = (await this.#deps.putBack?.(cause)) ?? err("nothing can be put back");
    const [undone, before] = [this.#loaded, this.#earlier];
    if (!done.ok || undone === null || before === null) return done;
    this.#deps.steps?.rolledBack();
    this.#undone = new UndoneChange(undone, before, new Date(this.#deps.clock.wallMs()).toISOString());
    this.#follow(before);
    this.#earlier = null;
    return done;
  }

  #follow(loaded: Loaded): void {
    this.#loaded = loaded;
    this.#inForce = new Set(loaded.states.values());
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
      const loaded: Loaded = { hash, states: new Map(states) };
      if (hash === this.#loaded?.hash) {
        this.#undone = null;
        this.#follow(loaded);
        return ok({ result: "unchanged", hash, warnings: [] });
      }
      const undone = this.#undone?.refusal(loaded) ?? null;
      if (undone !== null) return err([wholeFileProblem(this.#deps.policyFile, undone)]);
      const tested = await this.#deps.test(this.#deps.policyFile, readFile, compiled.value);
      if (!tested.ok) return tested;
      const overlaid = await this.#withSteps(compiled.value, readFile);
      const installed = await this.#deps.install(overlaid.snapshot, compiled.value);
      if (!installed.ok) return installed;
      overlaid.settle();
      this.#earlier = this.#loaded;
      this.#undone = null;
      this.#follow(loaded);
      this.#deps.onInstalled?.(compiled.value, contents);
      return ok({ result: "ok", hash, warnings: tested.value });
    } catch (error) {
      // A defect of ours, set off by some policy: the old one must go on serving all the same.
      return err([wholeFileProblem(this.#deps.policyFile, `internal error: ${messageOf(error)}`)]);
    }
  }

  /** What is in force next: the policy with the steps that are set. */
  #withSteps(base: Snapshot, readFile: ReadFile): Promise<Overlaid> | Overlaid {
    const { steps, policyFile, compile } = this.#deps;
    const beside = base.resources;
    if (steps === undefined) return { snapshot: base, settle: () => {} };
    return steps.over(base, (all) => compile(policyFile, readFile, this.#isInForce, { steps: all, beside }));
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
