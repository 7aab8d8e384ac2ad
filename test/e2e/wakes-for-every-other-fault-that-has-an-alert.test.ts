// Goal: each alert fires on its fault. Method: three real posterns, one of which a shell starts again and again, one Prometheus that
// scrapes them every second, and deploy/prometheus/alerts.yaml with less time in it. The other ten are in the drill.
import { readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { resolve } from "node:path";
import { connect as tlsConnect } from "node:tls";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createAuthority, crlPem } from "../fixtures/authority.ts";
import { eventually } from "../fixtures/eventually.ts";
import { freePort } from "../fixtures/free-port.ts";
import { PATIENCE_MS } from "../fixtures/patience.ts";
import { type PolicyPorts, type Postern, startPostern, startService, theWorld } from "../fixtures/postern.ts";
import { isThere } from "../fixtures/program.ts";
import { ALERTS, type Prometheus, startPrometheus } from "../fixtures/prometheus.ts";
import { startProvider, type TestProvider } from "../fixtures/provider.ts";
import { closeAll, onClose, startRawService } from "../fixtures/proxy.ts";

/** Until when the list of an authority is good. */
const LIST_MS = 8_000;
const DAY_MS = 86_400_000;
/** How long a phase may take: three processes start one after the other in it. */
const PHASE_MS = 3 * PATIENCE_MS;
const isPossible = isThere("prometheus");

/** What is looked at is the last seconds, and a fault lasts one. */
const shorten = (alerts: string): string =>
  alerts
    .replace(/^( +for:) .*$/gm, "$1 1s")
    .replaceAll("[1h] offset 10m", "[20s] offset 40s")
    .replace(/\[(?:1|5|10)m\]/g, "[15s]");

interface Ports extends PolicyPorts {
  readonly metrics: number;
  readonly machines: number;
  readonly narrow: number;
  readonly slow: number;
  readonly broken: number;
  readonly nobody: number;
}

let prometheus: Prometheus;
let postern: Postern;
let unready: Postern;
let mortal: Postern;
let ports: Omit<Ports, keyof PolicyPorts>;
let apiKey: string;
let provider: TestProvider;

/** Nearly everything that can go wrong, on routes of its own. */
const policy = (at: Ports): string => `version: 1
service: orders
listeners:
  - { name: inbound, address: "127.0.0.1:${at.port}", upstream: app }
  - { name: narrow, address: "127.0.0.1:${at.narrow}", upstream: app, maxConnections: 1 }
  - name: machines
    address: "127.0.0.1:${at.machines}"
    upstream: app
    tls:
      certificate: days.pem
      key: days.key
      clientCertificate: { mode: required, ca: both.ca.pem, crl: both.crl }
upstreams:
  app: { address: "http://127.0.0.1:${at.app}" }
  slow: { address: "http://127.0.0.1:${at.slow}" }
  broken: { address: "http://127.0.0.1:${at.broken}" }
  sick: { address: "http://127.0.0.1:${at.nobody}", healthCheck: { path: /healthz, interval: 1s, unhealthyThreshold: 1 } }
admin: { address: "127.0.0.1:${at.admin}" }
metrics: { address: "127.0.0.1:${at.metrics}" }
anomalies: {}
authenticators:
  partners: { type: api-key, header: X-Api-Key, keys: keys.yaml }
decisionServices:
  away: { type: opa, url: "http://127.0.0.1:${at.nobody}/v1/data/allow" }
limits:
  tight: { rate: 10/hour, burst: 10, key: principal }
  one: { concurrency: 1, key: upstream, queue: { length: 10, timeout: 30s } }
routes:
  - { path: /health, methods: [GET], public: true }
  - { path: /broken, methods: [GET], public: true, upstream: broken }
  - { path: /queued, methods: [GET], public: true, upstream: slow, limit: [one] }
  - { path: /undecided, methods: [GET], public: true, decide: { by: [away] } }
  - { path: /limited, methods: [GET], authenticate: [partners], limit: [tight] }
  - { path: /scoped, methods: [GET], authenticate: [partners], authorize: { scopes: ["orders:write"] } }
`;

/** One whose keys never come, that has little memory, and whose decisions take long. */
const unreadyPolicy = (
  { port, admin, app }: PolicyPorts,
  metrics: number,
  slow: number,
  nobody: number,
): string => `version: 1
service: stock
listeners: [{ name: inbound, address: "127.0.0.1:${port}" }]
upstreams: { app: { address: "http://127.0.0.1:${app}" } }
admin: { address: "127.0.0.1:${admin}", readyWithoutKeys: false }
metrics: { address: "127.0.0.1:${metrics}" }
memory: { maxBytes: 64MiB }
authenticators:
  okta: { type: jwt, issuer: "https://idp.example.org/", audience: a, algorithms: [RS256], jwks: { url: "https://127.0.0.1:${nobody}/keys", ca: ca.pem } }
decisionServices:
  late: { type: opa, url: "http://127.0.0.1:${slow}/decide", timeout: 2s }
routes:
  - { path: /late, methods: [GET], public: true, decide: { by: [late] } }
  - { path: /known, methods: [GET], authenticate: [okta] }
`;

