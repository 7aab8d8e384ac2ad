import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { DEFAULTS } from "../../src/support/defaults.ts";
import { createLogSink, fileOf, type SinkFile } from "../../src/telemetry/log-sink.ts";
import { eventually } from "../fixtures/eventually.ts";

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

test("closing ends even where the reader never reads again", async () => {
  const file = new SlowFile();
  const sink = createLogSink(file);
  sink.write("last words\n");
  await sink.close();
  expect(file.writes.map(({ text }) => text)).toEqual(["last words\n"]);
});

test("a write that takes only a part goes on with the rest, also after EAGAIN", async () => {
  const file = new SlowFile();
  const sink = createLogSink(file);
  sink.write("0123456789\n");
  sink.flush();
  file.writes[0]?.done(null, 4);
  expect(file.writes[1]?.text).toBe("456789\n");
  file.writes[1]?.done(systemError("EAGAIN"), 0);
  const third = await eventually(() => file.writes[2]);
  expect(third.text).toBe("456789\n");
});

test("a full disk loses lines and counts them, and logging goes on when there is room", () => {
  const file = new SlowFile();
  const sink = createLogSink(file);
  sink.write("one\ntwo\n");
  sink.flush();
  file.writes[0]?.done(systemError("ENOSPC"), 0);
  expect(sink.linesDropped).toBe(2);
  sink.write("three\n");
  sink.flush();
  expect(file.writes[1]?.text).toBe("three\n");
});

test("a reader that is gone ends the log and not the process", () => {
  const file = new SlowFile();
  const sink = createLogSink(file);
  sink.write("one\n");
  sink.flush();
  file.writes[0]?.done(systemError("EPIPE"), 0);
  sink.write("two\n");
  sink.flush();
  expect(file.writes).toHaveLength(1);
  expect(sink.linesDropped).toBe(2);
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
