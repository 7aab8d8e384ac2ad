import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient } from "@redis/client";
import { RateLimiterRedis } from "rate-limiter-flexible";
import { stateFiles } from "../src/daemon/state-files.ts";
import type { StoreCounter } from "../src/limits/redis/ask.ts";
import { openLink } from "../src/limits/redis/open-link.ts";
import { LimitStore } from "../src/limits/redis/store.ts";
import { unlimitedMemory } from "../src/memory/budget.ts";
import { systemClock } from "../src/support/clock.ts";
import { err } from "../src/support/result.ts";
import { systemTimers } from "../src/support/timers.ts";

/**
 * Limits in Redis beside rate-limiter-flexible: the same client library, one redis-server that this starts, one process, in
 * turns. First who is let in, then how long one request waits when no other does, and how many a second there are with 64 at a
 * time. `--json` prints the figures alone.
 */
const KEYS = 100;
const AT_ONCE = 64;
const ROUNDS = 5;
const RATE_REQUESTS = 40_000;
const WAIT_REQUESTS = 3_000;

interface Contestant {
  readonly name: string;
  /** True where the request is let in. */
  ask(key: string): Promise<boolean>;
}

interface Figures {
  readonly waitsUs: number[];
  readonly rates: number[];
  readonly cpuUs: number[];
}

const asJson = process.argv.includes("--json");

const port = await new Promise<number>((resolve) => {
  const server = createServer();
  server.listen(0, "127.0.0.1", () => {
    const address = server.address();
    server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
  });
});
const folder = mkdtempSync(join(tmpdir(), "postern-bench-"));
const redis = spawn("redis-server", ["--port", String(port), "--bind", "127.0.0.1", "--save", "", "--dir", folder]);
await new Promise<void>((resolve, reject) => {
  redis.on("error", reject);
  redis.stdout.on("data", (chunk: Buffer) => {
    if (chunk.includes("Ready to accept")) resolve();
  });
});

const store = new LimitStore(
  {
    name: "bench",
    prefix: "postern",
    timeoutMs: 5_000,
    open: openLink,
    address: {
      hosts: [{ host: "127.0.0.1", port }],
      kind: "single",
      master: "",
      database: 0,
      username: null,
      password: null,
      sentinelUsername: null,
      sentinelPassword: null,
      tls: null,
    },
  },
  {
    clock: systemClock,
    timers: systemTimers,
    random: Math.random,
    residentBytes: () => 0,
    memory: unlimitedMemory(),
    openCaller: () => ({ call: () => Promise.resolve(err({ kind: "closed", text: "none" })), close: () => {} }),
    folder: null,
    openFiles: (folder) => stateFiles(folder, null),
    readFile: () => err("none"),
    changed: () => {},
    note: () => {},
    recompile: () => {},
  },
);
store.start();
const client = createClient({ socket: { host: "127.0.0.1", port } });
await client.connect();

function postern(name: string, lease: number, burst: number): Contestant {
  const terms = { kind: "rate", intervalUs: 1_000, toleranceUs: 1_000 * burst } as const;
  const counter: StoreCounter = { id: `bench-${lease}-${burst}`, terms, lease };
  return {
    name,
    ask: async (key) => {
      const answered = store.ask([{ counter, key, cost: 1 }]);
      const [answer] = answered instanceof Promise ? await answered : answered;
      if (answer === undefined || answer.kind === "unavailable") throw new Error("the store did not answer");
      return answer.kind === "admitted";
    },
  };
}

function flexible(name: string, points: number): Contestant {
  const limiter = new RateLimiterRedis({
    storeClient: client,
    useRedisPackage: true,
    keyPrefix: `flexible-${points}`,
    points,
    duration: 3_600,
  });
  return {
    name,
    ask: async (key) => {
      try {
        await limiter.consume(key);
        return true;
      } catch (error) {
        if (error instanceof Error) throw error;
        return false;
      }
    },
  };
}

/** Whoever lets in more or fewer than it was told is fast for nothing. */
async function expectFew({ name, ask }: Contestant): Promise<void> {
  let admitted = 0;
  for (let at = 0; at < 30; at++) if (await ask("few")) admitted++;
  // A thousandth of a second gives one back.
  if (admitted < 5 || admitted > 30) throw new Error(`${name} let in ${admitted} of 30`);
}

async function measure({ ask }: Contestant, figures: Figures): Promise<void> {
  for (let at = 0; at < WAIT_REQUESTS; at++) {
    const startMs = performance.now();
    await ask(`key ${at % KEYS}`);
    figures.waitsUs.push((performance.now() - startMs) * 1_000);
  }
  let left = RATE_REQUESTS;
  const cpu = process.cpuUsage();
  const startMs = performance.now();
  const askAll = async (): Promise<void> => {
    while (left-- > 0) await ask(`key ${left % KEYS}`);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, askAll));
  const { user, system } = process.cpuUsage(cpu);
  figures.rates.push((RATE_REQUESTS / (performance.now() - startMs)) * 1_000);
  figures.cpuUs.push((user + system) / RATE_REQUESTS);
}

const quantile = (values: readonly number[], share: number): number =>
  values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) * share)] ?? 0;

await expectFew(postern("postern", 0, 5));
await expectFew(flexible("rate-limiter-flexible", 5));
const contestants = [
  postern("postern", 0, 1_000_000),
  postern("postern, lease: 100", 100, 1_000_000),
  flexible("rate-limiter-flexible", 1_000_000_000),
];
const all = contestants.map((): Figures => ({ waitsUs: [], rates: [], cpuUs: [] }));
for (let round = 0; round < ROUNDS; round++) {
  for (const at of contestants.keys()) {
    const turn = (at + round) % contestants.length;
    await measure(contestants[turn] as Contestant, all[turn] as Figures);
  }
}
const rows = contestants.map(({ name }, at) => {
  const { waitsUs, rates, cpuUs } = all[at] as Figures;
  return {
    contestant: name,
    p50Us: Math.round(quantile(waitsUs, 0.5)),
    p99Us: Math.round(quantile(waitsUs, 0.99)),
    perSecond: Math.round(quantile(rates, 0.5)),
    cpuUs: Math.round(quantile(cpuUs, 0.5) * 10) / 10,
  };
});
const base = rows.at(-1)?.perSecond ?? 1;
if (asJson) console.log(JSON.stringify(rows));
else {
  console.log(`limits in Redis, ${KEYS} keys, medians of ${ROUNDS} rounds`);
  for (const { contestant, p50Us, p99Us, perSecond, cpuUs } of rows) {
    const share = (perSecond / base).toFixed(1);
    console.log(
      `  ${contestant.padEnd(22)} p50 ${p50Us} us  p99 ${p99Us} us  ${perSecond}/s (${share} x)  ${cpuUs} us of this process's CPU each`,
    );
  }
}
store.close();
client.destroy();
redis.kill("SIGKILL");
rmSync(folder, { recursive: true, force: true });
