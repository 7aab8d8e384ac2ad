import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { DEFAULTS } from "../../src/support/defaults.ts";
import { createLogSink, fileOf, type SinkFile } from "../../src/telemetry/log-sink.ts";
import { ManualTime } from "../fixtures/manual-time.ts";

type Done = Parameters<SinkFile["write"]>[2];

/** A file whose writes end when the test says so. */
class SlowFile implements SinkFile {
  readonly writes: { readonly text: string; readonly done: Done }[] = [];
  readonly written: string[] = [];

  write(data: Buffer, offset: number, done: Done): void {
    this.writes.push({ text: data.toString("utf8", offset), done });
  }

  writeSync(data: Buffer, offset: number): number {
    this.written.push(data.toString("utf8", offset));
    return data.length - offset;
  }
}

function systemError(code: string): NodeJS.ErrnoException {
  return Object.assign(new Error(code), { code });
}

test("lines arrive whole and in order, and closing waits for them", async () => {
  const folder = mkdtempSync(join(tmpdir(), "postern-sink-"));
  const fd = openSync(join(folder, "log"), "w");
  const sink = createLogSink(fileOf(fd));
  const lines = Array.from({ length: 5_000 }, (_, at) => `{"line":${at},"text":"é"}\n`);
  for (const line of lines) sink.write(line);
  await sink.close();
  expect(readFileSync(join(folder, "log"), "utf8")).toBe(lines.join(""));
  closeSync(fd);
  rmSync(folder, { recursive: true });
});

test("a reader that stalls blocks nobody: what waits is bounded, the rest is dropped and counted", () => {
  const file = new SlowFile();
  const sink = createLogSink(file);
  const line = `${"x".repeat(1_023)}\n`;
  for (let at = 0; at < 10_000; at++) sink.write(line);
  expect(file.writes).toHaveLength(1);
  expect(sink.linesDropped).toBe(10_000 - DEFAULTS.logPendingBytesMax / 1_024);
});

test("lines that come while others are written wait for more to go with them, and not for long", () => {
  const file = new SlowFile();
  const time = new ManualTime(0);
  const sink = createLogSink(file, time);
  sink.write("one\n");
  time.pass(DEFAULTS.logFlushIntervalMs);
  sink.write("two\n");
  file.writes[0]?.done(null, 4);
  sink.write("three\n");
  expect(file.writes).toHaveLength(1);
  time.pass(DEFAULTS.logFlushIntervalMs);
  expect(file.writes[1]?.text).toBe("two\nthree\n");
  sink.write("four\n");
  sink.flush();
  file.writes[1]?.done(null, 10);
  expect(file.writes[2]?.text).toBe("four\n");
});

test("closing ends even where the reader never reads again", async () => {
  const file = new SlowFile();
  const sink = createLogSink(file);
  sink.write("last words\n");
  await sink.close();
  expect(file.writes.map(({ text }) => text)).toEqual(["last words\n"]);
});

test("a write that takes only a part goes on with the rest, also after EAGAIN", () => {
  const file = new SlowFile();
  const time = new ManualTime(0);
  const sink = createLogSink(file, time);
  sink.write("0123456789\n");
  sink.flush();
  file.writes[0]?.done(null, 4);
  expect(file.writes[1]?.text).toBe("456789\n");
  file.writes[1]?.done(systemError("EAGAIN"), 0);
  time.pass(DEFAULTS.logRetryMs);
  expect(file.writes[2]?.text).toBe("456789\n");
});

test.each(["ENOSPC", "EPIPE", "EBADF"])("after %s lines wait, and are written when they can be", (code) => {
  const file = new SlowFile();
  const time = new ManualTime(0);
  const sink = createLogSink(file, time);
  sink.write("one\ntwo\n");
  sink.flush();
  file.writes[0]?.done(systemError(code), 0);
  sink.write("three\n");
  sink.flush();
  time.pass(DEFAULTS.logBrokenRetryMs);
  expect(file.writes[1]?.text).toBe("one\ntwo\n");
  file.writes[1]?.done(null, 8);
  expect(file.writes[2]?.text).toBe("three\n");
  expect(sink.linesDropped).toBe(0);
});

test("what has no room meanwhile is dropped, counted, and told when lines are written again", () => {
  const file = new SlowFile();
  const time = new ManualTime(0);
  const sink = createLogSink(file, time);
  const told: number[] = [];
  sink.onRecovered((dropped) => told.push(dropped));
  sink.write("one\n");
  sink.flush();
  file.writes[0]?.done(systemError("EPIPE"), 0);
  const line = `${"x".repeat(DEFAULTS.logPendingBytesMax / 4 - 1)}\n`;
  for (let at = 0; at < 6; at++) sink.write(line);
  expect(sink.linesDropped).toBe(3);
  time.pass(DEFAULTS.logBrokenRetryMs);
  expect(told).toEqual([]);
  file.writes[1]?.done(null, 4);
  expect(told).toEqual([3]);
});

test("who opens a pipe next gets whole lines, also where the one before left in the middle of one", () => {
  const file = new SlowFile();
  const time = new ManualTime(0);
  const sink = createLogSink(file, time);
  sink.write("one\ntwo\nthree\n");
  sink.flush();
  file.writes[0]?.done(null, 6);
  file.writes[1]?.done(systemError("EPIPE"), 0);
  time.pass(DEFAULTS.logBrokenRetryMs);
  expect(file.writes[2]?.text).toBe("two\nthree\n");
});

test("closing does not wait for what is broken", async () => {
  const file = new SlowFile();
  const time = new ManualTime(0);
  const sink = createLogSink(file, time);
  sink.write("one\n");
  const closed = sink.close();
  file.writes[0]?.done(systemError("ENOSPC"), 0);
  await closed;
});

test("on the way out of a crash the lines that wait are written before returning", () => {
  const file = new SlowFile();
  const sink = createLogSink(file);
  sink.write("one\n");
  sink.flush();
  sink.write("two\n");
  sink.flushSync();
  expect(file.written).toEqual(["one\ntwo\n"]);
});
