// Goal: a tunnel through a stream (RFC 8441) ends once, keeps to its windows, and is accounted for once. Method: raw frames.
import type { Socket } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { DEFAULTS } from "../../src/support/defaults.ts";
import { acceptOf } from "../../src/websocket/handshake.ts";
import { eventually } from "../fixtures/eventually.ts";
import { settle } from "../fixtures/h2-attacked.ts";
import {
  ERROR,
  type Field,
  FLAG,
  frame,
  H2RawClient,
  PREFACE,
  request,
  rstStream,
  settings,
  TYPE,
  windowUpdate,
} from "../fixtures/h2-frames.ts";
import { closeAll, startProxy, startRawService } from "../fixtures/proxy.ts";
import { SWITCH, frame as webSocketFrame } from "../fixtures/web-socket.ts";

afterEach(closeAll);

describe("tunnels (RFC 8441)", () => {
  const connectFields = (): Field[] => [
    [":method", "CONNECT"],
    [":protocol", "websocket"],
    [":scheme", "http"],
    [":authority", "localhost"],
    [":path", "/chat"],
    ["sec-websocket-version", "13"],
  ];

  async function open(first = Buffer.concat([PREFACE, settings()])) {
    const sockets: Socket[] = [];
    const upstreamPort = await startRawService((socket) => {
      sockets.push(socket);
      socket.on("end", () => socket.end());
      socket.once("data", (chunk) => {
        const key = /sec-websocket-key: (\S+)/.exec(chunk.toString("latin1"))?.[1] ?? "";
        socket.write(SWITCH.replace(/Accept: .*\r/, `Accept: ${acceptOf(key)}\r`));
      });
    });
    const route = { webSocket: { frameBytesMax: 1024 * 1024, lifetimeMs: Number.POSITIVE_INFINITY } };
    const running = await startProxy({ upstreamPort, protocol: "h2", route });
    const client = await H2RawClient.connect({ port: running.port, host: "127.0.0.1" }, first);
    client.write(request(1, connectFields(), false));
    await client.until(() => client.status(1) === 200);
    return { ...running, client, sockets };
  }

  test("end once, whatever windows open afterwards: a second end would cost the client its connection", async () => {
    const { client, sockets, proxy, records } = await open();
    client.write(frame(TYPE.data, 0, 1, webSocketFrame(Buffer.from([3, 232]), true, 0x88)));
    await eventually(() => sockets.length === 1);
    sockets[0]?.end(webSocketFrame(Buffer.from([3, 232]), false, 0x88));
    await client.until(() => client.ended(1));
    client.write(windowUpdate(1, 1_000), settings([[4, 70_000]]), windowUpdate(1, 1_000));
    await settle(client);
    client.write(frame(TYPE.data, FLAG.endStream, 1));
    await eventually(() => records.length === 1 && proxy.requestsInFlight === 0);
    await settle(client);
    const ends = client.frames.filter((one) => one.stream === 1 && one.type === TYPE.data && (one.flags & 1) === 1);
    expect(ends).toHaveLength(1);
    expect([client.reset(1), client.goaway]).toEqual([undefined, undefined]);
  });

  test("of a client that takes a byte at a time bring every byte in order, and one end", async () => {
    const { client, sockets } = await open(Buffer.concat([PREFACE, settings([[4, 0]])]));
    const text = Array.from({ length: 40 }, (_, at) => String.fromCharCode(65 + (at % 26))).join("");
    const said = [...text].map((one) => webSocketFrame(one, false));
    for (const one of said) sockets[0]?.write(one);
    const bytes = Buffer.concat(said).length;
    for (let at = 0; at < bytes; at++) client.write(windowUpdate(1, 1));
    await client.until(() => client.body(1).length >= bytes);
    expect(client.body(1).replace(/[^A-Z]/g, "")).toBe(text);
    sockets[0]?.end(webSocketFrame(Buffer.from([3, 232]), false, 0x88));
    client.write(
      windowUpdate(1, 100),
      frame(TYPE.data, FLAG.endStream, 1, webSocketFrame(Buffer.from([3, 232]), true, 0x88)),
    );
    await client.until(() => client.ended(1));
  });

  test("that their clients reset, or whose connections break, are over and accounted for once", async () => {
    const { client, sockets, records, proxy } = await open();
    client.write(request(3, connectFields(), false));
    await client.until(() => client.status(3) === 200);
    client.write(frame(TYPE.data, 0, 1, webSocketFrame("half").subarray(0, 5)), rstStream(1));
    await eventually(() => records.length === 1);
    client.destroy();
    await eventually(() => records.length === 2 && proxy.requestsInFlight === 0);
    expect(records.map(({ status, reason }) => [status, reason])).toEqual([
      [101, "client_closed"],
      [101, "client_closed"],
    ]);
    await eventually(() => sockets.every((socket) => socket.destroyed || socket.readableEnded));
  });

  test("to which much was said before their answer hand it over first, and no more of it than a window", async () => {
    const { client, records } = await open();
    client.write(
      request(3, connectFields(), false),
      ...Array.from({ length: DEFAULTS.h2WindowBytes / 16_384 + 1 }, () =>
        frame(TYPE.data, 0, 3, Buffer.alloc(16_384)),
      ),
    );
    expect(await client.outcome(3)).toBe(`reset ${ERROR.flowControl}`);
    await eventually(() => records.length <= 1);
    expect(client.goaway).toBeUndefined();
  });
});
