import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { request as ask, createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort, PROXY_CORE, start } from "./processes.ts";

/** Requests a second, one after another on one connection each; few, so that what they wait for is the disturbance and nothing else. */
const RATE = 200;
const PERIOD_MS = 4_000;
const ROUNDS = 3;

/** What is asked, and what postern has to run with. */
export interface ServedSettings {
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly env: Readonly<Record<string, string>>;
  /** By name in the folder of the policy; what they need is there before it. */
  readonly files: Readonly<Record<string, string | Buffer>>;
  /** What follows `version`, `service`, `listeners`, `upstreams` and `log`. */
  readonly policy: string;
}

/** A postern that runs on a core of its own. */
export interface ServedWorld {
  readonly port: number;
  readonly logFile: string;
  /** Puts a file into the folder of the policy, whole. */
  put(name: string, content: string | Buffer): void;
}

/** Times of requests in milliseconds, in order, by round: while nothing else happens, and while something does. */
export interface Served {
  readonly before: readonly (readonly number[])[];
  readonly meanwhile: readonly (readonly number[])[];
}

/** How long requests take while a running postern has something else to do, which `disturb` begins, and what it gives ends. */
export async function servedMeanwhile(
  settings: ServedSettings,
  disturb: (world: ServedWorld) => () => Promise<void>,
): Promise<Served> {
  const folder = mkdtempSync(join(tmpdir(), "postern-bench-"));
  const origin = createServer((asked, answer) => asked.resume().on("end", () => answer.end("ok")));
  await new Promise<void>((done) => origin.listen(0, "127.0.0.1", done));
  const address = origin.address();
  const originPort = typeof address === "object" && address !== null ? address.port : 0;
  const port = await freePort();
  const put = (file: string, content: string | Buffer): void => {
    writeFileSync(join(folder, `${file}.new`), content);
    renameSync(join(folder, `${file}.new`), join(folder, file));
  };
  for (const [name, content] of Object.entries(settings.files)) put(name, content);
  const head = `version: 1
service: things
listeners: [{ name: inbound, address: '127.0.0.1:${port}' }]
upstreams: { app: { address: 'http://127.0.0.1:${originPort}' } }
log: { access: 'off' }
`;
  put("policy.yaml", head + settings.policy);
  const main = join(import.meta.dirname, "../../src/main.ts");
  const flags = ["--max-semi-space-size=1", "--single-threaded-gc", "--initial-old-space-size=64"];
  const args = [...flags, main, "run", "--policy", join(folder, "policy.yaml")];
  const logFile = join(folder, "log");
  const running = start({ file: process.execPath, args, env: settings.env }, PROXY_CORE, logFile);
  try {
    const ping = (): Promise<boolean> => isServed(port, settings);
    while (!(await ping())) running.assertAlive();
    await period(ping);
    const before: number[][] = [];
    const meanwhile: number[][] = [];
    for (let round = 0; round < ROUNDS; round++) {
      before.push(await period(ping));
      const end = disturb({ port, logFile, put });
      meanwhile.push(await period(ping));
      await end();
    }
    running.assertAlive();
    return { before, meanwhile };
  } finally {
    await running.stop();
    origin.close();
    rmSync(folder, { recursive: true });
  }
}

/** Of times in order: that of so many of a hundred. */
export function percentile(sorted: readonly number[], percent: number): number {
  return sorted[Math.floor((sorted.length * percent) / 100)] ?? 0;
}

/** The median over the rounds of how much longer requests took. */
export function medianRatio({ before, meanwhile }: Served, percent: number): number {
  const ratios = before.map((one, at) => percentile(meanwhile[at] ?? [], percent) / percentile(one, percent));
  return percentile(
    ratios.sort((a, b) => a - b),
    50,
  );
}

async function period(ping: () => Promise<boolean>): Promise<number[]> {
  const times: Promise<number>[] = [];
  const endMs = performance.now() + PERIOD_MS;
  for (let dueMs = performance.now(); dueMs < endMs; dueMs += 1_000 / RATE) {
    await new Promise((done) => setTimeout(done, Math.max(0, dueMs - performance.now())));
    const sentMs = performance.now();
    times.push(
      ping().then((isGood) => {
        if (!isGood) throw new Error("a request was not served");
        return performance.now() - sentMs;
      }),
    );
  }
  return (await Promise.all(times)).sort((a, b) => a - b);
}

function isServed(port: number, { path, headers }: ServedSettings): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = ask({ host: "127.0.0.1", port, path, headers }, (answer) => {
      answer.resume().on("end", () => resolve(answer.statusCode === 200));
    });
    probe.on("error", () => resolve(false));
    probe.end();
  });
}
