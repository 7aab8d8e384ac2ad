// Goal: who would be denied is told however many others come by, in a table that no client can make grow.
import { expect, test } from "vitest";
import { Denial } from "../../src/decision/verdict.ts";
import type { Exchange } from "../../src/message/exchange.ts";
import { DEFAULTS } from "../../src/support/defaults.ts";
import { TopCounts } from "../../src/support/top-counts.ts";
import { LadderCounts } from "../../src/telemetry/ladder-counts.ts";
import type { RequestRecord } from "../../src/telemetry/request-record.ts";
import { createExchange, createPrincipal } from "../fixtures/route-context.ts";

const check = (path: string) => ({ name: "authorize", place: { file: "p.yaml", line: 1, column: 1, path } });
const AUTHORIZE = check("routes[0].authorize");

function record(exchange: Exchange, by = AUTHORIZE, route = "/a"): RequestRecord {
  exchange.audit(new Denial("scope_missing", by.place, "", ""), by);
  return { exchange, route } as RequestRecord;
}

const of = (id: string) => createExchange({ principal: createPrincipal({ id }) });

test("callers that come often are told with what is theirs, whoever else comes once", () => {
  const counts = new LadderCounts();
  counts.follow([AUTHORIZE]);
  let told = 0;
  for (let at = 0; at < 5_000; at++) {
    told += counts.count(record(createExchange({ peer: `10.${at % 200}.${(at / 200) | 0}.1` }))).length;
    if (at % 5 === 0) told += counts.count(record(of("often"))).length;
  }
  const step = counts.of(AUTHORIZE);
  const { list = [], other } = step?.callers ?? {};
  expect(list).toHaveLength(DEFAULTS.ladderCallersMax);
  expect(list[0]).toEqual({ key: "okta/often", count: 1_000 });
  expect(list.reduce((sum, { count }) => sum + count, other ?? 0)).toBe(step?.total);
  expect(told).toBe(5_001);
});

test("nobody is told to have had more than they had", () => {
  const counts = new TopCounts(4);
  const real = new Map<string, number>();
  let state = 7;
  for (let at = 0; at < 4_000; at++) {
    state = (state * 48_271) % 2_147_483_647;
    const key = `k${Math.floor(Math.sqrt(state % 400))}`;
    real.set(key, (real.get(key) ?? 0) + 1);
    counts.note(key);
  }
  for (const { key, count } of counts.list) expect(count).toBeLessThanOrEqual(real.get(key) ?? 0);
  expect(counts.other).toBeGreaterThanOrEqual(0);
});

test("checks keep their counts while the policy has them, and others are not counted", () => {
  const counts = new LadderCounts();
  counts.follow([AUTHORIZE, check("routes[1].authorize")]);
  counts.count(record(of("alice")));
  expect(counts.count(record(of("alice"), check("routes[9].authorize")))).toEqual([]);
  counts.follow([AUTHORIZE]);
  expect(counts.of(AUTHORIZE)).toMatchObject({ total: 1 });
  counts.follow([]);
  counts.follow([AUTHORIZE]);
  expect(counts.of(AUTHORIZE)).toMatchObject({ total: 0 });
});
