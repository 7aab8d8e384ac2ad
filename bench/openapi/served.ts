import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { request as ask, createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort, PROXY_CORE, start } from "../proxy/processes.ts";

/** Requests a second, one after another on one connection each; few, so that what they wait for is the load and nothing else. */
const RATE = 200;
const PERIOD_MS = 4_000;
const ROUNDS = 3;
const POLL_MS = 50;

const LISTENER = (port: number): string => `version: 1
service: things
listeners: [{ name: inbound, address: '127.0.0.1:${port}' }]
log: { access: 'off' }
`;

export interface Served {
  /** p99 of requests in milliseconds, by round, while nothing is loaded and while documents are. */
  readonly before: readonly number[];
  readonly meanwhile: readonly number[];
  readonly loads: number;
}

/** How long requests take while a policy with a large description is loaded again and again: postern on a core of its own. */
export async function servedMeanwhile(texts: readonly Buffer[], name: string): Promise<Served> {
  const folder = mkdtempSync(join(tmpdir(), "postern-bench-"));
  const origin = createServer((_, answer) => answer.end("ok"));
  await new Promise<void>((done) => origin.listen(0, "127.0.0.1", done));
  const address = origin.address();
  const originPort = typeof address === "object" && address !== null ? address.port : 0;
  const port = await freePort();
  const policy = `${LISTENER(port)}upstreams: { app: { address: 'http://127.0.0.1:${originPort}' } }
authenticators: { oauth: { type: introspection, endpoint: 'https://127.0.0.1:9/i', clientId: a, clientSecret: { env: S }, audience: [a] } }
routes: [{ path: /ping, public: true }]
openapi: [{ file: ${name} }]
`;
  const put = (file: string, content: string | Buffer): void => {
    writeFileSync(join(folder, `${file}.new`), content);
    renameSync(join(folder, `${file}.new`), join(folder, file));
  };
  put(name, texts[0] ?? "");
  put("policy.yaml", policy);
  const main = join(import.meta.dirname, "../../src/main.ts");
  const flags = ["--max-semi-space-size=1", "--single-threaded-gc", "--initial-old-space-size=64"];
  const args = [...flags, main, "run", "--policy", join(folder, "policy.yaml")];
  const running = start({ file: process.execPath, args, env: { S: "a secret" } }, PROXY_CORE, join(folder, "log"));
  try {
    while (!(await ping(port))) running.assertAlive();
    await period(port, PERIOD_MS);
    const before: number[] = [];
    const meanwhile: number[] = [];
    let written = 0;
    for (let round = 0; round < ROUNDS; round++) {
      before.push(await period(port, PERIOD_MS));
      let isOver = false;
      // The next one as soon as the last is in force.
      const loading = (async () => {
        while (!isOver) {
          const wanted = loadsIn(folder) + 1;
          put(name, texts[++written % texts.length] ?? "");
          while (loadsIn(folder) < wanted) await new Promise((done) => setTimeout(done, POLL_MS));
        }
      })();
      meanwhile.push(await period(port, PERIOD_MS));
      isOver = true;
      await loading;
    }
    running.assertAlive();
    const loads = loadsIn(folder);
    return { before, meanwhile, loads };
  } finally {
    await running.stop();
    origin.close();
    rmSync(folder, { recursive: true });
  }
}

function loadsIn(folder: string): number {
  return readFileSync(join(folder, "log"), "utf8").split('"event":"reload"').length - 1;
}

/** Milliseconds within which 99 of 100 requests had their answer. */
async function period(port: number, forMs: number): Promise<number> {
  const times: Promise<number>[] = [];
  const endMs = performance.now() + forMs;
  for (let dueMs = performance.now(); dueMs < endMs; dueMs += 1_000 / RATE) {
    await new Promise((done) => setTimeout(done, Math.max(0, dueMs - performance.now())));
    const sentMs = performance.now();
    times.push(
      ping(port).then((isServed) => {
        if (!isServed) throw new Error("a request was not served");
        return performance.now() - sentMs;
      }),
    );
  }
  const sorted = (await Promise.all(times)).sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length * 0.99)] ?? 0;
}

function ping(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = ask({ host: "127.0.0.1", port, path: "/ping" }, (answer) => {
      answer.resume().on("end", () => resolve(answer.statusCode === 200));
    });
    probe.on("error", () => resolve(false));
    probe.end();
  });
}
