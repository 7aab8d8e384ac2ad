import { closeSync, openSync } from "node:fs";

/** Of the limits that connections meet, too: the process's own, and the machine's. */
const SHORTAGES = new Set(["EMFILE", "ENFILE"]);

/** The system's error where one more file cannot be opened for want of a place; null where it can. */
export function fileFault(): string | null {
  try {
    closeSync(openSync("/dev/null", "r"));
    return null;
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    return SHORTAGES.has(code) ? code : null;
  }
}
