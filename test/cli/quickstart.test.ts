/**
 * Goal: who types `npm start` gets what the guide promises. Method: the command runs as a real process on a copy of its
 * policy with free ports, in a folder of its own; the printed curl commands are run by a shell as they are printed.
 */

import { type ChildProcess, execFile, spawn } from "node:child_process";
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { BUILT } from "../fixtures/built.ts";
import { freePort } from "../fixtures/free-port.ts";
import { PATIENCE_MS } from "../fixtures/patience.ts";

const ROOT = join(import.meta.dirname, "../..");

interface QuickStart {
  readonly process: ChildProcess;
  readonly ended: Promise<number | null>;
  output: string;
}

let folder: string;
let policyFile: string;
let ports: { https: number; service: number; admin: number };
let started: QuickStart[];

beforeEach(async () => {
  started = [];
  // A blank in the name: the printed commands have to quote it.
  folder = mkdtempSync(join(tmpdir(), "postern quickstart-"));
  policyFile = join(folder, "quickstart.yaml");
  ports = { https: await freePort(), service: await freePort(), admin: await freePort() };
  const policy = readFileSync(join(ROOT, "policies/quickstart.yaml"), "utf8")
    .replace("127.0.0.1:8443", `127.0.0.1:${ports.https}`)
    .replace("127.0.0.1:3000", `127.0.0.1:${ports.service}`)
    .replace("127.0.0.1:9901", `127.0.0.1:${ports.admin}`);
  writeFileSync(policyFile, policy);
  copyFileSync(join(ROOT, "policies/order.schema.json"), join(folder, "order.schema.json"));
});

afterEach(async () => {
  for (const run of started) {
    run.process.kill("SIGKILL");
    await run.ended;
  }
  rmSync(folder, { recursive: true, force: true });
});

function start(...options: readonly string[]): QuickStart {
  const args = [BUILT, "quickstart", "--policy", policyFile, ...options];
  return follow(spawn(process.execPath, args, { cwd: tmpdir(), env: ENV, stdio: ["ignore", "pipe", "pipe"] }));
}

/** Whatever the machine of the tests says of colours. */
const ENV = { ...process.env, TERM: "xterm", NO_COLOR: "", FORCE_COLOR: "" };

function follow(child: ChildProcess): QuickStart {
  const run: QuickStart = {
    process: child,
    ended: new Promise((resolve) => child.on("close", resolve)),
    output: "",
  };
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (text: string) => {
      run.output += text;
    });
  }
  started.push(run);
  return run;
}

async function startAndWait(...options: readonly string[]): Promise<QuickStart> {
  const run = start(...options);
  await vi.waitFor(() => expect(run.output).toContain("Ctrl-C"), { timeout: PATIENCE_MS, interval: 20 });
  return run;
}

/** Title, expected status and command of every numbered try. */
function tries(output: string) {
  return [...output.matchAll(/^\d\. (.+) \((\d{3})\)\n(curl .+)$/gm)].map((match) => ({
    title: match[1] ?? "",
    status: Number(match[2]),
    command: match[3] ?? "",
  }));
}

/** The command as one would paste it; gives the last status that curl printed and everything before. */
function shell(command: string): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    execFile("sh", ["-c", command], { cwd: tmpdir(), timeout: PATIENCE_MS }, (error, stdout) => {
      if (error !== null) return reject(error);
      resolve({ status: Number(/HTTP (\d{3})\n$/.exec(stdout)?.[1]), text: stdout });
    });
  });
}

test("the five printed commands answer as they say, and an edit of the policy is obeyed by the next request", async () => {
  const run = await startAndWait();
  // JSON, for this is no terminal. The log is written apart from the guide.
  await vi.waitFor(() => expect(run.output).toContain('"event":"ready"'), { timeout: PATIENCE_MS, interval: 20 });
  const commands = tries(run.output);
  expect(commands.map(({ status }) => status)).toEqual([200, 401, 403, 422, 429]);
  const reasons: string[] = [];
  for (const { title, status, command } of commands) {
    const answer = await shell(command);
    expect(answer.status, `${title}\n${command}\n${answer.text}`).toBe(status);
    reasons.push(/"reason": ?"(\w+)"/.exec(answer.text)?.[1] ?? "none");
  }
  expect(reasons).toEqual(["none", "credentials_missing", "scope_missing", "body_schema_mismatch", "rate_limited"]);

  const metrics = await fetch(/http:\S+\/metrics/.exec(run.output)?.[0] ?? "");
  expect(await metrics.text()).toContain('reason="scope_missing"');

  // The billing service is no longer named: what was allowed is denied, by the process that still runs.
  const policy = readFileSync(policyFile, "utf8");
  writeFileSync(policyFile, policy.replaceAll("/sa/billing", "/sa/shipping"));
  const first = commands[0]?.command ?? "";
  await vi.waitFor(async () => expect((await shell(first)).status).toBe(403), { timeout: PATIENCE_MS, interval: 50 });
  writeFileSync(policyFile, policy);
  await vi.waitFor(async () => expect((await shell(first)).status).toBe(200), { timeout: PATIENCE_MS, interval: 50 });
  expect(run.process.exitCode).toBeNull();
});

