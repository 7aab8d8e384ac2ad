import { expect, it } from "vitest";
import { HeaderBlock } from "../../src/message/headers.ts";

const block = new HeaderBlock(["accept", "host", "accept", "via"], ["a/b", "example.org", "c/d", ""]);

it.each([
  ["accept", "a/b, c/d"],
  ["host", "example.org"],
  ["via", ""],
  ["te", undefined],
])("lines of %s are one list: %o", (name, list) => {
  expect(block.list(name)).toBe(list);
});
