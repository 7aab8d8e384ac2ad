import { createHash } from "node:crypto";
import { type BigIntStats, statSync } from "node:fs";
import type { Clock } from "../support/clock.ts";
import { DEFAULTS } from "../support/defaults.ts";
import type { Result } from "../support/result.ts";
import type { ReadFile } from "./regular-file.ts";

/** What reading a file gave: the hash of its content or why it could not be read. Equal states need no reload. */
export type FileState = string;

/** What one attempt to load the policy read, by absolute name: also files that a refused policy names. */
export type FileStates = ReadonlyMap<string, FileState>;

export interface RecordedReads {
  readonly readFile: ReadFile;
  readonly states: FileStates;
}

/** A reader that remembers exactly what it gave, so that no change between reading and watching can be missed. */
export function recordReads(read: ReadFile): RecordedReads {
  const states = new Map<string, FileState>();
  const readFile: ReadFile = (absolute) => {
    const result = read(absolute);
    if (states.size < DEFAULTS.watchedFilesMax) states.set(absolute, stateOf(result));
    return result;
  };
  return { readFile, states };
}

function stateOf(result: Result<Buffer, string>): FileState {
  return result.ok ? createHash("sha256").update(result.value).digest("hex") : result.error;
}

interface Seen {
  readonly stamp: string;
  readonly state: FileState;
}

/**
 * Looks whether files still are what an attempt read. A file whose stamp (device, inode, size, change time) stands
 * still is not read again, once its change time is old enough that no second save can hide behind the same stamp.
 */
export class FileComparer {
  readonly #read: ReadFile;
  readonly #clock: Clock;
  #seen = new Map<string, Seen>();

  constructor(read: ReadFile, clock: Clock) {
    this.#read = read;
    this.#clock = clock;
  }

  isChanged(states: FileStates): boolean {
    const seen = new Map<string, Seen>();
    let changed = false;
    for (const [path, state] of states) if (this.#current(path, seen) !== state) changed = true;
    this.#seen = seen;
    return changed;
  }

  #current(path: string, seen: Map<string, Seen>): FileState {
    const stats = statOf(path);
    const stamp = stats === null ? "" : `${stats.dev}:${stats.ino}:${stats.size}:${stats.mtimeNs}:${stats.ctimeNs}`;
    const before = this.#seen.get(path);
    const state = before !== undefined && before.stamp === stamp ? before.state : stateOf(this.#read(path));
    const ageMs = stats === null ? 0 : this.#clock.wallMs() - Number(stats.ctimeMs);
    if (stats !== null && ageMs > DEFAULTS.reloadStatTrustMs) seen.set(path, { stamp, state });
    return state;
  }
}

function statOf(path: string): BigIntStats | null {
  try {
    return statSync(path, { bigint: true });
  } catch {
    return null;
  }
}
