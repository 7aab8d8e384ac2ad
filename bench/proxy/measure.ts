import { mkdtempSync } from "node:fs";
import { join } from "node:path";
import type { Contestant } from "./contestant.ts";
import { answers, assertCorrect, requestText } from "./correctness.ts";
import { generateH2Load } from "./h2-load.ts";
import type { LoadResult, LoadSettings } from "./load.ts";
import { residentMiB } from "./process-usage.ts";
import { freePort, OTHER_CORE, PROXY_CORE, type Running, run, start } from "./processes.ts";
import type { Workload } from "./workloads.ts";
import { BODY, PATH, type World } from "./world.ts";

const CONNECTIONS = 32;
const WARM_UP_MS = 1_000;
const READY_TIMEOUT_MS = 10_000;
const READY_POLL_MS = 2;
/** Until memory that only starting needed has been given back. */
const SETTLE_MS = 1_000;

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

export interface Bench {
  readonly world: World;
  readonly originPort: number;
  readonly measureMs: number;
}

/** Starts a contestant anew, checks that it does the work, loads it, stops it. */
export async function measure(bench: Bench, contestant: Contestant, workload: Workload): Promise<Sample> {
  const { process: proxy, port } = await launch(bench, contestant, workload);
  try {
    await assertCorrect(contestant, workload, bench.world, port);
    const load = await generateLoad(bench, workload, port, proxy);
    proxy.assertAlive();
    return {
      cpuUs: (load.cpuSeconds / load.requests) * 1e6,
      rps: load.requests / load.seconds,
      p50Ms: load.p50Ms,
      p99Ms: load.p99Ms,
      foreignShare: load.foreignSeconds / load.seconds,
    };
  } finally {
    await proxy.stop();
  }
}

/** Starts a contestant anew and lets it rest. */
export async function measureIdle(bench: Bench, contestant: Contestant, workload: Workload): Promise<Idle> {
  const { process: proxy, readyMs } = await launch(bench, contestant, workload);
  try {
    await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
    return { readyMs, residentMiB: residentMiB(proxy.tree()) };
  } finally {
    await proxy.stop();
  }
}

async function launch(bench: Bench, contestant: Contestant, workload: Workload) {
  const port = await freePort();
  const folder = mkdtempSync(join(bench.world.folder, `${contestant.name}-`));
  const ports = { proxy: port, origin: bench.originPort };
  const command = contestant.configure(workload, bench.world, ports, folder);
  const startedMs = performance.now();
  const process = start(command, PROXY_CORE, join(folder, "log"));
  try {
    await untilReady(process, () => answers(workload, bench.world, port));
  } catch (error) {
    await process.stop();
    throw error;
  }
  return { process, port, readyMs: performance.now() - startedMs };
}

/** Polls until `ready`; throws when the process ends or takes too long. */
export async function untilReady(process: Running, ready: () => Promise<boolean>): Promise<void> {
  const deadlineMs = performance.now() + READY_TIMEOUT_MS;
  while (!(await ready())) {
    process.assertAlive();
    if (performance.now() > deadlineMs) throw new Error("a process is not ready in time");
    await new Promise((resolve) => setTimeout(resolve, READY_POLL_MS));
  }
}

async function generateLoad(bench: Bench, workload: Workload, port: number, proxy: Running): Promise<LoadResult> {
  const { ca, client, tokens } = bench.world;
  const token = workload.policy === "full" ? tokens.good : null;
  if (workload.protocol === "h2") return generateH2Load(bench.world, port, token, proxy, WARM_UP_MS, bench.measureMs);
  const settings: LoadSettings = {
    port,
    tls: workload.transport === "plain" ? null : { ca, certificate: client.certificate, key: client.key },
    request: requestText(token, PATH, false),
    bodyBytes: BODY.length,
    connections: CONNECTIONS,
    warmUpMs: WARM_UP_MS,
    measureMs: bench.measureMs,
    ratePerSecond: workload.ratePerSecond,
    pids: proxy.tree(),
    core: PROXY_CORE,
  };
  const script = join(import.meta.dirname, "load.ts");
  return JSON.parse(await run({ file: process.execPath, args: [script, JSON.stringify(settings)] }, OTHER_CORE));
}
