import { CHUNKED } from "../message/body.ts";

/**
 * Methods whose requests say so when they have no body; some services wait for one otherwise. A body of any other method is
 * sent with `connection: close`, and nothing after it: a service that does not look for bodies there would read it as its
 * next request (CL.0), and so it is told that there is none.
 */
const WITH_LENGTH: ReadonlySet<string> = new Set(["POST", "PUT", "PATCH"]);

export function isWithLength(method: string): boolean {
  return WITH_LENGTH.has(method);
}

/** Header lines that tell the service where the request ends, or that it becomes a WebSocket. */
export function framingLines(method: string, bodyBytes: number, upgrade: boolean): string {
  if (upgrade) return "connection: upgrade\r\nupgrade: websocket\r\n";
  const withLength = WITH_LENGTH.has(method);
  if (bodyBytes === 0) return withLength ? "content-length: 0\r\n" : "";
  const close = withLength ? "" : "connection: close\r\n";
  return bodyBytes === CHUNKED ? `transfer-encoding: chunked\r\n${close}` : `content-length: ${bodyBytes}\r\n${close}`;
}
