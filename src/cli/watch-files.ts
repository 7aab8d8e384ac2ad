import { dirname, resolve } from "node:path";
import { recordReads } from "../daemon/file-states.ts";
import { PolicyWatch, WATCH_TIMINGS } from "../daemon/policy-file.ts";
import { isTestFile } from "../daemon/policy-tests.ts";
import type { ReadFile } from "../daemon/regular-file.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { ok } from "../support/result.ts";
import type { CommandIo } from "./command.ts";
import { readDisk } from "./policy-reader.ts";

const TIMINGS = { ...WATCH_TIMINGS, settleMs: DEFAULTS.watchSettleMs };

/**
 * Runs a command on policies, and again when a file that it has read is another one, until a signal ends it. Gives the exit code
 * of the last run. `read`: by which it has to read files.
 */
export async function watchFiles(
  policies: readonly string[],
  io: CommandIo,
  run: (read: ReadFile, told: CommandIo) => Promise<number>,
): Promise<number> {
  const signs = new Signs();
  const folders = new Set(policies.map((policy) => `${resolve(io.cwd, dirname(policy))}/`));
  const readFile = namingTests(policies, folders);
  const watch = new PolicyWatch({
    clock: io.clock,
    timings: TIMINGS,
    readFile,
    onChange: () => signs.changed(),
    onWaiting: (path) => io.stderr(`${path}: is still being written\n`),
    onError: (text) => io.stderr(`changes are found by looking from time to time only: ${text}\n`),
  });
  let code = 0;
  let isFirst = true;
  for (;;) {
    const reads = recordReads(readFile);
    // A file of tests that is new, or gone.
    for (const folder of folders) reads.readFile(folder);
    const told = new Told(io);
    code = await run(reads.readFile, told.io);
    // Where somebody wrote meanwhile, nothing is told, and what is whole will be.
    if (isFirst || watch.confirms(reads.states)) {
      told.tell();
      const count = reads.states.size - folders.size;
      io.stdout(`${count} ${count === 1 ? "file is" : "files are"} watched; Ctrl-C ends\n`);
      watch.follow(reads.states);
    }
    if (isFirst) watch.start();
    isFirst = false;
    if (await signs.next()) break;
    io.stdout("\n");
  }
  await watch.close();
  return code;
}

/** A folder is the list of what in it are files of tests of these policies: others come and go. */
function namingTests(policies: readonly string[], folders: ReadonlySet<string>): ReadFile {
  return (absolute) => {
    const content = readDisk(absolute);
    if (!folders.has(absolute) || !content.ok) return content;
    const names = content.value.toString().split("\n");
    const isTest = (name: string): boolean => policies.some((policy) => isTestFile(policy, name));
    return ok(Buffer.from(names.filter(isTest).join("\n")));
  };
}

/** What is waited for: a change, or the end. */
class Signs {
  #isEnded = false;
  #hasChanged = false;
  #wake: (() => void) | null = null;

  constructor() {
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      process.once(signal, () => {
        this.#isEnded = true;
        this.#wake?.();
      });
    }
  }

  changed(): void {
    this.#hasChanged = true;
    this.#wake?.();
  }

  /** Whether it is the end. */
  async next(): Promise<boolean> {
    if (!this.#isEnded && !this.#hasChanged)
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    this.#wake = null;
    this.#hasChanged = false;
    return this.#isEnded;
  }
}

/** What a run says, until it is known to be of whole files. */
class Told {
  readonly io: CommandIo;
  readonly #tell: (() => void)[] = [];

  constructor(io: CommandIo) {
    this.io = {
      ...io,
      stdout: (text) => this.#tell.push(() => io.stdout(text)),
      stderr: (text) => this.#tell.push(() => io.stderr(text)),
    };
  }

  tell(): void {
    for (const one of this.#tell) one();
  }
}
