import { readdirSync } from "node:fs";
import { basename, dirname, extname, join, resolve } from "node:path";
import type { Kept } from "../policy/kept.ts";
import type { Problem, Snapshot } from "../policy/snapshot.ts";
import type { PolicyTest } from "../policy/tests/policy-test.ts";
import type { TestReport } from "../rehearsal/run-tests.ts";
import type { Clock } from "../support/clock.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { err, ok, type Result } from "../support/result.ts";
import type { Timers } from "../support/timers.ts";
import { Turns } from "../support/turns.ts";
import type { ReadFile } from "./regular-file.ts";
import { wholeFileProblem } from "./reload.ts";

export interface TestInputs {
  readonly readFile: ReadFile;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Where a relative name of the policy starts from; the process's own if absent. */
  readonly cwd?: string;
  /** Of the process that serves; what tests need of large tables is made anew if absent. */
  readonly kept?: Kept;
  /** What texts of tests refer to may not be at hand, and is no problem then. */
  readonly isOffline?: boolean;
  /** How long tests may hold the thread at a stretch; without end if absent. */
  readonly sliceMs?: number;
  /** When no further request is asked; never if absent. */
  readonly budgetMs?: number;
  /** Files of tests beside a policy that is in another file; null, or absent, where the policy is a file by itself. */
  readonly testNames?: (policyFile: string) => readonly string[] | null;
  /** Hears before each test how many are done. */
  readonly onTest?: (done: number, all: number) => void;
}

/**
 * Files of tests beside a policy: of `orders.yaml` `orders.test.yaml` and `orders.anything.test.yaml`, by name, in the words
 * of the policy's own name. A folder that cannot be listed has none.
 */
export function testFilesBeside(policyFile: string, cwd = ""): readonly string[] {
  try {
    const names = readdirSync(resolve(cwd, dirname(policyFile))).filter((name) => isTestFile(policyFile, name));
    return names.sort().map((name) => join(dirname(policyFile), name));
  } catch {
    return [];
  }
}

/** Whether a file of that name, beside the policy, holds tests of it. */
export function isTestFile(policyFile: string, name: string): boolean {
  const stem = basename(policyFile, extname(policyFile));
  return name.startsWith(`${stem}.`) && /\.test\.ya?ml$/.test(name) && name !== basename(policyFile);
}

export interface FoundTests {
  readonly tests: readonly PolicyTest[];
  readonly problems: readonly Problem[];
  /** What they refer to and is not at hand, where that is no problem. */
  readonly absent: readonly Problem[];
}

/** Reads those files; their form is judged as that of the policy's own tests. */
export async function readTestFiles(
  policyFile: string,
  { readFile, clock, env, cwd, isOffline = false, sliceMs = Number.POSITIVE_INFINITY, testNames }: TestInputs,
): Promise<FoundTests> {
  const within = testNames?.(policyFile)?.map((name) => join(dirname(policyFile), name));
  const files = within ?? testFilesBeside(policyFile, cwd);
  if (files.length === 0) return { tests: [], problems: [], absent: [] };
  if (files.length > DEFAULTS.testFilesMax) {
    const text = `${files.length} files of tests stand beside it; expected at most ${DEFAULTS.testFilesMax}`;
    return { tests: [], problems: [wholeFileProblem(policyFile, text)], absent: [] };
  }
  const { readTestFile } = await import("../policy/tests/read.ts");
  const turns = new Turns(clock, sliceMs);
  const tests: PolicyTest[] = [];
  const problems: Problem[] = [];
  const absent: Problem[] = [];
  const read = besidePolicy(policyFile, { readFile, ...(cwd === undefined ? {} : { cwd }) });
  for (const file of files) {
    const found = await turns.run(readTestFile(file, read(basename(file)), { read, env, isOffline }));
    for (const test of found.tests) tests.push(test);
    problems.push(...found.problems);
    absent.push(...found.absent);
  }
  return { tests, problems, absent };
}

/** Reads files by names that start from the policy's folder. */
export function besidePolicy(
  policyFile: string,
  { readFile, cwd = "" }: Pick<TestInputs, "readFile" | "cwd">,
): (name: string) => Result<Buffer, string> {
  const folder = resolve(cwd, dirname(policyFile));
  return (name) => readFile(resolve(folder, name));
}

/** Runs the tests of a policy that compiles, and of the files beside it, those of which `isWanted` holds. */
export async function runPolicyTests(
  policyFile: string,
  beside: readonly PolicyTest[],
  inputs: TestInputs,
  isWanted: (test: PolicyTest) => boolean = () => true,
): Promise<Result<TestReport, readonly Problem[]>> {
  const { clock, timers, sliceMs, budgetMs, onTest } = inputs;
  const { openTestWorld } = await import("../rehearsal/test-world.ts");
  const { runTests } = await import("../rehearsal/run-tests.ts");
  const opened = await openTestWorld(policyFile, inputs);
  if (!opened.ok) return opened;
  const world = opened.value;
  const report = await runTests(world, [...world.tests, ...beside].filter(isWanted), {
    clock,
    timers,
    readFile: besidePolicy(policyFile, inputs),
    ...(sliceMs === undefined ? {} : { sliceMs }),
    ...(onTest === undefined ? {} : { onTest }),
    ...(budgetMs === undefined ? {} : { budgetMs }),
  });
  world.close();
  return ok(report);
}

/**
 * Tests a policy before it is in force. A test that fails is a problem; tests for which no time was left are a warning, so that
 * no policy waits for its tests without end.
 */
export async function testBeforeSwap(
  policyFile: string,
  { hasTests }: Pick<Snapshot, "hasTests">,
  inputs: TestInputs,
): Promise<Result<readonly Problem[], readonly Problem[]>> {
  const beside = await readTestFiles(policyFile, inputs);
  if (beside.problems.length > 0) return err(beside.problems);
  if (!hasTests && beside.tests.length === 0) return ok([]);
  const run = await runPolicyTests(policyFile, beside.tests, inputs);
  if (!run.ok) return run;
  const { results, left } = run.value;
  const { failureLine } = await import("../rehearsal/run-tests.ts");
  const failed = results.flatMap(({ test, outcome, failure }) =>
    outcome === "failed" && failure !== null
      ? [{ place: test.place, text: `test '${test.name}' fails: ${failureLine(failure)}` }]
      : [],
  );
  if (failed.length > 0) return err(failed.slice(0, DEFAULTS.policyProblemsMax));
  const done = results.flatMap(({ test, outcome }) =>
    outcome === "done"
      ? [{ place: test.place, text: `test '${test.name}' holds now; expected it without 'todo'` }]
      : [],
  );
  if (left === 0) return ok(done);
  const text = `${results.length} of ${results.length + left} tests ran in ${inputs.budgetMs} ms, and none fails; 'postern test' runs all`;
  return ok([wholeFileProblem(policyFile, text, "tests"), ...done]);
}
