// Goal: nothing that crosses the name of the last stream is done twice, or costs those that were named anything; the last
// bytes reach a slow client. Method: raw frames in one read, where their order matters.
import { afterEach, describe, expect, test } from "vitest";
import { eventually, unchanging } from "../fixtures/eventually.ts";
import { settle, startAttacked as start } from "../fixtures/h2-attacked.ts";
import {
  ERROR,
  FLAG,
  fields,
  frame,
  type H2RawClient,
  PREFACE,
  request,
  rstStream,
  settings,
  TYPE,
  windowUpdate,
} from "../fixtures/h2-frames.ts";
import { serveHeld } from "../fixtures/held-socket.ts";
import { closeAll } from "../fixtures/proxy.ts";
import { TestClock } from "../fixtures/telemetry.ts";

afterEach(closeAll);

describe("a connection that goes away", () => {
  const noticed = async (client: H2RawClient) => {
    await client.until(() => client.goaway !== undefined);
    const ping = client.frames.find((one) => one.type === TYPE.ping && (one.flags & FLAG.ack) === 0);
    return frame(TYPE.ping, FLAG.ack, 0, ping?.payload ?? "");
  };
  const goaways = (client: H2RawClient) =>
    client.frames
      .filter((one) => one.type === TYPE.goaway)
      .map((one) => [one.payload.readUInt32BE(0), one.payload.readUInt32BE(4)]);

  test("does not forward a request that comes in one read with the answer to the notice: its client will ask again elsewhere", async () => {
    const { client, proxy, service, records, unjudged } = await start();
    client.write(request(1, fields("/ok")));
    expect(await client.outcome(1)).toBe(200);
    proxy.drain();
    const heard = await noticed(client);
    client.write(heard, request(3, fields("/twice")));
    await client.untilClosed();
    expect(goaways(client).at(-1)).toEqual([1, ERROR.none]);
    expect(service.received).not.toContain("/twice");
    expect(records).toHaveLength(1);
    expect([proxy.requestsInFlight, unjudged]).toEqual([0, ["going_away"]]);
  });

  test("does not forward a request that comes behind the reset of the last one", async () => {
    const { client, proxy, service, records, sessionsClosed } = await start();
    // Its connection to the service rests in the pool: what is forwarded goes out at once.
    client.write(request(1, fields("/hang")), request(3, fields("/ok")));
    expect(await client.outcome(3)).toBe(200);
    proxy.drain();
    client.write(await noticed(client));
    await client.until(() => goaways(client).length === 2);
    client.write(rstStream(1), request(5, fields("/twice")));
    await client.untilClosed();
    await eventually(() => sessionsClosed.length === 1);
    expect(service.received).not.toContain("/twice");
    expect(records.map(({ status }) => status)).toEqual([200, 499]);
  });

  test("lets an upload that crosses the name of the last stream pass unread, and serves those that it named", async () => {
    const { client, proxy, service, sessionsClosed } = await start();
    client.write(request(1, fields("/up", [], "POST"), false));
    await eventually(() => service.received.includes("/up"));
    proxy.drain();
    client.write(await noticed(client));
    await client.until(() => goaways(client).length === 2);
    client.write(request(3, fields("/late", [], "POST"), false), frame(TYPE.data, 0, 3, "late"), windowUpdate(3, 10));
    client.write(
      frame(TYPE.data, FLAG.endStream, 3, "r"),
      request(5, fields("/later", [], "POST"), false),
      rstStream(5),
    );
    await settle(client);
    client.write(frame(TYPE.data, FLAG.endStream, 1, "whole"));
    await client.untilClosed();
    expect([client.status(1), client.ended(1)]).toEqual([200, true]);
    expect(goaways(client)).toEqual([
      [0x7fff_ffff, ERROR.none],
      [1, ERROR.none],
    ]);
    await eventually(() => sessionsClosed.length === 1);
    expect(sessionsClosed).toEqual(["drained"]);
  });

  test("gives its client the time for the last bytes that it gave for the others, and no more", async () => {
    for (const taken of [true, false]) {
      const clock = new TestClock();
      const { proxy, sweep, service } = await start({ clock, listener: { writeTimeoutMs: 30_000 } });
      const socket = serveHeld(proxy);
      socket.push(Buffer.concat([PREFACE, settings(), request(1, fields("/ok"))]));
      await eventually(() => service.received.includes("/ok") && socket.text.includes("ok"));
      socket.holds = true;
      proxy.drain();
      await eventually(() => socket.writableLength > 0);
      socket.push(Buffer.concat([request(3, fields("/ok")), frame(TYPE.ping, FLAG.ack, 0, "draining")]));
      await eventually(() => socket.writableEnded);
      clock.monotonic += 20_000;
      sweep();
      expect(socket.destroyed).toBe(false);
      if (taken) socket.release();
      await unchanging(() => socket.written);
      clock.monotonic += taken ? 3_000 : 11_000;
      sweep();
      sweep();
      expect([socket.destroyed, socket.text.split("ok").length - 1]).toEqual([true, taken ? 2 : 1]);
    }
  });
});
