// Goal: whatever somebody does to an audit log shows at the line, and whatever happens to an honest one does not.
import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { stateFiles } from "../../src/daemon/state-files.ts";
import { main } from "../../src/main.ts";
import { AuditLog, type AuditSettings } from "../../src/records/audit-log.ts";
import type { StateFiles } from "../../src/resources/state-folder.ts";
import { systemClock } from "../../src/support/clock.ts";
import { DEFAULTS } from "../../src/support/defaults.ts";
import { err } from "../../src/support/result.ts";
import { ManualTime } from "../fixtures/manual-time.ts";
import { resourceWorld } from "../fixtures/resource-world.ts";
import { lineOf } from "./kit.ts";

const KEY = Buffer.from("0123456789abcdef0123456789abcdef");
let folder = "";
let file = "";
let time: ManualTime;
let notes: string[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "postern-audit-"));
  file = join(folder, "audit.jsonl");
  time = new ManualTime(0);
  notes = [];
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function open(settings: Partial<AuditSettings> = {}, files: StateFiles = stateFiles(folder, null)): AuditLog {
  const world = resourceWorld({
    clock: time,
    timers: time,
    openFiles: () => files,
    note: (_, text) => void notes.push(text),
  });
  const log = new AuditLog({ file, key: null, denialsPerSecond: 100, ...settings }, world);
  log.start();
  return log;
}

async function written(log: AuditLog): Promise<void> {
  time.pass(DEFAULTS.recordWriteMs);
  await log.settled;
}

/** A process that writes one line for each name and ends. */
async function wrote(names: readonly string[], settings: Partial<AuditSettings> = {}): Promise<void> {
  const log = open(settings);
  for (const name of names) log.event("admin_act", { act: name });
  log.close();
  await log.settled;
}

const linesOf = (name = file): string[] => readFileSync(name, "utf8").trimEnd().split("\n");
const eventsOf = (name = file): string[] => linesOf(name).map((line) => (JSON.parse(line) as { event: string }).event);

async function verify(...args: readonly string[]): Promise<string> {
  let out = "";
  const add = (text: string): void => {
    out += text;
  };
  const io = { stdout: add, stderr: add, cwd: folder, clock: systemClock };
  const code = await main(["audit-log", "verify", ...args], io);
  return `${code} ${out.trimEnd()}`;
}

test("its lines are one chain over restarts, renames and copies cut to nothing, in a file of its owner's alone", async () => {
  await wrote(["one"]);
  await wrote(["two"]);
  renameSync(file, `${file}.1`);
  await wrote(["three"]);
  const log = open();
  log.event("admin_act", { act: "four \u2028 ü" });
  await written(log);
  renameSync(file, `${file}.2`);
  log.event("admin_act", { act: "five" });
  await written(log);
  writeFileSync(`${file}.3`, readFileSync(file));
  truncateSync(file);
  log.event("admin_act", { act: "six" });
  log.close();
  await log.settled;
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const files = ["audit.jsonl.1", "audit.jsonl.2", "audit.jsonl.3", "audit.jsonl"];
  expect(await verify(...files)).toMatch(/^0 whole: 10 lines, 1 to 10 of the chain\nhead 10:[0-9a-f]{64}$/);
  expect(await verify("audit.jsonl")).toContain("note: audit.jsonl:1: begins with line 10 of the chain");
  expect(linesOf(`${file}.2`).join("")).toContain("four \\u2028 \\u00fc");
});

test("what logrotate has packed is read as it is, and shows what was done to it", async () => {
  await wrote(["a", "b"]);
  const text = readFileSync(file, "utf8");
  renameSync(file, `${file}.1`);
  await wrote(["c"]);
  const pack = (of: string): void => writeFileSync(`${file}.2.gz`, gzipSync(of));
  pack(text);
  expect(await verify("audit.jsonl.2.gz", "audit.jsonl")).toMatch(/^0 whole: 5 lines, 1 to 5 of the chain/);
  pack(text.replace('"act":"b"', '"act":"x"'));
  expect(await verify("audit.jsonl.2.gz", "audit.jsonl")).toMatch(/^1 audit.jsonl.2.gz:3: was changed/);
  writeFileSync(`${file}.2.gz`, gzipSync(text).subarray(0, -12));
  expect(await verify("audit.jsonl.2.gz", "audit.jsonl")).toMatch(/^2 .*audit.jsonl.2.gz cannot be read: Z_BUF_ERROR/);
});

