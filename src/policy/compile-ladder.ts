import { createHash } from "node:crypto";
import { ladderShape } from "./ladder-schema.ts";
import type { Work } from "./work.ts";

/** Section `ladder`: a secret that says which callers are in a share, in every process that has it and after a restart. */
export function readLadder(work: Work): void {
  if (work.reader.raw(["ladder"]) === undefined) return;
  const { key } = work.reader.fields(ladderShape, ["ladder"]);
  const secret = key === undefined ? null : work.secret(key, ["ladder", "key"]);
  if (secret === null) return;
  const digest = createHash("sha256").update("postern ladder\n").update(secret).digest();
  work.ladderSeed = [digest.readInt32LE(0), digest.readInt32LE(4)];
}
