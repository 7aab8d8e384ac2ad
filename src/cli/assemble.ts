import { randomBytes } from "node:crypto";
import type { DaemonDeps } from "../daemon/daemon.ts";
import { RateTable } from "../filters/limit/rate-table.ts";
import { compilePolicy } from "../policy/compile.ts";
import { createProxy } from "../proxy/create-proxy.ts";
import type { Clock } from "../support/clock.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { createLogSink, fileOf } from "../telemetry/log-sink.ts";
import type { ProcessFigures } from "../telemetry/process-metrics.ts";

/** The parts of the living process, put together: what `startDaemon` needs. Log lines go to the descriptor `logFd`. */
export function assembleDaemon(clock: Clock, logFd: number, processFigures: (() => ProcessFigures) | null): DaemonDeps {
  const seed = randomBytes(8);
  const rateTable = new RateTable(DEFAULTS.rateKeysMax, [seed.readUInt32LE(0), seed.readUInt32LE(4)], clock);
  const idPrefix = randomBytes(6).toString("base64url");
  return {
    clock,
    sink: createLogSink(fileOf(logFd)),
    processFigures,
    compile: (policyFile, readFile) => compilePolicy(policyFile, { readFile, clock, rateTable }),
    createProxy: (snapshot, telemetry) => createProxy(snapshot, { clock, telemetry, idPrefix }),
  };
}
