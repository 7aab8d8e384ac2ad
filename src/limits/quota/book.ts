import { hash, randomBytes } from "node:crypto";
import { Backoff } from "../../calls/backoff.ts";
import { Charge } from "../../memory/account.ts";
import { NOBODY } from "../../memory/budget.ts";
import type { AdminRoom } from "../../resources/admin-room.ts";
import type {
  Resource,
  ResourceFault,
  ResourceState,
  ResourceStatus,
  ResourceWorld,
} from "../../resources/resource.ts";
import type { StateFolder } from "../../resources/state-folder.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import { ok, type Result } from "../../support/result.ts";
import type { QuotaRows } from "./book-messages.ts";
import { type BookFailure, BookWriter } from "./book-writer.ts";
import { quotaRoom } from "./room.ts";
import { identityText, type QuotaIdentity, SharedCounts } from "./shared-counts.ts";

const FILE = "quotas.sqlite";
const SEED = { name: "quota-seed", version: 1 } as const;
const SEED_BYTES = 8;

/** `memory`: there is no folder, or it was never started. `broken`: the file is of no use now, and is tried again. */
type BookState = "memory" | "opening" | "open" | "broken" | "closed";

/**
 * The counts of all quotas, and the file in which they survive. What counts is in memory; changes go to the file every
 * half a second, so that a crash loses at most those of a second. A file that is damaged or cannot be used is a warning and
 * counts go on: one that comes back gets what is in memory.
 */
export class QuotaBook implements Resource {
  readonly kind = "quota book";
  readonly name = "quotas";
  readonly room: AdminRoom;
  readonly #world: ResourceWorld;
  readonly #shares = new Map<string, SharedCounts>();
  readonly #charge: Charge;
  readonly #backoff: Backoff;
  readonly #tries = { ok: 0, unchanged: 0, failed: 0, unusable: 0 };
  #seed: Buffer = randomBytes(SEED_BYTES);
  #state: BookState = "memory";
  #writer: BookWriter | null = null;
  /** On the monotonic clock; null while nothing is being written. */
  #writingSinceMs: number | null = null;
  #fault: ResourceFault | null = null;
  #setAsideAtMs: number | null = null;
  #writtenAtMs: number | null = null;
  /** The end of the wait for what is kept. */
  #giveUp = (): void => {};
  #cancelTick = (): void => {};
  #cancelRetry = (): void => {};
  /** Settled when the last change is on the disk, after `close`. */
  closed: Promise<void> = Promise.resolve();

  constructor(world: ResourceWorld) {
    this.#world = world;
    this.room = quotaRoom(this, world.clock);
    this.#charge = new Charge(world.memory.tables, NOBODY);
    this.#backoff = new Backoff(DEFAULTS.quotaRetryMsMin, DEFAULTS.quotaRetryMsMax, world.random);
  }

