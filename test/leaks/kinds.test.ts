import { describe, expect, test } from "vitest";
import { LEAK_GROUPS, LEAK_KINDS } from "../../src/leaks/catalogue.ts";
import { NOWHERE } from "../../src/leaks/places.ts";
import { Scanner } from "../../src/leaks/scanner.ts";
import { SAMPLES } from "./samples.ts";

const all = new Scanner(new Set(LEAK_KINDS));

/** What is found in a text: kinds, and what of it is not to be seen. */
function found(text: string, scanner = all): [kind: string, leaked: string][] {
  const bytes = Buffer.from(text, "latin1");
  return scanner
    .scan(bytes, 0, true, () => NOWHERE)
    .found.map(({ kind, start, end, tail }) => {
      let last = end;
      if (tail !== null) {
        while (last < bytes.length && tail.set[bytes[last] ?? 0] === 1) last++;
        const mark = tail.until === "" ? -1 : text.slice(end, last).indexOf(tail.until);
        if (mark >= 0) last = end + mark + tail.until.length;
      }
      return [kind.name, text.slice(start, last)];
    });
}

describe("every kind", () => {
  for (const { kind, text, leaked } of SAMPLES) {
    test(`${kind} is found: ${text.slice(0, 4)}…`, () => {
      const one = new Scanner(new Set(LEAK_KINDS.filter(({ name }) => name === kind)));
      for (const around of [text, `x ${text} y`, `{"a":1,"b":"${text}"}`, `(${text})`]) {
        if (around !== text && /^["<]/.test(text)) continue;
        expect(found(around, one), around).toContainEqual([kind, leaked]);
      }
    });
  }

  test("is one of a group, with a name of its own", () => {
    expect(LEAK_KINDS.length).toBeGreaterThan(40);
    expect(new Set(LEAK_KINDS.map(({ name }) => name)).size).toBe(LEAK_KINDS.length);
    expect(LEAK_KINDS.filter(({ name }) => LEAK_GROUPS.includes(name) && name !== "iban")).toEqual([]);
  });
});
