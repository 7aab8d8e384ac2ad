import { basename, dirname } from "node:path";
import type { Resource, ResourceStatus, ResourceWorld } from "../resources/resource.ts";
import type { StateFiles } from "../resources/state-folder.ts";
import { Tries } from "../resources/tries.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { err, ok, type Result } from "../support/result.ts";
import { createRateGate } from "../telemetry/rate-gate.ts";
import type { AuditTrail } from "../telemetry/telemetry.ts";
import { type AuditHead, auditFields, auditLine, GENESIS, headText, lastAuditLine, readHead } from "./audit-chain.ts";
import type { DecisionLine } from "./decision-line.ts";
import type { RecordSubscriber } from "./decision-records.ts";
import type { FinishedRequest } from "./make-facts.ts";

export interface AuditSettings {
  /** Absolute. */
  readonly file: string;
  /** Null: hashes alone, which anybody can make. */
  readonly key: Buffer | null;
  readonly denialsPerSecond: number;
}

/** What is to become a line; its place in the chain is known when it is written. */
interface Entry {
  readonly time: string;
  readonly event: string;
  readonly fields: string;
}

/** What is under way with each file: the audit log of the last policy ends before that of the next one reads where it ended. */
const turns = new Map<string, Promise<void>>();

/**
 * The audit log: denials, and what happened to the process, as a chain of lines (`audit-chain.ts`). Nobody waits for it: what is to
 * be written gathers in bounded memory, is appended twice a second, and is tried again where the disk does not take it; what has
 * no room is dropped, and a line of the chain says how much. The file is opened for each batch, so that it may be renamed or cut
 * to nothing at any time. Its newest hash stands in a file beside it, so that the next process goes on from there.
 */
export class AuditLog implements Resource, RecordSubscriber, AuditTrail {
  readonly kind = "audit log";
  readonly name = "audit";
  readonly #world: ResourceWorld;
  readonly #settings: AuditSettings;
  readonly #files: StateFiles;
  readonly #tries: Tries;
  readonly #gate: () => number | null;
  /** Null until the file was looked at. */
  #head: AuditHead | null = null;
  #entries: Entry[] = [];
  #chars = 0;
  #dropped = 0;
  #droppedUntold = 0;
  #isStarted = false;
  /** That another process writes there, too. */
  #isTold = false;
  #cancel: (() => void) | null = null;
  #tell: ((head: string) => void) | null = null;
  #cancelTell: (() => void) | null = null;

  constructor(settings: AuditSettings, world: ResourceWorld) {
    this.#settings = settings;
    this.#world = world;
    this.#tries = new Tries(world.clock);
    this.#files = world.openFiles(dirname(settings.file));
    this.#gate = createRateGate(world.clock, settings.denialsPerSecond);
  }

  /** Settled when nothing is under way with the file. */
  get settled(): Promise<void> {
    return turns.get(this.#settings.file) ?? Promise.resolve();
  }

  wants({ reason }: Pick<FinishedRequest, "reason">): boolean {
    return this.#isStarted && reason !== null;
  }

  note(line: DecisionLine): void {
    if (!this.#isStarted || line.verdict !== "deny") return;
    const suppressed = this.#gate();
    if (suppressed === null) return;
    const facts = { ...line.facts, v: undefined };
    this.event("denied", suppressed === 0 ? facts : { suppressed, ...facts });
  }

  event(event: string, fields: Readonly<Record<string, unknown>>): void {
    if (!this.#isStarted) return;
    const text = auditFields(fields);
    if (this.#chars + text.length > DEFAULTS.auditWaitingCharsMax) {
      this.#dropped++;
      this.#droppedUntold++;
      return;
    }
    this.#entries.push({ time: new Date(this.#world.clock.wallMs()).toISOString(), event, fields: text });
    this.#chars += text.length;
    this.#schedule();
  }

  /** Who is told the head once a minute, as long as there are other lines. */
  onHead(tell: (head: string) => void): void {
    this.#tell = tell;
  }

  status(): ResourceStatus {
    const head = this.#head === null ? "" : `, head ${headText(this.#head)}`;
    const dropped = this.#dropped === 0 ? "" : `; ${this.#dropped} lines were dropped`;
    return {
      kind: this.kind,
      name: this.name,
      detail: `${this.#settings.file}${head}${dropped}`,
      ...this.#tries.status,
      audit: { lines: this.#head?.seq ?? 0, dropped: this.#dropped },
    };
  }

  start(): void {
    this.#isStarted = true;
    // After a rollback it is started once more, and another may have written meanwhile.
    this.#inTurn(() => {
      this.#head = null;
    });
    this.#schedule();
  }

  close(): void {
    this.#cancel?.();
    this.#cancel = null;
    this.#isStarted = false;
    this.#write();
    void this.settled.then(() => this.#tellHead());
  }

  tryOnce(): Promise<Result<string, string>> {
    return Promise.resolve(ok(`the audit log is written to ${this.#settings.file}`));
  }

  #schedule(): void {
    this.#cancel ??= this.#world.timers.after(DEFAULTS.recordWriteMs, () => {
      this.#cancel = null;
      this.#write();
    });
  }

  #write(): void {
    this.#inTurn(() => this.#writeAll());
    void this.settled.then(() => {
      if (this.#isStarted && this.#entries.length > 0) this.#schedule();
    });
  }

