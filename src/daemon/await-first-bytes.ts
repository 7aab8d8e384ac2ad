import type { Socket } from "node:net";

/** What becomes of a wait for a connection's first bytes; one of the three is called, once. */
export interface FirstBytes {
  /** Whether what has come is enough to go on with. */
  isEnough(seen: Buffer): boolean;
  /** They are put back, and are what the socket gives next. */
  onEnough(seen: Buffer): void;
  /** `seen`: how many bytes had come. */
  onTimeout(seen: number): void;
  onEnd(): void;
}

/** Reads the first bytes of a connection as far as somebody must see them before it is known what to do with it. */
export function awaitFirstBytes(socket: Socket, timeoutMs: number, wait: FirstBytes): void {
  let seen: Buffer = Buffer.alloc(0);
  const settle = (): void => {
    clearTimeout(timer);
    socket.off("readable", onReadable);
    socket.off("end", onEnd);
    socket.off("close", onEnd);
  };
  const onReadable = (): void => {
    const chunk: unknown = socket.read();
    if (!Buffer.isBuffer(chunk)) return;
    seen = seen.length === 0 ? chunk : Buffer.concat([seen, chunk]);
    if (!wait.isEnough(seen)) return;
    settle();
    socket.unshift(seen);
    wait.onEnough(seen);
  };
  const onEnd = (): void => {
    settle();
    wait.onEnd();
  };
  const timer = setTimeout(() => {
    settle();
    wait.onTimeout(seen.length);
  }, timeoutMs);
  socket.on("readable", onReadable);
  socket.on("end", onEnd);
  socket.on("close", onEnd);
}
