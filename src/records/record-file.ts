import type { Resource, ResourceFault, ResourceState, ResourceStatus, ResourceWorld } from "../resources/resource.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { ok, type Result } from "../support/result.ts";
import type { DecisionFacts } from "./decision-facts.ts";
import type { RecordSubscriber } from "./decision-records.ts";
import { factsLine } from "./facts-line.ts";
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
  readonly #tries = { ok: 0, unchanged: 0, failed: 0, unusable: 0 };
  #state: ResourceState = "starting";
  #fault: ResourceFault | null = null;
  #writtenAtMs: number | null = null;
  #lines: string[] = [];
  #chars = 0;
  #seen = 0;
  #dropped = 0;
  #isStarted = false;
  #isWriting = false;
  #cancel: (() => void) | null = null;
  /** Settled when nothing is under way with the file. */
  settled: Promise<void> = Promise.resolve();

  constructor(settings: RecordSettings, world: ResourceWorld) {
    this.#settings = settings;
    this.#world = world;
  }

  wants({ reason }: Pick<FinishedRequest, "reason">): boolean {
    if (!this.#isStarted || (reason === null && this.#settings.requests === "denied")) return false;
    this.#seen++;
    return this.#seen % this.#settings.oneIn === 0;
  }

  note(facts: DecisionFacts): void {
    if (!this.#isStarted) return;
    const { oneIn } = this.#settings;
    const line = factsLine(oneIn === 1 ? facts : { ...facts, oneIn });
    if (this.#chars + line.length > DEFAULTS.recordWaitingCharsMax) {
      this.#dropped++;
      return;
    }
    this.#lines.push(line);
    this.#chars += line.length;
    // Of a batch that is small nobody feels the writing.
    if (this.#chars >= DEFAULTS.recordBatchChars) this.#write();
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
      state: this.#state,
      detail: `${this.#world.folder?.directory ?? ""}/${RECORD_FILES[0]}${dropped}`,
      freshAtMs: this.#writtenAtMs,
      staleUntilMs: null,
      fault: this.#fault,
      tries: this.#tries,
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
    if (folder === null || this.#isWriting || this.#lines.length === 0) return;
    this.#isWriting = true;
    const batch = this.#lines;
    this.#lines = [];
    this.#chars = 0;
    const half = Math.floor(this.#settings.bytesMax / RECORD_FILES.length);
    this.settled = folder.append(RECORD_FILES, Buffer.from(batch.join("")), half).then((appended) => {
      this.#isWriting = false;
      this.#noted(appended, batch.length);
      if (!this.#isStarted) this.#write();
      else if (this.#lines.length > 0) this.#schedule();
    });
  }

  #noted(appended: Result<null, string>, decisions: number): void {
    const nowMs = this.#world.clock.wallMs();
    if (appended.ok) {
      this.#tries.ok++;
      this.#writtenAtMs = nowMs;
      this.#fault = null;
    } else {
      this.#tries.failed++;
      this.#dropped += decisions;
      this.#fault = { text: appended.error, atMs: nowMs };
    }
    this.#state = appended.ok ? "ready" : "failing";
    this.#world.changed(this);
  }
}
