// Goal: for each of ten faults the alert that should fire does, and a line says why. Method: one postern before services that
// fail, one Prometheus that scrapes it every second and evaluates deploy/prometheus/alerts.yaml, in which only `for` is shorter.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { eventually } from "../fixtures/eventually.ts";
import { freePort } from "../fixtures/free-port.ts";
import {
  type LogLine,
  type PolicyPorts,
  type Postern,
  startPostern,
  startService,
  theWorld,
} from "../fixtures/postern.ts";
import { isThere, works } from "../fixtures/program.ts";
import { type Prometheus, startPrometheus } from "../fixtures/prometheus.ts";
import { closeAll, listen } from "../fixtures/proxy.ts";

const CERTIFICATE_MS = 6_000;
const RUNBOOK = resolve(import.meta.dirname, "../../docs/runbook.md");
/** A file system of its own, as small as a page or eight, that goes with the process; needs no rights but a user namespace. */
const SMALL_DISK = ["unshare", "--map-root-user", "--mount", "sh", "-c"];
const isPossible = isThere("prometheus") && isThere("prlimit") && works("unshare --map-root-user --mount true");

interface Ports extends PolicyPorts {
  readonly metrics: number;
  readonly shown: number;
  readonly slow: number;
  readonly mortal: number;
  readonly state: string;
  readonly nobody: number;
}

let postern: Postern;
let mortal: Server;
let ports: Omit<Ports, keyof PolicyPorts>;
let prometheus: Prometheus;
let folder: string;
let apiKey: string;

const policy = (at: Ports, more = "", okta = ""): string => `version: 1
service: orders
listeners:
  - { name: inbound, address: "127.0.0.1:${at.port}", upstream: app }
  - { name: shown, address: "127.0.0.1:${at.shown}", upstream: app, tls: { certificate: short.pem, key: short.key } }
upstreams:
  app: { address: "http://127.0.0.1:${at.app}" }
  slow: { address: "http://127.0.0.1:${at.slow}" }
  mortal: { address: "http://127.0.0.1:${at.mortal}" }
admin: { address: "127.0.0.1:${at.admin}" }
metrics: { address: "127.0.0.1:${at.metrics}" }
requestId: {}
log: { denialsPerSecond: 1000000 }
state: { directory: "${at.state}/state" }
${more}
authenticators:
  partners: { type: api-key, header: X-Api-Key, keys: keys.yaml }
${okta}
limits: { tight: { rate: 10/hour, burst: 10, key: principal } }
routes:
  - { path: /health, methods: [GET], public: true }
  - { path: /slow, methods: [GET], public: true, upstream: slow }
  - { path: /mortal, methods: [GET], public: true, upstream: mortal }
  - { path: /limited, methods: [GET], authenticate: [partners], limit: [tight] }
  - path: /orders
    methods: [POST]
    public: true
    validate: { body: { maxBytes: 8MiB, schema: anything.json } }
`;

beforeAll(async () => {
  if (!isPossible) return;
  const world = await theWorld();
  apiKey = world.apiKey;
  const slow = await startService((_, response) => {
    setTimeout(() => response.end("{}"), 1_200);
    return true;
  });
  mortal = createServer((_, response) => response.end("{}"));
  folder = mkdtempSync(join(tmpdir(), "postern-drill-"));
  const app = await startService();
  ports = {
    metrics: await freePort(),
    shown: await freePort(),
    slow: slow.port,
    mortal: await listen(mortal),
    nobody: await freePort(),
    state: folder,
  };
  const { server } = world.pki;
  postern = await startPostern(
    app.port,
    (usual) => policy({ ...usual, ...ports }),
    { "short.pem": server.certificate, "short.key": server.key, "anything.json": "{}" },
    (command) => [
      ...SMALL_DISK,
      `mount -t tmpfs -o size=64k none ${folder} && exec "$@" --keep-policy ${folder}/kept`,
      "sh",
      ...command,
    ],
  );
  prometheus = await startPrometheus([ports.metrics], (alerts) => alerts.replace(/^( +for:) .*$/gm, "$1 1s"));
});

afterAll(async () => {
  await closeAll();
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
});

