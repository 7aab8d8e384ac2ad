import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { stringify } from "yaml";
import { RateTables } from "../src/limits/rate/rate-tables.ts";
import { examinePolicy } from "../src/policy/compile.ts";
import { Kept } from "../src/policy/kept.ts";
import { systemClock } from "../src/support/clock.ts";
import { DEFAULTS } from "../src/support/defaults.ts";
import { err, ok } from "../src/support/result.ts";
import { OTHER_CORE } from "./proxy/processes.ts";
import { medianRatio, percentile, type Served, servedMeanwhile } from "./proxy/served.ts";

/**
 * What it costs to load a description: time, what the process holds more, and the longest time in which no event was handled. Each
 * document in a process of its own, its text made before the first measurement; then how long requests to a running postern take
 * while it is loaded again and again. `npm run bench:openapi -- 1000` says how many operations.
 */
const [size = "1000", format, mode] = process.argv.slice(2);
if (!/^[1-9]\d{0,5}$/.test(size) || Number(size) % 2 !== 0) {
  console.error("usage: npm run bench:openapi -- [OPERATIONS]   an even number of them, 1000 if absent");
  process.exit(2);
}

/** Half of the operations have a body of 30 properties, each schema its own; all have parameters. */
function documentOf(operations: number): object {
  const paths: Record<string, object> = {};
  const schemas: Record<string, object> = {};
  for (let at = 0; at < operations / 2; at++) {
    const id = { name: "id", in: "path", required: true, schema: { type: "string", format: "uuid" } };
    const page = { name: "page", in: "query", schema: { type: "integer", minimum: 1, maximum: 1000 } };
    const content = { "application/json": { schema: { $ref: `#/components/schemas/Thing${at}` } } };
    const responses = { "200": { description: "the thing", content } };
    paths[`/things${at}/{id}`] = {
      get: { operationId: `get${at}`, parameters: [id, page], responses },
      post: { operationId: `create${at}`, parameters: [id], requestBody: { required: true, content }, responses },
    };
    schemas[`Thing${at}`] = schemaOf(at);
  }
  return {
    openapi: "3.1.0",
    info: { title: "Things", version: "1" },
    servers: [{ url: "/v1" }],
    security: [{ oauth: ["things:use"] }],
    paths,
    components: { schemas, securitySchemes: { oauth: { type: "oauth2", flows: {} } } },
  };
}

function schemaOf(at: number): object {
  const properties: Record<string, object> = {};
  for (let field = 0; field < 30; field++) {
    const kind = field % 3;
    if (kind === 0) properties[`text${field}`] = { type: "string", maxLength: 40 + (at % 7) };
    else if (kind === 1) properties[`number${field}`] = { type: "integer", minimum: 0, maximum: 1000 };
    else properties[`list${field}`] = { type: "array", maxItems: 20, items: { type: "string", maxLength: 20 } };
  }
  return { type: "object", required: ["text0"], properties, additionalProperties: false };
}

const AUTHENTICATORS = `authenticators:
  oauth: { type: introspection, endpoint: 'https://127.0.0.1:9/i', clientId: a, clientSecret: { env: S }, audience: [a] }
`;
const POLICY = `version: 1
service: things
listeners: [{ name: inbound, address: 127.0.0.1:8080 }]
upstreams: { app: { address: 'http://127.0.0.1:3000' } }
${AUTHENTICATORS}openapi: [{ file: api }]
`;

async function examine(text: Buffer, kept: Kept, operations = Number(size)): Promise<void> {
  const { problems, snapshot } = await examinePolicy("policy.yaml", {
    cwd: "/srv",
    clock: systemClock,
    rateTables: new RateTables([1, 2], systemClock, 64),
    env: { S: "a secret" },
    kept,
    readFile: (name) =>
      name.endsWith("policy.yaml") ? ok(Buffer.from(POLICY)) : name.endsWith("api") ? ok(text) : err("does not exist"),
    sliceMs: DEFAULTS.compileSliceMs,
  });
  const routes = snapshot?.routeList.length ?? 0;
  if (routes !== operations) throw new Error(`${routes} routes; ${problems.map((one) => one.text).join("; ")}`);
  held.push(snapshot);
}

/** What is in force stays in memory. */
const held: unknown[] = [];