  /**
   * The counts of a quota, with what was counted of it before. `scale`: how many of them are 1 of what the policy speaks of;
   * the same for the same identity.
   */
  share(identity: QuotaIdentity, limit: number, scale: number = 1): SharedCounts {
    const text = identityText(identity);
    let shared = this.#shares.get(text);
    if (shared !== undefined) {
      // Behind the others: should there be too many, those go that no policy has asked for in a long time.
      this.#shares.delete(text);
      this.#shares.set(text, shared);
      return shared;
    }
    const words = [this.#seed.readUInt32LE(0), this.#seed.readUInt32LE(4)] as const;
    shared = new SharedCounts(identity, limit, words, (rolled) => this.#keep(rolled), scale);
    shared.counts.tracksChanges = this.#world.folder !== null;
    this.#keep(shared);
    if (this.#state === "open") this.#await([shared], this.#loadLate(shared));
    return shared;
  }

  /** All quotas that are counted. */
  shares(): Iterable<SharedCounts> {
    return this.#shares.values();
  }

  status(): ResourceStatus {
    return {
      kind: this.kind,
      name: this.name,
      state: this.#isSlow ? "stale" : STATES[this.#state],
      detail: this.#detail(),
      freshAtMs: this.#writtenAtMs,
      staleUntilMs: null,
      fault: this.#fault,
      tries: this.#tries,
    };
  }

  start(): void {
    this.#tick();
    const { folder } = this.#world;
    if (folder === null) return;
    this.#state = "opening";
    this.#await([...this.#shares.values()], this.#open(folder));
  }

  forget(): void {
    for (const { counts, reservations } of this.#shares.values()) {
      counts.clear();
      reservations.open.clear();
    }
  }

  close(): void {
    const wasOpen = this.#state === "open";
    this.#state = "closed";
    this.#cancelTick();
    this.#cancelRetry();
    this.#giveUp();
    this.#charge.release();
    const writer = this.#writer;
    if (writer === null) return;
    if (wasOpen) for (const rows of this.#batches()) void writer.write(rows);
    this.closed = writer.close(this.#world.timers);
  }

  tryOnce(): Promise<Result<string, string>> {
    const { folder } = this.#world;
    return Promise.resolve(
      ok(folder === null ? "counts are in memory alone" : `counts are kept in ${folder.directory}`),
    );
  }

  get #isClosed(): boolean {
    return this.#state === "closed";
  }

  #keep(shared: SharedCounts): void {
    const text = shared.counts.identity;
    if (this.#shares.has(text)) return;
    const [oldest] = this.#shares.keys();
    if (this.#shares.size >= DEFAULTS.quotasKeptMax && oldest !== undefined) this.#shares.delete(oldest);
    this.#shares.set(text, shared);
  }

  /** Requests of these quotas wait for `work`, for a while. */
  #await(shares: readonly SharedCounts[], work: Promise<void>): void {
    const giveUp = new Promise<void>((resolve) => {
      const cancel = this.#world.timers.after(DEFAULTS.quotaLoadMs, resolve);
      this.#giveUp = () => {
        cancel();
        resolve();
      };
    });
    const waiting = Promise.race([work, giveUp]).then(() => {
      for (const shared of shares) shared.waiting = null;
    });
    for (const shared of shares) shared.waiting = waiting;
  }

  async #open(folder: StateFolder): Promise<void> {
    let failure = await this.#tryOpen(folder);
    if (failure?.isDamaged === true) {
      await this.#setAside(folder, failure);
      failure = await this.#tryOpen(folder);
    }
    if (this.#isClosed) return;
    if (failure === null) this.#opened();
    else this.#failed(failure, "unusable");
  }

  #opened(): void {
    this.#state = "open";
    this.#fault = null;
    this.#tries.ok++;
    this.#backoff.succeeded();
    this.#world.changed(this);
  }

  async #tryOpen(folder: StateFolder): Promise<BookFailure | null> {
    await this.#takeSeed(folder);
    const file = await folder.database(FILE);
    if (!file.ok) return { text: `${FILE}: ${file.error}`, isDamaged: false };
    if (this.#isClosed) return null;
    const writer = await this.#startWriter();
    const opened = await writer.open(file.value, hash("sha256", this.#seed), this.#world.clock.wallMs());
    if (!opened.ok) return { ...opened.error, text: `${FILE}: ${opened.error.text}` };
    if (opened.value !== null) this.#world.note(this, `${FILE}: ${opened.value}`);
    for (const shared of this.#shares.values()) {
      if (shared.isLoaded) {
        shared.counts.redo();
        continue;
      }
      const failure = await this.#load(shared, writer);
      if (failure !== null) return failure;
    }
    return null;
  }

  async #startWriter(): Promise<BookWriter> {
    if (this.#writer !== null && !this.#writer.isOver) return this.#writer;
    const writer = await BookWriter.start();
    this.#writer = writer;
    if (this.#isClosed) this.closed = writer.close(this.#world.timers);
    return writer;
  }

  /** The secret of the counts that are kept; as soon as something was counted it is too late for another one. */
  async #takeSeed(folder: StateFolder): Promise<void> {
    const kept = await folder.read(SEED, "seed");
    const isCounted = [...this.#shares.values()].some(({ counts }) => counts.size > 0);
    if (kept?.length === SEED_BYTES && !isCounted) {
      this.#seed = kept;
      const words = [kept.readUInt32LE(0), kept.readUInt32LE(4)] as const;
      for (const shared of this.#shares.values()) shared.reseed(words);
    } else if (kept === null || !kept.equals(this.#seed)) await folder.write(SEED, "seed", this.#seed);
  }

  async #load(shared: SharedCounts, writer: BookWriter): Promise<BookFailure | null> {
    const { startMs } = shared.counts.turn(this.#world.clock.wallMs());
    const loaded = await writer.load(shared.counts.identity, startMs, (rows) => {
      shared.restore(rows, startMs);
      // Should the rest fail, these are not added once more.
      shared.isLoaded = true;
    });
    shared.isLoaded ||= loaded.ok;
    return loaded.ok ? null : loaded.error;
  }

  async #loadLate(shared: SharedCounts): Promise<void> {
    const failure = this.#writer === null ? null : await this.#load(shared, this.#writer);
    if (failure !== null && this.#state === "open") this.#failed(failure, "unusable");
  }

  async #setAside(folder: StateFolder, { text }: BookFailure): Promise<void> {
    this.#setAsideAtMs = this.#world.clock.wallMs();
    await folder.databaseDamaged(FILE, text);
  }

  /** It is tried again later; damage is put out of the way first. */
  #failed(failure: BookFailure, outcome: "failed" | "unusable"): void {
    if (this.#isClosed) return;
    this.#state = "broken";
    this.#tries[outcome]++;
    this.#fault = { text: failure.text, atMs: this.#world.clock.wallMs() };
    const { folder } = this.#world;
    if (folder !== null) {
      this.#cancelRetry = this.#world.timers.after(this.#backoff.failed(), () => {
        void (failure.isDamaged ? this.#setAside(folder, failure) : Promise.resolve()).then(() => this.#open(folder));
      });
    }
    this.#world.changed(this);
  }

  #tick(): void {
    const nowMs = this.#world.clock.wallMs();
    let counts = 0;
    for (const [text, shared] of this.#shares) {
      counts += shared.counts.size;
      // Nobody has asked for it since its window ended; should a policy have it, its next request brings it back.
      if (shared.counts.size > 0 && shared.counts.window.endMs <= nowMs) this.#shares.delete(text);
    }
    this.#charge.holdUnasked(counts * DEFAULTS.memoryQuotaCountBytes);
    if (this.#state === "open" && this.#writingSinceMs === null) void this.#write();
    if (this.#isSlow) this.#world.changed(this);
    this.#cancelTick = this.#world.timers.after(DEFAULTS.quotaWriteMs, () => this.#tick());
  }

  async #write(): Promise<void> {
    this.#writingSinceMs = this.#world.clock.monotonicMs();
    for (const rows of this.#batches()) {
      const written = (await this.#writer?.write(rows)) ?? null;
      if (written?.ok === false) this.#failed(written.error, "failed");
      if (this.#state !== "open") break;
      this.#writtenAtMs = this.#world.clock.wallMs();
    }
    const wasSlow = this.#isSlow;
    this.#writingSinceMs = null;
    if (wasSlow) this.#world.changed(this);
  }

  /** The disk does not answer. */
  get #isSlow(): boolean {
    const sinceMs = this.#writingSinceMs;
    return sinceMs !== null && this.#world.clock.monotonicMs() - sinceMs > DEFAULTS.quotaLoadMs;
  }

  /** What has changed so far, some at a time. */
  *#batches(): Generator<QuotaRows[]> {
    let batch: QuotaRows[] = [];
    let room: number = DEFAULTS.quotaBatchRows;
    for (const { counts, isLoaded } of this.#shares.values()) {
      // What the file has of it is not known yet, and would be written over.
      if (!isLoaded) continue;
      let left = counts.changes;
      while (left > 0) {
        const { identity, window, changes } = counts;
        const rows = counts.drain(Math.min(room, left));
        if (rows === null) break;
        batch.push({ identity, ...window, ...rows });
        left -= changes - counts.changes;
        room -= changes - counts.changes;
        if (room > 0) continue;
        yield batch;
        batch = [];
        room = DEFAULTS.quotaBatchRows;
      }
    }
    if (batch.length > 0) yield batch;
  }

  #detail(): string {
    let counts = 0;
    for (const shared of this.#shares.values()) counts += shared.counts.size;
    const many = `${counts} count${counts === 1 ? "" : "s"}`;
    if (this.#isSlow) return `${many}; the disk has not answered for a while`;
    if (this.#state === "broken") return `${many} in memory alone`;
    if (this.#world.folder === null) return `${many} in memory alone, for the policy has no 'state'`;
    const aside =
      this.#setAsideAtMs === null ? "" : `; a damaged file was set aside at ${timeText(this.#setAsideAtMs)}`;
    return `${many}${aside}`;
  }
}

const STATES: Readonly<Record<BookState, ResourceState>> = {
  memory: "ready",
  opening: "starting",
  open: "ready",
  broken: "stale",
  closed: "stale",
};

function timeText(ms: number): string {
  return new Date(ms).toISOString();
}
