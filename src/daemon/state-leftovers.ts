import { opendir, unlink } from "node:fs/promises";
import { join } from "node:path";
import { DEFAULTS } from "../support/defaults.ts";
import { ageMs } from "./state-lock.ts";

/** The suffix of a file that is being written, before it takes its name. */
export const UNFINISHED = ".new";

/** As `state-files` and `state-lock` name what is theirs for a moment. */
const LEFTOVER = /\.[0-9a-f]{12}(?:\.new)?$/;

/**
 * Takes away what processes left that were killed while they wrote: nobody reads it, and each such end would leave one more. A young one
 * may be another process's, that is writing now.
 */
export async function removeLeftovers(directory: string): Promise<void> {
  try {
    for await (const entry of await opendir(directory)) {
      const file = join(directory, entry.name);
      if (!entry.isFile() || !LEFTOVER.test(entry.name)) continue;
      // Somebody who took it away a moment before must not leave the rest to nobody.
      if (((await ageMs(file)) ?? 0) >= DEFAULTS.stateLeftoverMs) await unlink(file).catch(() => {});
    }
  } catch {
    // What cannot be taken away harms nobody; what is wrong with the folder is told by who uses it.
  }
}