test("on a terminal the log is words with colour, and Enter shows the commands again", async () => {
  const command = [process.execPath, BUILT, "quickstart", "--policy", policyFile];
  // exec: a shell that waits beside the command would end by the ^C itself.
  const line = `exec ${command.map((word) => `'${word}'`).join(" ")}`;
  // script (util-linux) gives the command a terminal.
  const child = spawn("script", ["-qfec", line, "/dev/null"], {
    cwd: tmpdir(),
    env: ENV,
    stdio: ["pipe", "pipe", "pipe"],
  });
  const run = follow(child);
  const guides = () => run.output.split("postern guards the sample service.").length - 1;
  await vi.waitFor(() => expect(run.output).toContain("Enter shows this again"), {
    timeout: PATIENCE_MS,
    interval: 20,
  });
  expect(guides()).toBe(1);
  const denied = tries(run.output.replaceAll("\r", ""))[1]?.command ?? "";
  await shell(denied);
  const words = "\x1b[33m401\x1b[0m GET /v1/orders/42  \x1b[33mcredentials_missing\x1b[0m at ";
  await vi.waitFor(() => expect(run.output).toContain(words), { timeout: PATIENCE_MS, interval: 20 });
  expect(run.output).not.toContain('{"level"');
  child.stdin.write("\r");
  await vi.waitFor(() => expect(guides()).toBe(2), { timeout: PATIENCE_MS, interval: 20 });
  child.stdin.write("\x03");
  expect(await run.ended, run.output).toBe(0);
  expect(existsSync(join(folder, ".postern"))).toBe(false);
});

test("elsewhere the log is words where --log-format says text, without colour", async () => {
  const run = await startAndWait("--log-format", "text");
  const ready = /^[\d:.]+ ready {2}listeners inbound /m;
  await vi.waitFor(() => expect(run.output).toMatch(ready), { timeout: PATIENCE_MS, interval: 20 });
  expect(run.output).not.toMatch(/\x1b|\{"level/);
});

test.each(["SIGINT", "SIGTERM"] as const)("%s stops everything and removes the keys", async (signal) => {
  const run = await startAndWait();
  expect(existsSync(join(folder, ".postern/server.key"))).toBe(true);
  run.process.kill(signal);
  run.process.kill(signal); // as npm sends it once more
  expect(await run.ended, run.output).toBe(0);
  expect(existsSync(join(folder, ".postern"))).toBe(false);
  // All three ports can be taken again.
  const servers = await Promise.all(Object.values(ports).map(listen));
  for (const server of servers) server.close();
});

test("a port that is taken is named, and nothing stays behind", async () => {
  const server = await listen(ports.service);
  const run = start();
  const code = await run.ended;
  server.close();
  expect(code).toBe(1);
  expect(run.output).toContain(`127.0.0.1:${ports.service}`);
  expect(existsSync(join(folder, ".postern"))).toBe(false);
});

test("a policy with a problem is refused with its line, and nothing stays behind", async () => {
  writeFileSync(policyFile, readFileSync(policyFile, "utf8").replace("authenticate: [mesh]", "authenticate: [nobody]"));
  const run = start();
  expect(await run.ended).toBe(1);
  expect(run.output).toMatch(/quickstart\.yaml:\d+:\d+: .*nobody/);
  expect(existsSync(join(folder, ".postern"))).toBe(false);
});

test("a second quick start on the same policy does not disturb the first", async () => {
  const first = await startAndWait();
  const second = start();
  expect(await second.ended).toBe(1);
  expect(second.output).toContain("in use by another quick start");
  const allowed = tries(first.output)[0]?.command ?? "";
  expect((await shell(allowed)).status).toBe(200);
});

function listen(port: number): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer().once("error", reject);
    server.listen(port, "127.0.0.1", () => resolve(server));
  });
}
