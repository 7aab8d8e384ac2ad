import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { findProgram } from "./contestant.ts";
import type { LoadResult } from "./load.ts";
import { coreBusySeconds, cpuSeconds } from "./process-usage.ts";
import { OTHER_CORE, PROXY_CORE, type Running, run } from "./processes.ts";
import { PATH, type World } from "./world.ts";

/** As many requests in flight as the HTTP/1.1 workloads have, on connections that carry several. */
const CONNECTIONS = 4;
const STREAMS = 8;
const TAIL_MS = 300;

/**
 * Load over HTTP/2 with h2load, whose log names the start and the length of every request: those that ended within the
 * period in which CPU time was read are the ones that count.
 */
export async function generateH2Load(
  world: World,
  port: number,
  token: string | null,
  proxy: Running,
  warmUpMs: number,
  measureMs: number,
): Promise<LoadResult> {
  const folder = mkdtempSync(join(world.folder, "h2load-"));
  const log = join(folder, "log");
  const lengthMs = Math.ceil(warmUpMs + measureMs + TAIL_MS);
  const headers = [":authority: orders.example.org", "user-agent: bench", "accept: application/json"];
  if (token !== null) headers.push(`authorization: Bearer ${token}`);
  const args = [
    ...["-c", String(CONNECTIONS), "-m", String(STREAMS), "-t", "1", "-D", `${lengthMs}ms`, `--log-file=${log}`],
    "--tls13-ciphers=TLS_AES_128_GCM_SHA256",
    ...headers.flatMap((header) => ["-H", header]),
    `https://127.0.0.1:${port}${PATH}`,
  ];
  const finished = run({ file: findProgram("h2load") ?? "h2load", args }, OTHER_CORE);
  await elapsed(warmUpMs);
  const pids = proxy.tree();
  const cpuBefore = cpuSeconds(pids);
  const busyBefore = coreBusySeconds(PROXY_CORE);
  const fromUs = epochUs();
  await elapsed(measureMs);
  const untilUs = epochUs();
  const cpu = cpuSeconds(pids) - cpuBefore;
  const busy = coreBusySeconds(PROXY_CORE) - busyBefore;
  await finished;
  const { answered, latenciesUs } = readLog(log, fromUs, untilUs);
  rmSync(folder, { recursive: true });
  return {
    requests: latenciesUs.length,
    answered,
    seconds: (untilUs - fromUs) / 1e6,
    cpuSeconds: cpu,
    foreignSeconds: Math.max(0, busy - cpu),
    p50Ms: percentile(latenciesUs, 0.5) / 1000,
    p99Ms: percentile(latenciesUs, 0.99) / 1000,
  };
}

/** Lines of start (µs since the epoch), status and length (µs), tab-separated. */
function readLog(file: string, fromUs: number, untilUs: number) {
  const latencies: number[] = [];
  let answered = 0;
  for (const line of readFileSync(file, "latin1").split("\n")) {
    const [start, status, length] = line.split("\t").map(Number);
    if (start === undefined || length === undefined) continue;
    answered++;
    const endUs = start + length;
    if (endUs < fromUs || endUs > untilUs) continue;
    if (status !== 200) throw new Error(`h2load: a request ended with status ${status}`);
    latencies.push(length);
  }
  if (latencies.length === 0) throw new Error("h2load: no request ended in the measured period");
  return { answered, latenciesUs: Float64Array.from(latencies).sort() };
}

function percentile(sorted: Float64Array, share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share))] ?? Number.NaN;
}

function epochUs(): number {
  return (performance.timeOrigin + performance.now()) * 1000;
}

function elapsed(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
