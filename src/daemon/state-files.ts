import { randomBytes } from "node:crypto";
import { closeSync, constants, fstatSync, openSync, readFileSync, type Stats, statSync } from "node:fs";
import { type FileHandle, mkdir, open, rename, stat, unlink } from "node:fs/promises";
import { join } from "node:path";
import type { StateFiles } from "../resources/state-folder.ts";
import { err, ok, type Result } from "../support/result.ts";
import { removeLeftovers, UNFINISHED } from "./state-leftovers.ts";
import { lockState } from "./state-lock.ts";
import { codeOf } from "./unix-socket.ts";

const OTHERS_WRITE = 0o022;
const OWN_MODE = 0o600;

/** The state folder on a disk; made where it is missing, for this user alone. */
export function stateFiles(directory: string, userId: number | null): StateFiles {
  let isSound: Promise<Result<null, string>> | null = null;
  const sound = (): Promise<Result<null, string>> => {
    isSound ??= makeFolder(directory, userId).then((made) => {
      if (!made.ok) isSound = null;
      return made;
    });
    return isSound;
  };
  return {
    read: async (name, bytesMax) => {
      const folder = await sound();
      return folder.ok ? readState(join(directory, name), bytesMax, userId) : folder;
    },
    readEnd: async (name, bytesMax) => {
      const folder = await sound();
      return folder.ok ? readEnd(join(directory, name), bytesMax, userId) : folder;
    },
    readNow: (name, bytesMax) => {
      const folder = folderFault(directory, userId);
      return folder === null ? readStateNow(join(directory, name), bytesMax, userId) : err(folder);
    },
    write: async (name, content) => {
      const folder = await sound();
      return folder.ok ? writeState(join(directory, name), content) : folder;
    },
    place: async (name) => {
      const folder = await sound();
      return folder.ok ? placeState(join(directory, name), userId) : folder;
    },
    append: async (names, content, bytesMax, mode = OWN_MODE) => {
      const folder = await sound();
      if (!folder.ok) return folder;
      const [file = "", ...before] = names.map((name) => join(directory, name));
      const appended = await appendState(file, before, { content, bytesMax, mode, userId });
      // The folder may be gone.
      if (!appended.ok) isSound = null;
      return appended;
    },
    lock: async (name, staleMs) => {
      const folder = await sound();
      return folder.ok ? lockState(join(directory, name), staleMs) : folder;
    },
    setAside: async (name) => {
      const file = join(directory, name);
      await rename(file, `${file}.damaged`).catch(() => {});
    },
  };
}

async function makeFolder(directory: string, userId: number | null): Promise<Result<null, string>> {
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const fault = folderFaultOf(await stat(directory), userId);
    if (fault !== null) return err(fault);
    void removeLeftovers(directory);
    return ok(null);
  } catch (error) {
    return err(`the folder cannot be used: ${codeOf(error)}`);
  }
}

/** Null where it is sound, or not made yet. */
function folderFault(directory: string, userId: number | null): string | null {
  try {
    return folderFaultOf(statSync(directory), userId);
  } catch (error) {
    return codeOf(error) === "ENOENT" ? null : `the folder cannot be used: ${codeOf(error)}`;
  }
}

function folderFaultOf({ mode, uid }: Stats, userId: number | null): string | null {
  if (isStrange(uid, userId)) return `the folder belongs to user ${uid}`;
  return (mode & OTHERS_WRITE) === 0 ? null : "others may write into the folder; expected chmod 700";
}

const READ_FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

function readStateNow(file: string, bytesMax: number, userId: number | null): Result<Buffer | null, string> {
  try {
    const handle = openSync(file, READ_FLAGS);
    try {
      const found = fstatSync(handle);
      const fault = faultOf(found, userId) ?? sizeFaultOf(found, bytesMax);
      return fault === null ? ok(readFileSync(handle)) : err(fault);
    } finally {
      closeSync(handle);
    }
  } catch (error) {
    return unread(error);
  }
}

function unread(error: unknown): Result<null, string> {
  const code = codeOf(error);
  return code === "ENOENT" ? ok(null) : err(`it cannot be read: ${code}`);
}

function sizeFaultOf({ size }: Stats, bytesMax: number): string | null {
  return size > bytesMax ? `it is larger than ${bytesMax} bytes` : null;
}

/** Whoever can write a key set into this folder lets himself in: only our own files, and root's, are read. */
async function readState(
  file: string,
  bytesMax: number,
  userId: number | null,
): Promise<Result<Buffer | null, string>> {
  try {
    const handle = await open(file, READ_FLAGS);
    try {
      const found = await handle.stat();
      const fault = faultOf(found, userId) ?? sizeFaultOf(found, bytesMax);
      return fault === null ? ok(await handle.readFile()) : err(fault);
    } finally {
      await handle.close();
    }
  } catch (error) {
    return unread(error);
  }
}

