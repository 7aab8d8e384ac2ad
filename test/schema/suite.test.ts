import { existsSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { DEBIAN_FOLDER, runSuite } from "./suite.ts";

/**
 * Debian's package has the drafts up to 7; `npm run conform:schema -- FOLDER` runs a whole checkout. In CI it must be there,
 * so that nothing is left out in silence.
 */
const isHere = existsSync(DEBIAN_FOLDER) || process.env["CI"] !== undefined;

describe.skipIf(!isHere)("the published test suite (apt: json-schema-test-suite)", () => {
  test("every case is decided as it says, but for those that are refused on purpose, each with its reason", () => {
    const parts = runSuite(DEBIAN_FOLDER);
    expect(parts.map(({ dialect, part }) => `${dialect} ${part}`)).toContain("draft-07 required");
    for (const { dialect, part, misses, refused, passed, total } of parts) {
      expect(misses, `${dialect} ${part}`).toEqual([]);
      expect(passed + refused.length).toBe(total);
      if (part === "required") expect(refused).toEqual([]);
      for (const { why } of refused) expect(why).not.toBe("");
    }
  });
});
