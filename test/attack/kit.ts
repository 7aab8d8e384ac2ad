import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { freePort } from "../fixtures/free-port.ts";

/** What `npm run attack` and `npm run soak` share: postern as a process, a service behind it, a client with manners. */

const MAIN = resolve(import.meta.dirname, "../../src/main.ts");
/** As the image and the unit start it; its memory is what they would see. */
const HEAP = [
  "--max-semi-space-size=1",
  "--single-threaded-gc",
  "--initial-old-space-size=64",
  "--disallow-code-generation-from-strings",
];
const READY_TIMEOUT_MS = 15_000;

const children = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of children) child.kill("SIGKILL");
});
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(130));

export function spawnChild(command: string, args: readonly string[]): ChildProcess {
  const child = spawn(command, args, { stdio: ["pipe", "pipe", "pipe"] });
  children.add(child);
  child.once("exit", () => children.delete(child));
  return child;
}

export interface Service {
  readonly port: number;
  kill(): Promise<void>;
}

/** `service.ts` on `port`, or on a free one. */
export async function startService(port = 0): Promise<Service> {
  const child = spawnChild(process.execPath, [join(import.meta.dirname, "service.ts"), String(port)]);
  const bound = await new Promise<string>((done, failed) => {
    child.stdout?.once("data", (chunk) => done(String(chunk)));
    child.once("exit", () => failed(new Error("the service does not start")));
  });
  const ended = new Promise((done) => child.once("exit", done));
  return {
    port: Number(bound),
    kill: async () => {
      child.kill("SIGKILL");
      await ended;
    },
  };
}

export interface Postern {
  readonly pid: number;
  readonly port: number;
  readonly file: string;
  /** Makes it read its policy again; resolves when another one is in force, rejects where it is refused. */
  reload(): Promise<void>;
  metrics(): Promise<string>;
  residentMiB(): number;
  openFiles(): number;
  /** Lines of the log, errors and warnings only, without those of the policy. */
  readonly complaints: string[];
  readonly exited: () => boolean;
  stop(): Promise<void>;
}

/** Starts `postern run` on what `policy` gives for its ports. */
export async function startPostern(policy: (port: number, admin: number, folder: string) => string): Promise<Postern> {
  const folder = mkdtempSync(join(tmpdir(), "postern-attack-"));
  const file = join(folder, "policy.yaml");
  const [port, admin] = [await freePort(), await freePort()];
  writeFileSync(file, policy(port, admin, folder));
  const child = spawnChild(process.execPath, [...HEAP, MAIN, "run", "--policy", file]);
  const complaints: string[] = [];
  let rest = "";
  let reloading: PromiseWithResolvers<void> | null = null;
  child.stderr?.on("data", (chunk) => complaints.push(String(chunk)));
  const ready = Promise.withResolvers<void>();
  const timer = setTimeout(() => ready.reject(new Error("postern is not ready")), READY_TIMEOUT_MS);
  child.once("exit", (code) => ready.reject(new Error(`postern ended with ${code}: ${complaints.join("")}`)));
  child.stdout?.on("data", (chunk) => {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      if (line.includes('"event":"ready"')) ready.resolve();
      if (line.includes('"event":"reload"')) {
        if (line.includes('"result":"ok"')) reloading?.resolve();
        if (line.includes('"result":"refused"')) reloading?.reject(new Error(line));
      }
      // Who runs this may well be root, and the policy's warnings are known before a request comes.
      if (line.includes('"event":"warning"')) continue;
      if (/"level":"(?:warn|error)"/.test(line) && complaints.length < 1_000) complaints.push(line);
    }
  });
  await ready.promise.finally(() => clearTimeout(timer));
  const pid = child.pid ?? 0;
  return {
    pid,
    port,
    file,
    complaints,
    reload: () => {
      reloading = Promise.withResolvers<void>();
      child.kill("SIGHUP");
      return reloading.promise;
    },
    metrics: async () => (await fetch(`http://127.0.0.1:${admin}/metrics`)).text(),
    residentMiB: () => Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) / 1024,
    openFiles: () => readdirSync(`/proc/${pid}/fd`).length,
    exited: () => child.exitCode !== null || child.signalCode !== null,
    stop: async () => {
      const ended = new Promise((done) => child.once("exit", done));
      child.kill("SIGTERM");
      const timer = setTimeout(() => child.kill("SIGKILL"), 5_000);
      await ended;
      clearTimeout(timer);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Sum of a metric's samples by one label. */
export function byLabel(metrics: string, name: string, label: string): Map<string, number> {
  const sums = new Map<string, number>();
  for (const line of metrics.split("\n")) {
    if (!line.startsWith(`${name}{`)) continue;
    const key = new RegExp(`[{,]${label}="([^"]*)"`).exec(line)?.[1] ?? "";
    const value = Number(line.slice(line.lastIndexOf(" ")));
    if (value !== 0) sums.set(key, (sums.get(key) ?? 0) + value);
  }
  return sums;
}

export interface Manners {
  readonly latenciesMs: readonly number[];
  readonly failures: number;
}

/** A request every `everyMs` from its own address, each on a new connection, until `stop`; one that hangs counts as failed. */
export function behave(port: number, everyMs: number, secure = false): { stop(): Promise<Manners> } {
  const latenciesMs: number[] = [];
  const pending = new Set<Promise<void>>();
  let failures = 0;
  const ask = (): Promise<void> =>
    new Promise((done) => {
      const startedMs = performance.now();
      const fail = (): void => {
        failures++;
        done();
      };
      const options = {
        host: "127.0.0.1",
        localAddress: "127.0.0.2",
        port,
        path: "/good",
        agent: false,
        timeout: 5_000,
        rejectUnauthorized: false,
      };
      const asking = (secure ? httpsRequest : httpRequest)(options, (response) => {
        response.resume();
        response.on("error", fail);
        response.on("end", () => {
          if (response.statusCode === 200) latenciesMs.push(performance.now() - startedMs);
          else failures++;
          done();
        });
      });
      asking.on("timeout", () => asking.destroy(new Error("timeout")));
      asking.on("error", fail);
      asking.end();
    });
  const timer = setInterval(() => {
    const one = ask().finally(() => pending.delete(one));
    pending.add(one);
  }, everyMs);
  return {
    stop: async () => {
      clearInterval(timer);
      await Promise.all(pending);
      return { latenciesMs, failures };
    },
  };
}

export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

export const print = (line: string): void => void process.stdout.write(`${line}\n`);
