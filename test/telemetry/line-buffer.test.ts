import { expect, test } from "vitest";
import { LineBuffer } from "../../src/telemetry/line-buffer.ts";

const END = Buffer.from("\n");

function add(lines: LineBuffer, text: string): void {
  const line = Buffer.from(text);
  lines.add(line, line.length, END);
}

test("what was written is filled again, and nothing is while it is written", () => {
  const lines = new LineBuffer();
  add(lines, "first");
  const first = lines.take();
  add(lines, "second");
  const second = lines.take();
  lines.giveBack(first);
  add(lines, "third");
  expect([Buffer.concat(second).toString(), Buffer.concat(lines.take()).toString()]).toEqual(["second\n", "third\n"]);
  expect(Buffer.concat(first).toString()).toBe("third\n");
});

test("lines of more than one piece are whole, and each is counted", () => {
  const lines = new LineBuffer();
  const texts = Array.from({ length: 80 }, (_, at) => "x".repeat(40_000 + at));
  for (const text of [...texts, "y".repeat(2_000_000)]) add(lines, text);
  expect([lines.lines, lines.bytes]).toEqual([81, texts.join("\n").length + 1 + 2_000_001]);
  const pieces = lines.take();
  expect(pieces.length).toBeGreaterThan(3);
  expect(Buffer.concat(pieces).toString() === `${[...texts, "y".repeat(2_000_000)].join("\n")}\n`).toBe(true);
  expect([lines.lines, lines.bytes, lines.take()]).toEqual([0, 0, []]);
});

test("no more is kept for later than one that is filled and one that is written", () => {
  const lines = new LineBuffer();
  for (let at = 0; at < 100; at++) add(lines, "x".repeat(40_000));
  const pieces = lines.take();
  lines.giveBack(pieces);
  for (let at = 0; at < 100; at++) add(lines, "x".repeat(40_000));
  const known = new Set(pieces.map(({ buffer }) => buffer));
  expect(lines.take().filter(({ buffer }) => known.has(buffer))).toHaveLength(2);
});