/** Many requests on one connection; resolves when it is closed. */
function burst(path: string, count: number, headers = "", body = ""): Promise<void> {
  const method = body === "" ? "GET" : "POST";
  const one = (last: boolean): string =>
    `${method} ${path} HTTP/1.1\r\nHost: localhost\r\n${headers}${last ? "Connection: close\r\n" : ""}\r\n${body}`;
  return new Promise((done) => {
    const socket = connect(postern.port, "127.0.0.1", () => socket.write(one(false).repeat(count - 1) + one(true)));
    socket.on("error", () => {});
    socket.on("close", () => done());
    socket.resume();
  });
}

const limitFiles = (count: number): void =>
  void execFileSync("prlimit", ["--pid", String(postern.process.pid), `--nofile=${count}:4096`]);

const openFiles = (): number =>
  Number(execFileSync("sh", ["-c", `ls /proc/${postern.process.pid}/fd | wc -l`], { encoding: "utf8" }));

const held: Socket[] = [];

/** A few more that ask the slow service: each is a file, and takes another on to the service. */
async function hold(): Promise<void> {
  if (held.length > 60) return;
  for (let count = 0; count < 4; count++) {
    const socket = connect(postern.port, "127.0.0.1").on("error", () => {});
    socket.write("GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n");
    held.push(socket.resume());
  }
}

/** A certificate with little time, in place of the other. */
async function rotate(): Promise<void> {
  const names = { commonName: "localhost", dnsNames: ["localhost"] } as const;
  const { ca } = (await theWorld()).pki;
  const short = await ca.issue({ ...names, usage: "server", notAfterMs: Date.now() + CERTIFICATE_MS });
  postern.write("short.key", short.key);
  postern.write("short.pem", short.certificate);
}

/** The second edition of the policy: less memory, and keys from where nobody is. */
function edit(): void {
  const okta = `  okta:
    type: jwt
    issuer: https://idp.example.org/
    audience: orders
    algorithms: [RS256]
    jwks: { url: "https://127.0.0.1:${ports.nobody}/keys", ca: ca.pem }`;
  const all = { ...ports, port: postern.port, admin: postern.admin, app: postern.app };
  // More than the disk has left, so that the policy cannot be kept.
  const comment = `# ${"x".repeat(200)}\n`.repeat(400);
  postern.write("policy.yaml", comment + policy(all, "memory: { maxBytes: 64MiB }", okta));
}

interface Fault {
  readonly fault: string;
  readonly alert: string;
  /** What a fault does: once, and again until the alert fires. */
  begin?(): unknown;
  again?(): Promise<unknown>;
  /** Makes the cause show, once the alert has fired; `again` if absent. */
  show?(): Promise<unknown>;
  /** The line of the log that names the cause. */
  isCause?(line: LogLine): boolean;
  /** Or that of /readyz?verbose. */
  readonly cause?: RegExp;
  end?(): void;
}

const body = JSON.stringify({ text: "x".repeat(3 * 1024 * 1024) });
const isReason = (reason: string) => (line: LogLine) => line["event"] === "request" && line["reason"] === reason;

