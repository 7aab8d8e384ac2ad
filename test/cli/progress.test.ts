// Goal: what takes long says so on a terminal, and leaves nothing behind.
import { expect, test } from "vitest";
import type { CommandIo } from "../../src/cli/command.ts";
import { withProgress } from "../../src/cli/progress.ts";
import { main } from "../../src/main.ts";
import { systemClock } from "../../src/support/clock.ts";
import { systemTimers } from "../../src/support/timers.ts";
import { ManualTime } from "../fixtures/manual-time.ts";
import { folderWith } from "../rehearsal/kit.ts";

/** A terminal of `columns`, whose time is moved by hand. */
function terminal(columns = 80) {
  const written: string[] = [];
  const time = new ManualTime(0);
  const io: CommandIo = {
    stdout: (text) => void written.push(`out ${text}`),
    stderr: (text) => void written.push(`err ${text}`),
    cwd: "/",
    clock: time,
    terminal: { columns: () => columns, timers: time },
  };
  return { io, written, pass: (ms: number) => time.pass(ms) };
}

const POLICY = `version: 1
service: a
listeners: [{ name: in, address: '127.0.0.1:0' }]
upstreams: { app: { address: 'http://127.0.0.1:1' } }
routes: [{ path: /a, methods: [GET], public: true }]
tests: [{ name: it is open, request: { path: /a }, expect: { allow: true } }]
`;

const CLEAR = "\r\x1b[K";

test("quick work says nothing", async () => {
  const { io, written, pass } = terminal();
  await withProgress(io, false, async (told, tell) => {
    tell("1 of 2");
    pass(999);
    tell("2 of 2");
    told.stdout("done\n");
  });
  expect(written).toEqual(["out done\n"]);
});

test("after a second one line tells where it is, five times a second at most, and goes for what is written", async () => {
  const { io, written, pass } = terminal();
  await withProgress(io, false, async (told, tell) => {
    tell("1 of 9");
    pass(1000);
    tell("2 of 9");
    pass(100);
    tell("3 of 9");
    pass(100);
    told.stdout("found\n");
    pass(200);
  });
  expect(written).toEqual([
    `err ${CLEAR}1 of 9, 1 s`,
    `err ${CLEAR}3 of 9, 1 s`,
    `err ${CLEAR}`,
    "out found\n",
    `err ${CLEAR}3 of 9, 1 s`,
    `err ${CLEAR}`,
  ]);
});

test("work that holds the thread is told by its own steps", async () => {
  const { io, written } = terminal(10);
  let ms = 0;
  const held: CommandIo = { ...io, clock: { monotonicMs: () => ms, wallMs: () => ms } };
  await withProgress(held, false, async (_, tell) => {
    ms = 1500;
    tell("a long name of a file");
  });
  expect(written).toEqual([`err ${CLEAR}a long na`, `err ${CLEAR}`]);
});

test("a terminal that does not know its size gets the line as well", async () => {
  const { io, written, pass } = terminal(0);
  await withProgress(io, false, async (_, tell) => {
    tell("1 of 9");
    pass(1000);
  });
  expect(written).toEqual([`err ${CLEAR}1 of 9, 1 s`, `err ${CLEAR}`]);
});

test("the line goes where the work fails, and there is none for machines or without a terminal", async () => {
  const { io, written, pass } = terminal();
  const failing = withProgress(io, false, async () => {
    pass(1000);
    throw new Error("no");
  });
  await expect(failing).rejects.toThrow("no");
  expect(written).toEqual([`err ${CLEAR}1 s`, `err ${CLEAR}`]);
  written.length = 0;
  const silent = async (_: CommandIo, tell: (text: string) => void): Promise<void> => {
    pass(5000);
    tell("far");
  };
  await withProgress(io, true, silent);
  const { terminal: _, ...plain } = io;
  await withProgress(plain, false, silent);
  expect(written).toEqual([]);
});

test("commands hand their terminal on, and say the same with it", async () => {
  const { folder, postern } = folderWith({ "a.yaml": POLICY, "b.yaml": POLICY.replace("/a,", "/b,") });
  for (const line of ["check a.yaml", "audit a.yaml", "diff a.yaml b.yaml", "test a.yaml"]) {
    const told = { out: "", err: "" };
    const write = (to: "out" | "err") => (text: string) => {
      told[to] += text;
    };
    const shown = { columns: () => 80, timers: systemTimers };
    const io = { stdout: write("out"), stderr: write("err"), cwd: folder, clock: systemClock, terminal: shown };
    const code = await main(line.split(" "), io);
    const plain = await postern(...line.split(" "));
    const timeless = (text: string): string => text.replace(/in \d+ ms/, "");
    expect({ code, out: timeless(told.out) }, line).toEqual({ code: plain.code, out: timeless(plain.out) });
  }
});

test("colour is where it is asked for", async () => {
  const failing = POLICY.replace("allow: true", "deny: route_not_found");
  const { folder, postern } = folderWith({ "a.yaml": "version:  1\n", "b.yaml": failing });
  let out = "";
  const stdout = (text: string): void => {
    out += text;
  };
  const coloured = { stdout, stderr: stdout, cwd: folder, clock: systemClock, colour: true };
  for (const line of ["test b.yaml", "check a.yaml"]) await main(line.split(" "), coloured);
  expect(out).toContain("\x1b[31mFAILED\x1b[0m: it is open\n");
  expect(out).toContain("\x1b[32m0 passed\x1b[0m, \x1b[31m1 failed\x1b[0m");
  expect(out).toMatch(/^\x1b\[31ma\.yaml:1:1: .+\x1b\[0m$/m);
  expect((await postern("test", "b.yaml")).out).not.toContain("\x1b");
  for (const path of ["/a", "/b"]) await main(["explain", "--policy", "b.yaml", `GET ${path}`], coloured);
  expect(out).toContain("\x1b[32mallowed by route /a\x1b[0m\n");
  expect(out).toMatch(/^\x1b\[31mdenied: route_not_found \(404\).*\x1b\[0m$/m);
  expect((await postern("explain", "--policy", "b.yaml", "GET /b")).out).not.toContain("\x1b");
  await main(["fmt", "--diff", "a.yaml"], coloured);
  expect(out).toContain("\x1b[31m-version:  1\x1b[0m\n\x1b[32m+version: 1\x1b[0m\n");
});
