import type { Place } from "../decision/verdict.ts";
import { type EntryMode, type FileModes, othersMayRead, strangersMayWrite } from "./file-guard.ts";
import type { Path } from "./path.ts";
import type { Work } from "./work.ts";

/**
 * Who else may read a private key, or decide what the policy says. A group may read a key: systemd and Kubernetes
 * (fsGroup) give it to postern in that way, so that postern owns nothing that it reads.
 */
export function warnPermissions(work: Work): void {
  const { guard } = work.inputs;
  if (guard === undefined) return;
  if (guard.servesAsRoot) {
    work.warning(
      "file_access",
      "postern runs as root, so a fault in it gives the whole machine away; expected a user of its own",
      [],
    );
  }
  const told = new Set<string>();
  for (const [absolute, path] of work.files.origins()) {
    const modes = guard.modesOf(absolute);
    if (modes === null) continue;
    if (work.files.holdsPrivateKey(absolute)) warnReaders(work, modes, path);
    for (const [entry, who] of strangersMayWrite(modes, guard.groups)) {
      if (told.has(entry.path)) continue;
      told.add(entry.path);
      work.warning("file_access", writersText(modes, entry, who), path);
    }
  }
}

function warnReaders(work: Work, modes: FileModes, path: Path | Place): void {
  if (!othersMayRead(modes)) return;
  const { path: file, mode } = modes.file;
  work.warning(
    "file_access",
    `'${file}' holds a private key that every user of the system may read (mode ${octal(mode)}); expected 0640 or less`,
    path,
  );
}

function writersText({ file }: FileModes, entry: EntryMode, who: string): string {
  const mode = `mode ${octal(entry.mode)}`;
  const what =
    entry === file
      ? `${who} may write '${file.path}' (${mode})`
      : `${who} may replace what lies in '${entry.path}' (${mode}, not sticky), '${file.path}' with it`;
  return `${what}, and so decide what postern lets pass; expected that only its owner may`;
}

function octal(mode: number): string {
  return mode.toString(8).padStart(4, "0");
}
