import type { Resource, ResourceStatus, ResourceWorld } from "../resources/resource.ts";
import { Tries } from "../resources/tries.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { ok, type Result } from "../support/result.ts";
import { LineBuffer } from "../telemetry/line-buffer.ts";
import type { DecisionLine } from "./decision-line.ts";
import type { RecordSubscriber } from "./decision-records.ts";
import type { FinishedRequest } from "./make-facts.ts";

export interface RecordSettings {
  /** Of both files together. */
  readonly bytesMax: number;
  /** One in so many requests is written. */
  readonly oneIn: number;
  readonly requests: "all" | "denied";
}

/** The file that is written, and the one that was before it. */
export const RECORD_FILES = ["decisions.jsonl", "decisions.old.jsonl"] as const;

/**
 * Writes decisions into the state folder, a JSON text a line. Requests never wait for it: lines gather in bounded memory, are
 * appended twice a second, and those that have no room are dropped and counted. When the file has half of its bytes it
 * takes the place of the older one. A disk that is full is tried again with each batch.
 */
export class RecordFile implements Resource, RecordSubscriber {
  readonly kind = "record";
  readonly name = "record";
  readonly #world: ResourceWorld;
  readonly #settings: RecordSettings;
  /** Of each line, from its last brace on. */
  readonly #end: Buffer;
  readonly #tries: Tries;
  readonly #waiting = new LineBuffer();
  #seen = 0;
  #dropped = 0;
  #isStarted = false;
  #isWriting = false;
  #cancel: (() => void) | null = null;
  /** Settled when nothing is under way with the file. */
  settled: Promise<void> = Promise.resolve();

  constructor(settings: RecordSettings, world: ResourceWorld) {
    this.#settings = settings;
    this.#end = Buffer.from(settings.oneIn === 1 ? "}\n" : `,"oneIn":${settings.oneIn}}\n`);
    this.#world = world;
    this.#tries = new Tries(world.clock);
  }

  wants({ reason }: Pick<FinishedRequest, "reason">): boolean {
    if (!this.#isStarted || (reason === null && this.#settings.requests === "denied")) return false;
    this.#seen++;
    return this.#seen % this.#settings.oneIn === 0;
  }

  note({ bytes, length }: DecisionLine): void {
    if (!this.#isStarted) return;
    if (this.#waiting.bytes + length >= DEFAULTS.recordWaitingBytesMax) {
      this.#dropped++;
      return;
    }
    // The end of the line comes with its last brace.
    this.#waiting.add(bytes, length - 1, this.#end);
    // Of a batch that is small nobody feels the writing.
    if (this.#waiting.bytes >= DEFAULTS.recordBatchBytes) this.#write();
    else this.#schedule();
  }

  #schedule(): void {
    this.#cancel ??= this.#world.timers.after(DEFAULTS.recordWriteMs, () => {
      this.#cancel = null;
      this.#write();
    });
  }

  status(): ResourceStatus {
    const dropped = this.#dropped === 0 ? "" : `; ${this.#dropped} decisions were dropped`;
    return {
      kind: this.kind,
      name: this.name,
      detail: `${this.#world.folder?.directory ?? ""}/${RECORD_FILES[0]}${dropped}`,
      ...this.#tries.status,
    };
  }

  start(): void {
    this.#isStarted = true;
  }

  close(): void {
    this.#cancel?.();
    this.#cancel = null;
    this.#write();
    this.#isStarted = false;
  }

  tryOnce(): Promise<Result<string, string>> {
    const { folder } = this.#world;
    return Promise.resolve(ok(`decisions are written to ${folder?.directory ?? ""}/${RECORD_FILES[0]}`));
  }

  #write(): void {
    const { folder } = this.#world;
    const { lines } = this.#waiting;
    if (folder === null || this.#isWriting || lines === 0) return;
    this.#isWriting = true;
    const half = Math.floor(this.#settings.bytesMax / RECORD_FILES.length);
    const pieces = this.#waiting.take();
    this.settled = folder.append(RECORD_FILES, pieces, half).then((appended) => {
      this.#isWriting = false;
      this.#waiting.giveBack(pieces);
      this.#noted(appended, lines);
      if (!this.#isStarted) this.#write();
      else if (this.#waiting.lines > 0) this.#schedule();
    });
  }

  #noted(appended: Result<null, string>, decisions: number): void {
    if (!appended.ok) this.#dropped += decisions;
    this.#tries.note(appended.ok ? null : appended.error);
    this.#world.changed(this);
  }
}
