import { expect, test } from "vitest";
import { limitsRoom } from "../../src/daemon/limits-room.ts";
import { RateTables } from "../../src/limits/rate/rate-tables.ts";
import { ask, limitOf } from "../filters/limit-kit.ts";
import { createExchange, createPrincipal } from "../fixtures/route-context.ts";

const tables = new RateTables([1, 2], { monotonicMs: () => 0 });
const perKey = limitOf("perKey", { rate: "10/hour", key: 'request.headers["x-api-key"]', absent: "deny" }, tables);
const perCaller = limitOf("perCaller", { rate: "10/hour", key: "principal" }, tables);
const room = limitsRoom(() => [perKey, perCaller]);
const shown = async (query = "") => {
  const answer = await room.show(new URLSearchParams(query));
  return answer.ok
    ? (answer.value as { limits: { name: string; top: { key: string; id: string }[] }[]; more: number })
    : answer.error;
};

test("who uses most of a limit stands first, with how often it was denied, and who is near is counted", async () => {
  for (const [id, times] of [
    ["often", 30],
    ["seldom", 9],
  ] as const) {
    for (let at = 0; at < times; at++) ask(perCaller, createExchange({ principal: createPrincipal({ id }) }));
  }
  expect(await shown("name=perCaller")).toMatchObject({
    limits: [
      {
        name: "perCaller",
        kind: "rate",
        description: "10/hour, burst 10",
        scope: "process",
        near: 3,
        denied: 20,
        place: { path: "limits.perCaller" },
        top: [{ key: "principal okta/often", requests: 22, denied: 20 }, { key: "principal okta/seldom" }],
      },
    ],
    more: 1,
  });
});

test("nobody's secret is shown, and two callers that look alike are told apart", async () => {
  for (const value of ["hunter2hunter2", "letmein"]) {
    for (let at = 0; at < 20; at++) ask(perKey, createExchange({ headers: [["x-api-key", value]] }));
  }
  const answer = await shown("name=perKey");
  expect(JSON.stringify(answer)).not.toMatch(/hunter2|letmein/);
  const top = "limits" in answer ? (answer.limits[0]?.top ?? []) : [];
  expect(top).toHaveLength(2);
  expect(new Set(top.map(({ id }) => id)).size).toBe(2);
});

test("a name that there is not is told", async () => {
  expect(await shown("name=perCaler")).toMatchObject({ status: 404, text: expect.stringContaining("'perCaler'") });
});
