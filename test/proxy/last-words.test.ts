// Goal: what is said last reaches a client that is still writing, for a close while its bytes lie unread is a reset, and a
// reset eats what it has not read yet; and a client that never stops buys neither time nor work. Method: a client that
// reads nothing until the other side is done with it; a clock that the test moves.
import { afterEach, describe, expect, test } from "vitest";
import { DEFAULTS } from "../../src/support/defaults.ts";
import { eventually, unchanging } from "../fixtures/eventually.ts";
import { ERROR, frame, H2RawClient, TYPE } from "../fixtures/h2-frames.ts";
import { closeAll, onClose, startProxy } from "../fixtures/proxy.ts";
import { RawClient } from "../fixtures/raw.ts";
import { TestClock } from "../fixtures/telemetry.ts";

afterEach(closeAll);

const MIB = 1024 * 1024;
/** More than the sockets' buffers and what is read away hold together. */
const FLOOD_BYTES = 64 * MIB;

interface Talk {
  readonly client: RawClient | H2RawClient;
  readonly flood: Buffer;
  /** What the client has heard. */
  readonly heard: () => unknown;
  readonly lastWords: unknown;
}

const protocols: Record<string, (port: number) => Promise<Talk>> = {
  "http/1.1": async (port) => {
    const client = await RawClient.connect({ port, host: "127.0.0.1" });
    const flood = Buffer.alloc(FLOOD_BYTES, "x");
    flood.write("no request\r\n\r\n");
    return { client, flood, heard: () => client.received.slice(0, 13), lastWords: "HTTP/1.1 400 " };
  },
  h2: async (port) => {
    const client = await H2RawClient.connect({ port, host: "127.0.0.1" });
    const flood = Buffer.alloc(FLOOD_BYTES, frame(TYPE.ping, 0, 0, "12345678"));
    return { client, flood, heard: () => client.goaway, lastWords: ERROR.enhanceYourCalm };
  },
};

describe.each(Object.keys(protocols) as ("http/1.1" | "h2")[])("%s", (protocol) => {
  async function start() {
    const clock = new TestClock();
    const running = await startProxy({ protocol, clock });
    const talk = await protocols[protocol]?.(running.port);
    if (talk === undefined) throw new Error("no such protocol");
    onClose(() => talk.client.destroy());
    talk.client.pause();
    talk.client.write(talk.flood);
    await unchanging(() => talk.client.writableBytes);
    return { ...running, ...talk, clock };
  }

  test("a client that reads only when it can write no more hears why its connection ends", async () => {
    const { client, heard, lastWords } = await start();
    expect([client.closed, client.writableBytes > 0]).toEqual([false, true]);
    client.resume();
    await eventually(() => heard() === lastWords);
  });

  test("one that never stops is rid of when the time is over, and not read in between", async () => {
    const { client, proxy, clock, sweep, heard, lastWords } = await start();
    client.resume();
    await eventually(() => heard() === lastWords);
    // Its time is counted from when our side is closed, some turns behind the words.
    await unchanging(() => client.writableBytes);
    clock.monotonic += DEFAULTS.lingerTimeoutMs - 1;
    sweep();
    await unchanging(() => client.writableBytes);
    expect([proxy.connectionsOpen, client.writableBytes > 0]).toEqual([1, true]);
    // Deadlines are looked at once a second where nothing else is waited for.
    for (const late of [1, DEFAULTS.h2CheckIntervalMs]) {
      clock.monotonic += late;
      sweep();
    }
    await eventually(() => proxy.connectionsOpen === 0 && client.closed);
  });
});
