import { dirname, resolve } from "node:path";
import { recordReads } from "../daemon/file-states.ts";
import { PolicyWatch, WATCH_TIMINGS } from "../daemon/policy-file.ts";
import { isTestFile, type TestInputs } from "../daemon/policy-tests.ts";
import type { ReadFile } from "../daemon/regular-file.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { ok } from "../support/result.ts";
import type { CommandIo } from "./command.ts";
import { testInputs } from "./test-inputs.ts";

const TIMINGS = { ...WATCH_TIMINGS, settleMs: DEFAULTS.testWatchSettleMs };

/**
 * Runs tests, and again when a file that they were read from is another one, until a signal ends it. Gives the exit code of
 * the last run.
 */
export async function watchTests(
  policy: string,
  io: CommandIo,
  configMap: string | undefined,
  run: (inputs: TestInputs, told: CommandIo) => Promise<number>,
): Promise<number> {
  const signs = new Signs();
  const inputs = testInputs(io, configMap);
  const folder = `${resolve(io.cwd, dirname(policy))}/`;
  const readFile = namingTests(policy, folder, inputs.readFile);
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
    reads.readFile(folder);
    const told = new Told(io);
    code = await run({ ...inputs, readFile: reads.readFile }, told.io);
    // Where somebody wrote meanwhile, nothing is told, and what is whole will be.
    if (isFirst || watch.confirms(reads.states)) {
      told.tell();
      io.stdout(`${reads.states.size - 1} files are watched; Ctrl-C ends\n`);
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

/** A folder is the list of what in it are files of this policy's tests: others come and go. */
function namingTests(policy: string, folder: string, read: ReadFile): ReadFile {
  return (absolute) => {
    const content = read(absolute);
    if (absolute !== folder || !content.ok) return content;
    const names = content.value.toString().split("\n");
    return ok(Buffer.from(names.filter((name) => isTestFile(policy, name)).join("\n")));
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
