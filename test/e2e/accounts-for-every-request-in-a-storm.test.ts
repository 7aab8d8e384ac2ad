// Goal: whatever clients and service do to each other, postern lives on, counts every request once, and keeps no socket.
// Method: real processes. Clients that vanish in mid-upload and mid-download, close half, never read, speak rubbish or ask
// properly, wave after wave, over HTTP/1.1 and HTTP/2; the service is killed in the middle of its answers, stays away for a wave, and comes back.
import { afterAll, beforeAll, expect, test } from "vitest";
import { byLabel, type Postern, type Service, startPostern, startService } from "../attack/kit.ts";
import { eventually } from "../fixtures/eventually.ts";
import { settle } from "../fixtures/h2-attacked.ts";
import { fields, frame, H2RawClient, request, rstStream, TYPE, windowUpdate } from "../fixtures/h2-frames.ts";
import { RawClient } from "../fixtures/raw.ts";

const WAVES = 6;
const CLIENTS_PER_KIND = 8;
const UPLOAD = "POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 500000\r\nExpect: 100-continue\r\n\r\n";
const get = (path: string, more = "") => `GET ${path} HTTP/1.1\r\nHost: a\r\n${more}\r\n`;

let service: Service;
let postern: Postern;
const held: (RawClient | H2RawClient)[] = [];

beforeAll(async () => {
  service = await startService();
  postern = await startPostern(
    (port, admin) => `version: 1
service: storm
listeners:
  - { name: inbound, address: "127.0.0.1:${port}", protocols: [h2c, http/1.1], headTimeout: 1s, writeTimeout: 30s }
upstreams:
  app: { address: "http://127.0.0.1:${service.port}", idleTimeout: 300ms, responseTimeout: 5s, maxConnections: 32 }
admin: { address: "127.0.0.1:${admin}" }
log: { access: off }
routes:
  - { path: /**, public: true }
`,
  );
});

afterAll(async () => {
  for (const client of held) client.destroy();
  await postern.stop();
  await service.kill();
});

const connect = () => RawClient.connect({ port: postern.port, host: "127.0.0.1" });
const answered = (client: RawClient) => client.until(() => client.received.length > 0);

/** Each sends exactly as many requests as it says, and knows that postern has begun every one of them. */
const KINDS: readonly (() => Promise<number>)[] = [
  async function asksProperly() {
    const client = await connect();
    for (let asked = 1; asked <= 3; asked++) {
      client.write(get("/small"));
      await client.until(() => client.received.split("HTTP/1.1 ").length > asked);
    }
    client.end();
    return 3;
  },
  async function asksInOneBreath() {
    const client = await connect();
    client.write(get("/small").repeat(4) + get("/small", "Connection: close\r\n"));
    await client.untilClosed();
    return 5;
  },
  async function vanishesInUpload() {
    const client = await connect();
    client.write(UPLOAD);
    await client.untilReceived("100 Continue");
    client.write("x".repeat(50_000));
    client.destroy();
    return 1;
  },
  async function vanishesInDownload() {
    const client = await connect();
    client.write(get("/big"));
    await answered(client);
    client.destroy();
    return 1;
  },
  async function closesHalf() {
    const client = await connect();
    client.write(get("/big"));
    client.end();
    await client.untilClosed().catch(() => null);
    return 1;
  },
  async function neverReads() {
    const client = await connect();
    client.write(get("/big"));
    await answered(client);
    client.pause();
    held.push(client);
    return 1;
  },
  async function speaksRubbish() {
    const client = await connect();
    client.write("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n");
    await client.untilReceived("request_malformed").catch(() => client.untilReceived("host_invalid"));
    return 1;
  },
  async function stopsInItsHead() {
    const client = await connect();
    client.write("GET / HTTP/1.1\r\nHos");
    await client.untilReceived("head_timeout");
    return 1;
  },
];

const connectH2 = () => H2RawClient.connect({ port: postern.port, host: "127.0.0.1" });
const ids = (count: number) => Array.from({ length: count }, (_, at) => 2 * at + 1);
const post = (id: number, ...more: [string, string][]) => request(id, fields("/upload", more, "POST"), false);

