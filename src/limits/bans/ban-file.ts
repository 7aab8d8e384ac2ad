import { DEFAULTS } from "../../support/defaults.ts";
import { parseJsonObject } from "../../support/json.ts";
import type { BanEntry } from "./ban.ts";

/** What survives of the bans of a process. */
export interface KeptBans {
  /** The secret that keys were hashed with, 8 bytes. */
  readonly seed: Buffer;
  readonly tables: readonly KeptTable[];
}

/** The bans of one entry of the policy. */
export interface KeptTable {
  readonly name: string;
  readonly by: string;
  readonly entries: readonly BanEntry[];
}

export const SEED_BYTES = 8;

export function encodeBans({ seed, tables }: KeptBans): Buffer {
  const rows = tables.map(({ name, by, entries }) => ({
    name,
    by,
    entries: entries.map(({ key, label, sinceMs, untilMs, count }) => [key, label, sinceMs, untilMs, count]),
  }));
  return Buffer.from(JSON.stringify({ seed: seed.toString("hex"), tables: rows }));
}

/** Null where it is of no use. What is beyond the bounds is left out. */
export function decodeBans(content: Buffer): KeptBans | null {
  const parsed = parseJsonObject(content, 6);
  if (!parsed.ok) return null;
  const { seed, tables } = parsed.value;
  if (typeof seed !== "string" || !/^[0-9a-f]{16}$/.test(seed) || !Array.isArray(tables)) return null;
  return { seed: Buffer.from(seed, "hex"), tables: tables.slice(0, DEFAULTS.banRulesKeptMax).flatMap(tableOf) };
}

function tableOf(value: unknown): readonly KeptTable[] {
  if (typeof value !== "object" || value === null) return [];
  const { name, by, entries }: Partial<Record<keyof KeptTable, unknown>> = value;
  if (typeof name !== "string" || typeof by !== "string" || !Array.isArray(entries)) return [];
  return [{ name, by, entries: entries.slice(0, DEFAULTS.bansMax).flatMap(entryOf) }];
}

function entryOf(value: unknown): readonly BanEntry[] {
  if (!Array.isArray(value)) return [];
  const [key, label, sinceMs, untilMs, count]: readonly unknown[] = value;
  if (!isCount(key) || typeof label !== "string" || !isTime(sinceMs) || !isTime(untilMs) || !isCount(count)) return [];
  return [{ key, label: label.slice(0, DEFAULTS.banLabelCharsMax), sinceMs, untilMs, count }];
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

function isTime(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value);
}
