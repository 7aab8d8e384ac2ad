import { Duplex } from "node:stream";
import { expect, test } from "vitest";
import { systemClock } from "../../src/support/clock.ts";
import { Deadlines } from "../../src/support/deadlines.ts";
import { Tunnel, type TunnelRules } from "../../src/websocket/tunnel.ts";
import { eventually } from "../fixtures/eventually.ts";

const RULES: TunnelRules = {
  frameBytesMax: 1024,
  idleTimeoutMs: 60_000,
  lifetimeMs: Number.POSITIVE_INFINITY,
  paces: null,
  reservedBits: 0,
};

/** An end that notes what is written to it, and in how many writes. */
function endOf() {
  const end = { bytes: 0, writes: 0 };
  const note = (chunks: readonly { readonly chunk: Buffer }[], done: () => void): void => {
    end.writes++;
    for (const { chunk } of chunks) end.bytes += chunk.length;
    done();
  };
  const duplex = new Duplex({
    read: () => {},
    write: (chunk: Buffer, _encoding, done) => note([{ chunk }], done),
    writev: note,
  });
  return { end, duplex };
}

test("thousands of tiny pieces of one turn reach the other end in a few writes, and wait for no more", async () => {
  const client = endOf();
  const service = endOf();
  const deps = { clock: systemClock, deadlines: new Deadlines(systemClock), random: () => 0 };
  const tunnel = new Tunnel(client.duplex, service.duplex, RULES, deps, () => {});
  for (let at = 0; at < 1_000; at++) client.duplex.push(Buffer.of(0x82, 0x80, 0, 0, 0, 0));
  await eventually(() => service.end.bytes === 6_000);
  expect(service.end.writes).toBeLessThan(10);
  service.duplex.push(Buffer.of(0x82, 0));
  await eventually(() => client.end.bytes === 2);
  tunnel.destroy();
});