/** Those that last together are begun together; each list waits for the one before it. */
const FAULTS: readonly (readonly Fault[])[] = [
  [
    {
      fault: "the service is down",
      alert: "PosternServiceDown",
      begin: () => mortal.close().closeAllConnections(),
      again: () => burst("/mortal", 5),
      isCause: isReason("upstream_connect_failed"),
    },
    {
      fault: "the service is slow",
      alert: "PosternServiceSlow",
      again: () => Promise.all([burst("/slow", 1), burst("/slow", 1)]),
      isCause: (line) => line["route"] === "/slow" && Number(line["upstreamMs"]) > 1_000,
    },
    {
      fault: "a certificate has expired",
      alert: "PosternCertificateExpired",
      begin: rotate,
      // Where the machine is slow, it has expired before it is loaded.
      isCause: (line) =>
        ["expired", "warning"].includes(String(line["event"])) &&
        /short\.pem.*expired|expired.*short\.pem/.test(JSON.stringify(line)),
    },
    {
      fault: "one customer is at the limit",
      alert: "PosternLimitHit",
      again: () => burst("/limited", 20, `X-Api-Key: ${apiKey}\r\n`),
      isCause: (line) => isReason("rate_limited")(line) && line["principal"] === "acme",
    },
    {
      fault: "a scanner is at work",
      alert: "PosternScanned",
      again: () => burst("/wp-login.php", 200),
      isCause: (line) => isReason("route_not_found")(line) && line["path"] === "/wp-login.php",
    },
  ],
  [
    {
      fault: "the keys of the identity provider are gone",
      alert: "PosternResourceFails",
      begin: edit,
      cause: /^key set .*: failing/m,
    },
    {
      fault: "the disk is full",
      alert: "PosternStateFails",
      isCause: (line) => line["event"] === "state" && JSON.stringify(line).includes("ENOSPC"),
    },
    {
      fault: "memory is short",
      alert: "PosternMemorySpent",
      again: () => burst("/orders", 1, `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n`, body),
      isCause: isReason("memory_bodies"),
    },
  ],
  [
    {
      fault: "the policy is broken",
      alert: "PosternPolicyRefused",
      begin: () => postern.write("policy.yaml", "version: 1\nservice: orders\nlistners: []\n"),
      isCause: (line) => line["event"] === "reload" && line["result"] === "refused",
    },
    {
      fault: "files are short",
      alert: "PosternFilesRunOut",
      again: async () => limitFiles(openFiles() + 3),
      show: hold,
      isCause: (line) => isReason("overloaded")(line) && String(line["seen"]).includes("EMFILE"),
      end: () => {
        for (const socket of held) socket.destroy();
        limitFiles(4096);
      },
    },
  ],
];

type Figure = readonly [fault: string, alert: string, seconds: number];

const drill = (one: Fault): Promise<Figure> =>
  play(one).catch((error: unknown) => {
    const told = postern.log.slice(-40).map((line) => JSON.stringify(line));
    throw new Error(`${one.fault}: ${String(error)}\n${told.join("\n")}`);
  });

async function play(one: Fault): Promise<Figure> {
  const { fault, alert, begin, again, show = again, isCause, cause, end } = one;
  const startMs = performance.now();
  await begin?.();
  await eventually(async () => {
    await again?.();
    return (await prometheus.firing()).includes(alert);
  });
  const seconds = (performance.now() - startMs) / 1000;
  if (isCause !== undefined) {
    await eventually(async () => {
      if (!postern.log.some(isCause)) await show?.();
      return postern.log.some(isCause);
    });
  }
  if (cause !== undefined) expect((await postern.admins("/readyz?verbose")).body).toMatch(cause);
  end?.();
  return [fault, alert, seconds];
}

test("each of ten faults has its alert, and a line that names the cause", async ({ skip }) => {
  if (!isPossible) skip("prometheus, prlimit or user namespaces are not here");
  await burst("/health", 20);
  await burst("/limited", 1, `X-Api-Key: ${apiKey}\r\n`);
  await eventually(
    async () => (await prometheus.ask<{ result: unknown[] }>("query?query=postern_requests_total")).result.length > 0,
  );
  expect((await prometheus.firing()).filter((name) => name !== "PosternCertificateExpires")).toEqual([]);
  const figures: Figure[] = [];
  for (const together of FAULTS) figures.push(...(await Promise.all(together.map(drill))));
  for (const [fault, alert, seconds] of figures) console.info(`${fault}: ${alert} after ${seconds.toFixed(1)} s`);
  const page = readFileSync(RUNBOOK, "utf8").split("## The drill")[1] ?? "";
  const told = Array.from(page.matchAll(/^\| ([a-z][^|]*) \| `(\w+)` \|/gm), ([, fault, alert]) => [fault, alert]);
  expect(figures.map(([fault, alert]) => [fault, alert])).toEqual(told);
  expect(told).toHaveLength(10);
  const range = `start=${Math.floor(Date.now() / 1000) - 600}&end=${Math.ceil(Date.now() / 1000) + 5}`;
  const stored = await prometheus.ask<{ exemplars: { labels: { trace_id: string } }[] }[]>(
    `query_exemplars?query=postern_request_seconds_bucket&${range}`,
  );
  const traces = stored.flatMap(({ exemplars }) => exemplars.map(({ labels }) => labels.trace_id));
  expect(traces.length).toBeGreaterThan(0);
  // The last lines may be under way.
  const isTold = (trace: string): boolean => postern.log.some((line) => line["traceId"] === trace);
  await eventually(() => traces.every(isTold));
});
