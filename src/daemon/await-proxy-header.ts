import type { Socket } from "node:net";
import type { ConnectionRefusal } from "../telemetry/telemetry.ts";
import { type ProxyHeader, ProxyHeaderFault, readProxyHeader } from "./proxy-header.ts";

export interface ProxyHeaderHandler {
  /** The socket is paused, and what follows the header is what it gives next. */
  onHeader(header: ProxyHeader): void;
  onRefused(refusal: ConnectionRefusal, seen: string): void;
}

/**
 * Reads the PROXY header off a socket that nobody has read from; calls one of the two, once. The header must be whole
 * within `timeoutMs`, and nothing of it is ever answered: who cannot send one learns nothing.
 */
export function awaitProxyHeader(socket: Socket, timeoutMs: number, handler: ProxyHeaderHandler): void {
  let read: Buffer | null = null;
  const settle = (): void => {
    clearTimeout(timer);
    socket.off("data", onData);
    socket.off("end", onEnd);
    socket.off("close", onEnd);
  };
  const refuse = (refusal: ConnectionRefusal, seen: string): void => {
    settle();
    handler.onRefused(refusal, seen);
  };
  const onData = (chunk: Buffer): void => {
    read = read === null ? chunk : Buffer.concat([read, chunk]);
    const header = readProxyHeader(read);
    if (header === null) return;
    if (header instanceof ProxyHeaderFault) {
      refuse(header.kind === "missing" ? "proxy_header_missing" : "proxy_header_invalid", header.seen);
      return;
    }
    settle();
    socket.pause();
    if (header.bytes < read.length) socket.unshift(read.subarray(header.bytes));
    handler.onHeader(header);
  };
  const onEnd = (): void => refuse("proxy_header_missing", `closed after ${read?.length ?? 0} bytes`);
  const onTimeout = (): void => refuse("proxy_header_timeout", `no whole header in ${timeoutMs} ms`);
  const timer = setTimeout(onTimeout, timeoutMs);
  timer.unref();
  socket.on("data", onData);
  socket.on("end", onEnd);
  socket.on("close", onEnd);
}
