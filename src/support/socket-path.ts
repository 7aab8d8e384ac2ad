import { err, ok, type Result } from "./result.ts";

/** Bytes of a Unix socket's name that Linux takes (sun_path without its final NUL). */
const SOCKET_PATH_BYTES_MAX = 107;

/** The absolute name of a Unix socket, as it is, or what is wrong with it. */
export function parseSocketPath(path: string): Result<string, string> {
  if (!path.startsWith("/") || path.endsWith("/") || path.includes("\0")) {
    return err("expected the absolute name of a socket, as in unix:/run/postern.sock");
  }
  if (Buffer.byteLength(path) > SOCKET_PATH_BYTES_MAX) {
    return err(`expected a socket's name of at most ${SOCKET_PATH_BYTES_MAX} bytes, which is all the system takes`);
  }
  return ok(path);
}

/** `unix:/run/spire/agent.sock` → the path. */
export function parseSocketAddress(text: string): Result<string, string> {
  const parsed = text.startsWith("unix:/") ? parseSocketPath(text.slice(5)) : null;
  if (parsed?.ok === true) return parsed;
  return err("expected a Unix socket by its absolute path, as in unix:/run/spire/agent.sock");
}
