import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { err, ok, type Result } from "../support/result.ts";

/**
 * Makes a folder that lives as long as this process: nobody else may enter it, a second process does not get it, and one
 * that a killed process left behind is made anew. Gives the function that removes it.
 */
export function claimFolder(folder: string, pid: number): Result<() => void, string> {
  const owner = join(folder, "pid");
  try {
    try {
      mkdirSync(folder, { mode: 0o700 });
    } catch (error) {
      if (!(error instanceof Error) || !("code" in error) || error.code !== "EEXIST") throw error;
      if (isRunning(owner)) return err(`${folder} is in use by another quick start`);
      // Only what we once made is removed: without the file it is somebody else's folder.
      readFileSync(owner);
      rmSync(folder, { recursive: true });
      mkdirSync(folder, { mode: 0o700 });
    }
    writeFileSync(owner, String(pid), { flag: "wx" });
    return ok(() => rmSync(folder, { recursive: true, force: true }));
  } catch (error) {
    return err(`${folder} cannot be made: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function isRunning(owner: string): boolean {
  try {
    process.kill(Number(readFileSync(owner, "utf8")), 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM"; // it runs as another user
  }
}
