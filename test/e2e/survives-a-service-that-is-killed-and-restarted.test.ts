// Goal: a service that dies in the middle of everything costs the requests that it had, and nothing else: no half answer passes
// for whole, every request is counted once, no socket is left, and the service that comes back is served at once.
// Method: real processes, SIGKILL; each way of being in the middle, over both protocols of the client, TCP and Unix socket.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { byLabel, type Postern, spawnChild, startPostern } from "../attack/kit.ts";
import { eventually } from "../fixtures/eventually.ts";
import { freePort } from "../fixtures/free-port.ts";
import { FLAG, fields, frame, H2RawClient, request, TYPE } from "../fixtures/h2-frames.ts";
import { closeAll, onClose } from "../fixtures/proxy.ts";
import { RawClient } from "../fixtures/raw.ts";

afterEach(closeAll);

/** Connections to the service that rest in the pool when it is killed. */
const POOLED = 8;
const SERVICE = join(import.meta.dirname, "../fixtures/mortal-service.ts");
const UPLOAD_BYTES = 100_000;
const HALF_UPLOAD = "x".repeat(UPLOAD_BYTES / 2);

interface Service {
  /** What it has printed. */
  readonly lines: string[];
  kill(): Promise<void>;
}

async function startService(where: string): Promise<Service> {
  const child = spawnChild(process.execPath, [SERVICE, where, String(POOLED)]);
  const lines: string[] = [];
  let rest = "";
  child.stdout?.on("data", (chunk) => {
    const parts = (rest + chunk).split("\n");
    rest = parts.pop() ?? "";
    lines.push(...parts);
  });
  const ended = new Promise((done) => child.once("exit", done));
  onClose(() => child.kill("SIGKILL"));
  await eventually(() => lines.length > 0);
  return {
    lines,
    kill: async () => {
      child.kill("SIGKILL");
      await ended;
    },
  };
}

const start = (upstream: string) =>
  startPostern(
    (port, admin) => `version: 1
service: mortal
listeners:
  - { name: inbound, address: "127.0.0.1:${port}", protocols: [http/1.1, h2c] }
upstreams:
  app: { address: "${upstream}", idleTimeout: 60s, responseTimeout: 60s }
admin: { address: "127.0.0.1:${admin}" }
log: { access: off }
routes:
  - { path: /**, public: true }
`,
  );

const head = (method: string, path: string, more = "") => `${method} ${path} HTTP/1.1\r\nHost: a\r\n${more}\r\n`;
const status = (client: RawClient) => /^HTTP\/1\.1 (\d+)/.exec(client.received)?.[1];

/** Asks once, on each of the connections at the same time, and gives the statuses. */
async function askTogether(clients: readonly RawClient[]): Promise<(string | undefined)[]> {
  for (const client of clients) {
    client.received = "";
    client.write(head("GET", "/together"));
  }
  await Promise.all(clients.map((client) => client.until(({ received }) => /\r\n\r\n.+/s.test(received))));
  return clients.map(status);
}

interface InTheMiddle {
  readonly requests: number;
  /** Waits until each is over, and checks that none looks whole. */
  areCut(): Promise<void>;
}

async function beginOverHttp1({ port }: Postern, { lines }: Service): Promise<InTheMiddle> {
  const ask = async (bytes: string): Promise<RawClient> => {
    const client = await RawClient.connect({ port, host: "127.0.0.1" });
    onClose(() => client.destroy());
    client.write(bytes);
    return client;
  };
  const announced = await ask(head("GET", "/length"));
  const chunked = await ask(head("GET", "/chunked"));
  const silent = await ask(head("GET", "/silent"));
  const upload = await ask(head("POST", "/upload", `Content-Length: ${UPLOAD_BYTES}\r\n`) + HALF_UPLOAD);
  const upload2 = await ask(`${head("POST", "/upload", "Transfer-Encoding: chunked\r\n")}4\r\nhalf\r\n`);
  await Promise.all([announced.untilReceived("half"), chunked.untilReceived("half")]);
  await eventually(
    () => lines.includes("head /silent") && lines.filter((line) => line === "body /upload").length === 2,
  );
  const areCut = async (): Promise<void> => {
    await Promise.all([announced, chunked].map((client) => client.untilClosed()));
    expect(announced.received).toMatch(/^HTTP\/1.1 200 OK\r\n(?:.+\r\n)*content-length: 100\r\n(?:.+\r\n)*\r\nhalf$/);
    expect(chunked.received).toMatch(/\r\n\r\n4\r\nhalf\r\n$/);
    for (const client of [silent, upload, upload2]) {
      await client.untilReceived("application/problem+json");
      expect(status(client)).toBe("502");
    }
    for (const client of [announced, chunked, silent, upload, upload2]) client.destroy();
  };
  return { requests: 5, areCut };
}

