import { expect, test } from "vitest";
import { ecmaPattern } from "../../src/protobuf/rules/re2.ts";

// What RE2 matches, by its syntax page: a bracket ends a class unless it stands first in it.
test.each<[pattern: string, fits: readonly string[], others: readonly string[]]>([
  ["^[[]a]$", ["[a]"], ["a", "[", "]"]],
  [String.raw`^[\[]$`, ["["], ["]"]],
  ["^[[^]$", ["[", "^"], ["]"]],
  ["^[]a]$", ["]", "a"], ["[", "]a]"]],
  ["^[^]a]$", ["["], ["]", "a"]],
  ["^a]$", ["a]"], ["a"]],
])("%s", (pattern, fits, others) => {
  const meant = new RegExp(ecmaPattern(pattern) ?? "no pattern", "u");
  expect(fits.filter((text) => !meant.test(text))).toEqual([]);
  expect(others.filter((text) => meant.test(text))).toEqual([]);
});

test("a class of POSIX has no words", () => {
  expect(ecmaPattern("[[:alpha:]]")).toBeNull();
  expect(ecmaPattern("[^a[:space:]]")).toBeNull();
});
