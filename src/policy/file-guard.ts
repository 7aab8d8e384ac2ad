import { dirname } from "node:path";

/** Permissions of a file or folder. */
export interface EntryMode {
  readonly path: string;
  /** The twelve bits of `chmod`. */
  readonly mode: number;
  readonly gid: number;
}

/** Permissions of everything that the content behind a name depends on. */
export interface FileModes {
  /** Where it really is. */
  readonly file: EntryMode;
  /** The folders of it and of each symbolic link on the way, and all above them, by their real paths. */
  readonly folders: ReadonlyMap<string, EntryMode>;
}

/** How the system guards the files of a policy, and as whom this process reads them. */
export interface FileGuard {
  /** Null where it cannot be told; that the file cannot be read is said elsewhere. */
  readonly modesOf: (absolute: string) => FileModes | null;
  /** Groups of this process. */
  readonly groups: ReadonlySet<number>;
  /** It serves requests, and as root. */
  readonly servesAsRoot: boolean;
}

const OTHERS_READ = 0o004;
const OTHERS_WRITE = 0o002;
const OTHERS_PASS = 0o001;
const GROUP_WRITE = 0o020;
const GROUP_PASS = 0o010;
const STICKY = 0o1000;
const ROOT_GID = 0;

/** True where somebody outside of owner and group can read the file: it says so, and every folder above lets them pass. */
export function othersMayRead({ file, folders }: FileModes): boolean {
  return (file.mode & OTHERS_READ) !== 0 && isReachable(dirname(file.path), folders, OTHERS_PASS);
}

/** The file and folders that let strangers put another content in its place, with who they are. */
export function strangersMayWrite({ file, folders }: FileModes, groups: ReadonlySet<number>): [EntryMode, string][] {
  const found: [EntryMode, string][] = [];
  for (const entry of [file, ...folders.values()]) {
    const isFolder = entry !== file;
    // In a folder that is sticky, as /tmp, nobody replaces what others own.
    if (isFolder && (entry.mode & STICKY) !== 0) continue;
    const above = dirname(entry.path);
    const reaches = (pass: number): boolean => isReachable(above, folders, pass);
    if ((entry.mode & OTHERS_WRITE) !== 0 && reaches(OTHERS_PASS)) found.push([entry, "others"]);
    else if ((entry.mode & GROUP_WRITE) !== 0 && isStrange(entry.gid, groups) && reaches(OTHERS_PASS | GROUP_PASS)) {
      found.push([entry, `group ${entry.gid}`]);
    }
  }
  return found;
}

function isStrange(gid: number, groups: ReadonlySet<number>): boolean {
  return gid !== ROOT_GID && !groups.has(gid);
}

/** Whether `folder` and each above it let somebody pass who has one of these bits. */
function isReachable(folder: string, folders: ReadonlyMap<string, EntryMode>, pass: number): boolean {
  for (let path = folder; ; path = dirname(path)) {
    const entry = folders.get(path);
    if (entry !== undefined && (entry.mode & pass) === 0) return false;
    if (path === dirname(path)) return true;
  }
}
