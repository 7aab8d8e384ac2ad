import { describe, expect, test } from "vitest";
import { LIMIT_DEFAULTS } from "../../src/support/limit-defaults.ts";
import { eventually } from "../fixtures/eventually.ts";
import { startRedis } from "../fixtures/redis.ts";
import { startSlowLink } from "../fixtures/slow-link.ts";
import { admittedOf, isReady, one, rate, readyStore, startStore } from "./redis-kit.ts";

const counter = rate("outage", 1_000_000, 3600);

describe("a store that goes away", () => {
  test("killed: nobody waits, and it is found again when it is back", async () => {
    const redis = await startRedis();
    const { store, states } = await readyStore(redis.port);
    expect(await one(store, counter)).toBe("admitted");
    await redis.kill();
    await eventually(() => !store.isUsable);
    // At once, and not by a promise: no request waits for what is known to be gone.
    expect(store.ask([{ counter, key: "k", cost: 1 }])).toEqual([{ kind: "unavailable" }]);
    expect(store.status()).toMatchObject({ state: "failing", detail: "not connected" });
    expect(store.status().fault?.text).toBeTruthy();
    await redis.start();
    await eventually(async () => (await one(store, counter)) === "admitted");
    expect(states.at(-1)).toBe("ready");
  });

  test("paused: five calls wait for their time, then nobody does until it goes on", async () => {
    const redis = await startRedis();
    const { store } = await readyStore(redis.port, { timeoutMs: 200 });
    redis.signal("SIGSTOP");
    const before = store.status().tries.failed;
    await eventually(async () => {
      await one(store, counter);
      return !store.isUsable;
    });
    expect(store.status().tries.failed - before).toBe(LIMIT_DEFAULTS.storeBreakerFailures);
    expect(store.ask([{ counter, key: "k", cost: 1 }])).toEqual([{ kind: "unavailable" }]);
    expect(store.status().fault?.text).toBe("no answer within 200 ms");
    redis.signal("SIGCONT");
    await eventually(async () => (await one(store, counter)) === "admitted");
  });

  test("slow: later than a request may wait is not there, and in time it is", async () => {
    const redis = await startRedis();
    const link = await startSlowLink(redis.port);
    const { store } = await readyStore(link.port, { timeoutMs: 100 });
    expect(await one(store, counter)).toBe("admitted");
    link.delayMs = 400;
    await eventually(async () => {
      await one(store, counter);
      return !store.isUsable;
    });
    link.delayMs = 0;
    await eventually(async () => (await one(store, counter)) === "admitted");
  });

  test("full: it says so, and counts again when there is room", async () => {
    const redis = await startRedis(["--maxmemory", "1500kb", "--maxmemory-policy", "noeviction"]);
    const { store } = await readyStore(redis.port);
    await redis.command("CONFIG", "SET", "maxmemory", "1");
    await eventually(async () => {
      await one(store, counter);
      return !store.isUsable;
    });
    expect(store.status().fault?.text).toMatch(/^OOM/);
    await redis.command("CONFIG", "SET", "maxmemory", "0");
    await eventually(async () => (await one(store, counter)) === "admitted");
  });

  test("its scripts flushed: the next call brings it along, and nothing is counted twice", async () => {
    const redis = await startRedis();
    const { store } = await readyStore(redis.port);
    const few = rate("flushed", 3, 3600);
    expect(await one(store, few)).toBe("admitted");
    await redis.command("SCRIPT", "FLUSH");
    expect(await admittedOf(store, 5, few)).toBe(2);
    expect(store.status().tries.failed).toBe(0);
  });

  test("with another password: it says so, without the password, and does not count", async () => {
    const redis = await startRedis(["--requirepass", "right-password"]);
    const { store } = startStore(redis.port, { address: { password: "wrong-password" } });
    // On a busy machine the first try may just have been too late.
    await eventually(() => /^WRONGPASS/.test(store.status().fault?.text ?? ""));
    expect(store.status().state).toBe("failing");
    expect(JSON.stringify(store.status())).not.toContain("wrong-password");
    expect(await one(store, counter)).toBe("unavailable");
    const { store: other } = await readyStore(redis.port, { address: { password: "right-password" } });
    expect(await one(other, counter)).toBe("admitted");
  });

  test("that was never there: requests wait for the first connection and no longer", async () => {
    const redis = await startRedis();
    await redis.kill();
    const { store } = startStore(redis.port);
    expect(await one(store, counter)).toBe("unavailable");
    await redis.start();
    await isReady(store);
    expect(await one(store, counter)).toBe("admitted");
  });

  test("and comes back finds one connection and few calls, however many requests there were meanwhile", async () => {
    const redis = await startRedis();
    const { store } = await readyStore(redis.port);
    await redis.kill();
    await eventually(() => !store.isUsable);
    await Promise.all(Array.from({ length: 2_000 }, () => one(store, counter)));
    await redis.start();
    await isReady(store);
    const stats = await redis.command("INFO", "stats");
    // Its own warming up and one try, besides what this test asked for.
    expect(Number(/total_commands_processed:(\d+)/.exec(stats)?.[1])).toBeLessThan(60);
    expect(Number(/total_connections_received:(\d+)/.exec(stats)?.[1])).toBeLessThan(5);
  });
});

describe("tried once", () => {
  test("it says what there is, or what is wrong", async () => {
    const redis = await startRedis();
    const { store } = await readyStore(redis.port);
    expect(await store.tryOnce()).toMatchObject({ ok: true, value: expect.stringContaining("a counter counts") });
    await redis.kill();
    const { store: gone } = startStore(redis.port);
    const tried = await gone.tryOnce();
    expect(tried).toMatchObject({ ok: false, error: expect.stringContaining("ECONNREFUSED") });
  });
});