/** The same over HTTP/2, where each connection has many requests, and some that nobody is asked about. */
const KINDS_H2: readonly (() => Promise<number>)[] = [
  async function asksAllAtOnce() {
    const client = await connectH2();
    client.write(...ids(20).map((id) => request(id, fields("/small"))));
    for (const id of ids(20)) await client.outcome(id);
    client.destroy();
    return 20;
  },
  async function takesBackWhatItAsks() {
    const client = await connectH2();
    client.write(...ids(30).flatMap((id) => [request(id, fields("/small")), rstStream(id)]));
    await settle(client);
    client.destroy();
    return 30;
  },
  async function asksMoreThanAllowed() {
    const client = await connectH2();
    client.write(...ids(140).map((id) => post(id, ["content-length", "5"])));
    await settle(client);
    client.destroy();
    return 140;
  },
  async function vanishesInUpload() {
    const client = await connectH2();
    client.write(post(1), frame(TYPE.data, 0, 1, "x".repeat(5_000)));
    await settle(client);
    client.destroy();
    return 1;
  },
  async function neverReads() {
    const client = await connectH2();
    client.write(request(1, fields("/big")));
    await client.until(() => client.status(1) !== undefined);
    client.pause();
    held.push(client);
    return 1;
  },
  async function resetsItsDownload() {
    const client = await connectH2();
    client.write(request(1, fields("/big")));
    await client.until(() => client.status(1) !== undefined);
    client.write(rstStream(1));
    await settle(client);
    client.destroy();
    return 1;
  },
  async function speaksRubbish() {
    const client = await connectH2();
    client.write(request(1, fields("/small", [["connection", "close"]])));
    await client.outcome(1);
    client.write(request(3, fields("/small")), windowUpdate(0, 0));
    await client.untilClosed();
    return 2;
  },
];

async function wave(): Promise<number> {
  const kinds = [...KINDS, ...KINDS_H2];
  const clients = Array.from({ length: CLIENTS_PER_KIND }, () => kinds.map((behave) => behave())).flat();
  return (await Promise.all(clients)).reduce((total, sent) => total + sent, 0);
}

const sum = (counts: ReadonlyMap<string, number>) => [...counts.values()].reduce((total, count) => total + count, 0);
const accounted = (metrics: string) =>
  sum(byLabel(metrics, "postern_requests_total", "reason")) +
  sum(byLabel(metrics, "postern_h2_requests_unjudged_total", "reason"));

test("every request of a storm is counted once, and no socket is left behind", async () => {
  await wave();
  for (const client of held.splice(0)) client.destroy();
  const quiet = () => eventually(async () => (await postern.metrics()).includes("\npostern_requests_in_flight 0\n"));
  await quiet();
  const before = accounted(await postern.metrics());
  const restingFiles = await eventually(async () => {
    const open = byLabel(await postern.metrics(), "postern_connections_open", "listener");
    return open.size === 0 ? postern.openFiles() : null;
  });
  const { port } = service;
  let sent = 0;
  for (let at = 0; at < WAVES; at++) {
    const waving = wave();
    if (at === 2) await service.kill();
    if (at === 3) service = await startService(port);
    sent += await waving;
  }
  for (const client of held.splice(0)) client.destroy();
  await quiet();
  const metrics = await postern.metrics();
  const outcomes = byLabel(metrics, "postern_requests_total", "reason");
  const unjudged = byLabel(metrics, "postern_h2_requests_unjudged_total", "reason");
  expect(accounted(metrics) - before, JSON.stringify([...outcomes, ...unjudged])).toBe(sent);
  expect([...unjudged.keys()].sort()).toEqual(["connection_fault", "streams_max", "taken_back"]);
  expect(outcomes.get("client_closed")).toBeGreaterThan(0);
  expect(outcomes.get("upstream_connect_failed")).toBeGreaterThan(0);
  expect(outcomes.get("internal_error")).toBeUndefined();
  expect(postern.exited()).toBe(false);
  expect(postern.complaints.filter((line) => line.includes("crash"))).toEqual([]);
  // Connections to the service rest for a moment before they close.
  await eventually(() => postern.openFiles() <= restingFiles);
  const client = await connect();
  client.write(get("/small"));
  expect(await client.untilReceived('{"ok":true}')).toMatch(/^HTTP\/1.1 200 /);
  client.destroy();
});
