import { posix } from "node:path";
import { DEFAULTS } from "../support/defaults.ts";

/** What the process may hold, in bytes. */
export interface MachineLimit {
  readonly bytes: number;
  /** Whether somebody set it for this process. */
  readonly isGranted: boolean;
}

export interface MachineFiles {
  /** Text of a file by its absolute name, or null where it cannot be read. */
  readonly readText: (file: string) => string | null;
  /** Memory of the machine, in bytes. */
  readonly totalBytes: number;
}

/**
 * What this process may hold: the lowest limit of its cgroup and of those above it (version 2 `memory.max`,
 * version 1 `memory.limit_in_bytes`). A machine that sets none is nobody's alone: there it is a fixed amount, or half of a
 * small machine's memory.
 */
export function machineLimit(files: MachineFiles): MachineLimit {
  const limits = cgroupFolders(files.readText).map((folder) => lowestOf(folder, files.readText));
  // Version 1 says "no limit" by a number that no machine has.
  const known = Math.min(...limits, files.totalBytes);
  if (known < files.totalBytes) return { bytes: known, isGranted: true };
  return { bytes: Math.min(DEFAULTS.memoryUnlimitedBytes, files.totalBytes / 2), isGranted: false };
}

interface CgroupFolder {
  readonly root: string;
  /** From the root to the process's own group. */
  readonly path: string;
  readonly file: string;
}

/** In a container both hierarchies are usually mounted at the process's own group, and the path names one that is not seen. */
function cgroupFolders(readText: MachineFiles["readText"]): CgroupFolder[] {
  const folders: CgroupFolder[] = [];
  for (const line of (readText("/proc/self/cgroup") ?? "").split("\n")) {
    const [, controllers, path] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? [];
    if (controllers === undefined || path === undefined) continue;
    if (controllers === "") folders.push({ root: "/sys/fs/cgroup", path, file: "memory.max" });
    else if (controllers.split(",").includes("memory")) {
      folders.push({ root: "/sys/fs/cgroup/memory", path, file: "memory.limit_in_bytes" });
    }
  }
  return folders;
}

function lowestOf({ root, path, file }: CgroupFolder, readText: MachineFiles["readText"]): number {
  let lowest = Number.POSITIVE_INFINITY;
  for (let at = path; ; at = posix.dirname(at)) {
    const limit = Number((readText(posix.join(root, at, file)) ?? "max").trim()); // "max" is no number
    if (limit > 0) lowest = Math.min(lowest, limit);
    if (at === "/" || at === ".") return lowest;
  }
}
