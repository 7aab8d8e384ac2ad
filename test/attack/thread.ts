import { createHash, randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { join } from "node:path";
import { behave, type Manners, type Postern, startPostern } from "./kit.ts";

/** Attacks on postern's one thread, and on its counters. Each is bounded by time and says what it saw. */

export interface ThreadAttack {
  readonly manners: Manners;
  /** Longest time of no event, from postern's own metric. */
  readonly heldMs: number;
  readonly told: string;
}

export const HEAD = (port: number, admin: number, app: number): string => `version: 1
service: target
listeners: [{ name: inbound, address: 127.0.0.1:${port} }]
upstreams: { app: { address: "http://127.0.0.1:${app}" } }
admin: { address: "127.0.0.1:${admin}" }
log: { access: off }
`;

/** While `attack` goes on, a client with manners asks a hundred times a second. */
export async function watched(postern: Postern, attack: () => Promise<string>): Promise<ThreadAttack> {
  const warm = behave(postern.port, 10);
  await new Promise((done) => setTimeout(done, 1_000));
  await warm.stop();
  const client = behave(postern.port, 10);
  const told = await attack();
  const manners = await client.stop();
  const metrics = await postern.metrics();
  if (postern.exited()) throw new Error("postern ended by itself");
  await postern.stop();
  const longest = /^postern_thread_held_longest_seconds(?:\{[^}]*\})? (\S+)/m.exec(metrics)?.[1];
  return { manners, heldMs: Number(longest ?? Number.NaN) * 1_000, told };
}

const KEYS = 20_000;
const PREFIXES = 100_000;
const RELOAD_TIMEOUT_MS = 60_000;

/** A policy with long lists is read again and again, each time with lists of other bytes. */
export async function attackByReload(app: number, seconds: number): Promise<ThreadAttack> {
  let folder = "";
  const writeLists = (round: number, keys: number, addresses: number): void => {
    writeFileSync(join(folder, "keys.yaml"), keysFile(round, keys));
    writeFileSync(join(folder, "deny.txt"), prefixes(round, addresses));
  };
  const postern = await startPostern((port, admin, made) => {
    folder = made;
    writeLists(0, 1, 1);
    return `${HEAD(port, admin, app)}authenticators: { partners: { type: api-key, header: X-Api-Key, keys: keys.yaml } }
defaults: { address: { denyFile: deny.txt } }
routes:
  - { path: /good, public: true }
  - { path: /keys, authenticate: [partners] }
`;
  });
  return watched(postern, async () => {
    const endMs = performance.now() + seconds * 1_000;
    let reloads = 0;
    do {
      writeLists(++reloads, KEYS, PREFIXES);
      await inTime(postern.reload());
    } while (performance.now() < endMs);
    return `${reloads} reloads of ${KEYS} keys and ${PREFIXES} prefixes`;
  });
}

/** Rejects where a reload does not end. */
function inTime(reload: Promise<void>): Promise<void> {
  return new Promise((done, failed) => {
    const timer = setTimeout(() => failed(new Error("a reload does not end")), RELOAD_TIMEOUT_MS);
    reload.then(done, failed).finally(() => clearTimeout(timer));
  });
}

function keysFile(round: number, length: number): string {
  const digest = (at: number): string => createHash("sha256").update(`${round} ${at}`).digest("hex");
  const caller = (at: number): string => `  - { name: c${at}, keys: [{ sha256: "${digest(at)}" }] }\n`;
  return `callers:\n${Array.from({ length }, (_, at) => caller(at)).join("")}`;
}

/** None of them has 127.0.0.0/8 in it. */
function prefixes(round: number, length: number): string {
  return Array.from({ length }, (_, at) => `10.${(at >> 16) + round}.${(at >> 8) & 255}.${at & 255}\n`).join("");
}

const BODY_BYTES = 1024 * 1024;

const SCHEMA = {
  type: "object",
  properties: {
    unique: { type: "array", uniqueItems: true },
    pattern: { type: "array", items: { type: "string", pattern: "^(?:[a-z]+[0-9]?)+$" } },
    deep: { type: "array", items: { anyOf: [{ required: ["x"] }, { required: ["y"] }, { type: "object" }] } },
  },
};

/** As many entries as have room in a body. */
function bodyOf(name: string, entry: (at: number) => unknown): Buffer {
  const entries: string[] = [];
  for (let at = 0, bytes = 32; ; at++) {
    const text = JSON.stringify(entry(at));
    bytes += text.length + 1;
    if (bytes > BODY_BYTES) return Buffer.from(`{"${name}":[${entries.join(",")}]}`);
    entries.push(text);
  }
}