describe("what somebody does to it shows at its line", () => {
  beforeEach(() => wrote(["a", "b", "c", "d"]));
  const edits: readonly (readonly [string, (lines: string[]) => string[], RegExp])[] = [
    [
      "a change",
      (l) => l.map((line) => line.replace('"act":"b"', '"act":"x"')),
      /^1 audit.jsonl:3: was changed: its hash/,
    ],
    [
      "a line taken out",
      (l) => l.toSpliced(2, 1),
      /^1 audit.jsonl:3: does not follow .*: line 3 of the chain is missing between/,
    ],
    ["several", (l) => l.toSpliced(1, 2), /^1 audit.jsonl:2: .* lines 2 to 3 of the chain are missing/],
    ["two lines that changed places", (l) => [l[0], l[2], l[1], l[3]].map(String), /^1 audit.jsonl:2: does not follow/],
    [
      "a line twice",
      (l) => l.toSpliced(2, 0, l[1] ?? ""),
      /^1 audit.jsonl:3: is out of order: line 2 of the chain behind line 2/,
    ],
    [
      "the end taken off",
      (l) => l.slice(0, 3),
      /^1 audit.jsonl:3: is not the end: lines 4 to 5 of the chain are missing behind/,
    ],
    ["words between", (l) => l.toSpliced(1, 0, "{}"), /^1 audit.jsonl:2: is no line of an audit log/],
    [
      "half a line",
      (l) => [...l.slice(0, 4), (l[4] ?? "").slice(0, 40)],
      /^1 audit.jsonl:5: is no line of an audit log/,
    ],
    ["nothing left", () => [""], /^1 .*is n/],
  ];
  test.each(edits)("%s", async (_, edit, told) => {
    writeFileSync(file, `${edit(linesOf()).join("\n")}\n`);
    expect(await verify("audit.jsonl")).toMatch(told);
  });

  test("one that was made anew with plain hashes, by a key or a head that was noted elsewhere", async () => {
    const { head } = JSON.parse((await verify("--json", "audit.jsonl")).slice(2)) as { head: string };
    for (const name of [file, `${file}.head`]) rmSync(name);
    time.pass(1_000);
    await wrote(["a", "b", "c", "d", "e"]);
    writeFileSync(join(folder, "key"), KEY);
    expect(await verify("audit.jsonl")).toMatch(/^0 whole/);
    expect(await verify("--head", head, "audit.jsonl")).toMatch(
      /^1 audit.jsonl:5: is another line 5 than .* written anew/,
    );
    expect(await verify("--key-file", "key", "audit.jsonl")).toMatch(/^1 audit.jsonl:1: has no HMAC/);
    writeFileSync(file, `${linesOf().slice(0, 3).join("\n")}\n`);
    expect(await verify("--head", head, "audit.jsonl")).toMatch(/^1 audit.jsonl:3: is not the end/);
  });

  test("lines that were taken off its end while nobody wrote, in the line that comes next", async () => {
    writeFileSync(file, `${linesOf().slice(0, 3).join("\n")}\n`);
    await wrote(["next"]);
    expect(notes).toEqual(["the audit log ends before line 5, its newest: lines were removed"]);
    expect(linesOf()[3]).toContain('"event":"opened","torn":0,"head":"ahead"');
    expect(await verify("audit.jsonl")).toMatch(/^1 audit.jsonl:4: .*lines 4 to 5 of the chain are missing/);
  });
});

test("with a key nobody without it can write a line", async () => {
  await wrote(["a", "b"], { key: KEY });
  writeFileSync(join(folder, "key"), `${KEY.toString()}\n`);
  writeFileSync(join(folder, "other"), "another key of more than thirty-two bytes");
  expect(await verify("--key-file", "key", "audit.jsonl")).toMatch(/^0 whole: 3 lines/);
  expect(await verify("--key-file", "other", "audit.jsonl")).toMatch(
    /^1 audit.jsonl:1: was changed, or written with another key/,
  );
  expect(await verify("audit.jsonl")).toMatch(/^2 postern audit-log: .*HMAC.*--key-file/s);
  expect(readFileSync(file, "utf8")).not.toContain(KEY.toString());
});

test("a line that a crash cut off is a note, and the chain goes on behind it", async () => {
  await wrote(["a"]);
  appendFileSync(file, '{"v":1,"seq":3,"ti');
  await wrote(["b"]);
  expect(await verify("audit.jsonl")).toMatch(/^0 note: audit.jsonl:3: was cut off by a crash.*\nwhole: 4 lines/);
});

test("with a full disk lines wait, what has no room is counted in the chain, and it comes back", async () => {
  let isFull = false;
  const disk = stateFiles(folder, null);
  const files: StateFiles = {
    ...disk,
    append: (...args) => (isFull ? Promise.resolve(err("it cannot be written: ENOSPC")) : disk.append(...args)),
  };
  const log = open({}, files);
  await written(log);
  isFull = true;
  const long = "x".repeat(60_000);
  for (let nth = 0; nth < 100; nth++) log.event("admin_act", { act: long });
  await written(log);
  expect(log.status()).toMatchObject({ state: "failing", fault: { text: "it cannot be written: ENOSPC" } });
  isFull = false;
  await written(log);
  const { dropped = 0, lines } = log.status().audit ?? {};
  expect(log.status()).toMatchObject({ state: "ready", fault: null });
  expect(dropped).toBeGreaterThan(0);
  expect(linesOf().at(-1) ?? "").toContain(`"event":"gap","dropped":${dropped},`);
  expect(lines).toBe(linesOf().length);
  expect(await verify("audit.jsonl")).toMatch(/^0 whole/);
});

