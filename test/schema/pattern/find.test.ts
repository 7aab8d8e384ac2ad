import fc from "fast-check";
import { expect, test } from "vitest";
import { compileFinder } from "../../../src/schema/pattern/find.ts";

/** V8 says where a match begins; ours is the longest of those that begin there. */
test.each([
  "EMP-[0-9]{4,8}",
  "(?:ab|a){1,3}",
  "\\b[A-Z]{2}\\d{2}\\b",
  "(?i:abc)x?",
  "a(?!b)c{0,2}",
  "[^ ]{2,5}",
  "(?:Gr)?ö[ßs]{1,2}",
])("%s is found where the engine finds it", (source) => {
  const finder = compileFinder(source);
  if (!finder.ok) throw new Error(finder.error.message);
  const engine = new RegExp(source, "u");
  fc.assert(
    fc.property(fc.stringMatching(/^[abcABC01EMP\-x Größ\u{1f600}]{0,16}$/u), (text) => {
      const ours = finder.value.find(text, 0);
      const theirs = engine.exec(text);
      expect(ours?.start).toBe(theirs?.index);
      expect(ours?.end ?? 0).toBeGreaterThanOrEqual((theirs?.index ?? 0) + (theirs?.[0].length ?? 0));
    }),
    { numRuns: 500 },
  );
});

test("the longest at the first place, and the next behind it", () => {
  const finder = compileFinder("a|ab|abc");
  if (!finder.ok) throw new Error(finder.error.message);
  expect(finder.value.find("xabcab", 0)).toEqual({ start: 1, end: 4 });
  expect(finder.value.find("xabcab", 4)).toEqual({ start: 4, end: 6 });
});
