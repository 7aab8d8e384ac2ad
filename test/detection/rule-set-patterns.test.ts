import { describe, expect, test } from "vitest";
import { parseBytes } from "../../src/detection/search/pcre.ts";
import { Candidates, SearchBuilder, Work } from "../../src/detection/search/search.ts";
import { toSet } from "../../src/schema/pattern/char-set.ts";
import { atOnce } from "../../src/support/turns.ts";
import { DEBIAN_RULES, hasDebianRules, patternsOf, randomOf, textOf, wordListsOf } from "./rule-set-patterns.ts";

/** The rules are not part of this project: where Debian's package is, they are held to; `npm run conform:search` does more. */
describe.runIf(hasDebianRules)("the OWASP rules as Debian installs them", () => {
  const builder = new SearchBuilder();
  const ids = patternsOf(DEBIAN_RULES).map((source) => ({ source, id: builder.rx(source) }));
  const lists = wordListsOf(DEBIAN_RULES).map((words) => ({ words, id: builder.words(words) }));
  const search = atOnce(builder.build());

  test("all patterns compile but those that refer back to a group", () => {
    expect(ids.length).toBeGreaterThan(200);
    expect(ids.flatMap(({ id }) => (id.ok ? [] : [id.error.kind]))).toEqual(["backreference"]);
  });

  test("texts made from a pattern get through the gate, and are possible in their own alphabet", () => {
    const random = randomOf(3);
    const candidates = new Candidates();
    let matches = 0;
    for (const { source, id } of ids) {
      const parsed = parseBytes(source);
      if (!id.ok || !parsed.ok) continue;
      for (let round = 0; round < 4; round++) {
        const text = textOf(parsed.value.tree, random);
        if (!search.test(id.value, text, new Work(1e9))) continue;
        matches++;
        search.candidates(text, candidates);
        expect(candidates.has(id.value), `${source} on ${JSON.stringify(text)}`).toBe(true);
        const place = search.match(id.value, text, new Work(1e9));
        expect(place === null ? -1 : place.end - place.start, source).toBeGreaterThanOrEqual(0);
      }
      const text = textOf(parsed.value.tree, random);
      const alphabet = toSet([...text].map((char) => [char.charCodeAt(0), char.charCodeAt(0)]));
      if (search.test(id.value, text, new Work(1e9))) {
        expect(
          atOnce(search.impossible(alphabet, text.length)).has(id.value),
          `${source} on ${JSON.stringify(text)}`,
        ).toBe(false);
      }
    }
    expect(matches).toBeGreaterThan(ids.length);
  });

  test("each word of each list is found", () => {
    const candidates = new Candidates();
    for (const { words, id } of lists) {
      for (const word of words) {
        // `toUpperCase` knows letters beyond ASCII, which are two bytes here.
        const text = /^[\0-\x7f]*$/.test(word) ? word.toUpperCase() : word;
        search.candidates(`(${text})`, candidates);
        expect(candidates.has(id), word).toBe(true);
      }
    }
  });
});