/** One that is ended again and again, has too little memory for what is asked, and cannot renew the keys that it has. */
const mortalPolicy = ({ port, admin, app }: PolicyPorts, metrics: number, provider: string): string => `version: 1
service: mortal
listeners: [{ name: inbound, address: "127.0.0.1:${port}" }]
upstreams: { app: { address: "http://127.0.0.1:${app}" } }
admin: { address: "127.0.0.1:${admin}" }
metrics: { address: "127.0.0.1:${metrics}" }
state: { directory: state }
memory: { maxBytes: 64MiB }
overload: { memory: 50% }
authenticators:
  okta: { type: jwt, issuer: "https://idp.example.org/", audience: a, algorithms: [RS256], jwks: { url: "${provider}/keys", ca: ca.pem } }
routes: [{ path: /known, methods: [GET], authenticate: [okta] }]
`;

beforeAll(async () => {
  if (!isPossible) return;
  const world = await theWorld();
  apiKey = world.apiKey;
  const app = await startService();
  // Some wait for ever, others are decided late.
  const slow = await startService((request, response) => {
    if (request.url === "/decide") setTimeout(() => response.end('{"result":true}'), 300);
    return true;
  });
  const [soon, over] = await Promise.all([createAuthority("soon"), createAuthority("over")]);
  provider = await startProvider(world.pki);
  provider.answers.set("/keys", world.mint.jwks);
  const metrics = [await freePort(), await freePort(), await freePort()] as const;
  ports = {
    metrics: metrics[0],
    machines: await freePort(),
    narrow: await freePort(),
    slow: slow.port,
    broken: await startRawService((socket) => void socket.destroy()),
    nobody: await freePort(),
  };
  const nowMs = Date.now();
  const days = await world.pki.ca.issue({ commonName: "localhost", usage: "server", notAfterMs: nowMs + 3 * DAY_MS });
  postern = await startPostern(app.port, (usual) => policy({ ...usual, ...ports }), {
    "days.pem": days.certificate,
    "days.key": days.key,
    "both.ca.pem": soon.certificate + over.certificate,
    "both.crl": (
      await Promise.all([
        soon.revoke({ nextUpdateMs: nowMs + 3_600_000 }),
        over.revoke({ nextUpdateMs: nowMs + LIST_MS }),
      ])
    )
      .map(crlPem)
      .join(""),
  });
  unready = await startPostern(app.port, (usual) => unreadyPolicy(usual, metrics[1], slow.port, ports.nobody));
  mortal = await startPostern(
    slow.port,
    (usual) => mortalPolicy(usual, metrics[2], provider.origin),
    {},
    (command) => ["sh", "-c", 'for start in 1 2 3 4 5 6 7 8; do "$@"; done', "sh", ...command],
  );
  onClose(endMortal);
  await eventually(async () => (await mortal.admins("/readyz?verbose")).body.includes("key set okta: ready"));
  prometheus = await startPrometheus(metrics, shorten);
}, 120_000);

afterAll(closeAll);

/** The process that the shell of `mortal` has started last; null between two. */
function mortalChild(): number | null {
  const { pid } = mortal.process;
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim();
    return children === "" ? null : Number(children.split(" ")[0]);
  } catch {
    return null;
  }
}

function endMortal(): void {
  const child = mortalChild();
  mortal.process.kill("SIGKILL");
  if (child !== null) process.kill(child, "SIGKILL");
}

/** Many requests on one connection; resolves when it is closed. */
function burst(port: number, path: string, count: number, headers = ""): Promise<void> {
  const one = (last: boolean): string =>
    `GET ${path} HTTP/1.1\r\nHost: localhost\r\n${headers}${last ? "Connection: close\r\n" : ""}\r\n`;
  return new Promise((done) => {
    const socket = connect(port, "127.0.0.1", () => socket.write(one(false).repeat(count - 1) + one(true)));
    socket.on("error", () => {});
    socket.on("close", () => done());
    socket.resume();
  });
}

const held: Socket[] = [];

function hold(port: number, text: string): void {
  const socket = connect(port, "127.0.0.1").on("error", () => {});
  socket.write(text);
  held.push(socket.resume());
}

const key = (): string => `X-Api-Key: ${apiKey}\r\n`;
const queued = "GET /queued HTTP/1.1\r\nHost: localhost\r\n\r\n";

/** A client without a certificate where one is required. */
function knock(): Promise<void> {
  return new Promise((done) => {
    const socket = tlsConnect({ host: "127.0.0.1", port: ports.machines, rejectUnauthorized: false });
    socket.on("error", () => {});
    socket.on("close", () => done());
    socket.resume();
  });
}

