// Goal: the log's file goes on over every way in which files are rotated, lost or full, and says what was dropped.
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  unlinkSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { stateFiles } from "../../src/daemon/state-files.ts";
import type { StateFiles } from "../../src/resources/state-folder.ts";
import { DEFAULTS } from "../../src/support/defaults.ts";
import { err } from "../../src/support/result.ts";
import { LogFile, type LogFileSettings } from "../../src/telemetry/log-file.ts";
import { ManualTime } from "../fixtures/manual-time.ts";
import { resourceWorld } from "../fixtures/resource-world.ts";

let folder = "";
const time = new ManualTime(Date.UTC(2026, 11, 1));
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "postern-log-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const at = (name: string): string => join(folder, name);
const text = (name = "a.jsonl"): string => readFileSync(at(name), "utf8");

function open(settings: Partial<LogFileSettings> = {}, files?: StateFiles): LogFile {
  const world = resourceWorld({
    clock: time,
    timers: time,
    openFiles: (directory) => files ?? stateFiles(directory, null),
  });
  const whole = { file: at("a.jsonl"), bytesMax: Number.POSITIVE_INFINITY, kept: 0, mode: 0o600, ...settings };
  const file = new LogFile(whole, world);
  file.start();
  return file;
}

async function written(file: LogFile, ...lines: readonly string[]): Promise<void> {
  for (const line of lines) file.write(`${line}\n`);
  time.pass(DEFAULTS.logBrokenRetryMs);
  await file.settled;
}

test("lines are appended; who renames, removes or cuts the file gets a new one or the rest, without a signal", async () => {
  const file = open();
  await written(file, "one", "two");
  expect(text()).toBe("one\ntwo\n");
  expect(statSync(at("a.jsonl")).mode & 0o777).toBe(0o600);
  renameSync(at("a.jsonl"), at("a.jsonl.1"));
  await written(file, "three");
  expect([text("a.jsonl.1"), text()]).toEqual(["one\ntwo\n", "three\n"]);
  copyFileSync(at("a.jsonl"), at("copied"));
  truncateSync(at("a.jsonl"));
  await written(file, "four");
  expect([text("copied"), text()]).toEqual(["three\n", "four\n"]);
  unlinkSync(at("a.jsonl"));
  await written(file, "five");
  expect(text()).toBe("five\n");
  rmSync(folder, { recursive: true });
  await written(file, "six");
  await written(file);
  expect(text()).toBe("six\n");
});

test("a signal has what waits written at once, into the file that has the name now", async () => {
  const file = open();
  await written(file, "one");
  renameSync(at("a.jsonl"), at("a.jsonl.1"));
  file.write("two\n");
  file.reopen();
  await file.settled;
  expect([text("a.jsonl.1"), text()]).toEqual(["one\n", "two\n"]);
});

test("with a size it rotates itself, in whole batches, and keeps so many", async () => {
  const file = open({ bytesMax: 12, kept: 2, mode: 0o640 });
  for (const line of ["aaaaa", "bbbbb", "ccccc", "ddddd", "eeeee", "fffff", "ggggg"]) await written(file, line);
  expect(readdirSync(folder).toSorted()).toEqual(["a.jsonl", "a.jsonl.1", "a.jsonl.2"]);
  expect([text(), text("a.jsonl.1"), text("a.jsonl.2")]).toEqual(["ggggg\n", "eeeee\nfffff\n", "ccccc\nddddd\n"]);
  expect(statSync(at("a.jsonl")).mode & 0o777).toBe(0o640);
});

test("a full disk: lines wait within a bound, others are dropped and counted, and all is told when there is room", async () => {
  let isFull = true;
  const disk = stateFiles(folder, null);
  const full: StateFiles = {
    ...disk,
    append: (...of) => (isFull ? Promise.resolve(err("it cannot be written: ENOSPC")) : disk.append(...of)),
  };
  const file = open({}, full);
  const told: number[] = [];
  file.onRecovered((dropped) => told.push(dropped));
  await written(file, "one");
  expect(file.status()).toMatchObject({ state: "failing", fault: { text: "it cannot be written: ENOSPC" } });
  const line = "x".repeat(64 * 1024 - 1);
  for (let count = 0; count < 80; count++) await written(file, line);
  expect(file.linesDropped).toBe(80 - 63);
  expect(file.status().detail).toContain(`; ${80 - 63} lines were dropped`);
  isFull = false;
  await written(file);
  await written(file);
  expect(text().split("\n")).toHaveLength(1 + 63 + 1);
  expect(told).toEqual([17]);
  expect(file.status()).toMatchObject({ state: "ready", fault: null });
});

test("a disk with less room than has gathered takes what it can, in whole lines", async () => {
  let room = 0;
  const disk = stateFiles(folder, null);
  const small: StateFiles = {
    ...disk,
    append: (names, pieces, ...of) => {
      const bytes = pieces.reduce((sum, piece) => sum + piece.length, 0);
      if (bytes > room) return Promise.resolve(err("it cannot be written: ENOSPC"));
      room -= bytes;
      return disk.append(names, pieces, ...of);
    },
  };
  const file = open({}, small);
  const lines = Array.from({ length: 1_000 }, (_, at) => `${"x".repeat(1_000)}${at}`);
  await written(file, "first");
  await written(file, ...lines);
  room = 2 * DEFAULTS.logFileSlabBytes;
  await written(file);
  await written(file);
  const some = text().split("\n");
  expect(some).toEqual(["first", ...lines.slice(0, some.length - 2), ""]);
  expect(some.length).toBeGreaterThan(100);
  expect(file.status()).toMatchObject({ state: "failing" });
  room = 20 * DEFAULTS.logFileSlabBytes;
  await written(file, "last");
  await written(file);
  expect(text().split("\n")).toEqual(["first", ...lines, "last", ""]);
  expect([file.linesDropped, file.status().state]).toEqual([0, "ready"]);
  room = 0;
  await written(file, ...lines);
  file.close();
  await file.settled;
  expect(file.linesDropped).toBe(lines.length);
});

test("what waits is written as it is closed; where that fails it is lost and counted", async () => {
  const file = open();
  file.write("one\n");
  file.close();
  file.write("two\n");
  await file.settled;
  expect(text()).toBe("one\n");
  expect(file.linesDropped).toBe(1);
  const broken = open({}, { ...stateFiles(folder, null), append: () => Promise.resolve(err("ENOSPC")) });
  broken.write("three\n");
  broken.close();
  await broken.settled;
  expect(broken.linesDropped).toBe(1);
});

test("a link, a folder and a file that others may write are refused and told", async () => {
  mkdirSync(at("a.jsonl"));
  const file = open();
  await written(file, "one");
  expect(file.status()).toMatchObject({ state: "failing" });
  const device = open({ file: "/dev/full" });
  await written(device, "one");
  expect(device.status().state).toBe("failing");
});
