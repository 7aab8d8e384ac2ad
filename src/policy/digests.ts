import { createHash, hash } from "node:crypto";
import type { Steps } from "../support/turns.ts";

/** Of bytes that several ask about: a file of 64 MiB is read for its digest once, and in steps. */
const known = new WeakMap<Buffer, string>();

/** Bytes hashed between two yields. */
const STEP_BYTES = 64 * 1024;

/** SHA-256, hexadecimal. */
export function digestOf(bytes: Buffer): string {
  return known.get(bytes) ?? hash("sha256", bytes);
}

/** The same in steps, for `digestOf` too from then on. */
export function* digestSteps(bytes: Buffer): Steps<string> {
  const before = known.get(bytes);
  if (before !== undefined) return before;
  const digest = createHash("sha256");
  for (let at = 0; at < bytes.length; at += STEP_BYTES) {
    digest.update(bytes.subarray(at, at + STEP_BYTES));
    yield;
  }
  const text = digest.digest("hex");
  known.set(bytes, text);
  return text;
}
