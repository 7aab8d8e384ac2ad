import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Contestant, OUTPUT_FILE } from "./contestant.ts";
import { assertCorrect, goodRequest, requestText } from "./correctness.ts";
import { generateH2Load } from "./h2-load.ts";
import { type Bench, elapsed, type Launched, settled, withContestant } from "./launch.ts";
import type { LoadResult, LoadSettings } from "./load.ts";
import type { Pair, PairedSettings } from "./paired-load.ts";
import { POLICY_FILE, policyText } from "./postern.ts";
import { residentMiB } from "./process-usage.ts";
import { OTHER_CORE, PROXY_CORE, run } from "./processes.ts";
import { type Workload, withoutFacilities } from "./workloads.ts";
import { ANSWERS, PATH } from "./world.ts";

const CONNECTIONS = 32;
/** Until what runs often is compiled, which takes so many requests however busy the machine is; for everybody alike. */
const WARM_UP_MS = 1_000;
const WARM_UP_ANSWERS = 30_000;
const PACED_WARM_UP_MS = 4_000;
/** For the lines that a proxy holds back to write several at once. */
const LOG_TIMEOUT_MS = 3_000;
const LOG_POLL_MS = 100;
/** Requests that are logged beyond those that the load saw answered: one per connection, and the checks before. */
const LOG_SURPLUS_MAX = CONNECTIONS + 50;
/** Of a period with a facility, and of one without. */
const SLICE_MS = 500;

/** One period of load on a fresh process. */
export interface Sample {
  /** Share of the period in which something else ran on the proxy's core; much of it makes the sample doubtful. */
  readonly foreignShare: number;
  readonly cpuUs: number;
  readonly rps: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export interface Idle {
  /** From spawning to the first good answer, in milliseconds. */
  readonly readyMs: number;
  /** After a moment without requests. */
  readonly residentMiB: number;
}

/** Starts a contestant anew, checks that it does the work, loads it, stops it. */
export function measure(bench: Bench, contestant: Contestant, workload: Workload): Promise<Sample> {
  return withContestant(bench, contestant, workload, async (launched) => {
    await assertCorrect(contestant, workload, bench.world, launched.port);
    const load = await generateLoad(bench, workload, launched);
    if (workload.accessLog) await assertLogged(contestant, workload, launched, load.answered);
    assertAtWork(workload, launched.folder);
    return {
      cpuUs: (load.cpuSeconds / load.requests) * 1e6,
      rps: load.requests / load.seconds,
      p50Ms: load.p50Ms,
      p99Ms: load.p99Ms,
      foreignShare: load.foreignSeconds / load.seconds,
    };
  });
}

/** Starts a contestant anew and, where its memory is asked for, lets it rest. */
export function measureIdle(bench: Bench, contestant: Contestant, workload: Workload, rest: boolean): Promise<Idle> {
  return withContestant(bench, contestant, workload, async ({ process, readyMs }) => {
    if (rest) await settled();
    return { readyMs, residentMiB: residentMiB(process.tree()) };
  });
}

/**
 * What a facility adds to a request: one process of postern's, whose policy has it and has it not in turns. Two processes that do the
 * same differ by several microseconds, which is more than most facilities cost.
 */
export function measureAdded(
  bench: Bench,
  postern: Contestant,
  workload: Workload,
  pairs: number,
): Promise<readonly Pair[]> {
  return withContestant(bench, postern, workload, async (launched) => {
    const { world } = bench;
    const { folder, port, process } = launched;
    await assertCorrect(postern, workload, world, port);
    const textOf = (one: Workload) => policyText(one, world, { proxy: port, origin: bench.originPort }, folder);
    const settings: PairedSettings = {
      ...loadSettings({ ...bench, measureMs: SLICE_MS }, workload, launched),
      pid: process.pid,
      policyFile: join(folder, POLICY_FILE),
      outputFile: join(folder, OUTPUT_FILE),
      without: textOf(withoutFacilities(workload)),
      with: textOf(workload),
      pairs,
    };
    const measured: readonly Pair[] = await runLoad("paired-load.ts", settings, folder);
    if (workload.recorded) assertHas(join(folder, "state", "decisions.jsonl"), PATH);
    return measured;
  });
}

async function generateLoad(bench: Bench, workload: Workload, launched: Launched): Promise<LoadResult> {
  const { process, port, folder } = launched;
  const { world, measureMs } = bench;
  if (workload.protocol === "h2") {
    const { token } = goodRequest(workload, world);
    return generateH2Load(world, port, token, process, WARM_UP_MS, measureMs);
  }
  return runLoad("load.ts", loadSettings(bench, workload, launched), folder);
}

function loadSettings({ world, measureMs }: Bench, workload: Workload, { process, port }: Launched): LoadSettings {
  const { ca, client } = world;
  return {
    port,
    tls: workload.transport === "plain" ? null : { ca, certificate: client.certificate, key: client.key },
    request: requestText(goodRequest(workload, world), false),
    bodyBytes: workload.fields || workload.leaks ? null : ANSWERS[workload.answer].length,
    connections: CONNECTIONS,
    warmUpMs: workload.ratePerSecond === null ? WARM_UP_MS : PACED_WARM_UP_MS,
    warmUpAnswers: WARM_UP_ANSWERS,
    measureMs,
    ratePerSecond: workload.ratePerSecond,
    pids: process.tree(),
    core: PROXY_CORE,
  };
}

/** Runs a script that loads a contestant; what it prints. */
async function runLoad<Result>(script: string, settings: LoadSettings, folder: string): Promise<Result> {
  // A request of 1 MiB is too long for an argument.
  const file = join(folder, "load.json");
  writeFileSync(file, JSON.stringify(settings));
  const args = [join(import.meta.dirname, script), file];
  return JSON.parse(await run({ file: process.execPath, args }, OTHER_CORE));
}

/** What was measured has been at work. */
function assertAtWork(workload: Workload, folder: string): void {
  if (workload.recorded) assertHas(join(folder, "state", "decisions.jsonl"), PATH);
  if (workload.candidate) assertHas(join(folder, OUTPUT_FILE), "the candidate judges beside the policy");
}

function assertHas(file: string, text: string): void {
  if (!readFileSync(file, "latin1").includes(text)) throw new Error(`${file} has no '${text}'`);
}

/** A log that leaves lines out would be a cheap one. */
async function assertLogged(contestant: Contestant, workload: Workload, { folder }: Launched, answered: number) {
  const file = join(folder, contestant.accessLog);
  const deadlineMs = performance.now() + LOG_TIMEOUT_MS;
  let lines = linesAbout(PATH, file);
  while (lines < answered && performance.now() < deadlineMs) {
    await elapsed(LOG_POLL_MS);
    lines = linesAbout(PATH, file);
  }
  if (lines < answered || lines > answered + LOG_SURPLUS_MAX) {
    throw new Error(`${contestant.name} on ${workload.name}: ${lines} log lines about ${answered} requests`);
  }
}

function linesAbout(path: string, file: string): number {
  return readFileSync(file, "latin1")
    .split("\n")
    .filter((line) => line.includes(path)).length;
}