async function readEnd(file: string, bytesMax: number, userId: number | null): Promise<Result<Buffer | null, string>> {
  try {
    const handle = await open(file, READ_FLAGS);
    try {
      const found = await handle.stat();
      const fault = faultOf(found, userId);
      if (fault !== null) return err(fault);
      const end = Buffer.alloc(Math.min(found.size, bytesMax));
      const { bytesRead } = await handle.read(end, 0, end.length, found.size - end.length);
      return ok(end.subarray(0, bytesRead));
    } finally {
      await handle.close();
    }
  } catch (error) {
    return unread(error);
  }
}

/** Nobody else may put another file there: the folder is ours alone. */
async function placeState(file: string, userId: number | null): Promise<Result<string, string>> {
  try {
    const flags = constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_NONBLOCK;
    const handle = await open(file, flags, 0o600);
    try {
      const fault = faultOf(await handle.stat(), userId);
      return fault === null ? ok(file) : err(fault);
    } finally {
      await handle.close();
    }
  } catch (error) {
    return err(`it cannot be opened: ${codeOf(error)}`);
  }
}

function faultOf(found: Stats, userId: number | null): string | null {
  if (!found.isFile()) return "it is no regular file";
  if (isStrange(found.uid, userId)) return `it belongs to user ${found.uid}`;
  return (found.mode & OTHERS_WRITE) === 0 ? null : "others may write it";
}

async function writeState(file: string, content: Buffer): Promise<Result<null, string>> {
  const beside = `${file}.${randomBytes(6).toString("hex")}${UNFINISHED}`;
  try {
    const handle = await open(beside, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
    try {
      await handle.writeFile(content);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(beside, file);
    return ok(null);
  } catch (error) {
    await unlink(beside).catch(() => {});
    return err(`it cannot be written: ${codeOf(error)}`);
  }
}

/** What is appended, up to which size of the file, and who may read one that is made. */
interface Addition {
  readonly content: readonly Buffer[];
  readonly bytesMax: number;
  readonly mode: number;
  readonly userId: number | null;
}

async function appendState(file: string, before: readonly string[], addition: Addition): Promise<Result<null, string>> {
  try {
    const added = await tryAppend(file, addition);
    if (typeof added === "string") return err(added);
    if (added) return ok(null);
    await makeRoom([file, ...before]);
    const anew = await tryAppend(file, { ...addition, bytesMax: Number.POSITIVE_INFINITY });
    return typeof anew === "string" ? err(anew) : ok(null);
  } catch (error) {
    return err(`it cannot be written: ${codeOf(error)}`);
  }
}

/** Each file takes the place of the next one, the last one's first. */
async function makeRoom(files: readonly string[]): Promise<void> {
  for (let at = files.length - 1; at > 0; at--) {
    const [from = "", to = ""] = [files[at - 1], files[at]];
    await rename(from, to).catch((error: unknown) => {
      if (codeOf(error) !== "ENOENT") throw error;
    });
  }
}

/** False where the file has no room for it; a text says what is wrong with the file. */
async function tryAppend(file: string, { content, bytesMax, mode, userId }: Addition): Promise<boolean | string> {
  const handle = await openToAppend(file, mode);
  try {
    const found = await handle.stat();
    const fault = faultOf(found, userId);
    if (fault !== null) return fault;
    const bytes = content.reduce((sum, piece) => sum + piece.length, 0);
    if (found.size > 0 && found.size + bytes > bytesMax) return false;
    try {
      for (const piece of content) await writePiece(handle, piece);
    } catch (error) {
      // Of a batch that a full disk has cut nothing stays, or the next one would begin in the middle of a line.
      if ((await handle.stat()).size > found.size) await handle.truncate(found.size);
      throw error;
    }
    return true;
  } finally {
    await handle.close();
  }
}

/** In one go, where `writeFile` takes one for each half of a MiB. */
async function writePiece(handle: FileHandle, piece: Buffer): Promise<void> {
  for (let at = 0; at < piece.length; ) at += (await handle.write(piece, at)).bytesWritten;
}

const APPEND_FLAGS = constants.O_WRONLY | constants.O_APPEND | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** Somebody else may have made the file, with a mode that is theirs to say. */
async function openToAppend(file: string, mode: number): Promise<FileHandle> {
  try {
    return await open(file, APPEND_FLAGS);
  } catch (error) {
    if (codeOf(error) !== "ENOENT") throw error;
  }
  const handle = await open(file, APPEND_FLAGS | constants.O_CREAT, mode);
  // Whatever the process's mask leaves of it.
  if (mode !== OWN_MODE) await handle.chmod(mode);
  return handle;
}

function isStrange(uid: number, userId: number | null): boolean {
  return userId !== null && uid !== userId && uid !== 0;
}