  #inTurn(work: () => void | Promise<void>): void {
    const { file } = this.#settings;
    const turn = (turns.get(file) ?? Promise.resolve()).then(work);
    turns.set(file, turn);
    void turn.then(() => {
      if (turns.get(file) === turn) turns.delete(file);
    });
  }

  async #writeAll(): Promise<void> {
    const lock = await this.#lock();
    if (!lock.ok) {
      this.#noted(lock);
      return;
    }
    try {
      await this.#followOthers();
      for (;;) {
        const written = this.#head === null ? await this.#open() : await this.#writeBatch(this.#head);
        this.#noted(written);
        if (!written.ok || (this.#entries.length === 0 && this.#droppedUntold === 0)) return;
      }
    } finally {
      await lock.value();
    }
  }

  /** What is started tries again with its next batch, what ends has no other. */
  async #lock(): Promise<Result<() => Promise<void>, string>> {
    const name = `${basename(this.#settings.file)}.lock`;
    for (let tries = this.#isStarted ? 1 : DEFAULTS.auditLockTries; ; tries--) {
      const lock = await this.#files.lock(name, DEFAULTS.auditLockStaleMs);
      if (lock.ok || tries <= 1) return lock;
      await new Promise<void>((resolve) => {
        this.#world.timers.after(DEFAULTS.auditLockWaitMs, resolve);
      });
    }
  }

  /** Where another process has written meanwhile, the chain goes on behind its lines. */
  async #followOthers(): Promise<void> {
    if (this.#head === null) return;
    const [, beside] = this.#names();
    const kept = await this.#files.read(beside, 128);
    const noted = kept.ok && kept.value !== null ? readHead(kept.value.toString("latin1")) : null;
    const isOurs = noted === null || noted.seq < this.#head.seq;
    if (isOurs || (noted.seq === this.#head.seq && noted.hash === this.#head.hash)) return;
    this.#head = null;
    if (this.#isTold) return;
    this.#isTold = true;
    this.#world.note(this, "another process writes to the same audit log; expected a file for each");
  }

  /** Goes on where the file ends, or where the file beside it says that it ended. */
  async #open(): Promise<Result<null, string>> {
    const [name, beside] = this.#names();
    const end = await this.#files.readEnd(name, DEFAULTS.recordLineBytesMax);
    if (!end.ok) return end;
    const kept = await this.#files.read(beside, 128);
    if (!kept.ok) return err(`${beside}: ${kept.error}`);
    const noted = kept.value === null ? null : readHead(kept.value.toString("latin1"));
    const { head, tornBytes } = lastAuditLine(end.value ?? Buffer.alloc(0));
    const isEmpty = end.value === null || end.value.length === 0;
    if (!isEmpty && head === null && noted === null)
      return err("it holds something else than an audit log; expected another file");
    const isBehind =
      noted !== null &&
      !isEmpty &&
      (head === null || head.seq < noted.seq || (head.seq === noted.seq && head.hash !== noted.hash));
    const from = isEmpty || isBehind ? (noted ?? GENESIS) : (head ?? GENESIS);
    if (isBehind) this.#world.note(this, `the audit log ends before line ${noted.seq}, its newest: lines were removed`);
    const beginning = { torn: tornBytes, head: isBehind ? "ahead" : noted === null ? "none" : "found" };
    return this.#append(
      from,
      [{ time: this.#now(), event: "opened", fields: JSON.stringify(beginning).slice(1, -1) }],
      tornBytes > 0,
    );
  }

  async #writeBatch(from: AuditHead): Promise<Result<null, string>> {
    let count = 0;
    let chars = 0;
    for (const { fields } of this.#entries) {
      if (chars >= DEFAULTS.auditBatchChars) break;
      chars += fields.length;
      count++;
    }
    // What was dropped came behind all that waits.
    const dropped = count === this.#entries.length ? this.#droppedUntold : 0;
    const gap = dropped === 0 ? [] : [{ time: this.#now(), event: "gap", fields: `"dropped":${dropped}` }];
    const written = await this.#append(from, [...this.#entries.slice(0, count), ...gap], false);
    if (!written.ok) return written;
    this.#entries.splice(0, count);
    this.#chars -= chars;
    this.#droppedUntold -= dropped;
    return written;
  }

  async #append(from: AuditHead, entries: readonly Entry[], isTorn: boolean): Promise<Result<null, string>> {
    if (entries.length === 0) return ok(null);
    const [name, beside] = this.#names();
    let head = from;
    let text = isTorn ? "\n" : "";
    for (const { time, event, fields } of entries) {
      const line = auditLine(head, time, event, fields, this.#settings.key);
      text += line.text;
      head = line.head;
    }
    const appended = await this.#files.append([name], [Buffer.from(text)], Number.POSITIVE_INFINITY);
    if (!appended.ok) return appended;
    this.#head = head;
    this.#scheduleTell();
    const kept = await this.#files.write(beside, Buffer.from(`${headText(head)}\n`));
    if (!kept.ok) this.#tries.tell(`${beside}: ${kept.error}`);
    return ok(null);
  }

  #names(): readonly [string, string] {
    const name = basename(this.#settings.file);
    return [name, `${name}.head`];
  }

  #now(): string {
    return new Date(this.#world.clock.wallMs()).toISOString();
  }

  #scheduleTell(): void {
    if (!this.#isStarted) return;
    this.#cancelTell ??= this.#world.timers.after(DEFAULTS.auditHeadToldMs, () => this.#tellHead());
  }

  #tellHead(): void {
    this.#cancelTell?.();
    this.#cancelTell = null;
    if (this.#head !== null) this.#tell?.(headText(this.#head));
  }

  #noted(written: Result<null, string>): void {
    this.#tries.note(written.ok ? null : written.error);
    this.#world.changed(this);
  }
}
