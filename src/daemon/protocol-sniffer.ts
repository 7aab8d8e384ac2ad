import type { Socket } from "node:net";
import type { HttpProtocol } from "../message/connection.ts";

/** RFC 9113 section 3.4; no HTTP/1.1 request begins like this. */
const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "latin1");

/**
 * Reads of a plain connection as much as tells HTTP/2 with prior knowledge from HTTP/1.1, puts it back, and calls
 * `onKnown`. A client that says too little in `timeoutMs` is not waited for: `onTimeout` is to end it.
 */
export function sniffProtocol(
  socket: Socket,
  timeoutMs: number,
  onKnown: (protocol: HttpProtocol) => void,
  onTimeout: () => void,
): void {
  let seen: Buffer = Buffer.alloc(0);
  const timer = setTimeout(onTimeout, timeoutMs);
  const stop = (): void => {
    clearTimeout(timer);
    socket.off("readable", onReadable);
    socket.off("end", onEnd);
    socket.off("close", stop);
  };
  const onReadable = (): void => {
    const chunk: unknown = socket.read();
    if (!Buffer.isBuffer(chunk)) return;
    seen = seen.length === 0 ? chunk : Buffer.concat([seen, chunk]);
    const length = Math.min(seen.length, PREFACE.length);
    const isLike = seen.compare(PREFACE, 0, length, 0, length) === 0;
    if (isLike && length < PREFACE.length) return;
    stop();
    socket.unshift(seen);
    onKnown(isLike ? "h2" : "http/1.1");
  };
  const onEnd = (): void => {
    stop();
    socket.destroy();
  };
  socket.on("readable", onReadable);
  socket.on("end", onEnd);
  socket.on("close", stop);
}
