import { randomBytes } from "node:crypto";
import { Charge } from "../../memory/account.ts";
import { NOBODY } from "../../memory/budget.ts";
import type { AdminRoom } from "../../resources/admin-room.ts";
import type { Resource, ResourceState, ResourceStatus, ResourceWorld } from "../../resources/resource.ts";
import type { StateFolder } from "../../resources/state-folder.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import { ok, type Result } from "../../support/result.ts";
import type { Ban } from "./ban.ts";
import { decodeBans, encodeBans, type KeptBans, SEED_BYTES } from "./ban-file.ts";
import { BanTable, type TableOwner } from "./ban-table.ts";
import { GoodCallers } from "./good-callers.ts";
import { banRoom } from "./room.ts";

const BANS = { name: "bans", version: 1 } as const;
/** Hashes with the secret that the file of bans has. */
const GOOD = { name: "ban-good", version: 1 } as const;
const ID = "bans";

/**
 * Who is banned, for all policies that have the same folder, or none: no reload forgets it, and with a folder no restart. What
 * counts is in memory; changes are written a moment later, whole. A file that is damaged is a warning and a fresh beginning.
 */
export class BanBook implements Resource, TableOwner {
  readonly kind = "ban book";
  readonly name = "bans";
  readonly room: AdminRoom;
  readonly good: GoodCallers;
  readonly #world: ResourceWorld;
  readonly #tables = new Map<string, BanTable>();
  readonly #charge: Charge;
  readonly #tries = { ok: 0, unchanged: 0, failed: 0, unusable: 0 };
  #seed: Buffer = randomBytes(SEED_BYTES);
  /** Requests wait for this before they are judged; null where they need not. It does not fail. */
  loading: Promise<void> | null = null;
  /** The folder was read, and is written from now on. */
  #isKept = false;
  #areBansDirty = false;
  #areGoodDirty = false;
  /** Takes a write back that is due; null where none is. */
  #cancelBans: (() => void) | null = null;
  #cancelGood: (() => void) | null = null;
  #writtenAtMs: number | null = null;
  #sweptAtMs = Number.NEGATIVE_INFINITY;
  /** Settled when the last change is on the disk, after `close`. */
  closed: Promise<void> = Promise.resolve();
  #lastWrite: Promise<void> = Promise.resolve();

