import type { StateKind } from "../../resources/state-folder.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import { parseJsonObject } from "../../support/json.ts";

/** An answer as it came, and when, Unix milliseconds. */
export interface KeptKeySet {
  readonly body: Buffer;
  readonly fetchedAtMs: number;
}

export const KEPT_KEY_SET: StateKind = { name: "key-set", version: 1 };

export function writeKeptKeySet({ body, fetchedAtMs }: KeptKeySet): Buffer {
  return Buffer.from(JSON.stringify({ fetchedAtMs, body: body.toString("base64") }));
}

/** Null where it is none, or too old to serve: `nowMs` in Unix milliseconds. One from the future is as of now. */
export function readKeptKeySet(content: Buffer, nowMs: number): KeptKeySet | null {
  const read = parseJsonObject(content, 2);
  if (!read.ok) return null;
  const { fetchedAtMs, body } = read.value;
  if (typeof fetchedAtMs !== "number" || typeof body !== "string") return null;
  if (nowMs - fetchedAtMs >= DEFAULTS.keySetStaleMsMax) return null;
  return { body: Buffer.from(body, "base64"), fetchedAtMs: Math.min(fetchedAtMs, nowMs) };
}
