import { type Stats, statSync } from "node:fs";
import { dirname } from "node:path";
import type { EntryMode, FileGuard, FileModes } from "../policy/file-guard.ts";
import { watchedPaths } from "./watched-paths.ts";

/** What the system says of permissions; undefined where it knows none of this kind. */
export function systemGuard(serves: boolean): FileGuard | undefined {
  const { geteuid, getegid, getgroups } = process;
  if (geteuid === undefined || getegid === undefined || getgroups === undefined) return undefined;
  return {
    modesOf,
    groups: new Set([getegid.call(process), ...getgroups.call(process)]),
    servesAsRoot: serves && geteuid.call(process) === 0,
  };
}

function modesOf(absolute: string): FileModes | null {
  const entries = watchedPaths(absolute);
  const real = entries.at(-1);
  const file = real === undefined ? null : modeOf(real);
  if (file === null) return null;
  const folders = new Map<string, EntryMode>();
  for (const entry of entries) {
    for (let path = dirname(entry); !folders.has(path); path = dirname(path)) {
      const folder = modeOf(path);
      if (folder === null) return null;
      folders.set(path, folder);
    }
  }
  return { file, folders };
}

function modeOf(path: string): EntryMode | null {
  try {
    const { mode, gid }: Stats = statSync(path);
    return { path, mode: mode & 0o7777, gid };
  } catch {
    return null;
  }
}
