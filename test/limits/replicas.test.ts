// Goal: replicas without a store have their part of a limit, by a number or by the addresses of a name, and an answer of DNS that
// lacks some of them widens nothing. Method: a name whose answers the test gives, a clock that is moved, compiled limits.

import { expect, test } from "vitest";
import { stateFiles } from "../../src/daemon/state-files.ts";
import type { Limit, LimitContext } from "../../src/filters/filter.ts";
import { LIMIT_KINDS } from "../../src/filters/limit/kinds.ts";
import { RateTables } from "../../src/limits/rate/rate-tables.ts";
import { ReplicaCount } from "../../src/limits/replica-count.ts";
import { unlimitedMemory } from "../../src/memory/budget.ts";
import type { Resource } from "../../src/resources/resource.ts";
import { LIMIT_DEFAULTS } from "../../src/support/limit-defaults.ts";
import { err, ok, type Result } from "../../src/support/result.ts";
import { ask, limitOf } from "../filters/limit-kit.ts";
import { ManualTime } from "../fixtures/manual-time.ts";
import { outsideContext } from "../fixtures/outside.ts";
import { createExchange, createPrincipal } from "../fixtures/route-context.ts";
import { policyWith, problemsOf } from "../policy/policy-kit.ts";

for (const { prepare } of LIMIT_KINDS) await prepare?.();

const exchange = () => createExchange({ principal: createPrincipal({ id: "alice" }) });
const passes = (limit: Limit, count: number): number =>
  Array.from({ length: count }, () => ask(limit, exchange())).filter((denial) => denial === null).length;

function limit(
  replicas: unknown,
  more: Partial<LimitContext> = {},
  settings: object = { rate: "60/minute", burst: 60 },
): Limit {
  const time = new ManualTime(1_800_000_000_000);
  const tables = new RateTables([1, 2], time, 1024);
  return limitOf("parted", { ...settings, key: "principal", replicas }, tables, {
    ...outsideContext(),
    clock: time,
    ...more,
  });
}

test.each([
  [1, 60],
  [3, 20],
  [{ count: 3, margin: "10%" }, 22],
  [{ count: 7 }, 8],
  [{ count: 2, margin: "100%" }, 60],
  [100, 1],
])("replicas: %j lets in %i of 60 at once", (replicas, expected) => {
  expect(passes(limit(replicas), 100)).toBe(expected);
  expect(passes(limit(replicas, {}, { quota: "60/hour" }), 100)).toBe(expected);
});

test("the rate has its part, too, and explain says what each has", () => {
  const time = new ManualTime(1_800_000_000_000);
  const parted = limitOf(
    "parted",
    { rate: "60/minute", burst: 3, key: "principal", replicas: 3 },
    new RateTables([1, 2], time, 64),
  );
  expect(passes(parted, 5)).toBe(1);
  time.pass(2_999);
  expect(passes(parted, 5)).toBe(0);
  time.pass(1);
  expect(passes(parted, 5)).toBe(1);
  expect(parted.explain(exchange(), "/v1")).toMatch(
    /burst 3, of which each of 3 replicas has 33.3 % for .*, counted by this process/,
  );
});

test("a costly request passes where the part is less than it costs", () => {
  expect(passes(limit(30, {}, { rate: "60/minute", burst: 60, cost: 5 }), 3)).toBe(1);
});

test("a name: more replicas count at once, fewer when they were seen some times, and an outage changes nothing", async () => {
  const time = new ManualTime(1_800_000_000_000);
  let answer: Result<readonly string[], string> = err("ENOTFOUND");
  let compiled = 0;
  const replicas = new ReplicaCount(
    "orders-headless",
    {
      clock: time,
      timers: time,
      random: () => 0.5,
      residentBytes: () => 0,
      memory: unlimitedMemory(),
      openCaller: () => ({ call: () => Promise.resolve(err({ kind: "closed", text: "none" })), close: () => {} }),
      folder: null,
      openFiles: (folder) => stateFiles(folder, null),
      readFile: () => err("none"),
      changed: () => {},
      note: () => {},
      recompile: () => {
        compiled++;
      },
    },
    () => Promise.resolve(answer),
  );
  const look = async (addresses: readonly string[] | null): Promise<number | null> => {
    answer = addresses === null ? err("EAI_AGAIN") : ok(addresses);
    time.pass(LIMIT_DEFAULTS.replicasLookMs);
    await new Promise((resolve) => setImmediate(resolve));
    return replicas.count;
  };
  replicas.start();
  await new Promise((resolve) => setImmediate(resolve));
  expect([replicas.count, replicas.status().state, compiled]).toEqual([null, "failing", 0]);

  const resource = <T extends Resource>(kind: string): T => {
    if (kind !== "replica count") throw new Error(kind);
    const found: Resource = replicas;
    return found as T;
  };
  const now = (): number => passes(limit({ dns: "orders-headless" }, { resource }), 100);
  expect(now()).toBe(60);
  expect(await look(["10.0.0.1", "10.0.0.2", "10.0.0.2"])).toBe(2);
  expect(now()).toBe(30);
  expect(await look(["10.0.0.1", "10.0.0.2", "10.0.0.3"])).toBe(3);
  expect(await look(null)).toBe(3);
  expect(replicas.status()).toMatchObject({ state: "stale", fault: { text: "EAI_AGAIN" } });
  expect(await look([])).toBe(3);
  expect([await look(["10.0.0.1"]), await look(["10.0.0.1"]), await look(["10.0.0.1"])]).toEqual([3, 3, 1]);
  expect([await look(["10.0.0.1", "10.0.0.2"]), compiled]).toEqual([2, 4]);
  replicas.close();
});

test("what is no number and no name is a problem", async () => {
  const policy = (replicas: string) =>
    policyWith(
      `limits: { all: { rate: 5/second, key: client.address, replicas: ${replicas} } }\nroutes: [{ path: /, public: true, limit: [all] }]`,
    );
  for (const replicas of ["0", "2000", "{ dns: 'no name' }", "{ dns: a, margin: 200% }", "{ margin: 10% }"]) {
    expect(await problemsOf(policy(replicas)), replicas).toHaveLength(1);
  }
  expect(await problemsOf(policy("{ dns: orders-headless.shop.svc.cluster.local, margin: 10% }"))).toEqual([]);
});
