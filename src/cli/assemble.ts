import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { totalmem } from "node:os";
import { openCaller } from "../calls/open-caller.ts";
import type { DaemonDeps } from "../daemon/daemon.ts";
import { testBeforeSwap } from "../daemon/policy-tests.ts";
import { readRegularFile } from "../daemon/regular-file.ts";
import { stateFiles } from "../daemon/state-files.ts";
import type { LadderSeed } from "../filters/ladder.ts";
import { Places } from "../limits/concurrency/places.ts";
import { RateTables } from "../limits/rate/rate-tables.ts";
import { MemoryBudget } from "../memory/budget.ts";
import { machineLimit } from "../memory/machine-limit.ts";
import { compilePolicy } from "../policy/compile.ts";
import type { FileGuard } from "../policy/file-guard.ts";
import { Kept } from "../policy/kept.ts";
import { createProxy } from "../proxy/create-proxy.ts";
import { Resources } from "../resources/registry.ts";
import { Waiting } from "../resources/waiting.ts";
import { type Clock, sharedClock } from "../support/clock.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { systemTimers } from "../support/timers.ts";
import type { LogSink } from "../telemetry/log-sink.ts";
import { fileFault } from "./file-fault.ts";
import { measureLoopDelay } from "./loop-delay.ts";
import { probeServices } from "./probe-services.ts";
import { readProcessFigures } from "./process-figures.ts";
import { releaseMemory } from "./release-memory.ts";

/** The parts of the living process put together, for `startDaemon`. */
export function assembleDaemon(clock: Clock, sink: LogSink, guard: FileGuard | undefined): DaemonDeps {
  const seed = randomBytes(16);
  const memory = new MemoryBudget(machineLimit({ readText, totalBytes: totalmem() }));
  const tableSeed = [seed.readUInt32LE(0), seed.readUInt32LE(4)] as const;
  const rateTables = new RateTables(tableSeed, sharedClock, undefined, memory.tables);
  const ladderSeed: LadderSeed = [seed.readInt32LE(8), seed.readInt32LE(12)];
  const kept = new Kept();
  const candidateKept = new Kept();
  const waiting = new Waiting(systemTimers);
  const places = new Places({ clock, timers: systemTimers, random: Math.random, memory });
  const resources = new Resources({
    clock,
    memory,
    residentBytes: () => process.memoryUsage.rss(),
    timers: systemTimers,
    random: Math.random,
    openCaller: (settings) => openCaller(settings, { clock, timers: systemTimers, random: Math.random }),
    openFiles: (directory) => stateFiles(directory, process.geteuid?.() ?? null),
    readFile: (absolute) => readRegularFile(absolute, DEFAULTS.secretBytesMax),
  });
  const probing = probeServices({ clock, timers: systemTimers });
  const idPrefix = randomBytes(6).toString("base64url");
  return {
    clock,
    sink,
    processFigures: readProcessFigures,
    releaseMemory,
    memory,
    loopDelay: measureLoopDelay(),
    fileFault,
    resources,
    compile: (file, readFile, isInForce, { steps, beside } = { steps: [] }) =>
      compilePolicy(file, {
        readFile,
        isInForce,
        steps,
        beside,
        guard,
        clock,
        rateTables,
        places,
        kept,
        memory,
        resources,
        probing,
        waiting,
        env: process.env,
        ladderSeed,
        sliceMs: DEFAULTS.compileSliceMs,
        outline: "digests",
      }),
    compileCandidate: (file, readFile, isInForce) =>
      compilePolicy(file, {
        readFile,
        isInForce,
        guard,
        clock,
        // Of its own: nothing that it counts or would ask is anybody's.
        rateTables: new RateTables(tableSeed, clock, DEFAULTS.candidateKeysMax),
        kept: candidateKept,
        env: process.env,
        ladderSeed,
        sliceMs: DEFAULTS.compileSliceMs,
      }),
    test: (file, readFile, snapshot) =>
      testBeforeSwap(file, snapshot, {
        readFile,
        clock,
        timers: systemTimers,
        env: process.env,
        kept,
        sliceMs: DEFAULTS.compileSliceMs,
        budgetMs: DEFAULTS.testBudgetMs,
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