/** When the process that was ended last had begun, as Prometheus has it. */
let endedStart = "";

/** Ends each process once Prometheus has seen it. */
async function restart(): Promise<void> {
  const query = `process_start_time_seconds and on (instance) postern_policy_info{service_name="mortal"}`;
  const { result } = await prometheus.ask<{ result: readonly { readonly value: readonly [number, string] }[] }>(
    `query?query=${encodeURIComponent(query)}`,
  );
  const start = result[0]?.value[1] ?? endedStart;
  const child = mortalChild();
  if (child === null || start === endedStart) return;
  endedStart = start;
  process.kill(child, "SIGKILL");
}

let edits = 0;

/** Each is another broken policy, once the last one was refused. */
function misedit(): void {
  const refused = unready.log.filter(({ event, result }) => event === "reload" && result === "refused").length;
  if (refused < edits) return;
  edits++;
  unready.write("policy.yaml", `version: 1\nservice: stock\nmistake${edits}: true\n`);
}

/** What goes on until all alerts of a phase fire. */
interface Fault {
  readonly alert: string;
  readonly again?: () => unknown;
}

const PHASES: readonly (readonly Fault[])[] = [
  [
    { alert: "PosternNotReady" },
    { alert: "PosternMemoryShort" },
    { alert: "PosternCertificateExpires" },
    { alert: "PosternRevocationListExpires" },
    { alert: "PosternRevocationListExpired" },
    { alert: "PosternServiceUnhealthy" },
    { alert: "PosternReloadsFail", again: misedit },
    { alert: "PosternSlow", again: () => burst(unready.port, "/late", 1) },
    { alert: "PosternServiceFails", again: () => burst(postern.port, "/broken", 3) },
    { alert: "PosternFails", again: () => burst(postern.port, "/undecided", 3) },
    { alert: "PosternUnauthenticatedJump", again: () => burst(postern.port, "/limited", 20) },
    { alert: "PosternForbiddenJump", again: () => burst(postern.port, "/scoped", 20, key()) },
    { alert: "PosternLimitNear", again: () => burst(postern.port, "/limited", 3, key()) },
    { alert: "PosternLimitedJump", again: () => burst(postern.port, "/limited", 20, key()) },
    { alert: "PosternHandshakesFail", again: knock },
    {
      alert: "PosternConnectionsRefused",
      again: () => {
        if (held.length < 40) hold(ports.narrow, "");
      },
    },
    {
      alert: "PosternCallersWait",
      again: () => {
        if (held.length < 40) hold(postern.port, queued);
      },
    },
    { alert: "PosternAnomaly", again: () => burst(postern.port, `/backup-${Math.random()}.zip`, 1) },
    { alert: "PosternRestarts", again: restart },
  ],
  [
    // A process that has begun since has the keys of the one before.
    { alert: "PosternResourceStale" },
    { alert: "PosternSheds" },
    { alert: "PosternThreadHeld", again: () => stop(100) },
    { alert: "PosternLogLost", again: () => burst(unready.port, "/nothing", 2_000) },
    { alert: "PosternGone" },
  ],
];

/** Takes the processor away for a moment. */
async function stop(ms: number): Promise<void> {
  postern.process.kill("SIGSTOP");
  try {
    await new Promise((done) => setTimeout(done, ms));
  } finally {
    postern.process.kill("SIGCONT");
  }
}

/** All of a phase have fired, each at some time. */
async function play(faults: readonly Fault[]): Promise<void> {
  const silent = new Map(faults.map(({ alert, again }) => [alert, again]));
  await eventually(async () => {
    await Promise.all(Array.from(silent.values(), (again) => again?.()));
    for (const alert of await prometheus.firing()) silent.delete(alert);
    return silent.size === 0;
  }, PHASE_MS).catch((error: unknown) => {
    throw new Error(`silent: ${[...silent.keys()].join(", ")}; ${String(error)}`);
  });
}

test("each alert that the drill does not have fires on its fault", { timeout: 4 * PHASE_MS }, async ({ skip }) => {
  if (!isPossible) skip("prometheus is not here");
  const [first = [], second = []] = PHASES;
  await play(first);
  for (const socket of held) socket.destroy();
  provider.goDown();
  const child = mortalChild();
  if (child !== null) process.kill(child, "SIGKILL");
  unready.process.stdout?.pause();
  await play(second.slice(0, -1));
  endMortal();
  await play(second.slice(-1));
  const drill = readFileSync(
    resolve(import.meta.dirname, "wakes-for-ten-faults-and-names-their-causes.test.ts"),
    "utf8",
  );
  const known = [...PHASES.flat().map(({ alert }) => alert), ...(drill.match(/(?<=alert: ")\w+/g) ?? [])];
  const all = readFileSync(ALERTS, "utf8").match(/(?<=- alert: )\w+/g) ?? [];
  expect(known.toSorted()).toEqual(all.toSorted());
});
