import { randomBytes } from "node:crypto";
import type { DaemonDeps } from "../daemon/daemon.ts";
import { RateTables } from "../filters/limit/rate-tables.ts";
import { compilePolicy } from "../policy/compile.ts";
import type { FileGuard } from "../policy/file-guard.ts";
import { Kept } from "../policy/kept.ts";
import { createProxy } from "../proxy/create-proxy.ts";
import { type Clock, sharedClock } from "../support/clock.ts";
import { DEFAULTS } from "../support/defaults.ts";
import type { LogSink } from "../telemetry/log-sink.ts";
import { readProcessFigures } from "./process-figures.ts";
import { releaseMemory } from "./release-memory.ts";

/** The parts of the living process put together, for `startDaemon`. */
export function assembleDaemon(clock: Clock, sink: LogSink, guard: FileGuard | undefined): DaemonDeps {
  const seed = randomBytes(8);
  const rateTables = new RateTables([seed.readUInt32LE(0), seed.readUInt32LE(4)], sharedClock);
  const kept = new Kept();
  const idPrefix = randomBytes(6).toString("base64url");
  return {
    clock,
    sink,
    processFigures: readProcessFigures,
    releaseMemory,
    compile: (file, readFile) =>
      compilePolicy(file, { readFile, guard, clock, rateTables, kept, sliceMs: DEFAULTS.compileSliceMs }),
    createProxy: (snapshot, telemetry) => createProxy(snapshot, { clock, telemetry, idPrefix }),
  };
}
