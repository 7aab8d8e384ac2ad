import { expect, test } from "vitest";
import { JsonBytes } from "../../src/support/json-bytes.ts";
import { LogOutput } from "../../src/telemetry/log-output.ts";
import { type LineTaker, USUAL_DETAILS } from "../../src/telemetry/log-settings.ts";
import { MemorySink } from "../fixtures/telemetry.ts";

class MemoryFile implements LineTaker {
  linesDropped = 0;
  reopened = 0;
  readonly lines: string[] = [];
  tell: ((linesDropped: number) => void) | null = null;

  writeBytes(line: JsonBytes): void {
    this.write(line.toString());
  }

  write(line: string): void {
    this.lines.push(line);
  }

  reopen(): void {
    this.reopened++;
  }

  onRecovered(tell: (linesDropped: number) => void): void {
    this.tell = tell;
  }
}

function line(text: string): JsonBytes {
  const json = new JsonBytes();
  json.json(text);
  return json;
}

function setUp() {
  const sink = new MemorySink();
  const output = new LogOutput(sink);
  const told: number[] = [];
  const follow = (file: LineTaker | null) => output.follow({ ...USUAL_DETAILS, file }, (lines) => told.push(lines));
  return { sink, output, told, follow };
}

test("requests go to the file where there is one; the process's lines to both", () => {
  const { sink, output, follow } = setUp();
  const file = new MemoryFile();
  output.writeRequest(line("a\n"));
  follow(file);
  output.writeRequest(line("b\n"));
  output.writeEvent(() => "event\n");
  follow(null);
  output.writeRequest(line("c\n"));
  expect(sink.raw).toEqual(["a\n", "event\n", "c\n"]);
  expect(file.lines).toEqual(["b\n", "event\n"]);
});

test("what was dropped is counted once, wherever lines went since", () => {
  const { sink, output, told, follow } = setUp();
  const [one, two] = [new MemoryFile(), new MemoryFile()];
  follow(one);
  one.linesDropped = 3;
  follow(two);
  two.linesDropped = 4;
  sink.linesDropped = 1;
  expect(output.linesDropped).toBe(8);
  follow(one);
  expect(output.linesDropped).toBe(8);
  one.linesDropped = 5;
  expect(output.linesDropped).toBe(10);
  one.tell?.(2);
  expect(told).toEqual([2]);
});

test("a signal reaches the file that is there", () => {
  const { output, follow } = setUp();
  output.reopen();
  const file = new MemoryFile();
  follow(file);
  output.reopen();
  expect(file.reopened).toBe(1);
});
