import type { ResourceStatus, ResourceWorld } from "./resource.ts";
import type { StateFolder, StateKind } from "./state-folder.ts";

/** What a book has to say of itself, to be kept. */
export interface BookContent {
  readonly kind: StateKind;
  /** Under which it is kept. */
  readonly id: string;
  /** How long after a change it is written. */
  readonly writeMs: number;
  /** Joins what was kept with what was counted meanwhile. False where it cannot be read. */
  restore(content: Buffer): boolean | Promise<boolean>;
  /** All of it; `isLast`: nobody waits any more, so that it has to be there at once. */
  encode(isLast: boolean): Buffer | Promise<Buffer>;
}

/**
 * Keeps a book in the state folder, whole, a moment after a change: read once when it starts, and not written before. Without a
 * folder it does nothing. What is damaged is a warning and a fresh beginning.
 */
export class KeptBook {
  /** Settled when nothing is under way with the folder. */
  settled: Promise<void> = Promise.resolve();
  readonly #world: ResourceWorld;
  readonly #content: BookContent;
  readonly #tries = { ok: 0, unchanged: 0, failed: 0, unusable: 0 };
  /** The folder was read, and is written from now on. */
  #isKept = false;
  #isDirty = false;
  #cancel: (() => void) | null = null;
  #writtenAtMs: number | null = null;

  constructor(content: BookContent, world: ResourceWorld) {
    this.#content = content;
    this.#world = world;
  }

  get status(): Omit<ResourceStatus, "kind" | "name"> {
    return {
      state: "ready",
      detail: this.#world.folder === null ? "in memory alone, for the policy has no 'state'" : null,
      freshAtMs: this.#writtenAtMs,
      staleUntilMs: null,
      fault: null,
      tries: this.#tries,
    };
  }

  /** For `tryOnce`: where `what` is. */
  whereabouts(what: string): string {
    const { folder } = this.#world;
    return folder === null ? `${what} in memory alone` : `${what} kept in ${folder.directory}`;
  }

  start(): void {
    const { folder } = this.#world;
    if (folder !== null) this.settled = this.#load(folder);
  }

  changed(): void {
    this.#isDirty = true;
    if (!this.#isKept || this.#cancel !== null) return;
    this.#cancel = this.#world.timers.after(this.#content.writeMs, () => {
      this.#cancel = null;
      this.#write(false);
    });
  }

  close(): void {
    this.#cancel?.();
    this.#cancel = null;
    this.#write(true);
    this.#isKept = false;
  }

  async #load(folder: StateFolder): Promise<void> {
    const { kind, id } = this.#content;
    const content = await folder.read(kind, id);
    if (content !== null) {
      if (await this.#content.restore(content)) this.#tries.ok++;
      else await folder.damaged(kind, id, "the content cannot be read");
    }
    this.#isKept = true;
    if (this.#isDirty) this.changed();
  }

  #write(isLast: boolean): void {
    const { folder, clock } = this.#world;
    if (folder === null || !this.#isKept || !this.#isDirty) return;
    const { kind, id } = this.#content;
    const content = this.#content.encode(isLast);
    // Behind it, for what still waits to be counted is.
    this.#isDirty = false;
    this.#writtenAtMs = clock.wallMs();
    const written =
      content instanceof Promise
        ? content.then((bytes) => folder.write(kind, id, bytes))
        : folder.write(kind, id, content);
    this.settled = Promise.all([this.settled, written]).then(() => {});
  }
}
