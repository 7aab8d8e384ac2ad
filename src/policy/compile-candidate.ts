import { dirname, resolve } from "node:path";
import { DEFAULTS } from "../support/defaults.ts";
import { candidateSchema } from "./ladder-schema.ts";
import type { Work } from "./work.ts";

/** Section `candidate`: only its name is read here. What stands in the file is no part of this policy. */
export function readCandidate(work: Work): void {
  const value = work.reader.raw(["candidate"]);
  if (value === undefined) return;
  const read = work.reader.readParts(candidateSchema, value, ["candidate"]);
  if (read === null || read.lost.length > 0) return;
  const {
    file,
    share = DEFAULTS.candidateShare,
    cpuShare = DEFAULTS.candidateCpuShare,
  } = typeof read.settings === "string" ? { file: read.settings } : read.settings;
  const cwd = work.inputs.cwd ?? "";
  const absolute = resolve(cwd, dirname(work.file), file);
  if (absolute === resolve(cwd, work.file)) {
    work.problem("the candidate is this very policy; expected another file", ["candidate"]);
    return;
  }
  work.candidate = { file: absolute, share, cpuShare, place: work.reader.document.place(["candidate"]) };
}
