// Goal: colour is there where people want it, and nowhere else.
import { expect, test } from "vitest";
import { isColourful, painter } from "../../src/support/paint.ts";

test.each<[isTerminal: boolean, env: Record<string, string>, colour: boolean]>([
  [true, { TERM: "xterm" }, true],
  [true, {}, true],
  [false, { TERM: "xterm" }, false],
  [true, { TERM: "dumb" }, false],
  [true, { NO_COLOR: "1" }, false],
  [true, { NO_COLOR: "" }, true],
  [false, { FORCE_COLOR: "1" }, true],
  [false, { FORCE_COLOR: "3", NO_COLOR: "1", TERM: "dumb" }, true],
  [true, { FORCE_COLOR: "0" }, false],
  [true, { FORCE_COLOR: "false" }, false],
  [false, { FORCE_COLOR: "" }, false],
])("terminal %s, %o: %s", (isTerminal, env, colour) => {
  expect(isColourful(isTerminal, env)).toBe(colour);
});

test("a line is painted up to its end", () => {
  expect(painter(true)("red", "wrong\n")).toBe("\x1b[31mwrong\x1b[0m\n");
  expect(painter(false)("red", "wrong\n")).toBe("wrong\n");
});
