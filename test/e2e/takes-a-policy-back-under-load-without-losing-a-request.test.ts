// Goal: a policy that denies what the one before allows gives way under load, and no client of HTTP/1.1 or HTTP/2 loses a request or
// its connection. Method: a real daemon, ten callers with a connection of each kind, each of which asks again as soon as it is answered.
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { Agent, get } from "node:http";
import { type ClientHttp2Session, connect } from "node:http2";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { assembleDaemon } from "../../src/cli/assemble.ts";
import { type Daemon, startDaemon } from "../../src/daemon/daemon.ts";
import { systemClock } from "../../src/support/clock.ts";
import { eventually } from "../fixtures/eventually.ts";
import { startService } from "../fixtures/postern.ts";
import { closeAll } from "../fixtures/proxy.ts";
import { MemorySink } from "../fixtures/telemetry.ts";

const CALLERS = 10;
const folder = mkdtempSync(join(tmpdir(), "postern-taken-back-"));
const policyFile = join(folder, "policy.yaml");
const sink = new MemorySink();
const keyOf = (caller: number): string => `pk_0123456789abcdef012345678${caller}`;
let daemon: Daemon;
let policy: (scope: string) => string;

beforeAll(async () => {
  const service = await startService();
  policy = (scope) => `version: 1
service: orders
listeners: [{ name: inbound, address: 127.0.0.1:0, protocols: [h2c, http/1.1] }]
upstreams: { app: { address: "http://127.0.0.1:${service.port}" } }
authenticators: { partners: { type: api-key, header: X-Api-Key, keys: keys.yaml } }
guard: { callers: 5 }
routes: [{ path: /orders, methods: [GET], authenticate: [partners], authorize: { scopes: ["${scope}"] } }]
`;
  const lines = Array.from({ length: CALLERS }, (_, caller) => {
    const sha256 = createHash("sha256").update(keyOf(caller)).digest("hex");
    return `  - { name: caller${caller}, scopes: ["orders:read"], keys: [{ sha256: "${sha256}" }] }`;
  });
  writeFileSync(join(folder, "keys.yaml"), `callers:\n${lines.join("\n")}\n`);
  writeFileSync(policyFile, policy("orders:read"));
  const started = await startDaemon({ policyFile }, assembleDaemon(systemClock, sink, undefined));
  if (!started.ok) throw new Error(JSON.stringify(started.error));
  daemon = started.value;
});

afterAll(async () => {
  await daemon?.close();
  await closeAll();
  rmSync(folder, { recursive: true, force: true });
});

/** One client that asks until it is to stop. */
interface Client {
  readonly statuses: number[];
  readonly faults: string[];
  /** How often its connection had to be made. */
  readonly connections: () => number;
  readonly close: () => void;
}

type Ask = () => Promise<number>;

function http1(address: string, caller: number): { ask: Ask; connections: () => number; close: () => void } {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const sockets = new Set<object>();
  const ask: Ask = () =>
    new Promise((resolve, reject) => {
      const request = get(
        `http://${address}/orders`,
        { agent, headers: { "x-api-key": keyOf(caller) } },
        (response) => {
          response.resume();
          response.on("end", () => resolve(response.statusCode ?? 0));
          response.on("error", reject);
        },
      );
      request.on("socket", (socket) => sockets.add(socket));
      request.on("error", reject);
    });
  return { ask, connections: () => sockets.size, close: () => agent.destroy() };
}

function http2(address: string, caller: number): { ask: Ask; connections: () => number; close: () => void } {
  const session: ClientHttp2Session = connect(`http://${address}`);
  let ends = 0;
  for (const end of ["goaway", "error", "close"] as const) session.on(end, () => void ends++);
  const ask: Ask = () =>
    new Promise((resolve, reject) => {
      const stream = session.request({ ":path": "/orders", "x-api-key": keyOf(caller) });
      let status = 0;
      stream.on("response", (headers) => {
        status = Number(headers[":status"]);
      });
      stream.on("end", () => resolve(status));
      stream.on("error", reject);
      stream.resume();
    });
  return { ask, connections: () => 1 + ends, close: () => session.destroy() };
}

function load(stop: () => boolean): { readonly clients: readonly Client[]; readonly settled: Promise<unknown> } {
  const address = daemon.status.listeners[0]?.address ?? "";
  const loops: Promise<void>[] = [];
  const clients = Array.from({ length: 2 * CALLERS }, (_, at): Client => {
    const { ask, connections, close } = (at % 2 === 0 ? http1 : http2)(address, at >> 1);
    const [statuses, faults]: [number[], string[]] = [[], []];
    const run = async (): Promise<void> => {
      while (!stop()) {
        await ask().then(
          (status) => statuses.push(status),
          (error: unknown) => faults.push(String(error)),
        );
      }
    };
    loops.push(run());
    return { statuses, faults, connections, close };
  });
  return { clients, settled: Promise.all(loops) };
}

test("every request is answered, by the policy before again, on the connections that there were", async () => {
  let isOver = false;
  const { clients, settled } = load(() => isOver);
  await eventually(() => clients.every(({ statuses }) => statuses.length > 3));
  writeFileSync(policyFile, policy("orders:admin"));
  daemon.reload();
  await daemon.reloadSettled();
  await eventually(() => daemon.status.rolledBack);
  const before = clients.map(({ statuses }) => statuses.length);
  await eventually(() => clients.every(({ statuses }, at) => statuses.length > (before[at] ?? 0) + 3));
  isOver = true;
  await settled;
  const connections = clients.map((client) => client.connections());
  for (const client of clients) client.close();
  expect(clients.flatMap(({ faults }) => faults)).toEqual([]);
  expect(new Set(clients.flatMap(({ statuses }) => statuses))).toEqual(new Set([200, 403]));
  expect(clients.map(({ statuses }) => statuses.at(-1))).toEqual(clients.map(() => 200));
  expect(connections).toEqual(clients.map(() => 1));
});
