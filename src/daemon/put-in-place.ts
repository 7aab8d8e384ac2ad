import { closeSync, fsyncSync, linkSync, lstatSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { err, ok, type Result } from "../support/result.ts";
import { codeOf } from "./unix-socket.ts";

/**
 * Puts `text` in the place of a file by one rename, and keeps what stood there beside it. Gives the name of what was kept, or why
 * nothing has changed.
 */
export function putInPlace(file: string, text: Buffer): Result<string, string> {
  const [made, linked, previous] = [`${file}.next~`, `${file}.previous~`, `${file}.previous`];
  try {
    const stats = lstatSync(file);
    if (!stats.isFile()) return err(`${file} is a link; expected whoever made it to lead it to the candidate`);
    for (const left of [made, linked]) rmSync(left, { force: true });
    const handle = openSync(made, "wx", stats.mode & 0o777);
    try {
      writeSync(handle, text);
      fsyncSync(handle);
    } finally {
      closeSync(handle);
    }
    linkSync(file, linked);
    renameSync(linked, previous);
    renameSync(made, file);
    return ok(previous);
  } catch (error) {
    rmSync(made, { force: true });
    return err(`${file} cannot be replaced (${codeOf(error)})`);
  }
}
