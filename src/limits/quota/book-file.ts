import { DatabaseSync, type StatementSync } from "node:sqlite";
import type { BookAnswer, BookRequest, CountRows, QuotaRows } from "./book-messages.ts";

/** Of the layout; a file of another one is set aside. */
const VERSION = 1;
/** "pstq": a file of another program is set aside too. */
const APPLICATION = 0x70737471;
const DAMAGED = new Set([11, 26]); // SQLITE_CORRUPT, SQLITE_NOTADB: https://www.sqlite.org/rescode.html
const LOCKED = new Set([5, 6]); // SQLITE_BUSY, SQLITE_LOCKED
/** This module runs in a thread of its own and loads nothing else of the product; see `DEFAULTS.quotaBatchRows`. */
const ROWS_AT_A_TIME = 2_048;
const QUOTAS_KEPT_MAX = 1_024;

const LAYOUT = `
  CREATE TABLE about (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE quotas (
    id INTEGER PRIMARY KEY, identity TEXT NOT NULL UNIQUE, start_ms INTEGER NOT NULL, end_ms INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE counts (
    quota INTEGER NOT NULL, key INTEGER NOT NULL, used REAL NOT NULL, label TEXT, PRIMARY KEY (quota, key)
  ) STRICT, WITHOUT ROWID;
  PRAGMA application_id = ${APPLICATION};
  PRAGMA user_version = ${VERSION};
`;

class Damage extends Error {}

interface Statements {
  readonly findQuota: StatementSync;
  readonly addQuota: StatementSync;
  readonly turnQuota: StatementSync;
  readonly clear: StatementSync;
  readonly put: StatementSync;
  readonly remove: StatementSync;
  readonly rows: StatementSync;
}

/** The file in which counts of quotas survive; everything in it throws what SQLite has to say. */
export class BookFile {
  readonly #database: DatabaseSync;
  readonly #statements: Statements;
  /** What was found and is of no use; null for nothing. */
  readonly note: string | null;

