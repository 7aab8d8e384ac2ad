import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { processTree } from "./process-usage.ts";

/** The proxy has a core to itself; what feeds it and what it feeds share the other. */
export const PROXY_CORE = 0;
export const OTHER_CORE = 1;

const STOP_TIMEOUT_MS = 3_000;
const LOG_TAIL_CHARS = 2_000;

export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** A pinned process of the bench. Its output goes to a log file, so that a full pipe never stops it. */
export interface Running {
  readonly pid: number;
  /** It and its children, as of now. */
  tree(): number[];
  /** Throws with the end of its log where it has ended by itself. */
  assertAlive(): void;
  /** The end of its log. */
  logTail(): string;
  stop(): Promise<void>;
}

const running = new Set<ChildProcess>();

// Whatever happens to the bench, nothing it started outlives it.
process.on("exit", () => {
  for (const child of running) killTree(child);
});
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(130));

/** With its children: an nginx that is killed leaves its worker behind. */
function killTree(child: ChildProcess): void {
  for (const pid of child.pid === undefined ? [] : processTree(child.pid)) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // it has ended by itself
    }
  }
}

export function start(command: Command, core: number, logFile: string): Running {
  const log = openSync(logFile, "a");
  const child = spawn("taskset", ["-c", String(core), command.file, ...command.args], {
    stdio: ["ignore", log, log],
    env: { ...process.env, ...command.env },
  });
  closeSync(log);
  running.add(child);
  child.on("error", () => running.delete(child));
  const ended = new Promise<void>((resolve) => {
    child.on("exit", () => {
      running.delete(child);
      resolve();
    });
  });
  const pid = child.pid;
  if (pid === undefined) throw new Error(`${command.file} does not start`);
  const logTail = (): string => readFileSync(logFile, "utf8").slice(-LOG_TAIL_CHARS);
  return {
    pid,
    tree: () => processTree(pid),
    logTail,
    assertAlive: () => {
      if (child.exitCode === null && child.signalCode === null) return;
      throw new Error(`${command.file} ended by itself:\n${logTail()}`);
    },
    stop: async () => {
      const timer = setTimeout(() => killTree(child), STOP_TIMEOUT_MS);
      child.kill("SIGTERM");
      await ended;
      clearTimeout(timer);
    },
  };
}

/** Runs a pinned command to its end and gives its standard output; throws where it fails. */
export function run(command: Command, core: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn("taskset", ["-c", String(core), command.file, ...command.args], {
      stdio: ["ignore", "pipe", "inherit"],
      env: { ...process.env, ...command.env },
    });
    running.add(child);
    let output = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
    child.on("error", reject);
    child.on("close", (code) => {
      running.delete(child);
      if (code === 0) resolve(output);
      else reject(new Error(`${command.file} ${command.args[0]} ended with ${code}`));
    });
  });
}

/** A TCP port of 127.0.0.1 that was free a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}
