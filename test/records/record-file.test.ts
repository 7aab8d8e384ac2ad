import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { stateFiles } from "../../src/daemon/state-files.ts";
import { RECORD_FILES, RecordFile, type RecordSettings } from "../../src/records/record-file.ts";
import { type StateFiles, StateFolder } from "../../src/resources/state-folder.ts";
import { DEFAULTS } from "../../src/support/defaults.ts";
import { err } from "../../src/support/result.ts";
import { ManualTime } from "../fixtures/manual-time.ts";
import { resourceWorld } from "../fixtures/resource-world.ts";
import { factsOf, lineOf } from "./kit.ts";

const [NEW, OLD] = RECORD_FILES;
let folder = "";
let timers: ManualTime;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "postern-record-"));
  timers = new ManualTime(0);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function open(settings: Partial<RecordSettings> = {}, files: StateFiles = stateFiles(folder, null)): RecordFile {
  const world = resourceWorld({ timers, folder: new StateFolder(folder, files, () => {}) });
  const record = new RecordFile({ bytesMax: 1024 * 1024, oneIn: 1, requests: "all", ...settings }, world);
  record.start();
  return record;
}

async function written(record: RecordFile): Promise<void> {
  timers.pass(DEFAULTS.recordWriteMs);
  await record.settled;
}

function idsIn(name: string): readonly string[] {
  const lines = readFileSync(join(folder, name), "utf8").trimEnd().split("\n");
  return lines.map((line) => (JSON.parse(line) as { id: string }).id);
}

test("decisions are lines of a file that its owner alone reads, written in one go", async () => {
  const record = open();
  for (const id of ["a", "b"]) record.note(lineOf({ id }));
  expect(readdirSync(folder)).toEqual([]);
  await written(record);
  record.note(lineOf({ id: "c", path: "/x\ny" }));
  await written(record);
  expect(idsIn(NEW)).toEqual(["a", "b", "c"]);
  expect(statSync(join(folder, NEW)).mode & 0o777).toBe(0o600);
  expect(record.status()).toMatchObject({ state: "ready", tries: { ok: 2, failed: 0 } });
});

test("lines of more than one piece are whole, whatever is in them", async () => {
  const record = open({ bytesMax: 1e9 });
  const paths = Array.from({ length: 60 }, (_, at) => `/${"é\u2028\ud83d\ude00".repeat(5 * at)}`);
  for (const path of [...paths, "x".repeat(100_000)]) record.note(lineOf({ path }));
  await written(record);
  const sent = [...paths, "x".repeat(100_000)].map((path) => JSON.stringify(factsOf({ path })));
  // Not told line by line where they differ: they are long.
  expect(readFileSync(join(folder, NEW), "utf8") === `${sent.join("\n")}\n`).toBe(true);
});

test("two files take turns within their bytes", async () => {
  const line = JSON.stringify(factsOf({ id: "00" })).length + 1;
  const record = open({ bytesMax: 2 * (2 * line) + 2 });
  for (let nth = 10; nth < 15; nth++) {
    record.note(lineOf({ id: String(nth) }));
    await written(record);
  }
  expect([idsIn(OLD), idsIn(NEW)]).toEqual([["12", "13"], ["14"]]);
});

test("what ends is written, too", async () => {
  const record = open();
  record.note(lineOf({ id: "last" }));
  record.close();
  await record.settled;
  expect(idsIn(NEW)).toEqual(["last"]);
  record.note(lineOf({ id: "after" }));
  expect([record.wants({ reason: null }), timers.nextMs]).toEqual([false, Number.POSITIVE_INFINITY]);
});

test("a share of requests is recorded, and each line says so", async () => {
  const record = open({ oneIn: 3 });
  expect(Array.from({ length: 6 }, () => record.wants({ reason: null })).filter(Boolean)).toHaveLength(2);
  record.note(lineOf());
  await written(record);
  expect(JSON.parse(readFileSync(join(folder, NEW), "utf8"))).toMatchObject({ oneIn: 3 });
  const denied = open({ requests: "denied" });
  expect([denied.wants({ reason: null }), denied.wants({ reason: "rate_limited" })]).toEqual([false, true]);
});

describe("a disk that takes nothing", () => {
  test("holds nobody up: what has no room is dropped and counted, and it comes back", async () => {
    let isFull = true;
    const files = stateFiles(folder, null);
    const record = open(
      {},
      { ...files, append: (...of) => (isFull ? Promise.resolve(err("ENOSPC")) : files.append(...of)) },
    );
    record.note(lineOf({ id: "lost" }));
    await written(record);
    expect(record.status()).toMatchObject({
      state: "failing",
      detail: expect.stringContaining("1 decisions were dropped"),
      fault: { text: "ENOSPC" },
    });
    isFull = false;
    record.note(lineOf({ id: "kept" }));
    await written(record);
    expect(record.status()).toMatchObject({ state: "ready", fault: null });
    expect(idsIn(NEW)).toEqual(["kept"]);
  });

  test("or is slow has a bounded number of them wait", async () => {
    let finish: () => void = () => {};
    const slow = new Promise<void>((done) => {
      finish = done;
    });
    const files = stateFiles(folder, null);
    const record = open({ bytesMax: 1e9 }, { ...files, append: async (...of) => slow.then(() => files.append(...of)) });
    record.note(lineOf());
    timers.pass(DEFAULTS.recordWriteMs);
    const bytes = JSON.stringify(factsOf()).length + 1;
    const room = Math.floor(DEFAULTS.recordWaitingBytesMax / bytes);
    for (let nth = 0; nth < room + 7; nth++) record.note(lineOf());
    expect(record.status().detail).toContain("7 decisions were dropped");
    finish();
    await record.settled;
    await written(record);
    expect(idsIn(NEW)).toHaveLength(1 + room);
  });
});

describe("a file that is not ours is not written", () => {
  test.each([
    ["a link", () => symlinkSync(join(folder, "elsewhere"), join(folder, NEW)), "ELOOP"],
    ["one that others may write", () => others(join(folder, NEW)), "others may write it"],
  ])("%s", async (_, make, text) => {
    make();
    const record = open();
    record.note(lineOf());
    await written(record);
    expect(record.status().fault?.text).toContain(text);
    expect(readdirSync(folder)).toEqual([NEW]);
  });
});

function others(file: string): void {
  writeFileSync(file, "");
  chmodSync(file, 0o666);
}
