import { expect, test } from "vitest";
import { RateTables } from "../../src/limits/rate/rate-tables.ts";
import { compilePolicy } from "../../src/policy/compile.ts";
import { ok } from "../../src/support/result.ts";
import { fixedClock, policyWith } from "./policy-kit.ts";

const ROUTES = 300;
const POLICY = Buffer.from(
  policyWith(
    `routes:\n${Array.from({ length: ROUTES }, (_, at) => `  - { path: '/v1/a${at}/{id}', public: true }`).join("\n")}`,
  ),
);

/** Compiles and counts how often the event loop went round meanwhile. */
async function compile(sliceMs: number) {
  let compiling = true;
  let rounds = 0;
  const counted = new Promise<void>((resolve) => {
    const count = (): void => {
      rounds++;
      if (compiling) setImmediate(count);
      else resolve();
    };
    setImmediate(count);
  });
  const compiled = await compilePolicy("policy.yaml", {
    clock: fixedClock,
    rateTables: new RateTables([1, 2], fixedClock, 64),
    readFile: () => ok(POLICY),
    sliceMs,
  });
  compiling = false;
  await counted;
  return { compiled, rounds };
}

test("a reload gives requests their turn between the steps of a long policy", async () => {
  const whole = await compile(Number.POSITIVE_INFINITY);
  // A clock that stands still makes every look due, so that each place that can give way does.
  const sliced = await compile(0);
  expect(whole.rounds).toBeLessThan(10);
  expect(sliced.rounds).toBeGreaterThan(ROUTES);
  if (!whole.compiled.ok || !sliced.compiled.ok) throw new Error("a sound policy was refused");
  expect(sliced.compiled.value.hash).toBe(whole.compiled.value.hash);
  expect(sliced.compiled.value.routeList).toHaveLength(ROUTES);
});