  constructor(world: ResourceWorld) {
    this.#world = world;
    this.#charge = new Charge(world.memory.tables, NOBODY);
    this.good = new GoodCallers(wordsOf(this.#seed), () => this.#goodChanged());
    this.room = banRoom(this, world.clock);
  }

  /** The bans of an entry of the policy; `by`: what it counts by, in the words of the policy. */
  share(name: string, by: string): BanTable {
    const identity = JSON.stringify([name, by]);
    const known = this.#tables.get(identity);
    const table = known ?? new BanTable(name, by, wordsOf(this.#seed), this.#world.clock, this);
    // Behind the others: should there be too many, those go that no policy has asked for in a long time.
    this.#tables.delete(identity);
    this.#tables.set(identity, table);
    const [oldest] = this.#tables.keys();
    if (this.#tables.size > DEFAULTS.banRulesKeptMax && oldest !== undefined) this.#tables.delete(oldest);
    return table;
  }

  /** Of all entries, those of earlier policies among them. */
  tables(): Iterable<BanTable> {
    return this.#tables.values();
  }

  /** For metrics: of the entry of this name. */
  figures(name: string): { readonly begun: number; readonly active: number; readonly unlisted: number } {
    const figures = { begun: 0, active: 0, unlisted: 0 };
    for (const table of this.#tables.values()) {
      if (table.name !== name) continue;
      figures.begun += table.begun;
      figures.unlisted += table.unlisted;
      for (const _ of table.list()) figures.active++;
    }
    return figures;
  }

  *list(): Generator<Ban> {
    for (const table of this.#tables.values()) yield* table.list();
  }

  get nowMs(): number {
    return this.#world.clock.wallMs();
  }

  status(): ResourceStatus {
    return {
      kind: this.kind,
      name: this.name,
      state: this.#state,
      detail: this.#detail(),
      freshAtMs: this.#writtenAtMs,
      staleUntilMs: null,
      fault: null,
      tries: this.#tries,
    };
  }

  start(): void {
    this.#hold();
    const { folder } = this.#world;
    if (folder === null) return;
    this.loading = this.#withinTime(this.#load(folder)).then(() => {
      this.loading = null;
      this.#world.changed(this);
    });
  }

  forget(): void {
    for (const table of this.#tables.values()) table.clear();
    this.good.clear();
  }

  close(): void {
    this.#cancelBans?.();
    this.#cancelGood?.();
    this.#charge.release();
    this.#writeGood();
    this.#writeBans();
    this.#isKept = false;
    this.closed = this.#lastWrite;
  }

  /** A write is due soon, so that many changes are one. */
  changed(): void {
    this.#hold();
    this.#areBansDirty = true;
    if (!this.#isKept) return;
    this.#cancelBans ??= this.#world.timers.after(DEFAULTS.banWriteMs, () => {
      this.#cancelBans = null;
      this.#writeBans();
    });
  }

  tryOnce(): Promise<Result<string, string>> {
    const { folder } = this.#world;
    return Promise.resolve(ok(folder === null ? "bans are in memory alone" : `bans are kept in ${folder.directory}`));
  }

  get #state(): ResourceState {
    return this.loading === null ? "ready" : "starting";
  }

  /**
   * No ban that holds gives way, and each entry of the policy has some room of its own, whatever floods another one. Bans that
   * are over are looked for once in a while only: under a flood of addresses each ban must cost little.
   */
  hasRoom(table: BanTable): boolean {
    if (table.size < DEFAULTS.banRoomMin || this.#size < DEFAULTS.bansMax) return true;
    const sinceMs = this.#world.clock.monotonicMs() - this.#sweptAtMs;
    if (sinceMs < DEFAULTS.banSweepMs) return false;
    this.#sweptAtMs = this.#world.clock.monotonicMs();
    for (const one of this.#tables.values()) one.sweep();
    return this.#size < DEFAULTS.bansMax;
  }

  get #size(): number {
    let size = 0;
    for (const table of this.#tables.values()) size += table.size;
    return size;
  }

  async #load(folder: StateFolder): Promise<void> {
    const content = await folder.read(BANS, ID);
    const kept = content === null ? null : decodeBans(content);
    if (content !== null && kept === null) await folder.damaged(BANS, ID, "the content cannot be read");
    const rows = kept === null ? null : await folder.read(GOOD, ID);
    if (kept !== null) this.#restore(kept, rows);
    this.#isKept = true;
    if (this.#areBansDirty) this.changed();
    if (this.#areGoodDirty) this.#goodChanged();
  }

  #restore(kept: KeptBans, rows: Buffer | null): void {
    this.#seed = kept.seed;
    const words = wordsOf(kept.seed);
    this.good.reseed(words);
    if (rows !== null) this.good.load(rows, this.nowMs);
    for (const table of this.#tables.values()) table.reseed(words);
    for (const { name, by, entries } of kept.tables) {
      const table = this.#tables.get(JSON.stringify([name, by]));
      for (const entry of entries) table?.restore(entry);
    }
    this.#tries.ok++;
  }

  /** A disk that does not answer holds no request for long. */
  #withinTime(work: Promise<void>): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#world.timers.after(DEFAULTS.banLoadMs, resolve);
      void work.then(() => {
        cancel();
        resolve();
      });
    });
  }

  #hold(): void {
    let bytes = this.good.bytes;
    for (const table of this.#tables.values()) bytes += table.bytes;
    this.#charge.holdUnasked(bytes);
  }

  #goodChanged(): void {
    this.#areGoodDirty = true;
    if (!this.#isKept) return;
    this.#cancelGood ??= this.#world.timers.after(DEFAULTS.banGoodWriteMs, () => {
      this.#cancelGood = null;
      this.#writeGood();
    });
  }

  #writeBans(): void {
    const { folder } = this.#world;
    if (folder === null || !this.#isKept || !this.#areBansDirty) return;
    this.#areBansDirty = false;
    this.#writtenAtMs = this.nowMs;
    const tables = [...this.#tables.values()];
    const kept = tables.map((table) => ({ name: table.name, by: table.by, entries: [...table.kept()] }));
    this.#follow(folder.write(BANS, ID, encodeBans({ seed: this.#seed, tables: kept })));
  }

  /** They are of no use without the secret in the file of bans. */
  #writeGood(): void {
    const { folder } = this.#world;
    if (folder === null || !this.#isKept || !this.#areGoodDirty) return;
    this.#areGoodDirty = false;
    this.#areBansDirty ||= this.#writtenAtMs === null;
    this.#writeBans();
    this.#follow(folder.write(GOOD, ID, this.good.dump(this.nowMs)));
  }

  #follow(write: Promise<void>): void {
    this.#lastWrite = Promise.all([this.#lastWrite, write]).then(() => {});
  }

  #detail(): string {
    let many = 0;
    for (const _ of this.list()) many++;
    const text = `${many} ban${many === 1 ? "" : "s"}`;
    return this.#world.folder === null ? `${text} in memory alone, for the policy has no 'state'` : text;
  }
}

function wordsOf(seed: Buffer): readonly [number, number] {
  return [seed.readUInt32LE(0), seed.readUInt32LE(4)];
}
