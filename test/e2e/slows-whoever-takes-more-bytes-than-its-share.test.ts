// Goal: a caller's downloads and uploads together are no faster than its bandwidth, over each protocol, and another caller
// beside it notices nothing. Method: the whole process before a service with large answers; callers are addresses of
// loopback. What arrived is compared with what may have until then, so that a slow machine cannot fail it.
import { createServer, request } from "node:http";
import { connect as connectHttp2 } from "node:http2";
import { connect } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { eventually } from "../fixtures/eventually.ts";
import { type Postern, startPostern } from "../fixtures/postern.ts";
import { closeAll, listen, onClose } from "../fixtures/proxy.ts";

const KIB = 1024;
const BURST = 256 * KIB;
const BYTES_PER_SECOND = 32 * KIB;
const LARGE = 8 * KIB * KIB;
/** Of each stream: what was read before it was paced, and what one read brings. */
const READS = 2 * 64 * KIB;

let postern: Postern;
/** Bytes of uploads that the service got. */
let uploaded = 0;
beforeAll(async () => {
  const service = createServer((asked, answer) => {
    asked.on("data", (chunk: Buffer) => {
      uploaded += chunk.length;
    });
    asked.on("error", () => {});
    asked.on("end", () => answer.end(asked.url === "/large" ? Buffer.alloc(LARGE, 0x61) : "small"));
  });
  const app = await listen(service);
  onClose(() => service.closeAllConnections());
  postern = await startPostern(
    app,
    ({ port, admin }) => `version: 1
service: files
listeners: [{ name: inbound, address: 127.0.0.1:${port}, protocols: [h2c, http/1.1] }]
upstreams: { app: { address: "http://127.0.0.1:${app}" } }
admin: { address: "127.0.0.1:${admin}" }
limits:
  traffic: { bandwidth: 32KiB/s, of: both, burst: 256KiB, key: client.address }
routes: [{ path: /**, public: true, limit: [traffic], validate: { body: { maxBytes: 16MiB } } }]
`,
  );
});
afterAll(closeAll);

class Download {
  bytes = 0;
  isWhole = false;

  take(stream: NodeJS.ReadableStream): void {
    stream.on("data", (chunk: Buffer) => {
      this.bytes += chunk.length;
    });
    stream.on("end", () => {
      this.isWhole = true;
    });
    stream.on("error", () => {});
  }
}

/** A download over a connection of its own; `from`: the caller. */
function download(from: string, path: string): Download {
  const { port } = postern;
  const done = new Download();
  const asked = request({ host: "127.0.0.1", port, localAddress: from, path, agent: false }, (answer) =>
    done.take(answer),
  );
  asked.on("error", () => {});
  asked.end();
  onClose(() => asked.destroy());
  return done;
}

const may = (sinceMs: number, streams: number): number =>
  BURST + ((performance.now() - sinceMs) / 1000) * BYTES_PER_SECOND + streams * READS;

test("downloads of one caller share its bandwidth, and another caller's comes at once", async () => {
  const sinceMs = performance.now();
  const flood = Array.from({ length: 4 }, () => download("127.0.0.2", "/large"));
  const total = (): number => flood.reduce((sum, { bytes }) => sum + bytes, 0);
  await eventually(() => total() > BURST / 2);
  for (let turn = 0; turn < 20; turn++) {
    const honest = download("127.0.0.3", "/small");
    await eventually(() => honest.isWhole);
    expect(total()).toBeLessThanOrEqual(may(sinceMs, flood.length));
  }
  // It goes on, slowly.
  const before = total();
  await eventually(() => total() > before);
  expect(flood.some(({ isWhole }) => isWhole)).toBe(false);
});

test("streams of one HTTP/2 connection share it, too", async () => {
  const sinceMs = performance.now();
  const { port } = postern;
  const createConnection = () => connect({ host: "127.0.0.1", port, localAddress: "127.0.0.4" });
  const session = connectHttp2(`http://127.0.0.1:${port}`, { createConnection });
  session.on("error", () => {});
  onClose(() => session.destroy());
  const flood = Array.from({ length: 3 }, () => {
    const stream = session.request({ ":path": "/large" });
    const done = new Download();
    done.take(stream);
    return done;
  });
  const total = (): number => flood.reduce((sum, { bytes }) => sum + bytes, 0);
  await eventually(() => total() > BURST / 2);
  const before = total();
  await eventually(() => total() > before);
  expect(total()).toBeLessThanOrEqual(may(sinceMs, flood.length));
});

test("an upload comes to the service as slowly", async () => {
  const sinceMs = performance.now();
  const { port } = postern;
  const asked = request({
    host: "127.0.0.1",
    port,
    localAddress: "127.0.0.5",
    method: "POST",
    path: "/up",
    agent: false,
    headers: { "content-length": LARGE },
  });
  asked.on("error", () => {});
  onClose(() => asked.destroy());
  asked.write(Buffer.alloc(LARGE, 0x62));
  await eventually(() => uploaded > BURST / 2);
  const before = uploaded;
  await eventually(() => uploaded > before);
  expect(uploaded).toBeLessThanOrEqual(may(sinceMs, 1));
  const slowed = /^postern_limit_near_total\{[^}]*limit="traffic"[^}]*\} ([1-9]\d*)$/m;
  await eventually(async () => slowed.test((await postern.admins("/metrics")).body));
});