test("of a flood of denials so many have lines, and the next one says how many had none", async () => {
  const log = open({ denialsPerSecond: 2 });
  const denied = lineOf({ verdict: "deny", reason: "scope_missing", status: 403 });
  log.note(lineOf());
  log.note(lineOf({ reason: "upstream_refused", status: 504 }));
  for (let nth = 0; nth < 5; nth++) log.note(denied);
  time.pass(1_000);
  log.note(denied);
  await written(log);
  expect(eventsOf()).toEqual(["opened", "denied", "denied", "denied"]);
  expect(linesOf().at(-1)).toContain('"event":"denied","suppressed":3,"id":"abcdefgh-1"');
});

test("the next policy's goes on behind what the last one's still had to write, and heads are told elsewhere", async () => {
  const heads: string[] = [];
  const last = open();
  last.onHead((head) => heads.push(head));
  for (let nth = 0; nth < 3; nth++) last.event("admin_act", { act: "x".repeat(400_000 / 8) });
  const next = open({ key: KEY });
  last.event("audit_ends", {});
  last.close();
  await written(next);
  expect(eventsOf()).toEqual(["opened", "admin_act", "admin_act", "admin_act", "audit_ends", "opened"]);
  expect(heads).toEqual([expect.stringMatching(/^5:[0-9a-f]{64}$/)]);
  const seen: string[] = [];
  next.onHead((head) => seen.push(head));
  time.pass(DEFAULTS.auditHeadToldMs);
  expect(seen).toEqual([next.status().detail?.split("head ")[1]]);
});

test("one that is started again, as by a rollback, goes on behind what another wrote meanwhile", async () => {
  const first = open();
  first.event("admin_act", {});
  first.close();
  await first.settled;
  await wrote(["between"]);
  first.start();
  first.event("rollback", {});
  await written(first);
  expect(eventsOf()).toEqual(["opened", "admin_act", "opened", "admin_act", "opened", "rollback"]);
  expect(await verify("audit.jsonl")).toMatch(/^0 whole: 6 lines/);
});

test("a file that holds something else is left as it is", async () => {
  writeFileSync(file, "something else\n", { mode: 0o600 });
  const log = open();
  await written(log);
  expect(log.status().fault?.text).toBe("it holds something else than an audit log; expected another file");
  expect(readFileSync(file, "utf8")).toBe("something else\n");
});

test("the command says how it is used", async () => {
  expect(await verify()).toContain("expected the file of an audit log");
  expect(await verify("--head", "x", "audit.jsonl")).toContain("expected --head as the log tells it");
  expect(await verify("nothing.jsonl")).toMatch(/^2 postern audit-log: nothing.jsonl cannot be read: ENOENT/);
});

describe("two processes with one file", () => {
  test("write one chain, and each says that there is another", async () => {
    const [one, other] = [open(), open()];
    for (let round = 0; round < 4; round++) {
      for (const [at, log] of [one, other].entries()) {
        log.event("admin_act", { act: `${at}/${round}` });
        await written(log);
      }
    }
    for (const log of [one, other]) log.close();
    await one.settled;
    expect(eventsOf().filter((event) => event === "admin_act")).toHaveLength(8);
    expect(await verify("audit.jsonl")).toMatch(/^0 whole/);
    expect(notes).toEqual([
      "another process writes to the same audit log; expected a file for each",
      "another process writes to the same audit log; expected a file for each",
    ]);
  });

  test("do not write at once: who finds it locked tries again, and takes the lock of one that ended long ago", async () => {
    const log = open();
    const lock = `${file}.lock`;
    writeFileSync(lock, "", { mode: 0o600 });
    log.event("admin_act", {});
    await written(log);
    expect(existsSync(file)).toBe(false);
    expect(log.status().fault?.text).toBe("another process writes to it now");
    utimesSync(lock, 0, 0);
    await written(log);
    expect([eventsOf(), existsSync(lock)]).toEqual([["opened", "admin_act"], false]);
    expect(await verify("audit.jsonl")).toMatch(/^0 whole/);
  });
});

test("a client that makes its line too long is named in it all the same", async () => {
  const log = open();
  const long = Array.from({ length: 100 }, () => `accept: ${'"'.repeat(400)}`);
  log.note(lineOf({ verdict: "deny", reason: "route_not_found", client: "198.51.100.9", headers: long }));
  await written(log);
  const line = JSON.parse(linesOf().at(-1) ?? "") as Record<string, unknown>;
  expect(line).toMatchObject({ event: "denied", reason: "route_not_found", client: "198.51.100.9" });
  expect(line["tooLong"]).toBeGreaterThan(DEFAULTS.auditFieldsCharsMax);
  expect(line).not.toHaveProperty("headers");
  expect(await verify("audit.jsonl")).toMatch(/^0 whole/);
});
