// Goal: no request waits for the log, none is lost from it without being counted, and it comes back, whatever happens to where it
// goes. Method: a real postern whose log file is rotated in every way and stands on a disk that is full, and whose standard
// output nobody reads any more; a real pipe and /dev/full for standard output.
import { execFileSync } from "node:child_process";
import {
  closeSync,
  constants,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { DEFAULTS } from "../../src/support/defaults.ts";
import { createLogSink, fileOf } from "../../src/telemetry/log-sink.ts";
import { onClose } from "../fixtures/closing.ts";
import { eventually } from "../fixtures/eventually.ts";
import { ManualTime } from "../fixtures/manual-time.ts";
import { type PolicyPorts, type Postern, startPostern, startService } from "../fixtures/postern.ts";
import { environment, isThere } from "../fixtures/program.ts";

const FILE_BYTES_MAX = 256 * 1024;
let postern: Postern;
const folder = (): string => join(postern.folder, "log");
const file = (name = "postern.jsonl"): string => join(folder(), name);

interface Line {
  readonly event?: string;
  readonly id?: string;
  readonly tag?: string;
}

/** All lines of all files, whole ones. */
function lines(): readonly Line[] {
  const texts = readdirSync(folder()).map((name) => readFileSync(file(name), "utf8"));
  for (const text of texts) expect(text === "" || text.endsWith("\n")).toBe(true);
  return texts.flatMap((text) => text.split("\n").slice(0, -1)).map((line) => JSON.parse(line) as Line);
}

const tagged = (tag: string): readonly Line[] => lines().filter((line) => line.tag === tag);

async function ask(tag: string, count = 20): Promise<void> {
  for (let at = 0; at < count; at++) {
    const { status } = await fetch(`http://127.0.0.1:${postern.port}/x`, { headers: { "X-Tag": tag } });
    expect(status).toBe(200);
  }
}

const told = (tag: string, count = 20): Promise<unknown> =>
  eventually(() => existsSync(file()) && tagged(tag).length === count);

beforeAll(async () => {
  const service = await startService();
  const policy = ({ port, admin, app }: PolicyPorts): string => `version: 1
service: orders
listeners: [{ name: inbound, address: '127.0.0.1:${port}' }]
upstreams: { app: { address: 'http://127.0.0.1:${app}' } }
admin: { address: '127.0.0.1:${admin}' }
log: { file: { path: log/postern.jsonl }, fields: { add: { tag: 'request.headers["x-tag"]' } } }
routes: [{ path: /**, public: true }]
`;
  // As on a disk that has no room beyond that: a file that would be longer is not written (EFBIG).
  const limited = (command: readonly string[]) => [
    "sh",
    "-c",
    `ulimit -f ${FILE_BYTES_MAX / 512}; exec "$@"`,
    "sh",
    ...command,
  ];
  postern = await startPostern(service.port, policy, {}, limited);
});

test("a file that is renamed, with and without a signal, cut or removed has each line once, and the next has the rest", async () => {
  await ask("first");
  await told("first");
  expect(statSync(file()).mode & 0o777).toBe(0o600);
  renameSync(file(), file("a"));
  await ask("renamed");
  await told("renamed");
  renameSync(file(), file("b"));
  postern.process.kill("SIGUSR1");
  await ask("signalled");
  await told("signalled");
  writeFileSync(file("c"), readFileSync(file()));
  truncateSync(file());
  await ask("cut");
  await told("cut");
  unlinkSync(file());
  await ask("removed");
  await told("removed");
  for (const tag of ["first", "renamed", "signalled"])
    expect(new Set(tagged(tag).map(({ id }) => id)).size, tag).toBe(20);
  // Node's own answer to the signal is a debugger that takes code from whoever comes.
  expect(postern.output()).not.toContain("Debugger listening");
});

test.skipIf(!isThere("logrotate"))("logrotate rotates it by the example of deploy/logrotate", async () => {
  const example = readFileSync(join(import.meta.dirname, "../../deploy/logrotate/postern"), "utf8");
  const config = join(postern.folder, "logrotate.conf");
  // Without the user of the unit, and without waiting for a day.
  const text = example.replaceAll("/var/log/postern/", `${folder()}/`).replace(/^ +su .*\n/m, "");
  writeFileSync(config, text, { mode: 0o644 });
  await ask("before");
  await told("before");
  execFileSync("logrotate", ["--force", "--state", join(postern.folder, "state"), config], { env: environment() });
  expect(existsSync(file())).toBe(false);
  await ask("after");
  await told("after");
  expect(tagged("before")).toHaveLength(20);
});

test("on a disk that is full requests go on, lines wait, and are all there once it has room", async () => {
  const filler = Buffer.alloc(FILE_BYTES_MAX - statSync(file()).size, 0x0a);
  writeFileSync(file(), filler, { flag: "a" });
  await ask("full");
  const failing = await postern.logged((line) => line["kind"] === "log file" && line["state"] === "failing");
  expect(failing).toMatchObject({ event: "resource", fault: expect.stringContaining("it cannot be written") });
  expect(statSync(file()).size).toBe(FILE_BYTES_MAX);
  truncateSync(file());
  await told("full");
  expect(statSync(file()).size).toBeGreaterThan(0);
});

test("a policy that says otherwise has the next lines elsewhere and by other names, and those before are all there", async () => {
  const before = readFileSync(join(postern.folder, "policy.yaml"), "utf8");
  await ask("last");
  postern.write(
    "policy.yaml",
    before.replace("log: { file: { path: log/postern.jsonl }", "log: { preset: ecs, file: { path: log/other.jsonl }"),
  );
  await postern.logged((line) => line["event.action"] === "reload" && line["postern.result"] === "ok");
  await ask("other");
  const other = (): readonly string[] =>
    existsSync(file("other.jsonl")) ? readFileSync(file("other.jsonl"), "utf8").split("\n") : [];
  await eventually(() => other().filter((line) => line.includes('"tag":"other"')).length === 20);
  const [one = ""] = other().filter((line) => line.includes('"tag":"other"'));
  expect(JSON.parse(one)).toMatchObject({ "http.response.status_code": 200, "url.path": "/x", "ecs.version": "9.0.0" });
  await told("last");
  postern.write("policy.yaml", before);
  await postern.logged((line) => line["event"] === "reload" && line["result"] === "ok");
});

test("where nobody reads standard output any more requests go on, and the file has the lines of the process", async () => {
  postern.process.stdout?.destroy();
  for (let at = 0; at < 3; at++) postern.process.kill("SIGHUP");
  await eventually(() => lines().some(({ event }) => event === "reload"));
  await ask("unread");
  await told("unread");
  expect(postern.process.exitCode).toBeNull();
});

test("a pipe whose reader goes and is followed by another has whole lines for it, and says how many had no room", async () => {
  const own = mkdtempSync(join(tmpdir(), "postern-pipe-"));
  onClose(() => rmSync(own, { recursive: true }));
  const pipe = join(own, "pipe");
  execFileSync("mkfifo", [pipe]);
  const read = () => openSync(pipe, constants.O_RDONLY | constants.O_NONBLOCK);
  const first = read();
  const fd = openSync(pipe, constants.O_WRONLY | constants.O_NONBLOCK);
  onClose(() => closeSync(fd));
  const time = new ManualTime(0);
  const sink = createLogSink(fileOf(fd), time);
  const dropped: number[] = [];
  sink.onRecovered((count) => dropped.push(count));
  sink.write("one\n");
  sink.flush();
  const chunk = Buffer.alloc(1024 * 1024);
  const taken = (from: number): string => {
    try {
      return chunk.toString("latin1", 0, readSync(from, chunk));
    } catch {
      return "";
    }
  };
  expect(await eventually(() => taken(first) || null)).toBe("one\n");
  closeSync(first);
  const line = `${"x".repeat(64 * 1024 - 1)}\n`;
  for (let count = 0; count < 100; count++) sink.write(line);
  // The first line may still count as waiting.
  const held = 100 - sink.linesDropped;
  expect(DEFAULTS.logPendingBytesMax / line.length - held).toBeOneOf([0, 1]);
  time.pass(DEFAULTS.logBrokenRetryMs);
  const second = read();
  onClose(() => closeSync(second));
  let got = "";
  await eventually(() => {
    time.pass(DEFAULTS.logBrokenRetryMs);
    got += taken(second);
    return got.length === held * line.length;
  });
  expect(got).toBe(line.repeat(held));
  expect(dropped).toEqual([100 - held]);
});

test("standard output on a full device neither throws nor holds more than its bound", async () => {
  const fd = openSync("/dev/full", "w");
  onClose(() => closeSync(fd));
  const time = new ManualTime(0);
  const sink = createLogSink(fileOf(fd), time);
  const line = `${"x".repeat(1023)}\n`;
  for (let round = 0; round < 5; round++) {
    for (let count = 0; count < 1024; count++) sink.write(line);
    time.pass(DEFAULTS.logBrokenRetryMs);
  }
  expect(sink.linesDropped).toBe(1024);
  await sink.close();
});
