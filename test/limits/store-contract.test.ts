// Goal: a limit lets in the same requests wherever it is counted: in this process, by several threads, in Redis, in Valkey.
// Method: one table of requests with what is to become of them, and long random ones judged by a naive model; the clock is moved.
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { describe, expect, test } from "vitest";
import type { Limit } from "../../src/filters/filter.ts";
import { LIMIT_KINDS } from "../../src/filters/limit/kinds.ts";
import { SharedLimit } from "../../src/filters/limit-store/evaluate.ts";
import { RateTable } from "../../src/limits/rate/rate-table.ts";
import { RateTables } from "../../src/limits/rate/rate-tables.ts";
import { limitOf } from "../filters/limit-kit.ts";
import type { ContractQuestion } from "../fixtures/contract-worker.ts";
import { ManualTime } from "../fixtures/manual-time.ts";
import { outsideContext } from "../fixtures/outside.ts";
import { isThere } from "../fixtures/program.ts";
import { onClose } from "../fixtures/proxy.ts";
import { startRedis } from "../fixtures/redis.ts";
import { createExchange } from "../fixtures/route-context.ts";
import { readyStore, timedLinks } from "./redis-kit.ts";

for (const { prepare } of LIMIT_KINDS) await prepare?.();

/** Name → `10/second` with a burst, a quota or a budget of `10/hour`, or so many different objects a minute. */
type Limits = Readonly<
  Record<
    string,
    | { readonly rate: string; readonly burst: number }
    | { readonly quota: string }
    | { readonly budget: string }
    | { readonly objects: number }
  >
>;

interface Request {
  /** Milliseconds after the request before. */
  readonly afterMs: number;
  readonly limits: readonly string[];
  readonly client: string;
  /** Of a guard the object that is asked for. */
  readonly cost: number;
}

/** Lets a request in, or not; the time is that of the clock it was made with. */
type Decide = (request: Request) => Promise<boolean>;
type Store = (limits: Limits, time: ManualTime) => Promise<Decide>;

const HEADER = 'request.headers["x-cost"]';
const START_MS = Date.parse("2026-11-29T11:59:50Z");

function limitsOf(limits: Limits, time: ManualTime, wrap: (limit: Limit) => Limit): Map<string, Limit> {
  const tables = new RateTables([1, 2], time, 1024);
  const compiled = Object.entries(limits).map(([name, settings]) => {
    const cost = { from: HEADER, default: 1 };
    const definition =
      "objects" in settings
        ? { distinct: { of: HEADER, per: "client.address", limit: settings.objects, window: "1m" } }
        : { ...settings, key: "client.address", cost };
    return [name, wrap(limitOf(name, definition, tables, { ...outsideContext(), clock: time }))] as const;
  });
  return new Map(compiled);
}

/** As the pipeline does it, with compiled limits. */
function byLimits(compiled: ReadonlyMap<string, Limit>): Decide {
  return async ({ limits, client, cost }) => {
    const exchange = createExchange({ peer: client, headers: [["x-cost", String(cost)]] });
    const together = limits.map((name) => compiled.get(name) as Limit);
    for (const limit of together) {
      if ((await limit.evaluate(exchange, "/v1", together)) === null) continue;
      exchange.giveBack();
      return false;
    }
    return true;
  };
}

const memory: Store = async (limits, time) => byLimits(limitsOf(limits, time, (limit) => limit));

/** Two threads, in turns. */
const threads: Store = async (limits, time) => {
  const seed: readonly [number, number] = [3, 4];
  const names = Object.keys(limits);
  const tables = Object.values(limits).map((limit) => {
    const { rate = "", burst = 0 } = limit as { rate?: string; burst?: number };
    const [count = "1", unit = "second"] = rate.split("/");
    const intervalMs = ({ second: 1_000, minute: 60_000 }[unit] ?? 0) / Number(count);
    return { buffer: new RateTable(1_024, seed, time).share(), intervalMs, toleranceMs: intervalMs * burst };
  });
  const url = new URL("../fixtures/contract-worker.ts", import.meta.url);
  const workers = [0, 1].map(() => new Worker(url, { workerData: { tables, seed } }));
  onClose(() => void Promise.all(workers.map((worker) => worker.terminate())));
  let turn = 0;
  return async ({ limits: asked, client, cost }) => {
    const worker = workers[turn++ % 2] as Worker;
    const asks = asked.map((name) => ({ table: names.indexOf(name), key: client, cost }));
    const answer = once(worker, "message");
    worker.postMessage({ nowMs: time.monotonicMs(), asks } satisfies ContractQuestion);
    return (await answer)[0] as boolean;
  };
};

