// Goal: a process that reloads ten thousand times is the process that it was. Method: a daemon with its parts, a policy that is
// another each time, memory after a collection and open files at ten points. `node --expose-gc bench/reloads.ts [TIMES]`.
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { assembleDaemon } from "../src/cli/assemble.ts";
import { startDaemon } from "../src/daemon/daemon.ts";
import { systemClock } from "../src/support/clock.ts";
import type { LogSink } from "../src/telemetry/log-sink.ts";

const times = Number(process.argv[2] ?? 10_000);
const folder = mkdtempSync(join(tmpdir(), "postern-reloads-"));
const policyFile = join(folder, "policy.yaml");

function policy(at: number): string {
  const routes = Array.from(
    { length: 20 },
    (_, route) => `  - { path: /r${route}/v${at % 7}, public: true, limit: [calls] }\n`,
  );
  return `version: 1
service: orders
listeners: [{ name: inbound, address: "unix:${join(folder, "inbound")}" }]
upstreams: { app: { address: "http://127.0.0.1:1" } }
limits: { calls: { rate: 5/second, key: client.address } }
routes:
${routes.join("")}`;
}

const quiet: LogSink = {
  onRecovered: () => {},
  linesDropped: 0,
  write: () => {},
  writeBytes: () => {},
  flush: () => {},
  flushSync: () => {},
  close: () => Promise.resolve(),
};

interface Point {
  readonly reloads: number;
  readonly heapBytes: number;
  readonly openFiles: number;
  readonly worstMs: number;
}

function point(reloads: number, worstMs: number): Point {
  globalThis.gc?.();
  const { heapUsed } = process.memoryUsage();
  return { reloads, heapBytes: heapUsed, openFiles: readdirSync("/proc/self/fd").length, worstMs: Math.round(worstMs) };
}

writeFileSync(policyFile, policy(0));
const started = await startDaemon({ policyFile }, assembleDaemon(systemClock, quiet, undefined));
if (!started.ok) throw new Error(started.error.map(({ text }) => text).join("\n"));
const daemon = started.value;
const points: Point[] = [];
const startMs = performance.now();
for (let done = 0; done < times; ) {
  let worstMs = 0;
  for (const end = Math.min(times, done + Math.ceil(times / 10)); done < end; done++) {
    writeFileSync(policyFile, policy(done + 1));
    const beganMs = performance.now();
    daemon.reload();
    await daemon.reloadSettled();
    worstMs = Math.max(worstMs, performance.now() - beganMs);
  }
  points.push(point(done, worstMs));
}
const perReloadMs = (performance.now() - startMs) / times;
const { generation } = daemon.status;
await daemon.close();
rmSync(folder, { recursive: true });
console.log(JSON.stringify({ times, generation, perReloadMs: Number(perReloadMs.toFixed(2)), points }, null, 2));
