import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { buffer } from "node:stream/consumers";
import { expect, test } from "vitest";
import { Output } from "../../src/http1/output.ts";

/** More than sockets of this machine hold for a peer that does not read. */
const FILLING = Buffer.alloc(16 * 1024 * 1024, "-");

test("what waits in a socket stays as it was written, whatever is written to others meanwhile", async () => {
  await using pair = await connected(2);
  const [slow, fast] = pair.near as [Socket, Socket];
  slow.write(FILLING);
  const messages = Array.from({ length: 50 }, (_, at) => `head of message ${at}\r\n\r\n`);
  for (const message of messages) {
    write(slow, message, Buffer.from("its body"));
    write(fast, "another head\r\n\r\n", Buffer.from("another body, which is longer than the first"));
  }
  expect(slow.writableLength).toBeGreaterThan(0);
  slow.end();
  fast.end();
  const [slowBytes, fastBytes] = await Promise.all(pair.far.map((socket) => buffer(socket)));
  const behind = slowBytes?.subarray(FILLING.length).toString("latin1");
  expect(behind).toBe(messages.map((message) => `${message}its body`).join(""));
  expect(fastBytes?.length).toBe(50 * "another head\r\n\r\nanother body, which is longer than the first".length);
});

function write(socket: Socket, head: string, body: Buffer): void {
  const output = new Output(socket);
  output.add(head);
  output.add(body);
  output.flush();
}

/** So many connections to a peer that reads nothing yet, from both of their ends and in one order. */
async function connected(count: number) {
  const server = createServer({ pauseOnConnect: true }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const near: Socket[] = [];
  const far: Socket[] = [];
  for (let at = 0; at < count; at++) {
    const accepted = once(server, "connection");
    const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
    await once(socket, "connect");
    near.push(socket);
    far.push(...((await accepted) as [Socket]));
  }
  return {
    near,
    far,
    [Symbol.asyncDispose]: async () => {
      for (const socket of [...near, ...far]) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}
