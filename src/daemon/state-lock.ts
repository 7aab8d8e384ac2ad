import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { open, stat, unlink } from "node:fs/promises";
import { err, ok, type Result } from "../support/result.ts";
import { codeOf } from "./unix-socket.ts";

/** A file that exists is the lock: whoever made it has it, and one that is `staleMs` old is of a process that ended. */
export async function lockState(file: string, staleMs: number): Promise<Result<() => Promise<void>, string>> {
  for (let attempt = 0; attempt < 2; attempt++) {
    try {
      const handle = await open(
        file,
        constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW,
        0o600,
      );
      await handle.close();
      return ok(() => unlink(file).catch(() => {}));
    } catch (error) {
      if (codeOf(error) !== "EEXIST") return err(`it cannot be locked: ${codeOf(error)}`);
      const age = await ageMs(file);
      if (age !== null && age < staleMs) break;
      await unlink(file).catch(() => {});
    }
  }
  return err("another process writes to it now");
}

/** By the clock of its own file system; null where it is gone. */
export async function ageMs(file: string): Promise<number | null> {
  const beside = `${file}.${randomBytes(6).toString("hex")}`;
  try {
    const { mtimeMs } = await stat(file);
    const handle = await open(beside, "wx", 0o600);
    try {
      return (await handle.stat()).mtimeMs - mtimeMs;
    } finally {
      await handle.close();
      await unlink(beside).catch(() => {});
    }
  } catch {
    return null;
  }
}
