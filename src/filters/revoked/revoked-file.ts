import type { Document } from "yaml";
import type { z } from "zod";
import { DEFAULTS } from "../../support/defaults.ts";
import type { Steps } from "../../support/turns.ts";
import { listUnder, readSecretFile, type SecretFileProblem, SecretFileReport } from "../secret-file.ts";
import { findFaults, type KnownKeys, type Path } from "../secret-file-faults.ts";
import { RevokedTable } from "./revoked-table.ts";
import { FILE_KEYS, REVOKED_KINDS, REVOKED_LISTS, type RevokedKind, revokedFileSchema } from "./schema.ts";

export interface ReadRevoked {
  readonly table: RevokedTable;
  readonly problems: readonly SecretFileProblem[];
}

/** Text of the file → table; with any problem none of it may be used, for what could not be read would be let in. */
export function* readRevokedFile(text: string, nowMs: number): Steps<ReadRevoked> {
  const report = new SecretFileReport(text);
  const file = yield* readSecretFile(text, report);
  const table = new RevokedTable();
  if (file !== null) yield* new Reading(file.document, report, table, nowMs).file(file.root);
  return { table, problems: report.problems };
}

/** What an entry may say, of whichever list. */
interface Limits {
  readonly issuer?: string | undefined;
  readonly authenticator?: string | undefined;
  readonly until?: number | undefined;
  readonly issuedBefore?: number | undefined;
}

class Reading {
  readonly #document: Document.Parsed;
  readonly #report: SecretFileReport;
  readonly #table: RevokedTable;
  readonly #nowMs: number;
  readonly #uses = new Set<string>();

  constructor(document: Document.Parsed, report: SecretFileReport, table: RevokedTable, nowMs: number) {
    this.#document = document;
    this.#report = report;
    this.#table = table;
    this.#nowMs = nowMs;
  }

  *file(root: unknown): Steps<void> {
    this.#check(revokedFileSchema, root, [], FILE_KEYS);
    let left = DEFAULTS.revokedEntriesMax;
    for (const kind of REVOKED_KINDS) {
      const entries = listUnder(root, kind);
      left -= entries.length;
      if (left < 0) {
        const text = `up to here more than ${DEFAULTS.revokedEntriesMax} entries`;
        this.#report.fault(this.#document, { path: [kind], text });
        return;
      }
      for (const [at, value] of entries.entries()) {
        this.#entry(kind, value, at);
        if (this.#report.isFull) return;
        yield;
      }
    }
  }

  #entry(kind: RevokedKind, entry: unknown, at: number): void {
    const { key, value: plain, entry: mapping, knownKeys } = REVOKED_LISTS[kind];
    const path = [kind, at];
    if (typeof entry !== "object" || entry === null) {
      const value = this.#check(plain, entry, path, knownKeys);
      if (value !== undefined) this.#add(kind, value, {}, at);
      return;
    }
    const read = this.#check(mapping as z.ZodType<Limits>, entry, path, knownKeys);
    const value: unknown = read === undefined ? undefined : Reflect.get(read, key);
    if (read !== undefined && typeof value === "string") this.#add(kind, value, read, at);
  }

  #add(kind: RevokedKind, value: string, limits: Limits, at: number): void {
    const { issuer = null, authenticator = null, until = Infinity, issuedBefore = Infinity } = limits;
    const path = [kind, at];
    const { line, column, path: text } = this.#report.placeOf(this.#document, path);
    const use = `${kind} ${authenticator ?? ""}`;
    if (!this.#uses.has(use)) {
      this.#uses.add(use);
      this.#table.uses.push({ kind, authenticator, line, column, path: text });
    }
    if (until < this.#nowMs) return;
    const entry = { untilMs: until, issuedBeforeMs: issuedBefore, issuer, authenticator, at, line, column };
    if (this.#table.add(kind, value, entry)) return;
    const fault = `more than ${DEFAULTS.revokedAlikeMax} entries of this value`;
    this.#report.fault(this.#document, { path, text: fault });
  }

  #check<T>(schema: z.ZodType<T>, value: unknown, path: Path, keys: KnownKeys): T | undefined {
    const { data, error } = schema.safeParse(value);
    if (error === undefined) return data;
    const issues = error.issues.map((issue) => ({ ...issue, path: [...path, ...issue.path] }));
    for (const fault of findFaults(issues, this.#document, keys)) this.#report.fault(this.#document, fault);
    return undefined;
  }
}
