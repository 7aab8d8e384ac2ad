import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { interopRows } from "./fixtures/interop-page.ts";

const rows = interopRows();
const source = (file: string): string => readFileSync(join(import.meta.dirname, file), "utf8");

test("each row of docs/interop.md names a case that is there", () => {
  for (const { file, name } of rows) expect(source(file), file).toContain(`"${name}"`);
  expect(rows.length).toBeGreaterThan(40);
});

test("no row of docs/interop.md escapes: all lines of its tables are read as rows", () => {
  const page = source("../docs/interop.md");
  const lines = page.split("\n").filter((line) => line.startsWith("| ") && !line.startsWith("| what comes |"));
  expect(rows).toHaveLength(lines.length);
});
