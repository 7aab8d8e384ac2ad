import { expect, test } from "vitest";
import { undeclaredFilter } from "../../src/filters/undeclared/compile.ts";
import { compileFilter, createExchange, onlyCheck } from "../fixtures/route-context.ts";

test("what its route takes is refused before anybody is asked who they are", () => {
  const check = onlyCheck(compileFilter(undeclaredFilter, "enforce"));
  expect(check).toMatchObject({ name: "undeclared", phase: "match", enforcePercent: 100 });
  expect(check.evaluate(createExchange({}))).toMatchObject({
    reason: "operation_undeclared",
    seen: "GET of this path",
    wanted: "an operation of the API's description",
  });
});

test("or told, by the ladder", () => {
  expect(onlyCheck(compileFilter(undeclaredFilter, "audit")).enforcePercent).toBe(0);
  expect(onlyCheck(compileFilter(undeclaredFilter, { enforce: "5%" })).enforcePercent).toBe(5);
});
