import type { Socket } from "node:net";

/**
 * Takes a connection's reading off its socket, so that another protocol can have it: paused, with `early`, bytes that
 * were read already, in front. Whoever listens for errors and the end of the socket still does.
 */
export function handOver(socket: Socket, early: Buffer | null): void {
  socket.pause();
  for (const event of ["data", "drain", "end"]) socket.removeAllListeners(event);
  if (early !== null && early.length > 0) socket.unshift(early);
}
