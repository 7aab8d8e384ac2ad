import { chmodSync, lstatSync, unlinkSync } from "node:fs";
import { connect } from "node:net";
import { DEFAULTS } from "../support/defaults.ts";
import { err, ok, type Result } from "../support/result.ts";

/**
 * Makes way for a listening socket at `path`: a socket file that nobody listens on, left by a crash, is removed. Any
 * other file is not ours to remove, and neither is the socket of a process that lives.
 */
export async function clearStaleSocket(path: string): Promise<Result<null, string>> {
  try {
    if (!lstatSync(path).isSocket()) return err(`${path} exists and is not a socket`);
  } catch (error) {
    return codeOf(error) === "ENOENT" ? ok(null) : err(`${path}: ${codeOf(error)}`);
  }
  if (await isListened(path)) return err(`${path}: another process listens there`);
  try {
    unlinkSync(path);
    return ok(null);
  } catch (error) {
    return codeOf(error) === "ENOENT" ? ok(null) : err(`${path}: ${codeOf(error)}`);
  }
}

/** Owner and group may connect. Errors with the code of the system. */
export function restrictSocket(path: string): Result<null, string> {
  try {
    chmodSync(path, DEFAULTS.unixSocketMode);
    return ok(null);
  } catch (error) {
    return err(`${path}: ${codeOf(error)}`);
  }
}

/** True also where that cannot be known: only a refused connection proves that nobody is there. */
function isListened(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(path);
    probe.setTimeout(DEFAULTS.unixProbeTimeoutMs, () => finish(true));
    probe.on("connect", () => finish(true));
    probe.on("error", (error) => finish(codeOf(error) !== "ECONNREFUSED"));
    const finish = (listened: boolean): void => {
      probe.destroy();
      resolve(listened);
    };
  });
}

export function codeOf(error: unknown): string {
  if (error instanceof Error && "code" in error && typeof error.code === "string") return error.code;
  return error instanceof Error ? error.message : String(error);
}
