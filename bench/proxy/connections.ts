import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Contestant } from "./contestant.ts";
import { assertCorrect, goodRequest, requestText } from "./correctness.ts";
import type { Held, IdleClientSettings } from "./idle-client.ts";
import { type Bench, elapsed, type Launched, settled, withContestant } from "./launch.ts";
import type { Sample } from "./measure.ts";
import { coreBusySeconds, cpuSeconds, residentMiB } from "./process-usage.ts";
import { OTHER_CORE, PROXY_CORE, start } from "./processes.ts";
import { IDLE_CONNECTIONS, type Workload } from "./workloads.ts";
import { BODY } from "./world.ts";

/** Many clients that have asked once and stay; the request that `Sample` speaks of is a handshake with its first GET. */
export interface ConnectionsSample extends Sample {
  readonly connections: number;
  /** What resident memory grew by, over the connections. */
  readonly bytesPerConnection: number;
  readonly residentBeforeMiB: number;
  readonly residentWithMiB: number;
}

/** What a process has open besides. */
const OTHER_FILES = 500;
const OPEN_TIMEOUT_MS = 120_000;
const OPEN_POLL_MS = 50;

export function measureConnections(
  bench: Bench,
  contestant: Contestant,
  workload: Workload,
): Promise<ConnectionsSample> {
  return withContestant(bench, contestant, workload, async (launched) => {
    await assertCorrect(contestant, workload, bench.world, launched.port);
    await settled();
    const pids = launched.process.tree();
    const connections = connectionsHere();
    const residentBeforeMiB = residentMiB(pids);
    const cpuBefore = cpuSeconds(pids);
    const busyBefore = coreBusySeconds(PROXY_CORE);
    const client = await openAll(bench, workload, launched, connections);
    try {
      const cpu = cpuSeconds(pids) - cpuBefore;
      const foreign = Math.max(0, coreBusySeconds(PROXY_CORE) - busyBefore - cpu);
      await settled();
      client.process.assertAlive();
      const residentWithMiB = residentMiB(pids);
      return {
        cpuUs: (cpu / connections) * 1e6,
        rps: connections / client.held.seconds,
        p50Ms: client.held.p50Ms,
        p99Ms: client.held.p99Ms,
        foreignShare: foreign / client.held.seconds,
        connections,
        bytesPerConnection: ((residentWithMiB - residentBeforeMiB) * 1024 ** 2) / connections,
        residentBeforeMiB,
        residentWithMiB,
      };
    } finally {
      await client.process.stop();
    }
  });
}

/** As many as the hard limit on open files allows, which Node raises its own to, and its children inherit. */
function connectionsHere(): number {
  const limit = /^Max open files +\d+ +(\d+|unlimited)/m.exec(readFileSync("/proc/self/limits", "utf8"))?.[1] ?? "0";
  return limit === "unlimited" ? IDLE_CONNECTIONS : Math.min(IDLE_CONNECTIONS, Number(limit) - OTHER_FILES);
}

async function openAll(bench: Bench, workload: Workload, { port, folder }: Launched, connections: number) {
  const settings: IdleClientSettings = {
    port,
    ca: bench.world.ca,
    request: requestText(goodRequest(workload, bench.world), false),
    body: BODY,
    connections,
  };
  const script = join(import.meta.dirname, "idle-client.ts");
  const log = join(folder, "idle-client.log");
  const client = start({ file: process.execPath, args: [script, JSON.stringify(settings)] }, OTHER_CORE, log);
  const deadlineMs = performance.now() + OPEN_TIMEOUT_MS;
  for (;;) {
    const text = readFileSync(log, "utf8");
    if (text.endsWith("}\n")) return { process: client, held: JSON.parse(text) as Held };
    client.assertAlive();
    if (performance.now() > deadlineMs) throw new Error(`${connections} clients could not connect in time: ${text}`);
    await elapsed(OPEN_POLL_MS);
  }
}
