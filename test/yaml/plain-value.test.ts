import { expect, test } from "vitest";
import { parseDocument } from "yaml";
import { plainValue } from "../../src/yaml/plain-value.ts";

test.each([
  ["texts", "  - a\n"],
  ["mappings", "  - { a: b }\n"],
])("a long list of %s is read in steps", (_, item) => {
  const { contents } = parseDocument(`list:\n${item.repeat(10_000)}`);
  if (contents === null) throw new Error("nothing was read");
  const faults: string[] = [];
  const reading = plainValue(contents, null, ({ text }) => faults.push(text));
  let steps = 0;
  let step = reading.next();
  for (; step.done !== true; step = reading.next()) steps++;
  expect(steps).toBeGreaterThanOrEqual(19);
  expect(faults).toEqual([]);
  expect((step.value as { list: unknown[] }).list).toHaveLength(10_000);
});