const inStore =
  (program: string): Store =>
  async (limits, time) => {
    const server = await startRedis([], program);
    const { store } = await readyStore(server.port, { clock: time, open: timedLinks(time) });
    const share = (limit: Limit): Limit => {
      const counted = limit as ConstructorParameters<typeof SharedLimit>[0]["limit"];
      const counter = { id: limit.name, terms: counted.terms, lease: 0 };
      return new SharedLimit({ limit: counted, store, storeName: "shared", onFailure: "closed", counter });
    };
    return byLimits(limitsOf(limits, time, share));
  };

const STORES: readonly (readonly [name: string, store: Store])[] = [
  ["memory", memory],
  ["threads", threads],
  ["Redis", inStore("redis-server")],
  ...(isThere("valkey-server") ? [["Valkey", inStore("valkey-server")] as const] : []),
];

const [A, B] = ["192.0.2.1", "192.0.2.2"];
const row = (text: string): Request & { readonly admitted: boolean } => {
  const [after = "0", limits = "", client = "", cost = "1", admitted = ""] = text.trim().split(/\s+/);
  const addresses: Readonly<Record<string, string>> = { A, B };
  return {
    afterMs: Number(after),
    limits: limits.split("+"),
    client: addresses[client] ?? "",
    cost: Number(cost),
    admitted: admitted === "yes",
  };
};

const RATES: Limits = { ten: { rate: "10/second", burst: 3 }, slow: { rate: "6/minute", burst: 2 } };
const QUOTAS: Limits = { hour: { quota: "4/hour" }, ten: { rate: "10/second", burst: 3 } };

const BUDGETS: Limits = { spend: { budget: "10/hour" }, ten: { rate: "10/second", burst: 3 } };
const GUARDS: Limits = { two: { objects: 2 }, ten: { rate: "10/second", burst: 3 } };

/** Milliseconds after the last, limits, client, cost, admitted. */
const TABLE: readonly (readonly [title: string, limits: Limits, rows: readonly string[]])[] = [
  [
    "a burst, and then one for each interval",
    RATES,
    [
      "0 ten A 1 yes",
      "0 ten A 1 yes",
      "0 ten A 1 yes",
      "0 ten A 1 no",
      "99 ten A 1 no",
      "1 ten A 1 yes",
      "0 ten A 1 no",
      "0 ten B 1 yes",
      "300 ten A 1 yes",
      "0 ten A 1 yes",
      "0 ten A 1 yes",
      "0 ten A 1 no",
    ],
  ],
  [
    "a cost, and what is too dear",
    RATES,
    [
      "0 ten A 2 yes",
      "0 ten A 2 no",
      "0 ten A 1 yes",
      "100 ten A 2 no",
      "100 ten A 2 yes",
      "0 ten A 4 no",
      "5000 ten A 4 no",
      "0 ten A 3 yes",
    ],
  ],
  [
    "two limits, of which one is over: the other is not counted",
    RATES,
    [
      "0 ten+slow A 1 yes",
      "0 ten+slow A 1 yes",
      "0 ten+slow A 1 no",
      "0 slow+ten A 1 no",
      "0 ten A 1 yes",
      "0 ten A 1 no",
      "100 ten+slow A 1 no",
      "0 ten A 1 yes",
      "10000 ten+slow A 1 yes",
      "0 ten+slow A 1 no",
      "0 ten A 2 yes",
    ],
  ],
  [
    "a quota of the hour, which begins anew on the hour",
    QUOTAS,
    [
      "0 hour A 1 yes",
      "0 hour A 2 yes",
      "0 hour A 2 no",
      "0 hour A 1 yes",
      "0 hour A 1 no",
      "9999 hour A 1 no",
      "1 hour A 4 yes",
      "0 hour A 1 no",
      "0 hour B 1 yes",
      "3599999 hour A 1 no",
      "1 hour A 1 yes",
    ],
  ],
  [
    "a quota beside a rate",
    QUOTAS,
    [
      "0 hour+ten A 1 yes",
      "0 ten+hour A 1 yes",
      "0 ten+hour A 1 yes",
      "0 ten+hour A 1 no",
      "1000 hour A 2 no",
      "0 hour+ten A 1 yes",
      "0 hour+ten A 1 no",
      "0 ten A 2 yes",
    ],
  ],
  [
    "a budget of the hour, and a reservation that nobody settles",
    BUDGETS,
    [
      "0 spend A 4 yes",
      "0 spend A 7 no",
      "0 spend+ten A 3 yes",
      "0 ten+spend A 3 no",
      "0 ten A 2 no",
      "100 ten A 1 yes",
      "0 spend A 3 yes",
      "0 spend A 1 no",
      "9900 spend A 9 yes",
      "0 spend A 2 no",
      "0 spend B 10 yes",
      "600000 spend A 10 yes",
      "0 spend A 1 no",
    ],
  ],
  [
    "different objects, which count until a minute after they were asked for last",
    GUARDS,
    [
      "0 two A 7 yes",
      "0 two A 8 yes",
      "0 two A 9 no",
      "0 two A 7 yes",
      "0 two B 9 yes",
      "30000 two A 8 yes",
      "29000 two A 9 no",
      "2000 two A 9 yes",
      "0 two A 7 no",
      "0 two A 8 yes",
    ],
  ],
  [
    "an object that another limit refuses is not one that was asked for",
    GUARDS,
    [
      "0 two+ten A 3 yes",
      "0 two+ten A 2 no",
      "0 ten+two A 2 no",
      "1000 two A 5 yes",
      "0 two A 2 no",
      "0 two+ten A 3 yes",
      "0 ten A 1 no",
    ],
  ],
];