async function beginOverHttp2({ port }: Postern, { lines }: Service): Promise<InTheMiddle> {
  const before = lines.length;
  const client = await H2RawClient.connect({ port, host: "127.0.0.1" });
  onClose(() => client.destroy());
  const post = fields("/upload", [], "POST");
  const announcing = fields("/upload", [["content-length", String(UPLOAD_BYTES)]], "POST");
  client.write(...["/length", "/chunked", "/silent"].map((path, at) => request(2 * at + 1, fields(path))));
  client.write(request(7, announcing, false), request(9, post, false));
  for (let at = 0; at < HALF_UPLOAD.length; at += 10_000) {
    client.write(frame(TYPE.data, FLAG.none, 7, HALF_UPLOAD.slice(at, at + 10_000)));
  }
  client.write(frame(TYPE.data, FLAG.none, 9, "half"));
  await client.until(() => client.body(1) === "half" && client.body(3) === "half");
  const begun = (line: string) => lines.slice(before).filter((one) => one === line).length;
  await eventually(() => begun("head /silent") === 1 && begun("body /upload") === 2);
  const areCut = async (): Promise<void> => {
    await client.until(() => [1, 3].every((stream) => client.reset(stream) !== undefined));
    expect([client.body(1), client.body(3)]).toEqual(["half", "half"]);
    expect([client.ended(1), client.ended(3)]).toEqual([false, false]);
    await client.until(() => [5, 7, 9].every((stream) => client.ended(stream)));
    expect([5, 7, 9].map((stream) => client.status(stream))).toEqual([502, 502, 502]);
    expect(client.closed).toBe(false);
    client.destroy();
  };
  return { requests: 5, areCut };
}

const requestsCounted = async (postern: Postern): Promise<number> =>
  [...byLabel(await postern.metrics(), "postern_requests_total", "reason").values()].reduce((sum, n) => sum + n, 0);

for (const transport of ["TCP", "a Unix socket"] as const) {
  test(`a service on ${transport} dies in mid-answer, in mid-upload and idle, and comes back each time`, async () => {
    const folder = mkdtempSync(join(tmpdir(), "postern-mortal-"));
    onClose(() => rmSync(folder, { recursive: true, force: true }));
    const where = transport === "TCP" ? String(await freePort()) : join(folder, "app.sock");
    let service = await startService(where);
    const postern = await start(transport === "TCP" ? `http://127.0.0.1:${where}` : `unix:${where}`);
    expect(await requestsCounted(postern)).toBe(0);
    const filesBefore = postern.openFiles();
    const clients = await Promise.all(
      Array.from({ length: POOLED }, () => RawClient.connect({ port: postern.port, host: "127.0.0.1" })),
    );
    let sent = 0;
    const everybody = async (): Promise<void> => {
      sent += POOLED;
      expect(new Set(await askTogether(clients))).toEqual(new Set(["200"]));
    };

    const begun = [await beginOverHttp1(postern, service), await beginOverHttp2(postern, service)];
    await everybody(); // from here on, as many connections rest in the pool
    await service.kill();
    for (const { requests, areCut } of begun) {
      sent += requests;
      await areCut();
    }
    const [one] = clients;
    one?.write(head("GET", "/small"));
    sent++;
    await one?.untilReceived("upstream_connect_failed");

    service = await startService(where);
    await everybody();
    // Once more, and this time nobody asks before it is back.
    await service.kill();
    service = await startService(where);
    await everybody();

    // A request that may not be repeated gets a new connection too, once the pool knows that the old ones are gone.
    await service.kill();
    service = await startService(where);
    await eventually(() => postern.openFiles() <= filesBefore + POOLED); // the clients' alone
    one?.write(`${head("POST", "/upload", "Content-Length: 2\r\n")}hi`);
    sent++;
    await one?.until(({ received }) => received.split("\r\n\r\nwhole").length === 3);

    await service.kill();
    for (const client of clients) client.destroy();
    closeAll();
    await eventually(() => postern.openFiles() <= filesBefore);
    const metrics = await postern.metrics();
    const outcomes = byLabel(metrics, "postern_requests_total", "reason");
    expect(await requestsCounted(postern), JSON.stringify([...outcomes])).toBe(sent);
    expect(metrics).toContain("\npostern_requests_in_flight 0\n");
    expect(outcomes.get("upstream_response_cut")).toBe(4);
    expect(outcomes.get("none")).toBe(3 * POOLED + 1);
    // A busy machine may hold the thread; that is no word about the service.
    expect(postern.complaints.filter((line) => !/"event":"(?:request|thread_held)"/.test(line))).toEqual([]);
    expect(postern.exited()).toBe(false);
    await postern.stop();
  });
}
