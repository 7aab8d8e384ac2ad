import {
  closeSync,
  fchmodSync,
  fchownSync,
  fstatSync,
  fsyncSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  writeFileSync,
} from "node:fs";
import { codeOf } from "../daemon/unix-socket.ts";
import { err, ok, type Result } from "../support/result.ts";

/**
 * Puts bytes in the place of a file by one rename, so that whoever watches it sees one change and never a part. Mode and owner stay,
 * and so does a link that leads to it. `old`: what it is made of; a file that somebody has saved since then is theirs. Gives why nothing
 * has changed.
 */
export function replaceFile(named: string, old: Buffer, bytes: Buffer): Result<null, string> {
  let made = "";
  try {
    const file = realpathSync(named);
    made = `${file}.next~`;
    rmSync(made, { force: true });
    writeLike(statSync(file), made, bytes);
    if (!readFileSync(file).equals(old)) {
      rmSync(made);
      return err("was saved by somebody else meanwhile, and stays as it is");
    }
    renameSync(made, file);
    return ok(null);
  } catch (error) {
    if (made !== "") rmSync(made, { force: true });
    return err(`cannot be replaced (${codeOf(error)})`);
  }
}

function writeLike({ mode, uid, gid }: Stats, made: string, bytes: Buffer): void {
  const handle = openSync(made, "wx", 0o600);
  try {
    writeFileSync(handle, bytes);
    const own = fstatSync(handle);
    if (own.uid !== uid || own.gid !== gid) fchownSync(handle, uid, gid);
    fchmodSync(handle, mode & 0o7777);
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
