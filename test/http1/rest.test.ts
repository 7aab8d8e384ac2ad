// Goal: a connection at rest keeps next to nothing of the head that came last. Method: many of them, and the heap before and
// behind.
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, it } from "vitest";
import { LingerRoom } from "../../src/http1/linger.ts";
import { ServerConnection } from "../../src/http1/server-connection.ts";
import type { ServerHandler } from "../../src/http1/server-handler.ts";
import { Charge } from "../../src/memory/account.ts";
import { NOBODY, unlimitedMemory } from "../../src/memory/budget.ts";
import { Deadlines } from "../../src/support/deadlines.ts";
import { MemorySocket } from "../fuzz/memory-socket.ts";
import { clock, limits } from "../fuzz/ours.ts";

const handler: ServerHandler<ServerConnection> = {
  onRequest: (connection) => {
    connection.startResponse(204, "", 0);
    connection.endResponse("");
  },
  onFault: () => {},
  onDrain: () => {},
  onClose: () => {},
  lingerRoom: new LingerRoom(),
};

setFlagsFromString("--expose-gc");
const collectGarbage: () => void = runInNewContext("gc");

function heapBytes(): number {
  collectGarbage();
  collectGarbage();
  return process.memoryUsage().heapUsed;
}

const FILLING = "x".repeat(24 * 1024);

it.each([
  ["its first line", `GET /${FILLING} HTTP/1.1\r\nHost: orders.shop.example.org\r\n\r\n`],
  ["a header", `GET / HTTP/1.1\r\nHost: orders.shop.example.org\r\nX-Filling: ${FILLING}\r\n\r\n`],
])("a connection at rest keeps nothing of a long head: %s", (_, head) => {
  const charge = (): Charge => new Charge(unlimitedMemory().bodies, NOBODY);
  const open = (): ServerConnection => {
    const socket = new MemorySocket();
    const connection = new ServerConnection(socket, limits, handler, clock, new Deadlines(clock), charge);
    socket.receive(head);
    return connection;
  };
  open();
  const before = heapBytes();
  const connections = Array.from({ length: 200 }, open);
  const bytes = (heapBytes() - before) / connections.length;
  expect(connections.every(({ idle }) => idle)).toBe(true);
  expect(bytes).toBeLessThan(FILLING.length / 2);
});
