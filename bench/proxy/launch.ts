import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type Contestant, OUTPUT_FILE } from "./contestant.ts";
import { answers } from "./correctness.ts";
import { freePort, PROXY_CORE, type Running, start } from "./processes.ts";
import type { Workload } from "./workloads.ts";
import type { World } from "./world.ts";

/** Ports of the services on 127.0.0.1. */
export interface Origins {
  readonly originPort: number;
  /** The same service over HTTP/2 with prior knowledge. */
  readonly h2cPort: number;
  /** A service that takes bodies of any length. */
  readonly uploadPort: number;
}

/** What all measurements share. */
export interface Bench extends Origins {
  readonly world: World;
  /** Length of a load period. */
  readonly measureMs: number;
}

/** A contestant at work. */
export interface Launched {
  readonly process: Running;
  readonly port: number;
  readonly folder: string;
  /** From spawning to the first good answer, in milliseconds. */
  readonly readyMs: number;
}

/** Of a busy machine, where a process that is not started yet is given a few per cent of a core. */
const READY_TIMEOUT_MS = 60_000;
const READY_POLL_MS = 2;
/** Until memory that only starting needed has been given back: postern looks for a quiet moment once a second. */
const SETTLE_MS = 3_000;

/** Starts a contestant anew, lets `use` have it, and stops it whatever happens. */
export async function withContestant<T>(
  bench: Bench,
  contestant: Contestant,
  workload: Workload,
  use: (launched: Launched) => Promise<T>,
): Promise<T> {
  const folder = mkdtempSync(join(bench.world.folder, `${contestant.name}-`));
  const port = await freePort();
  const ports = { proxy: port, origin: originOf(workload, bench) };
  const command = contestant.configure(workload, bench.world, ports, folder);
  const startedMs = performance.now();
  const process = start(command, PROXY_CORE, join(folder, OUTPUT_FILE));
  try {
    await untilReady(process, () => answers(workload, bench.world, port));
    const result = await use({ process, port, folder, readyMs: performance.now() - startedMs });
    process.assertAlive();
    return result;
  } finally {
    await process.stop();
    rmSync(folder, { recursive: true });
  }
}

function originOf({ work, upstream }: Workload, { originPort, h2cPort, uploadPort }: Bench): number {
  if (work === "upload") return uploadPort;
  return upstream === "h2c" ? h2cPort : originPort;
}

/** Polls until `ready`; throws when the process ends or takes too long. */
export async function untilReady(process: Running, ready: () => Promise<boolean>): Promise<void> {
  const deadlineMs = performance.now() + READY_TIMEOUT_MS;
  while (!(await ready())) {
    process.assertAlive();
    if (performance.now() > deadlineMs) throw new Error(`a process is not ready in time:\n${process.logTail()}`);
    await elapsed(READY_POLL_MS);
  }
}

/** After it, memory is what a process at rest holds. */
export function settled(): Promise<void> {
  return elapsed(SETTLE_MS);
}

export function elapsed(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
