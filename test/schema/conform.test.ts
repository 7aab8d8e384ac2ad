import { existsSync } from "node:fs";
import { expect, test } from "vitest";
import { DEBIAN_FOLDER, runSuite } from "./suite.ts";

/** Debian's package; of an old release it has no more than the drafts up to 07. */
const folder = process.env["JSON_SCHEMA_TEST_SUITE"] ?? DEBIAN_FOLDER;

test.skipIf(!existsSync(folder))("the published test suite has no required case that is decided otherwise", () => {
  const parts = runSuite(folder);
  expect(parts.length).toBeGreaterThan(0);
  for (const { dialect, part, total, misses } of parts) {
    if (part !== "required") continue;
    expect(total, dialect).toBeGreaterThan(300);
    expect(misses, dialect).toEqual([]);
  }
});
