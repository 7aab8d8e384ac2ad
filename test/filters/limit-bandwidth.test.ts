import { expect, test } from "vitest";
import { LIMIT_KINDS } from "../../src/filters/limit/kinds.ts";
import { RateTables } from "../../src/limits/rate/rate-tables.ts";
import { ManualTime } from "../fixtures/manual-time.ts";
import { createExchange } from "../fixtures/route-context.ts";
import { ask, compileLimit, limitOf } from "./limit-kit.ts";

await LIMIT_KINDS.find(({ word }) => word === "bandwidth")?.prepare?.();

const world = () => {
  const time = new ManualTime(1_000);
  return { time, tables: new RateTables([1, 2], time) };
};
const slow = { bandwidth: "1KiB/s", of: "both", burst: "1KiB", maxDelay: "10s", key: "client.address" };

test("whoever is too far ahead is refused until it is not, with the seconds that it takes", () => {
  const { time, tables } = world();
  const limit = limitOf("traffic", slow, tables);
  const first = createExchange({});
  expect(ask(limit, first)).toBeNull();
  // 1 KiB at once, then 20 KiB ahead: 20 s, of which 10 may be waited.
  expect(first.paces?.[0]?.spend("response", 21 * 1024)).toBeCloseTo(20_000, 0);
  const denial = ask(limit, createExchange({}));
  expect(denial).toMatchObject({ reason: "bandwidth_exceeded", headers: [["retry-after", "10"]] });
  time.pass(10_001);
  expect(ask(limit, createExchange({}))).toBeNull();
  expect(limit.report()).toMatchObject({ kind: "bandwidth", denied: 1, near: 1, scope: "process" });
});

test("an audited bandwidth slows nobody and would have refused", () => {
  const { tables } = world();
  const limit = limitOf("traffic", { ...slow, mode: "audit" }, tables);
  const exchange = createExchange({});
  expect(ask(limit, exchange)).toBeNull();
  expect(exchange.paces?.[0]?.spend("request", 100 * 1024)).toBe(0);
  expect(limit.enforcePercent).toBe(0);
  expect(ask(limit, createExchange({}))).toMatchObject({ reason: "bandwidth_exceeded" });
});

test("explain says the rate, whose bytes and for whom", () => {
  const limit = limitOf("traffic", { ...slow, of: "response" }, world().tables);
  const exchange = createExchange({});
  ask(limit, exchange);
  expect(limit.explain(exchange, "/v1")).toMatch(
    /^bandwidth 1KiB\/s of responses, burst 1024 bytes for client\.address .+, counted by this process, 1024 left$/,
  );
});

test.each([
  [{ bandwidth: "1KiB" }, "expected bytes a second, as in 1MiB/s"],
  [{ bandwidth: "10B/s" }, "expected at least 64B/s"],
  [{ bandwidth: "1MiB/second", maxDelay: "2d" }, "expected a time of 1s to 1h"],
])("%j is a problem", (more, text) => {
  expect(() => compileLimit("traffic", { key: "client.address", ...more }, world().tables)).toThrow(text);
});

test("/s and /second are one", () => {
  for (const bandwidth of ["1MiB/s", "1MiB/second"]) {
    expect(compileLimit("traffic", { bandwidth, key: "client.address" }, world().tables).problems).toEqual([]);
  }
});