async function measure(text: Buffer): Promise<void> {
  // Once unmeasured, so that the modules are there.
  await examine(textOf(2), new Kept(), 2);
  held.length = 0;
  const kept = new Kept();
  let isRunning = true;
  let longestMs = 0;
  let longestCpuMs = 0;
  globalThis.gc?.();
  const before = process.memoryUsage();
  let lastMs = performance.now();
  let lastCpuMs = threadCpuMs();
  const look = (): void => {
    // Behind the load only the bench's own collection of garbage would be seen.
    if (!isRunning) return;
    const nowMs = performance.now();
    const nowCpuMs = threadCpuMs();
    longestMs = Math.max(longestMs, nowMs - lastMs);
    longestCpuMs = Math.max(longestCpuMs, nowCpuMs - lastCpuMs);
    lastCpuMs = nowCpuMs;
    lastMs = nowMs;
    setImmediate(look);
  };
  setImmediate(look);
  const startMs = performance.now();
  const startCpuMs = threadCpuMs();
  await examine(text, kept);
  const loadMs = performance.now() - startMs;
  const loadCpuMs = threadCpuMs() - startCpuMs;
  look();
  isRunning = false;
  const peak = process.memoryUsage().rss;
  globalThis.gc?.();
  const after = process.memoryUsage();
  const againMs = performance.now();
  await examine(text, kept);
  const reloadMs = performance.now() - againMs;
  const mib = (bytes: number): string => (bytes / 1024 ** 2).toFixed(1).padStart(7);
  const cells = [loadMs, loadCpuMs, longestMs, longestCpuMs, reloadMs].map((ms) => `${ms.toFixed(0).padStart(6)} ms`);
  const memory = [after.heapUsed - before.heapUsed, after.rss - before.rss, peak - before.rss].map(mib);
  console.log([String(format).padEnd(5), mib(text.length), ...cells, ...memory].join("  "));
}

/** Of this thread: other programs of the machine do not lengthen it. */
function threadCpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

/** The next load begins as soon as the last one's policy is in force. */
async function serve(): Promise<void> {
  const text = textOf(Number(size));
  // Another text each time, so that nothing is taken from the last policy.
  const texts = [text, Buffer.concat([text, Buffer.from(" \n")])];
  const name = `api.${format}`;
  let loads = 0;
  const settings = {
    path: "/ping",
    env: { S: "a secret" },
    files: { [name]: text },
    policy: `${AUTHENTICATORS}routes: [{ path: /ping, public: true }]\nopenapi: [{ file: ${name} }]\n`,
  };
  const served = await servedMeanwhile(settings, ({ put, logFile }) => {
    let isOver = false;
    const loading = (async () => {
      while (!isOver) {
        const wanted = loadsIn(logFile) + 1;
        put(name, texts[++loads % texts.length] ?? "");
        while (loadsIn(logFile) < wanted) await new Promise((done) => setTimeout(done, POLL_MS));
      }
    })();
    return () => {
      isOver = true;
      return loading;
    };
  });
  const ms = (rounds: Served["before"]): string => rounds.map((one) => percentile(one, 99).toFixed(1)).join(", ");
  const ratio = medianRatio(served, 99).toFixed(2);
  console.log(
    `${String(format).padEnd(5)} p99 of requests ${ms(served.before)} ms, while ${loads} documents load ${ms(served.meanwhile)} ms: ${ratio} x`,
  );
}

const POLL_MS = 50;

function loadsIn(logFile: string): number {
  return readFileSync(logFile, "utf8").split('"event":"reload"').length - 1;
}

function textOf(operations: number): Buffer {
  const value = documentOf(operations);
  return Buffer.from(format === "json" ? JSON.stringify(value) : stringify(value, { aliasDuplicateObjects: false }));
}

if (mode === "served") await serve();
else if (format !== undefined) await measure(textOf(Number(size)));
else {
  console.log(`${size} operations`);
  console.log(
    "           MiB       load      (CPU)    longest      (CPU)     reload     heap  process     peak (MiB more)",
  );
  for (const more of [[], ["served"]]) {
    for (const one of ["json", "yaml"]) {
      // As the image and the unit start it.
      const heap = ["--max-semi-space-size=1", "--single-threaded-gc", "--initial-old-space-size=64"];
      const args = [process.execPath, "--expose-gc", ...heap, import.meta.filename, size, one, ...more];
      // Who asks has the other core: what it does would hold up the one that is measured.
      const pinned = more.length === 0 ? args : ["taskset", "-c", String(OTHER_CORE), ...args];
      spawnSync("env", pinned, { stdio: "inherit" });
    }
  }
}
