import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { inheritedSockets } from "../../src/cli/inherited-sockets.ts";
import { BUILT } from "../fixtures/built.ts";
import { eventually } from "../fixtures/eventually.ts";
import { RawClient } from "../fixtures/raw.ts";

const FDS_MAX = 50;

let folder: string;
let children: ChildProcess[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "postern-run-"));
  children = [];
  writePolicy("127.0.0.1:0");
});

afterEach(() => {
  for (const child of children) child.kill("SIGKILL");
  rmSync(folder, { recursive: true });
});

function writePolicy(address: string): void {
  const policy = `version: 1
service: orders
listeners: [{ name: inbound, address: "${address}", upstream: app }]
upstreams: { app: { address: "http://127.0.0.1:9" } }
routes: [{ path: /health, public: true }]
`;
  writeFileSync(join(folder, "policy.yaml"), policy);
}

interface Running {
  readonly child: ChildProcess;
  readonly exited: Promise<number | null>;
  out: string;
  error: string;
}

/** `postern run` as a process; `prefix` goes before it on a shell's command line. */
function run(args: readonly string[], prefix = "exec"): Running {
  const command = [process.execPath, BUILT, "run", ...args].map((word) => `'${word}'`).join(" ");
  const child = spawn("/bin/sh", ["-c", `${prefix} ${command}`], { stdio: "pipe" });
  children.push(child);
  const exited = new Promise<number | null>((resolve) => child.once("close", (code) => resolve(code)));
  const running: Running = { child, exited, out: "", error: "" };
  child.stdout.on("data", (data) => {
    running.out += data;
  });
  child.stderr.on("data", (data) => {
    running.error += data;
  });
  return running;
}

async function portOf(running: Running): Promise<number> {
  const ready = await eventually(() => /"address":"127\.0\.0\.1:(\d+)".*"readyMs":\d+/.exec(running.out));
  return Number(ready[1]);
}

function clientOf(port: number): Socket {
  const client = connect(port, "127.0.0.1");
  client.on("error", () => {});
  return client;
}

function respond(port: number): Promise<string> {
  return new Promise((resolve) => {
    const client = clientOf(port);
    let text = "";
    client.on("data", (data) => {
      text += data;
    });
    client.on("close", () => resolve(text));
    client.write("GET /nothing HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  });
}

const policyArgs = () => ["--policy", join(folder, "policy.yaml")];

describe("postern run", () => {
  test("ends with 0 on SIGTERM, and at once with 1 on a second one", async () => {
    const polite = run(policyArgs());
    await portOf(polite);
    polite.child.kill("SIGTERM");
    expect(await polite.exited).toBe(0);

    const hurried = run(policyArgs());
    const slow = clientOf(await portOf(hurried));
    slow.write("GET / HTTP/1.1\r\n");
    await new Promise((resolve) => slow.once("connect", resolve));
    await respond(await portOf(hurried));
    hurried.child.kill("SIGTERM");
    await eventually(() => hurried.out.includes('"event":"shutdown"'));
    hurried.child.kill("SIGTERM");
    expect(await hurried.exited).toBe(1);
    slow.destroy();
  });

  test("prints every problem of a policy with its place and ends with 1", async () => {
    writeFileSync(join(folder, "policy.yaml"), "version: 1\nservise: x\n");
    const running = run(policyArgs());
    expect(await running.exited).toBe(1);
    expect(running.error).toMatch(/policy\.yaml:2:\d+: unknown key 'servise'; did you mean 'service'\?/);
  });

  test("used wrongly ends with 2 and says how it is used", async () => {
    const running = run(["policy.yaml"]);
    expect(await running.exited).toBe(2);
    expect(running.error).toContain("--policy FILE");
  });

  test("goes on serving when nobody reads its log any more", async () => {
    const running = run(policyArgs());
    const port = await portOf(running);
    running.child.stdout?.destroy();
    for (let at = 0; at < 5; at++) expect(await respond(port)).toMatch(/^HTTP\/1.1 404 /);
  });

  test("survives having no file descriptors left, and serves when there are some again", async () => {
    const running = run(policyArgs(), `ulimit -n ${FDS_MAX}; exec`);
    const port = await portOf(running);
    const inside = await RawClient.connect({ port, host: "127.0.0.1" });
    const clients = Array.from({ length: 100 }, () => clientOf(port));
    // What is beyond the limit waits in the backlog or is accepted and closed, as the event loop likes, and a file that
    // is read just then gives a descriptor back: the next client takes it. Whoever is in is told whose fault it is that
    // there is no connection to the service.
    for (let asked = 1; !inside.received.includes("overloaded"); asked++) {
      clients.push(clientOf(port));
      inside.write("GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n");
      await inside.until(({ received }) => (received.match(/"status"/g)?.length ?? 0) === asked);
    }
    expect(inside.received).toMatch(/HTTP\/1.1 503 [^{]*\{[^{]*"overloaded"[^{]*$/);
    for (const client of [inside, ...clients]) client.destroy();
    await eventually(async () => /^HTTP\/1.1 404 /.test(await respond(port)));
  });
});

describe("sockets that systemd passes", () => {
  test("are counted from descriptor 3 and go by their names", () => {
    const environment = { LISTEN_PID: "42", LISTEN_FDS: "3", LISTEN_FDNAMES: "http:https:" };
    expect([...inheritedSockets(environment, 42)]).toEqual([
      ["http", 3],
      ["https", 4],
      ["2", 5],
    ]);
  });

  test("are not taken where they are meant for another process or the count is no count", () => {
    expect(inheritedSockets({ LISTEN_PID: "41", LISTEN_FDS: "1" }, 42).size).toBe(0);
    for (const count of ["-1", "1e9", "x", "0", ""]) {
      expect(inheritedSockets({ LISTEN_PID: "42", LISTEN_FDS: count }, 42).size).toBe(0);
    }
  });
});
