import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { type Daemon, type DaemonOptions, startDaemon } from "../../src/daemon/daemon.ts";
import { type Compile, wholeFileProblem } from "../../src/daemon/reload.ts";
import { unlimitedMemory } from "../../src/memory/budget.ts";
import { NO_ADMIN, type Problem, type Snapshot } from "../../src/policy/snapshot.ts";
import type { ProxyServer } from "../../src/proxy/proxy.ts";
import { systemClock } from "../../src/support/clock.ts";
import { err, ok, type Result } from "../../src/support/result.ts";
import { testResources } from "../fixtures/outside.ts";
import { listenerOf, snapshotOf } from "../fixtures/snapshot.ts";
import { MemorySink } from "../fixtures/telemetry.ts";

/** The policy language of these tests: what is answered, and files that the policy names. */
export interface TestPolicy {
  readonly answer: string;
  readonly files?: readonly string[];
  readonly port?: number;
  readonly adminPort?: number | null;
  readonly adminHosts?: readonly string[];
  readonly adminToken?: string;
  readonly probesPort?: number;
  readonly metricsPort?: number;
}

/** Reads a test policy as the real compiler reads a real one: whole, with every file, or not at all. */
export const compileTest: Compile = async (file, readFile) => {
  const text = readFile(file);
  if (!text.ok) return err([wholeFileProblem(file, text.error)]);
  const parsed = parse(file, text.value.toString());
  if (!parsed.ok) return err([parsed.error]);
  const policy = parsed.value;
  const hash = createHash("sha256").update(text.value);
  const problems: Problem[] = [];
  for (const name of policy.files ?? []) {
    const content = readFile(resolve(dirname(file), name));
    if (!content.ok) problems.push(wholeFileProblem(file, `${name} ${content.error}`, "files"));
    else if (content.value.includes("broken")) problems.push(wholeFileProblem(file, `${name} is broken`, "files"));
    else hash.update(content.value);
  }
  if (problems.length > 0) return err(problems);
  const { port = 0, adminPort = 0 } = policy;
  return ok(
    snapshotOf({
      hash: hash.digest("hex").slice(0, 16),
      service: policy.answer,
      listeners: [listenerOf({ address: { type: "tcp", host: "127.0.0.1", port } })],
      admin: {
        ...NO_ADMIN,
        hosts: policy.adminHosts ?? [],
        token: policy.adminToken === undefined ? null : Buffer.from(policy.adminToken),
        address: adminPort === null ? null : { host: "127.0.0.1", port: adminPort },
        metrics: policy.metricsPort === undefined ? null : { host: "127.0.0.1", port: policy.metricsPort },
        probes: policy.probesPort === undefined ? null : { host: "127.0.0.1", port: policy.probesPort },
      },
    }),
  );
};

function parse(file: string, text: string): Result<TestPolicy, Problem> {
  try {
    return ok(JSON.parse(text) as TestPolicy);
  } catch {
    return err(wholeFileProblem(file, "not valid JSON"));
  }
}

/** Answers every line that comes with the answer of the policy that is in force. Drains when told. */
export class LineProxy implements ProxyServer {
  snapshot: Snapshot;
  beside: ProxyServer["beside"] = null;
  guard: ProxyServer["guard"] = null;
  requestsBegun = 0;
  requestsInFlight = 0;
  readonly sockets = new Set<Socket>();
  swaps = 0;
  #drained: (() => void) | null = null;

  constructor(snapshot: Snapshot) {
    this.snapshot = snapshot;
  }

  get connectionsOpen(): number {
    return this.sockets.size;
  }

  swap(snapshot: Snapshot): void {
    this.snapshot = snapshot;
    this.swaps++;
  }

  serve(socket: Socket): void {
    this.sockets.add(socket);
    socket.on("data", () => socket.write(`${this.snapshot.service}\n`));
    socket.on("end", () => socket.end());
    socket.on("close", () => {
      this.sockets.delete(socket);
      if (this.sockets.size === 0) this.#drained?.();
    });
  }

  drain(): Promise<void> {
    if (this.sockets.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#drained = resolve;
    });
  }

  close(): void {
    for (const socket of this.sockets) socket.destroy();
  }
}

export interface Running {
  readonly daemon: Daemon;
  readonly sink: MemorySink;
  readonly proxy: LineProxy;
  readonly port: number;
  readonly admin: string;
  /** The answer to one line on a new connection; null where the connection is refused. */
  ask(): Promise<string | null>;
}

export interface Workspace {
  readonly folder: string;
  readonly file: string;
  write(policy: TestPolicy | string): void;
  start(options?: Partial<DaemonOptions>, compile?: Compile): Promise<Running>;
  dispose(): Promise<void>;
}

/** A folder with a policy, and daemons that run it. */
export function createWorkspace(file = "policy.json"): Workspace {
  const folder = mkdtempSync(join(tmpdir(), "postern-daemon-"));
  const path = join(folder, file);
  const daemons: Daemon[] = [];
  return {
    folder,
    file: path,
    write: (policy) => writeFileSync(path, typeof policy === "string" ? policy : JSON.stringify(policy)),
    start: async (options = {}, compile = compileTest) => {
      const running = await startRunning(path, options, compile);
      daemons.push(running.daemon);
      return running;
    },
    dispose: async () => {
      for (const daemon of daemons) await daemon.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function startRunning(policyFile: string, options: Partial<DaemonOptions>, compile: Compile): Promise<Running> {
  const sink = new MemorySink();
  let proxy: LineProxy | null = null;
  const started = await startDaemon(
    { policyFile, timings: { debounceMs: 20, pollMs: 60_000, settleMs: 60 }, ...options },
    {
      clock: systemClock,
      sink,
      processFigures: null,
      memory: unlimitedMemory(),
      resources: testResources(),
      compile,
      test: async () => ok([]),
      createProxy: (snapshot) => {
        proxy = new LineProxy(snapshot);
        return proxy;
      },
    },
  );
  if (!started.ok || proxy === null) throw new Error(started.ok ? "no proxy" : JSON.stringify(started.error));
  const daemon = started.value;
  const port = Number(daemon.status.listeners[0]?.address.split(":").at(-1));
  return { daemon, sink, proxy, port, admin: `http://${daemon.adminAddress}`, ask: () => ask(port) };
}

export function ask(port: number): Promise<string | null> {
  return new Promise((resolve) => {
    const client = connect(port, "127.0.0.1", () => client.write("?\n"));
    client.on("error", () => {});
    client.once("data", (data) => {
      resolve(data.toString().trimEnd());
      client.destroy();
    });
    client.once("close", () => resolve(null));
  });
}
