import { dirname } from "node:path";
import type { FSWatcher } from "chokidar";
import type { Clock } from "../support/clock.ts";
import { DEFAULTS } from "../support/defaults.ts";
import type { FileStates } from "./file-states.ts";
import type { ReadFile } from "./regular-file.ts";
import { SettledFiles } from "./settled-files.ts";
import { codeOf } from "./unix-socket.ts";
import { watchedPaths } from "./watched-paths.ts";

export interface WatchTimings {
  /** Quiet time after an event before files are looked at. */
  readonly debounceMs: number;
  /** How often files are looked at without any event: network file systems and some mounts send none. */
  readonly pollMs: number;
  /** How long a file that is written where it stands has to stand still. */
  readonly settleMs: number;
}

export const WATCH_TIMINGS: WatchTimings = {
  debounceMs: DEFAULTS.reloadDebounceMs,
  pollMs: DEFAULTS.reloadPollMs,
  settleMs: DEFAULTS.reloadSettleMs,
};

export interface PolicyWatchDeps {
  readonly clock: Clock;
  readonly timings: WatchTimings;
  readonly readFile: ReadFile;
  /**
   * Some file is not what the newest attempt read, and none of those looks as if it were being written. Called once,
   * until `follow` tells of the next attempt.
   */
  onChange(): void;
  /** A changed file does not stand still for long enough to be loaded. Once for each wait. */
  onWaiting(path: string): void;
  onError(text: string): void;
}

/**
 * Watches the policy and every file it names. Events only say when to look; contents decide. Folders are watched and
 * not files, because editors, Kubernetes and certificate tools replace files instead of writing into them.
 */
export class PolicyWatch {
  readonly #deps: PolicyWatchDeps;
  readonly #files: SettledFiles;
  #states: FileStates = new Map();
  #watcher: FSWatcher | null = null;
  #watched = "";
  #started = false;
  #closed = false;
  /** A change has been told and the attempt that answers it is not over. */
  #told = false;
  #timer: NodeJS.Timeout | null = null;
  /** Since when a file has been waited for; Infinity once that was told. */
  #waitingSinceMs: number | null = null;
  #firstEventMs = 0;
  #poll: NodeJS.Timeout | null = null;

  constructor(deps: PolicyWatchDeps) {
    this.#deps = deps;
    this.#files = new SettledFiles(deps.readFile, deps.clock, deps.timings.settleMs);
  }

  /** What the newest attempt read: the set to watch and the contents to compare with. */
  follow(states: FileStates): void {
    this.#states = states;
    this.#files.follow(states);
    this.#told = false;
    if (!this.#started) return;
    this.#rewatch();
    this.#touch();
  }

  /** Whether an attempt that a change set off read whole files; where not, it counts for nothing, and another follows. */
  confirms(read: FileStates): boolean {
    const waitMs = this.#files.waitAfter(read);
    if (waitMs === 0) return true;
    this.#told = false;
    if (this.#timer === null && !this.#closed) this.#lookIn(waitMs);
    return false;
  }

  /** What changes before the watch is up is seen when it is. */
  start(): void {
    if (this.#poll !== null) return;
    this.#poll = setInterval(() => this.#look(), this.#deps.timings.pollMs);
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#started = true;
      this.#rewatch();
      this.#touch();
    }, DEFAULTS.watchDelayMs);
  }

  async close(): Promise<void> {
    this.#closed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    if (this.#poll !== null) clearInterval(this.#poll);
    await this.#watcher?.close();
  }

  /** Something moved: look once it is quiet, but do not wait for quiet for ever. */
  #touch(): void {
    if (this.#closed) return;
    const nowMs = this.#deps.clock.monotonicMs();
    if (this.#timer === null) this.#firstEventMs = nowMs;
    else clearTimeout(this.#timer);
    const leftMs = this.#firstEventMs + DEFAULTS.reloadDebounceMaxMs - nowMs;
    this.#lookIn(Math.max(0, Math.min(this.#deps.timings.debounceMs, leftMs)));
  }

  #lookIn(waitMs: number): void {
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#look();
    }, waitMs);
  }

  #look(): void {
    if (this.#closed || this.#told) return;
    const { changed, waitMs, path } = this.#files.look();
    if (waitMs > 0) {
      this.#wait(waitMs, path);
      return;
    }
    this.#waitingSinceMs = null;
    if (!changed) return;
    this.#told = true;
    this.#deps.onChange();
  }

  #wait(waitMs: number, path: string): void {
    const nowMs = this.#deps.clock.monotonicMs();
    this.#waitingSinceMs ??= nowMs;
    if (nowMs - this.#waitingSinceMs >= DEFAULTS.reloadSettleMaxMs) {
      this.#waitingSinceMs = Number.POSITIVE_INFINITY;
      this.#deps.onWaiting(path);
    }
    // An event that comes meanwhile brings its own look.
    if (this.#timer === null) this.#lookIn(waitMs);
  }

  /** Watches anew where the set of files, or a link on the way to one, is another. */
  #rewatch(): void {
    const entries = new Set([...this.#states.keys()].flatMap(watchedPaths));
    const key = [...entries].sort().join("\n");
    if (key === this.#watched || this.#closed) return;
    this.#watched = key;
    void this.#watch(entries).catch((error: unknown) => this.#deps.onError(codeOf(error)));
  }

  async #watch(entries: ReadonlySet<string>): Promise<void> {
    // Not needed before the first request is served, and a start is measured.
    const { watchFolders } = await import("./watch-folders.ts");
    const folders = new Set(Array.from(entries, dirname));
    const key = this.#watched;
    const previous = this.#watcher;
    this.#watcher = null;
    await previous?.close();
    if (this.#closed || key !== this.#watched || this.#watcher !== null) return;
    const watcher = watchFolders(folders, entries);
    this.#watcher = watcher;
    watcher.on("all", () => this.#touch());
    watcher.on("ready", () => this.#touch());
    watcher.on("error", (error) => this.#deps.onError(codeOf(error)));
  }
}
