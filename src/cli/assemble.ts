import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { totalmem } from "node:os";
import type { DaemonDeps } from "../daemon/daemon.ts";
import { RateTables } from "../filters/limit/rate-tables.ts";
import { MemoryBudget } from "../memory/budget.ts";
import { machineLimit } from "../memory/machine-limit.ts";
import { compilePolicy } from "../policy/compile.ts";
import type { FileGuard } from "../policy/file-guard.ts";
import { Kept } from "../policy/kept.ts";
import { createProxy } from "../proxy/create-proxy.ts";
import { type Clock, sharedClock } from "../support/clock.ts";
import { DEFAULTS } from "../support/defaults.ts";
import type { LogSink } from "../telemetry/log-sink.ts";
import { measureLoopDelay } from "./loop-delay.ts";
import { readProcessFigures } from "./process-figures.ts";
import { releaseMemory } from "./release-memory.ts";

/** The parts of the living process put together, for `startDaemon`. */
export function assembleDaemon(clock: Clock, sink: LogSink, guard: FileGuard | undefined): DaemonDeps {
  const seed = randomBytes(8);
  const memory = new MemoryBudget(machineLimit({ readText, totalBytes: totalmem() }));
  const rateTables = new RateTables(
    [seed.readUInt32LE(0), seed.readUInt32LE(4)],
    sharedClock,
    undefined,
    memory.tables,
  );
  const kept = new Kept();
  const idPrefix = randomBytes(6).toString("base64url");
  return {
    clock,
    sink,
    processFigures: readProcessFigures,
    releaseMemory,
    memory,
    loopDelay: measureLoopDelay(),
    compile: (file, readFile, isInForce) =>
      compilePolicy(file, {
        readFile,
        isInForce,
        guard,
        clock,
        rateTables,
        kept,
        memory,
        sliceMs: DEFAULTS.compileSliceMs,
      }),
    createProxy: (snapshot, telemetry) => createProxy(snapshot, { clock, telemetry, memory, idPrefix }),
  };
}

function readText(file: string): string | null {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return null;
  }
}