const isOfRates = (limits: Limits): boolean => Object.values(limits).every((limit) => "rate" in limit);

describe.each(STORES)("%s", (name, store) => {
  // A quota is counted by one thread, which others ask.
  const tables = TABLE.filter(([, limits]) => name !== "threads" || isOfRates(limits));

  test.each(tables)("%s", async (_title, limits, rows) => {
    const time = new ManualTime(START_MS);
    const decide = await store(limits, time);
    for (const text of rows) {
      const { admitted, ...request } = row(text);
      time.pass(request.afterMs);
      expect(await decide(request), text).toBe(admitted);
    }
  });

  test("random requests are let in as a naive model lets them in", async () => {
    const limits = name === "threads" ? RATES : { ...RATES, ...QUOTAS };
    const time = new ManualTime(START_MS);
    const [decide, naive] = [await store(limits, time), naiveModel(limits, time)];
    const random = seeded(20_261_129);
    for (let at = 0; at < 1_500; at++) {
      const names = Object.keys(limits).filter(() => random() < 0.5);
      const afterMs = random() < 0.002 ? 3_000_000 : random() < 0.4 ? 0 : Math.floor(random() * 400);
      time.pass(afterMs);
      const request = {
        afterMs,
        limits: names.length === 0 ? ["ten"] : names,
        client: random() < 0.6 ? A : B,
        cost: random() < 0.7 ? 1 : 2,
      };
      expect(await decide(request), `request ${at}: ${JSON.stringify(request)}`).toBe(naive(request));
    }
  });
});

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let value = Math.imul(state ^ (state >>> 15), 1 | state);
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value;
    return ((value ^ (value >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A bucket of tokens for each rate and client, a number for each quota, client and hour. Milliseconds, whole ones. */
function naiveModel(limits: Limits, time: ManualTime): (request: Request) => boolean {
  const buckets = new Map<string, { missingMs: number; atMs: number }>();
  const used = new Map<string, number>();
  return ({ limits: names, client, cost }) => {
    const nowMs = time.wallMs();
    const takes = names.map((name) => {
      const limit = limits[name];
      if (limit !== undefined && "quota" in limit) {
        const key = `${name} ${client} ${Math.floor(nowMs / 3_600_000)}`;
        const sum = (used.get(key) ?? 0) + cost;
        return sum > Number.parseInt(limit.quota, 10) ? null : () => void used.set(key, sum);
      }
      const { rate = "", burst = 0 } = limit !== undefined && "rate" in limit ? limit : {};
      const [count = "1", unit] = rate.split("/");
      const intervalMs = (unit === "minute" ? 60_000 : 1_000) / Number(count);
      const key = `${name} ${client}`;
      const bucket = buckets.get(key) ?? { missingMs: 0, atMs: nowMs };
      const missingMs = Math.max(0, bucket.missingMs - (nowMs - bucket.atMs)) + cost * intervalMs;
      return missingMs > burst * intervalMs ? null : () => void buckets.set(key, { missingMs, atMs: nowMs });
    });
    if (takes.includes(null)) return false;
    for (const take of takes) take?.();
    return true;
  };
}
