import type { Clock } from "../support/clock.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { FileReader, type FileState, type FileStates, isSameFile, type Seen } from "./file-states.ts";
import { type ReadFile, readRegularFile } from "./regular-file.ts";

/** What a look at the files shows. */
export interface Look {
  readonly changed: boolean;
  /** After this long what changed may be whole, if it stands still: 0 where it can be loaded. */
  readonly waitMs: number;
  /** The file that is waited for. */
  readonly path: string;
}

/** What is known of a file while it is not what the newest attempt read. */
interface Changing {
  readonly seen: Seen;
  readonly isWhole: boolean;
  /** When it was first seen as it is now, and when it was first seen changed. */
  readonly sinceMs: number;
  readonly changedMs: number;
}

/**
 * Tells a file that is whole from one that somebody is still writing: a policy cut off at a line may be a policy that
 * lets more pass. What is replaced (another inode that was moved here, or a link that leads elsewhere) is whole. What is
 * written where it stands is whole when nothing about it has changed for `settleMs`, or when it ends with YAML's mark
 * `...`. Time is measured by the monotonic clock from what was seen, since the file's own times may be anything.
 */
export class SettledFiles {
  readonly #clock: Clock;
  readonly #settleMs: number;
  readonly #reader: FileReader;
  #states: FileStates = new Map();
  /** The files as they were after the newest attempt. */
  #origins = new Map<string, Seen>();
  #changing = new Map<string, Changing>();

  constructor(read: ReadFile, clock: Clock, settleMs: number) {
    this.#clock = clock;
    this.#settleMs = settleMs;
    this.#reader = new FileReader(read, clock);
  }

  /** What the newest attempt read, whatever came of it. */
  follow(states: FileStates): void {
    const origins = new Map<string, Seen>();
    for (const [path, state] of states) origins.set(path, this.#originOf(path, state));
    this.#states = states;
    this.#origins = origins;
    this.#changing.clear();
    this.#reader.keepOnly(states);
  }

  look(): Look {
    let look: Look = { changed: false, waitMs: 0, path: "" };
    for (const [path, state] of this.#states) {
      const waitMs = this.#waitFor(path, state, this.#states);
      if (waitMs === null) continue;
      look = waitMs > look.waitMs ? { changed: true, waitMs, path } : { ...look, changed: true };
    }
    return look;
  }

  /**
   * 0 where an attempt that a change set off has read whole files, each as it was seen to stand still or to be replaced;
   * else how long to wait for the next: between a look and a read, somebody may have begun to write.
   */
  waitAfter(read: FileStates): number {
    let longestMs = 0;
    for (const [path, state] of read) {
      if (this.#states.get(path) === state) continue;
      const waitMs = this.#waitFor(path, this.#states.get(path), read) ?? 0;
      const isWhatWasRead = this.#changing.get(path)?.seen.state === state;
      longestMs = Math.max(longestMs, isWhatWasRead ? waitMs : Math.max(waitMs, 1));
    }
    return longestMs;
  }

  /** Null where the file is what was read; else how long it has to stand still from now on. */
  #waitFor(path: string, state: FileState | undefined, { texts }: FileStates): number | null {
    const seen = this.#reader.look(path, state);
    if (seen.state === state) {
      this.#changing.delete(path);
      return null;
    }
    const nowMs = this.#clock.monotonicMs();
    const before = this.#changing.get(path);
    const isSame = before !== undefined && before.seen.stamp === seen.stamp && before.seen.state === seen.state;
    const sinceMs = isSame ? before.sinceMs : nowMs;
    const changedMs = before?.changedMs ?? nowMs;
    const isWhole = isSame ? before.isWhole : this.#isWhole(path, seen, before?.seen);
    this.#changing.set(path, { seen, isWhole, sinceMs, changedMs });
    if (isWhole) return 0;
    const isPolicy = path === this.#states.keys().next().value || texts?.has(path) === true;
    // A list that somebody appends to all the time would never come into force.
    if (!isPolicy && nowMs - changedMs >= DEFAULTS.reloadSettleMaxMs) return 0;
    return Math.max(0, this.#quietMs(path, seen) - (nowMs - sinceMs));
  }

  #isWhole(path: string, seen: Seen, before: Seen | undefined): boolean {
    if (!seen.exists || seen.hasEndMark) return true;
    const origin = this.#origins.get(path);
    // A file that the policy names for the first time has mostly been there for long.
    if (origin === undefined) return seen.isMoved || seen.ageMs >= this.#settleMs;
    if (origin.target !== seen.target) return origin.target !== "" || seen.isMoved;
    return seen.isMoved && !(isSameFile(origin, seen) && isSameFile(before ?? origin, seen));
  }

  /** A file that ended with the mark is expected to do so again. */
  #quietMs(path: string, seen: Seen): number {
    const isUnmarked = this.#origins.get(path)?.hasEndMark === true && !seen.hasEndMark;
    return isUnmarked ? Math.max(this.#settleMs, DEFAULTS.reloadUnmarkedMs) : this.#settleMs;
  }

  /** The file as it is now, which is what the attempt read, or has been changed since. */
  #originOf(path: string, state: FileState): Seen {
    const changing = this.#changing.get(path);
    return changing?.seen.state === state ? changing.seen : this.#reader.look(path, state);
  }
}

/**
 * Resolves when the file at `path` was not written where it stands for `settleMs`: mostly at once, for a policy is older
 * than the process. No longer than a list is waited for; what is read then is what is there.
 */
export async function untilWritten(path: string, settleMs: number, clock: Clock): Promise<void> {
  const endMs = clock.monotonicMs() + DEFAULTS.reloadSettleMaxMs;
  for (;;) {
    const { exists, isMoved, hasEndMark, ageMs } = new FileReader(read, clock).look(path, undefined);
    const isFresh = exists && !isMoved && !hasEndMark && ageMs >= 0 && ageMs < settleMs;
    if (!isFresh || clock.monotonicMs() >= endMs) return;
    await new Promise((resolve) => setTimeout(resolve, settleMs - ageMs));
  }
}

const read: ReadFile = (path) => readRegularFile(path, DEFAULTS.addressBytesMax);