const BODIES: readonly Buffer[] = [
  bodyOf("unique", (at) => ({ a: at, b: { c: [at] } })),
  bodyOf("unique", (at) => ({ a: [0, 0, 0, at] })),
  bodyOf("pattern", (at) => `${"abcdefghi".repeat(20)}${at}!`),
  bodyOf("deep", (at) => ({ a: at })),
];

/** Bodies of 1 MiB that are costly to judge, one after the other of each kind, from one address. */
export async function attackByBodies(app: number, seconds: number): Promise<ThreadAttack> {
  const postern = await startPostern((port, admin, folder) => {
    writeFileSync(join(folder, "body.json"), JSON.stringify(SCHEMA));
    return `${HEAD(port, admin, app)}routes:
  - { path: /good, public: true }
  - { path: /bodies, methods: [POST], public: true, validate: { contentType: [application/json], body: { schema: body.json } } }
`;
  });
  return watched(postern, async () => {
    const statuses = await repeat(seconds, BODIES.length, (agent, at) => {
      const body = BODIES[at % BODIES.length] as Buffer;
      return ask(agent, postern.port, "POST", "/bodies", { "content-type": "application/json" }, body);
    });
    return `bodies of 1 MiB: ${countsOf(statuses)}`;
  });
}

const LOGINS_PER_MINUTE = 5;
const REQUESTS_PER_LOGIN = 100;
/** So few that random values fill the table of their limit many times over within seconds. */
const TENANTS_MAX = 1_024;

/** Random values of a header that another limit counts by, and a login every now and then, from one address. */
export async function attackCounters(app: number, seconds: number): Promise<ThreadAttack> {
  const postern = await startPostern(
    (port, admin) => `${HEAD(port, admin, app)}limits:
  login: { rate: ${LOGINS_PER_MINUTE}/minute, key: client.address }
  tenants: { rate: 1000/minute, key: 'request.headers["x-tenant"]', absent: { key: client.address }, maxKeys: ${TENANTS_MAX} }
routes:
  - { path: /good, public: true }
  - { path: /login, methods: [POST], public: true, limit: [login] }
  - { path: /search, public: true, limit: [tenants] }
`,
  );
  return watched(postern, async () => {
    const logins: number[] = [];
    const statuses = await repeat(seconds, 32, async (agent, at) => {
      if (at % REQUESTS_PER_LOGIN === 0) logins.push(await ask(agent, postern.port, "POST", "/login", {}));
      return ask(agent, postern.port, "GET", "/search", { "x-tenant": randomBytes(12).toString("hex") });
    });
    const passed = logins.filter((status) => status === 200).length;
    // The bucket begins full and fills while the attack lasts.
    const allowed = LOGINS_PER_MINUTE + Math.ceil((LOGINS_PER_MINUTE * seconds) / 60);
    if (passed === logins.length)
      throw new Error(`all ${passed} logins passed; more SECONDS are needed to see the limit`);
    if (passed > allowed) throw new Error(`the limit does not hold: ${passed} logins, of at most ${allowed}`);
    return `${statuses.length} random values; of ${logins.length} logins ${passed} passed (at most ${allowed}): the limit holds`;
  });
}

/** `ask` on so many connections at once, numbered, until the time is over. */
export async function repeat(
  seconds: number,
  connections: number,
  ask: (agent: Agent, at: number) => Promise<number>,
): Promise<readonly number[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const endMs = performance.now() + seconds * 1_000;
  const statuses: number[] = [];
  let at = 0;
  const one = async (): Promise<void> => {
    while (performance.now() < endMs) statuses.push(await ask(agent, at++));
  };
  await Promise.all(Array.from({ length: connections }, one));
  agent.destroy();
  return statuses;
}

/** The status of the answer; 0 for none. */
export function ask(
  agent: Agent,
  port: number,
  method: string,
  path: string,
  headers: Readonly<Record<string, string>>,
  body?: Buffer,
): Promise<number> {
  return new Promise((done) => {
    const asking = request({ agent, host: "127.0.0.1", port, method, path, headers, timeout: 15_000 }, (response) => {
      response.resume();
      response.on("error", () => done(0));
      response.on("end", () => done(response.statusCode ?? 0));
    });
    asking.on("timeout", () => asking.destroy(new Error("timeout")));
    asking.on("error", () => done(0));
    asking.end(body);
  });
}

export function countsOf(statuses: readonly number[]): string {
  const counts = new Map<number, number>();
  for (const status of statuses) counts.set(status, (counts.get(status) ?? 0) + 1);
  return [...counts].map(([status, count]) => `${count} with ${status === 0 ? "no answer" : status}`).join(", ");
}
