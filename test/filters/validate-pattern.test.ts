import fc from "fast-check";
import { expect, test } from "vitest";
import { validateFilter } from "../../src/filters/validate/compile.ts";
import { compileFilter, createExchange, MemoryBody, onlyCheck } from "../fixtures/route-context.ts";
import { compareWithV8, findsMatch, isMisreadByV8 } from "../schema/pattern/agrees.ts";
import { patterns, texts } from "../schema/pattern/arbitrary.ts";

async function passes(schema: unknown, body: string): Promise<boolean | null> {
  const files = { "s.json": JSON.stringify(schema) };
  const compiled = compileFilter(validateFilter, { body: { schema: "s.json" } }, { files });
  if (compiled.problems.length > 0) return null;
  const headers = [["content-type", "application/json"]] as const;
  const exchange = createExchange({ method: "POST", headers, body: new MemoryBody([body]) });
  return (await onlyCheck(compiled).evaluate(exchange)) === null;
}

// Goal: the keyword means in a body what ECMA-262 says, through everything that lies between. Method: random patterns that
// V8 and the pattern's own engine agree on (their own test holds that), in a schema, before a body on its way.
test("'pattern' lets through the bodies that JavaScript's own engine would", async () => {
  await validateFilter.prepare?.();
  let judged = 0;
  await fc.assert(
    fc.asyncProperty(patterns(true), texts, async (pattern, text) => {
      // JSON of UTF-8 cannot carry half a surrogate pair.
      fc.pre(
        text.isWellFormed() && pattern.isWellFormed() && compareWithV8(pattern, true, [text]).outcome === "agrees",
      );
      fc.pre(!isMisreadByV8(pattern, true, text));
      const found = findsMatch(new RegExp(pattern, "uy"), text);
      const schema = {
        $schema: "https://json-schema.org/draft/2020-12/schema",
        type: "object",
        properties: { a: { pattern } },
      };
      expect([pattern, text, await passes(schema, JSON.stringify({ a: text }))]).toEqual([pattern, text, found]);
      judged++;
    }),
    { numRuns: 300 },
  );
  expect(judged).toBeGreaterThan(100);
});

test.each([
  ["^(?=.*\\d)(?=.*[a-z]).{8,}$", "abcdefg1", "abcdefgh"],
  ["^[^<>]{1,5000}$", "x".repeat(5000), "x".repeat(5001)],
  ["^\\p{Lu}", "Ärger", "ärger"],
])("pattern %s of a body", async (pattern, right, wrong) => {
  await validateFilter.prepare?.();
  const schema = { type: "object", properties: { a: { pattern } } };
  expect(await passes(schema, JSON.stringify({ a: right }))).toBe(true);
  expect(await passes(schema, JSON.stringify({ a: wrong }))).toBe(false);
});

test("a pattern that cannot run in linear time is a problem that says what to write", () => {
  const files = { "s.json": JSON.stringify({ type: "object", properties: { a: { pattern: "^(['\"]).*\\1$" } } }) };
  const { problems } = compileFilter(validateFilter, { body: { schema: "s.json" } }, { files });
  expect(problems.map(({ text }) => text).join()).toContain("write the texts that the group can hold as alternatives");
});
