import { expect, test } from "vitest";
import { ANOMALY_KINDS } from "../../src/anomalies/kinds.ts";
import { BANNED_FOR } from "../../src/filters/bans/reasons.ts";

test("a ban that is advised can be written: its reasons are some that bans take", () => {
  const advised = Object.values(ANOMALY_KINDS)
    .map(({ advice }) => advice)
    .filter((advice) => advice.startsWith("A ban on"));
  expect(advised.length).toBeGreaterThan(1);
  for (const advice of advised) {
    const reasons = [...advice.matchAll(/'([a-z_]+)'/g)].map(([, word = ""]) => word);
    expect(reasons.length, advice).toBeGreaterThan(0);
    for (const reason of reasons) expect(BANNED_FOR, advice).toContain(reason);
  }
});
