import { readdirSync, readFileSync } from "node:fs";
import { performance } from "node:perf_hooks";
import type { ProcessFigures } from "../telemetry/process-metrics.ts";

/** What the operating system and the runtime say of this process, read anew at every call. */
export function readProcessFigures(): ProcessFigures {
  const cpu = process.cpuUsage();
  const memory = process.memoryUsage();
  const loop = performance.eventLoopUtilization();
  return {
    cpuUserSeconds: cpu.user / 1e6,
    cpuSystemSeconds: cpu.system / 1e6,
    startTimeSeconds: performance.timeOrigin / 1000,
    residentBytes: memory.rss,
    heapUsedBytes: memory.heapUsed,
    heapTotalBytes: memory.heapTotal,
    externalBytes: memory.external,
    openFds: orNull(() => readdirSync("/proc/self/fd").length),
    maxFds: orNull(readFdLimit),
    eventLoopActiveSeconds: loop.active / 1000,
    eventLoopIdleSeconds: loop.idle / 1000,
    nodeVersion: process.version,
  };
}

function readFdLimit(): number | null {
  const soft = /^Max open files\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8"))?.[1];
  return soft === undefined ? null : Number(soft);
}

/** /proc is Linux's; elsewhere these figures are missing and nothing else is. */
function orNull(read: () => number | null): number | null {
  try {
    return read();
  } catch {
    return null;
  }
}
