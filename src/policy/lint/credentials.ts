import { DEFAULTS } from "../../support/defaults.ts";
import { instantMs } from "../../support/instant.ts";
import type { Steps } from "../../support/turns.ts";
import { timeText } from "../certificates.ts";
import { type PolicyDocument, parseDocument } from "../document.ts";
import { shownName } from "../include.ts";
import { valueAt } from "../issues.ts";
import type { Path } from "../path.ts";
import type { Work } from "../work.ts";

const DAY_MS = 86_400_000;

/** Keys and passwords of files whose `notAfter` is near or past. */
export function* lintCredentials(work: Work): Steps<void> {
  for (const name of work.reader.names(["authenticators"])) {
    for (const word of ["keys", "users"]) {
      const path = ["authenticators", name, word];
      const file = work.reader.raw(path);
      if (typeof file !== "string") continue;
      const content = work.files.read(file, path);
      // What is wrong with it is told by whoever reads it for good.
      const document = content.ok ? yield* parseDocument(shownName(work, file), content.value, () => {}) : null;
      if (document !== null) yield* lintFile(work, document);
    }
  }
}

function* lintFile(work: Work, document: PolicyDocument): Steps<void> {
  for (const list of ["callers", "users"]) {
    const callers = valueAt(document.value, [list]);
    for (const at of Array.isArray(callers) ? callers.keys() : []) {
      yield;
      const caller: Path = [list, at];
      const name = valueAt(document.value, [...caller, "name"]);
      const keys = valueAt(document.value, [...caller, "keys"]);
      const paths: Path[] = [caller];
      for (const key of Array.isArray(keys) ? keys.keys() : []) paths.push([...caller, "keys", key]);
      for (const path of paths) lintEnd(work, document, path, String(name));
    }
  }
}

function lintEnd(work: Work, document: PolicyDocument, path: Path, name: string): void {
  const written = valueAt(document.value, [...path, "notAfter"]);
  const end = typeof written === "string" ? instantMs(written, true) : null;
  if (end === null) return;
  const days = Math.floor((end - work.inputs.clock.wallMs()) / DAY_MS);
  if (days >= DEFAULTS.certificateWarningDays) return;
  const text =
    days < 0
      ? `what '${name}' is known by ended at ${timeText(end)}`
      : `what '${name}' is known by ends at ${timeText(end)}, in ${days} days`;
  work.warnings.add("credential_ends_soon", document.place([...path, "notAfter"]), text);
}
