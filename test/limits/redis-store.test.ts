import { describe, expect, test } from "vitest";
import { eventually } from "../fixtures/eventually.ts";
import { ManualTime } from "../fixtures/manual-time.ts";
import { startRedis } from "../fixtures/redis.ts";
import { admittedOf, ask, hourly, one, rate, readyStore, timedLinks } from "./redis-kit.ts";

const SLOW = 3600;

describe("what a store counts", () => {
  test("a burst is admitted to the request, and the wait is that of the rate", async () => {
    const redis = await startRedis();
    const { store } = await readyStore(redis.port);
    const counter = rate("burst", 5, SLOW);
    expect(await admittedOf(store, 9, counter)).toBe(5);
    const [over] = await ask(store, { counter, key: "k", cost: 1 });
    expect(over).toMatchObject({ kind: "over" });
    expect(over?.kind === "over" && over.waitMs).toBeGreaterThan((SLOW * 1000) / 5 - 120_000);
    expect(over?.kind === "over" && over.waitMs).toBeLessThanOrEqual((SLOW * 1000) / 5);
    expect(await one(store, counter, "another")).toBe("admitted");
  });

  test("a quota is a number of its window, and another window begins anew", async () => {
    const redis = await startRedis();
    const time = new ManualTime(1_800_000_000_000);
    const { store } = await readyStore(redis.port, { clock: time, open: timedLinks(time) });
    const counter = hourly("quota", 3);
    expect(await admittedOf(store, 5, counter)).toBe(3);
    time.pass(3_600_000);
    expect(await admittedOf(store, 5, counter)).toBe(3);
  });

  test("a busy key is changed in place, and ends some seconds after it is of no more use", async () => {
    const redis = await startRedis();
    const { store } = await readyStore(redis.port);
    const [fast, day] = [rate("busy", 1_000, 1), hourly("busy-quota", 100_000)];
    for (const counter of [fast, day]) expect(await admittedOf(store, 300, counter)).toBe(300);
    // The wait for the first expiry is the longest: 2 s of a rate's span, and what the requests took.
    const stats = await redis.command("INFO", "commandstats");
    const calls = (name: string): number => Number(new RegExp(`cmdstat_${name}:calls=(\\d+)`).exec(stats)?.[1] ?? 0);
    expect(calls("setrange")).toBeGreaterThan(calls("psetex"));
    const keys = [...(await redis.command("KEYS", "*:busy")).matchAll(/postern:\S+/g)].map(([key]) => key);
    expect(keys).toHaveLength(1);
    const left = Number((await redis.command("PTTL", keys[0] ?? "")).slice(1));
    expect(left).toBeLessThan(3_000);
  });

  test("a value of another form counts as none, or as what it was", async () => {
    const redis = await startRedis();
    const { store } = await readyStore(redis.port);
    const counter = rate("odd", 3, SLOW);
    expect(await admittedOf(store, 5, counter)).toBe(3);
    const [key = ""] = (await redis.command("KEYS", "*odd*")).match(/postern:\S+/) ?? [];
    for (const value of ["nonsense", "12", "99999999999999999999", "1.5e300"]) {
      await redis.command("SET", key, value);
      const { store: fresh } = await readyStore(redis.port);
      const passed = await admittedOf(fresh, 5, counter);
      expect([0, 3], value).toContain(passed);
    }
  });

  test("a request may have thousands of limits", async () => {
    const redis = await startRedis();
    const { store } = await readyStore(redis.port);
    const asks = Array.from({ length: 9_000 }, (_, at) => ({
      counter: rate(`many-${at}`, 2, SLOW),
      key: "k",
      cost: 1,
    }));
    for (let turn = 0; turn < 2; turn++) {
      expect(new Set((await store.ask(asks)).map(({ kind }) => kind))).toEqual(new Set(["admitted"]));
    }
    const kinds = (await store.ask(asks)).map(({ kind }) => kind);
    expect(kinds.filter((kind) => kind === "over").length).toBeGreaterThan(0);
    expect(kinds).not.toContain("admitted");
    expect(kinds).not.toContain("unavailable");
  });

  test("a member is there for its window, and one that is given back is not", async () => {
    const redis = await startRedis();
    const time = new ManualTime(1_800_000_000_000);
    const { store } = await readyStore(redis.port, { clock: time, open: timedLinks(time) });
    const counter = { id: "objects", terms: { kind: "distinct", limit: 2, windowUs: 60_000_000 }, lease: 0 } as const;
    const see = async (member: string) => (await ask(store, { counter, key: "k", cost: 1, member }))[0];
    const added = await see("a");
    expect(added).toMatchObject({ kind: "admitted", remaining: 1 });
    time.pass(1_000);
    const again = await see("a");
    expect(again).toMatchObject({ kind: "admitted", remaining: 1, mark: 0 });
    expect(await see("b")).toMatchObject({ kind: "admitted", remaining: 0 });
    expect(await see("c")).toMatchObject({ kind: "over", waitMs: 60_000 });
    // Somebody has asked for it since; and it was there before the second request.
    for (const answer of [added, again]) {
      if (answer?.kind === "admitted") store.giveBack({ counter, key: "k", cost: 1, member: "a" }, answer);
    }
    expect(await see("c")).toMatchObject({ kind: "over" });
    time.pass(60_000);
    const fresh = await see("c");
    expect(fresh).toMatchObject({ kind: "admitted", remaining: 1 });
    if (fresh?.kind === "admitted") store.giveBack({ counter, key: "k", cost: 1, member: "c" }, fresh);
    expect([await see("d"), await see("e")]).toMatchObject([{ remaining: 1 }, { remaining: 0 }]);
  });

  test("what a request cost beyond what it took is added, though nothing is left, and only in its window", async () => {
    const redis = await startRedis();
    const time = new ManualTime(1_800_000_000_000);
    const { store } = await readyStore(redis.port, { clock: time, open: timedLinks(time) });
    const counter = hourly("spend", 10);
    const request = { counter, key: "k", cost: 4 };
    const [answer] = await ask(store, request);
    if (answer?.kind !== "admitted") throw new Error("over");
    store.correct(request, answer, 20);
    expect(await one(store, counter)).toBe("over");
    store.correct(request, answer, -22);
    expect(await admittedOf(store, 20, counter)).toBe(8);
    time.pass(3_600_000);
    store.correct(request, answer, 9);
    expect(await admittedOf(store, 20, counter)).toBe(10);
  });

  test("a request costs what it says, and one that is too dear does not stand in the way of cheaper ones", async () => {
    const redis = await startRedis();
    const { store } = await readyStore(redis.port);
    const counter = rate("cost", 10, SLOW);
    expect(await one(store, counter, "k", 7)).toBe("admitted");
    expect(await one(store, counter, "k", 4)).toBe("over");
    expect(await one(store, counter, "k", 3)).toBe("admitted");
    expect(await one(store, counter, "k", 1)).toBe("over");
  });

  test("where one of a request's limits is over, none is counted", async () => {
    const redis = await startRedis();
    const { store } = await readyStore(redis.port);
    const [wide, narrow, day] = [rate("wide", 10, SLOW), rate("narrow", 2, SLOW), hourly("day", 10)];
    const all = [wide, narrow, day].map((counter) => ({ counter, key: "k", cost: 1 }));
    const kinds = async () => (await ask(store, ...all)).map(({ kind }) => kind);
    expect(await kinds()).toEqual(["admitted", "admitted", "admitted"]);
    expect(await kinds()).toEqual(["admitted", "admitted", "admitted"]);
    for (let at = 0; at < 5; at++) expect(await kinds()).toEqual(["spared", "over", "spared"]);
    expect(await admittedOf(store, 20, wide)).toBe(8);
    expect(await admittedOf(store, 20, day)).toBe(8);
  });

  test("what is given back is there again, for a key that was over too", async () => {
    const redis = await startRedis();
    const { store } = await readyStore(redis.port);
    for (const counter of [rate("given", 2, SLOW), hourly("given-quota", 2)]) {
      const request = { counter, key: "k", cost: 1 };
      const [first] = await ask(store, request);
      await ask(store, request);
      expect(await one(store, counter)).toBe("over");
      if (first?.kind === "admitted") store.giveBack(request, first);
      expect(await one(store, counter)).toBe("admitted");
      expect(await one(store, counter)).toBe("over");
    }
  });

  test("a request that is held open for long gives back no more than is still missing", async () => {
    const redis = await startRedis();
    const time = new ManualTime(1_800_000_000_000);
    const { store } = await readyStore(redis.port, { clock: time, open: timedLinks(time) });
    const counter = rate("held", 10, 10);
    const request = { counter, key: "k", cost: 1 };
    const held = await Promise.all(Array.from({ length: 10 }, async () => (await ask(store, request))[0]));
    expect(held.map((answer) => answer?.kind)).toEqual(Array(10).fill("admitted"));
    // Time has given all of it back, and others have used it since.
    time.pass(10_000);
    expect(await admittedOf(store, 20, counter)).toBe(10);
    for (const answer of held) if (answer?.kind === "admitted") store.giveBack(request, answer);
    expect(await admittedOf(store, 20, counter)).toBe(0);
  });

  test("a key that is over is not asked of the store until it is not", async () => {
    const redis = await startRedis();
    const time = new ManualTime(1_800_000_000_000);
    const { store } = await readyStore(redis.port, { clock: time, open: timedLinks(time) });
    const counter = rate("over", 10, 10, 1);
    expect(await admittedOf(store, 3, counter)).toBe(1);
    const { asked } = store.counts;
    expect(await admittedOf(store, 100, counter)).toBe(0);
    expect(store.counts.asked).toBe(asked);
    time.pass(1_000);
    expect(await admittedOf(store, 3, counter)).toBe(1);
  });

  test("a counter that somebody resets in the store counts anew within seconds", async () => {
    const redis = await startRedis();
    const time = new ManualTime(1_800_000_000_000);
    const { store } = await readyStore(redis.port, { clock: time, open: timedLinks(time) });
    const counter = hourly("reset", 1);
    expect(await admittedOf(store, 3, counter)).toBe(1);
    await redis.command("FLUSHALL");
    time.pass(5_000);
    expect(await one(store, counter)).toBe("admitted");
  });

  test("the store's clock counts, however wrong that of the process is", async () => {
    const redis = await startRedis();
    const [storeTime, ownTime] = [new ManualTime(1_800_000_000_000), new ManualTime(1_500_000_000_000)];
    const { store } = await readyStore(redis.port, { clock: ownTime, open: timedLinks(storeTime) });
    const counter = hourly("clock", 2);
    expect(await admittedOf(store, 4, counter)).toBe(2);
    storeTime.pass(7_200_000);
    ownTime.pass(5_000);
    expect(await admittedOf(store, 4, counter)).toBe(2);
  });

  test("a limit that a reload changes keeps what was counted, and waits no longer than its own burst", async () => {
    const redis = await startRedis();
    const { store } = await readyStore(redis.port);
    expect(await admittedOf(store, 20, rate("changed", 10, SLOW))).toBe(10);
    expect(await admittedOf(store, 20, rate("changed", 20, SLOW))).toBeLessThanOrEqual(20);
    const [over] = await ask(store, { counter: rate("changed", 100_000, 1, 1), key: "k", cost: 1 });
    if (over?.kind === "over") expect(over.waitMs).toBeLessThanOrEqual(1);
  });

  test("no key stands in the store as a client sent it, and all of them end", async () => {
    const redis = await startRedis();
    const { store } = await readyStore(redis.port);
    await one(store, rate("secret", 5, 60), "Bearer very-secret");
    const keys = await redis.command("KEYS", "*");
    expect(keys).toMatch(/postern:\{[\w-]{22}\}:secret/);
    expect(keys).not.toContain("very");
    const [key = ""] = /postern:\S+:secret/.exec(keys) ?? [];
    expect(Number((await redis.command("PTTL", key)).slice(1))).toBeGreaterThan(0);
  });

  test("requests of one turn go in one call, and each has its own answer", async () => {
    const redis = await startRedis();
    const { store } = await readyStore(redis.port);
    const counter = rate("turn", 40, SLOW);
    const before = store.status().tries.ok;
    const answers = await Promise.all(Array.from({ length: 100 }, () => one(store, counter)));
    expect(answers.filter((kind) => kind === "admitted")).toHaveLength(40);
    expect(store.status().tries.ok).toBe(before + 1);
  });
});

