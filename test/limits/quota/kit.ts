import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stateFiles } from "../../../src/daemon/state-files.ts";
import { QuotaBook } from "../../../src/limits/quota/book.ts";
import type { SharedCounts } from "../../../src/limits/quota/shared-counts.ts";
import { unlimitedMemory } from "../../../src/memory/budget.ts";
import type { ResourceWorld } from "../../../src/resources/resource.ts";
import { StateFolder } from "../../../src/resources/state-folder.ts";
import { type Clock, systemClock } from "../../../src/support/clock.ts";
import { err } from "../../../src/support/result.ts";
import { systemTimers, type Timers } from "../../../src/support/timers.ts";
import { onClose } from "../../fixtures/proxy.ts";

export const DAILY = {
  name: "daily",
  by: "principal",
  period: "day",
  timeZone: "UTC",
  resetDay: 1,
  keysMax: 10_000,
} as const;

/** A folder that is gone after the test. */
export function stateDirectory(): string {
  const folder = mkdtempSync(join(tmpdir(), "postern-quota-"));
  chmodSync(folder, 0o700);
  onClose(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export interface Told {
  readonly notes: string[];
  readonly warnings: string[];
  readonly states: string[];
}

export interface Opened extends Told {
  readonly book: QuotaBook;
}

/** A book on a real folder with a real thread; null for memory alone. */
export function openBook(directory: string | null, time: Clock & Timers = { ...systemClock, ...systemTimers }): Opened {
  const told: Told = { notes: [], warnings: [], states: [] };
  const files = directory === null ? null : stateFiles(directory, process.geteuid?.() ?? null);
  const warn = (file: string, text: string): number => told.warnings.push(`${file}: ${text}`);
  const world: ResourceWorld = {
    clock: time,
    timers: time,
    random: () => 0.5,
    residentBytes: () => 0,
    memory: unlimitedMemory(),
    openCaller: () => ({ call: () => Promise.resolve(err({ kind: "closed", text: "nobody" })), close: () => {} }),
    folder: files === null || directory === null ? null : new StateFolder(directory, files, warn),
    openFiles: (folder) => stateFiles(folder, null),
    readFile: () => err("no file"),
    changed: (resource) => void told.states.push(resource.status().state),
    note: (_resource, text) => void told.notes.push(text),
    recompile: () => {},
  };
  return { book: new QuotaBook(world), ...told };
}

/** Counts `times` requests of `key`; how many were admitted. */
export function spend(shared: SharedCounts, key: string, times: number, nowMs: number = Date.now()): number {
  let admitted = 0;
  for (let n = 0; n < times; n++) {
    shared.counts.turn(nowMs);
    if (shared.counts.take(shared.keyOf(key), 1, shared.limit, () => `principal ${key}`) !== null) admitted++;
  }
  return admitted;
}
