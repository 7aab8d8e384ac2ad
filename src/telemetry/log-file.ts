import { basename, dirname } from "node:path";
import type { Resource, ResourceStatus, ResourceWorld } from "../resources/resource.ts";
import type { StateFiles } from "../resources/state-folder.ts";
import { Tries } from "../resources/tries.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { ok, type Result } from "../support/result.ts";
import { Backlog } from "./backlog.ts";
import type { LineTaker } from "./log-settings.ts";

const LINE_FEED = 0x0a;

export interface LogFileSettings {
  /** Absolute. */
  readonly file: string;
  /** Of one file; Infinity where somebody else rotates. */
  readonly bytesMax: number;
  /** Older files that are kept. */
  readonly kept: number;
  readonly mode: number;
}

/**
 * The log in a file. Nobody waits for it: lines gather in bounded memory and are appended twice a second. The file is opened for
 * each batch, so that it may be renamed, cut to nothing or removed at any time, and a batch that a full disk does not take is tried
 * again. What has no room meanwhile is dropped, counted, and told once lines are written again.
 */
export class LogFile extends Backlog implements Resource, LineTaker {
  readonly kind = "log file";
  readonly name = "log";
  readonly #settings: LogFileSettings;
  readonly #world: ResourceWorld;
  readonly #files: StateFiles;
  /** The file, and those before it. */
  readonly #names: readonly [string, ...string[]];
  readonly #tries: Tries;
  /** What is being written, or could not be so far: pieces of whole lines. */
  #batch: readonly Buffer[] = [];
  #isWriting = false;
  #cancel: (() => void) | null = null;
  /** Settled when nothing is under way with the file. */
  settled: Promise<void> = Promise.resolve();

  constructor(settings: LogFileSettings, world: ResourceWorld) {
    super(DEFAULTS.logFileSlabBytes);
    this.#settings = settings;
    this.#world = world;
    this.#tries = new Tries(world.clock);
    this.#files = world.openFiles(dirname(settings.file));
    const name = basename(settings.file);
    const before = Array.from({ length: settings.kept }, (_, at) => `${name}.${at + 1}`);
    this.#names = [name, ...before];
  }

  protected added(): void {
    if (this.waiting.bytes >= DEFAULTS.logFileBatchBytes && !this.#tries.isFailing) this.#write();
    else this.#schedule(DEFAULTS.recordWriteMs);
  }

  reopen(): void {
    this.#write();
  }

  status(): ResourceStatus {
    const dropped = this.linesDropped === 0 ? "" : `; ${this.linesDropped} lines were dropped`;
    return {
      kind: this.kind,
      name: this.name,
      detail: `${this.#settings.file}${dropped}`,
      ...this.#tries.status,
    };
  }

  /** After a rollback for the second time. */
  start(): void {
    this.isClosed = false;
    this.#schedule(DEFAULTS.recordWriteMs);
  }

  close(): void {
    this.#write();
    this.isClosed = true;
  }

  tryOnce(): Promise<Result<string, string>> {
    return Promise.resolve(ok(`the log is written to ${this.#settings.file}`));
  }

  #schedule(delayMs: number): void {
    this.#cancel ??= this.#world.timers.after(delayMs, () => {
      this.#cancel = null;
      this.#write();
    });
  }

  #write(): void {
    if (this.#isWriting || (this.#batch.length === 0 && this.waiting.lines === 0)) return;
    this.#cancel?.();
    this.#cancel = null;
    if (this.#batch.length === 0) {
      this.bytesUnderWay = this.waiting.bytes;
      this.#batch = this.waiting.take();
    }
    this.#isWriting = true;
    this.settled = this.#append().then((appended) => {
      this.#isWriting = false;
      this.#noted(appended);
      // Whoever closes it has nobody who tries again: what could not be written now is lost, and counted.
      if (this.isClosed) this.#end(appended.ok);
      else if (this.#batch.length > 0 || this.waiting.lines > 0)
        this.#schedule(appended.ok ? DEFAULTS.recordWriteMs : DEFAULTS.logBrokenRetryMs);
    });
  }

  /** By pieces: of what gathered while the disk was full, one with little room takes what it can. */
  async #append(): Promise<Result<null, string>> {
    const { bytesMax, mode } = this.#settings;
    for (;;) {
      const [piece, ...left] = this.#batch;
      if (piece === undefined) return ok(null);
      const appended = await this.#files.append(this.#names, [piece], bytesMax, mode);
      if (!appended.ok) return appended;
      this.#batch = left;
      this.bytesUnderWay -= piece.length;
      this.waiting.giveBack([piece]);
    }
  }

  #end(isWritten: boolean): void {
    if (isWritten) {
      this.#write();
      return;
    }
    this.linesDropped += this.#batch.reduce((sum, piece) => sum + linesOf(piece), this.waiting.lines);
    this.#batch = [];
    this.bytesUnderWay = 0;
    this.waiting.take();
  }

  #noted(appended: Result<null, string>): void {
    this.#tries.note(appended.ok ? null : appended.error);
    if (appended.ok) this.tellDropped();
    this.#world.changed(this);
  }
}

function linesOf(piece: Buffer): number {
  let lines = 0;
  for (let at = piece.indexOf(LINE_FEED); at >= 0; at = piece.indexOf(LINE_FEED, at + 1)) lines++;
  return lines;
}