describe("leases", () => {
  test("most requests of a hot key ask nobody, and no more are let in than the limit says", async () => {
    const redis = await startRedis();
    const [a, b] = [await readyStore(redis.port), await readyStore(redis.port)];
    const counter = rate("hot", 1_000, SLOW, 1_000, 100);
    let admitted = 0;
    for (let at = 0; at < 1_500; at++) {
      for (const { store } of [a, b]) if ((await one(store, counter)) === "admitted") admitted++;
    }
    // What one took at the end and did not spend yet comes back within a second, and is then for both.
    expect(admitted).toBeLessThanOrEqual(1_000);
    expect(admitted).toBeGreaterThan(900);
    expect(a.store.counts.leased + b.store.counts.leased).toBeGreaterThan(800);
    expect(a.store.counts.asked + b.store.counts.asked).toBeLessThan(150);
  });

  test("what is left of a lease goes back when its time is over", async () => {
    const redis = await startRedis();
    const { store } = await readyStore(redis.port);
    const { store: other } = await readyStore(redis.port);
    const counter = hourly("left", 100, 50);
    expect(await admittedOf(store, 4, counter)).toBe(4);
    await eventually(async () => (await one(other, { ...counter, lease: 0 }, "k", 96)) === "admitted");
  });

  test("a request that another limit refuses gives back what it spent of a lease", async () => {
    const redis = await startRedis();
    const { store } = await readyStore(redis.port);
    const [leased, narrow] = [hourly("leased", 100, 10), rate("narrow", 3, SLOW)];
    const both = [leased, narrow].map((counter) => ({ counter, key: "k", cost: 1 }));
    let admitted = 0;
    for (let at = 0; at < 50; at++) {
      if ((await ask(store, ...both)).every(({ kind }) => kind === "admitted")) admitted++;
    }
    expect(admitted).toBe(3);
    store.close();
    const { store: other } = await readyStore(redis.port);
    await eventually(async () => (await one(other, { ...leased, lease: 0 }, "k", 97)) === "admitted");
    expect(await one(other, { ...leased, lease: 0 })).toBe("over");
  });

  test("requests that come while a lease is taken wait for it, and take no other", async () => {
    const redis = await startRedis();
    const { store } = await readyStore(redis.port);
    const counter = rate("at-once", 500, SLOW, 500, 50);
    let admitted = 0;
    for (let round = 0; round < 20; round++) {
      const answers = await Promise.all(Array.from({ length: 40 }, () => one(store, counter)));
      admitted += answers.filter((kind) => kind === "admitted").length;
    }
    expect(admitted).toBeLessThanOrEqual(500);
    expect(admitted).toBeGreaterThan(440);
  });
});
