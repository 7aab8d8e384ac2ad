import { createHash } from "node:crypto";
import { type BigIntStats, realpathSync, statSync } from "node:fs";
import type { Clock } from "../support/clock.ts";
import { DEFAULTS } from "../support/defaults.ts";
import type { Result } from "../support/result.ts";
import type { ReadFile } from "./regular-file.ts";

/** What reading a file gave: the hash of its content or why it could not be read. Equal states need no reload. */
export type FileState = string;

/** What one attempt to load the policy read, by absolute name, the policy first: also files that a refused policy names. */
export interface FileStates extends ReadonlyMap<string, FileState> {
  /** Which of them are the policy's own text. */
  readonly texts?: ReadonlySet<string>;
}

export interface RecordedReads {
  readonly readFile: ReadFile;
  readonly states: FileStates;
}

/** A reader that remembers exactly what it gave, so that no change between reading and watching can be missed. */
export function recordReads(read: ReadFile): RecordedReads {
  const texts = new Set<string>();
  const states = Object.assign(new Map<string, FileState>(), { texts });
  const readFile: ReadFile = (absolute, isPolicy) => {
    const result = read(absolute);
    if (states.size >= DEFAULTS.watchedFilesMax) return result;
    states.set(absolute, stateOf(result));
    if (isPolicy === true) texts.add(absolute);
    return result;
  };
  return { readFile, states };
}

function stateOf(result: Result<Buffer, string>): FileState {
  return result.ok ? contentState(result.value) : result.error;
}

/** State of a file that could be read. */
export function contentState(content: Buffer): FileState {
  return createHash("sha256").update(content).digest("hex");
}

/** A file as it was looked at. */
export interface Seen {
  /** Device, inode, size, times: while it stands still, so does the content, once it is old enough. */
  readonly stamp: string;
  /** Where the name leads, through all links; empty where there is nothing. */
  readonly target: string;
  readonly inode: string;
  /** When the inode was made, for a number is soon given to the next file; null where the file system does not tell. */
  readonly bornNs: bigint | null;
  /** Its inode changed after its content did, as a rename makes it. */
  readonly isMoved: boolean;
  readonly state: FileState;
  /** The last line is YAML's `...`, which says that nothing follows. */
  readonly hasEndMark: boolean;
  readonly exists: boolean;
  /** Since its last change, by the wall clock; negative where that lies ahead. */
  readonly ageMs: number;
}

export function isSameFile(a: Seen, b: Seen): boolean {
  return a.inode === b.inode && (a.bornNs === b.bornNs || a.bornNs === null || b.bornNs === null);
}

/**
 * Looks at files. One whose stamp stands still is not read again, once its change time is old enough that no second
 * save can hide behind the same stamp.
 */
export class FileReader {
  readonly #read: ReadFile;
  readonly #clock: Clock;
  #known = new Map<string, Seen>();

  constructor(read: ReadFile, clock: Clock) {
    this.#read = read;
    this.#clock = clock;
  }

  /** `expected`: what was read there last; only then the stamp is trusted, for some file systems tell of changes late. */
  look(path: string, expected: FileState | undefined): Seen {
    const stats = statOf(path);
    const stamp = stats === null ? "" : `${stats.dev}:${stats.ino}:${stats.size}:${stats.mtimeNs}:${stats.ctimeNs}`;
    const known = this.#known.get(path);
    if (known !== undefined && known.stamp === stamp && known.state === expected) return known;
    const content = this.#read(path);
    const ageMs = stats === null ? 0 : this.#clock.wallMs() - Number(stats.ctimeMs);
    const seen: Seen = {
      stamp,
      target: targetOf(path),
      inode: stats === null ? "" : `${stats.dev}:${stats.ino}`,
      bornNs: stats === null || stats.birthtimeNs === stats.ctimeNs ? null : stats.birthtimeNs,
      isMoved: stats !== null && stats.ctimeNs > stats.mtimeNs,
      state: stateOf(content),
      hasEndMark: content.ok && endsWithMark(content.value),
      exists: content.ok,
      ageMs,
    };
    if (stats !== null && ageMs > DEFAULTS.reloadStatTrustMs) this.#known.set(path, seen);
    else this.#known.delete(path);
    return seen;
  }

  /** Files that are of no interest any more are forgotten. */
  keepOnly(paths: FileStates): void {
    for (const path of this.#known.keys()) if (!paths.has(path)) this.#known.delete(path);
  }
}

const END_MARK = /(?:^|\n)\.\.\.[ \t]*\r?\n?$/;

function endsWithMark(content: Buffer): boolean {
  return END_MARK.test(content.subarray(-32).toString("latin1"));
}

function statOf(path: string): BigIntStats | null {
  try {
    return statSync(path, { bigint: true });
  } catch {
    return null;
  }
}

function targetOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return "";
  }
}