  constructor(file: string, seedDigest: string, nowMs: number) {
    this.#database = new DatabaseSync(file, { timeout: 0 });
    try {
      // Nobody else writes while we do; and a commit is on the disk, so that a power cut loses no more than a crash.
      this.#database.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
      this.#database.exec(
        "PRAGMA journal_size_limit = 4194304; PRAGMA cache_size = -2048; PRAGMA trusted_schema = OFF",
      );
      this.#layOut();
      this.note = this.#prune(seedDigest, nowMs);
      this.#statements = this.#prepare();
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** What is kept of a quota's window, in parts. */
  *load(identity: string, startMs: number): Generator<CountRows> {
    const quota = this.#statements.findQuota.get(identity);
    if (quota === undefined || quota["start_ms"] !== startMs) return;
    let rows: Record<string, unknown>[] = [];
    for (const row of this.#statements.rows.iterate(quota["id"] ?? 0)) {
      rows.push(row);
      if (rows.length < ROWS_AT_A_TIME) continue;
      yield rowsOf(rows);
      rows = [];
    }
    yield rowsOf(rows);
  }

  /** All or nothing. */
  write(quotas: readonly QuotaRows[]): void {
    this.#inOne(() => {
      for (const quota of quotas) this.#writeQuota(quota);
    });
  }

  close(): void {
    if (this.#database.isOpen) this.#database.close();
  }

  #layOut(): void {
    const version = this.#pragma("user_version");
    if (version === 0 && this.#database.prepare("SELECT count(*) AS n FROM sqlite_schema").get()?.["n"] === 0) {
      this.#inOne(() => this.#database.exec(LAYOUT));
      return;
    }
    if (this.#pragma("application_id") !== APPLICATION) throw new Damage("no file of quotas");
    if (version !== VERSION) throw new Damage(`version ${version}; this postern has ${VERSION}`);
    const found = this.#database.prepare("PRAGMA quick_check(1)").get()?.["quick_check"];
    if (found !== "ok") throw new Damage(`the content is damaged: ${String(found).split("\n", 1)[0]}`);
  }

  #prune(seedDigest: string, nowMs: number): string | null {
    let note: string | null = null;
    this.#inOne(() => {
      const kept = this.#database.prepare("SELECT value FROM about WHERE name = 'seed'").get()?.["value"];
      if (kept !== seedDigest) {
        if (kept !== undefined) note = "its counts were made with another secret and are of no use";
        this.#database.exec("DELETE FROM counts; DELETE FROM quotas");
        this.#database.prepare("INSERT OR REPLACE INTO about VALUES ('seed', ?)").run(seedDigest);
      }
      this.#database.prepare("DELETE FROM quotas WHERE end_ms <= ?").run(nowMs);
      this.#keepFew();
    });
    return note;
  }

  /** Of too many quotas those go whose window ends first. */
  #keepFew(): void {
    const last = "SELECT id FROM quotas ORDER BY end_ms DESC LIMIT -1 OFFSET ?";
    this.#database.prepare(`DELETE FROM quotas WHERE id IN (${last})`).run(QUOTAS_KEPT_MAX);
    this.#database.exec("DELETE FROM counts WHERE quota NOT IN (SELECT id FROM quotas)");
  }

  #writeQuota({ identity, startMs, endMs, keys, used, labels, gone }: QuotaRows): void {
    const { findQuota, addQuota, turnQuota, clear, put, remove } = this.#statements;
    const known = findQuota.get(identity);
    if (known === undefined) this.#keepFew();
    const id = Number(known?.["id"] ?? addQuota.run(identity, startMs, endMs).lastInsertRowid);
    if (known !== undefined && known["start_ms"] !== startMs) {
      clear.run(id);
      turnQuota.run(startMs, endMs, id);
    }
    for (const key of gone) remove.run(id, key);
    for (let at = 0; at < keys.length; at++) put.run(id, keys[at] ?? 0, used[at] ?? 0, labels[at] ?? null);
  }

  #inOne(act: () => void): void {
    this.#database.exec("BEGIN IMMEDIATE");
    try {
      act();
      this.#database.exec("COMMIT");
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
      throw error;
    }
  }

  #pragma(name: string): unknown {
    return this.#database.prepare(`PRAGMA ${name}`).get()?.[name];
  }

  #prepare(): Statements {
    const prepare = (sql: string): StatementSync => this.#database.prepare(sql);
    return {
      findQuota: prepare("SELECT id, start_ms FROM quotas WHERE identity = ?"),
      addQuota: prepare("INSERT INTO quotas (identity, start_ms, end_ms) VALUES (?, ?, ?)"),
      turnQuota: prepare("UPDATE quotas SET start_ms = ?, end_ms = ? WHERE id = ?"),
      clear: prepare("DELETE FROM counts WHERE quota = ?"),
      put: prepare(
        "INSERT INTO counts VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET used = excluded.used, label = coalesce(excluded.label, label)",
      ),
      remove: prepare("DELETE FROM counts WHERE quota = ? AND key = ?"),
      rows: prepare("SELECT key, used, label FROM counts WHERE quota = ?"),
    };
  }
}

function rowsOf(rows: readonly Record<string, unknown>[]): CountRows {
  return {
    keys: Float64Array.from(rows, (row) => Number(row["key"])),
    used: Float64Array.from(rows, (row) => Number(row["used"])),
    labels: rows.map((row) => (typeof row["label"] === "string" ? row["label"] : null)),
    gone: new Float64Array(),
  };
}

/** Does what it is asked and gives answers; after a failure the file is closed, and only `open` is of use. */
export function serveBook(post: (answer: BookAnswer) => void): (request: BookRequest) => void {
  let book: BookFile | null = null;
  const act = (request: BookRequest): string | null => {
    if (request.kind === "open") {
      book?.close();
      book = new BookFile(request.file, request.seedDigest, request.nowMs);
      return book.note;
    }
    if (book === null) throw new Error("the file is closed");
    if (request.kind === "write") book.write(request.quotas);
    else if (request.kind === "load") {
      for (const rows of book.load(request.identity, request.startMs)) post({ kind: "rows", rows });
    } else book.close();
    return null;
  };
  return (request) => {
    try {
      post({ kind: "done", note: act(request) });
    } catch (error) {
      try {
        book?.close();
      } catch {
        // It is closed as well as it can be.
      }
      book = null;
      post(failure(error));
    }
  };
}

function failure(error: unknown): BookAnswer {
  const text = error instanceof Error ? error.message : String(error);
  if (error instanceof Damage) return { kind: "failed", text, isDamaged: true };
  // Extended codes have the plain one in their low byte.
  const code = error instanceof Error && "errcode" in error ? Number(error.errcode) & 0xff : 0;
  if (LOCKED.has(code)) return { kind: "failed", text: "another process has the file", isDamaged: false };
  return { kind: "failed", text, isDamaged: DAMAGED.has(code) };
}
