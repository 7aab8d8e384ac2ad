import { describe, expect, test } from "vitest";
import type { BanRule } from "../../src/limits/bans/ban.ts";
import type { BanTable } from "../../src/limits/bans/ban-table.ts";
import { parseAddress, UNIX_PEER } from "../../src/message/address.ts";
import { DEFAULTS } from "../../src/support/defaults.ts";
import { ManualTime } from "../fixtures/manual-time.ts";
import { MemoryFiles } from "../fixtures/outside.ts";
import { type BanRun, find, key, NOW_MS, runBook } from "./ban-kit.ts";

const MINUTE = 60_000;
const DAY = 86_400_000;
const RULE: BanRule = { name: "scans", times: 3, windowMs: MINUTE, forMs: 5 * MINUTE, growing: true };

function fail(table: BanTable, text: string, times = 1, rule = RULE) {
  let ban = null;
  for (let at = 0; at < times; at++) ban = table.failed(rule, key(text), () => `address ${text}`) ?? ban;
  return ban;
}

/** What was begun is done, as writing a file in memory. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

/** As simply as it can be said: what is free comes back evenly, one more is the ban, and it doubles. */
class NaiveBans {
  readonly #rule: BanRule;
  readonly #keys = new Map<string, { usedMs: number; atMs: number; untilMs: number; count: number }>();

  constructor(rule: BanRule) {
    this.#rule = rule;
  }

  untilMs(text: string, nowMs: number): number {
    const untilMs = this.#keys.get(text)?.untilMs ?? 0;
    return nowMs < untilMs ? untilMs : 0;
  }

  failed(text: string, nowMs: number): void {
    const { times, windowMs, forMs, growing } = this.#rule;
    const known = this.#keys.get(text) ?? { usedMs: 0, atMs: nowMs, untilMs: 0, count: 0 };
    this.#keys.set(text, known);
    if (nowMs < known.untilMs) return;
    known.usedMs = Math.max(0, known.usedMs - (nowMs - known.atMs));
    known.atMs = nowMs;
    if (known.usedMs + windowMs / times <= windowMs) {
      known.usedMs += windowMs / times;
      return;
    }
    known.count = known.count > 0 && nowMs - known.untilMs < DAY ? known.count + 1 : 1;
    known.untilMs = nowMs + Math.min(DAY, growing ? forMs * 2 ** (known.count - 1) : forMs);
  }

  lift(text: string): void {
    this.#keys.delete(text);
  }

  /** Denials that led to no ban yet are of the process alone. */
  restarted(): void {
    for (const known of this.#keys.values()) known.usedMs = 0;
  }
}

function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

describe("a naive model agrees at each of some thousand steps: denials, the time, lifting, reloads, restarts", () => {
  test.each([1, 2, 3, 4, 5, 6])("seed %i", async (seed) => {
    const random = seeded(seed);
    const growing = seed % 2 === 0;
    // Intervals of whole milliseconds, so that the model's sums are exact.
    const rule = { ...RULE, growing, times: 1 + Math.floor(random() * 6), windowMs: 60 * MINUTE, forMs: 7 * MINUTE };
    const naive = new NaiveBans(rule);
    const files = new MemoryFiles();
    let run: BanRun = runBook(new ManualTime(NOW_MS), files);
    await run.book.loading;
    let table = run.book.share("scans", "address");
    const texts = Array.from({ length: 12 }, (_, at) => `k${at}`);
    for (let step = 0; step < 3_000; step++) {
      const text = texts[Math.floor(random() * texts.length)] ?? "";
      const dice = random();
      const nowMs = run.time.wallMs();
      if (dice < 0.8) {
        naive.failed(text, nowMs);
        fail(table, text, 1, rule);
      } else if (dice < 0.97) run.time.pass(Math.floor(random() ** 4 * 6 * 60 * MINUTE));
      else if (dice < 0.98) {
        if (naive.untilMs(text, nowMs) > 0) {
          naive.lift(text);
          expect(table.lift(find(table, text)?.id ?? "")).toBe(true);
        }
      } else if (dice < 0.99) table = run.book.share("scans", "address");
      else {
        await run.stop();
        run = runBook(run.time, files);
        await run.book.loading;
        table = run.book.share("scans", "address");
        naive.restarted();
      }
      const atMs = run.time.wallMs();
      const differ = texts.filter((one) => (find(table, one)?.untilMs ?? 0) !== naive.untilMs(one, atMs));
      if (differ.length > 0) expect(differ, `step ${step}`).toEqual([]);
    }
    expect(run.warned).toEqual([]);
  });
});

describe("whoever has a million addresses", () => {
  const FLOOD = 1_000_000;

  test("frees no banned one, however long the bans of the others are, and memory stays", () => {
    const { book, time } = runBook(undefined, null);
    const table = book.share("scans", "address");
    const rule = { ...RULE, times: 2, forMs: 10 * MINUTE };
    fail(table, "banned", 3, rule);
    fail(book.share("floods", "caller"), "other", 3, rule);
    fail(table, "nearly banned", 2, rule);
    const long = { ...rule, forMs: DAY };
    for (let at = 0; at < FLOOD; at++) fail(table, `flood ${at}`, at < 20_000 ? 3 : 1, long);
    expect(find(table, "banned")).toMatchObject({ key: "address banned", count: 1 });
    expect(find(book.share("floods", "caller"), "other")).not.toBeNull();
    expect(table.size).toBe(DEFAULTS.bansMax - 1); // and the other entry's
    expect(table.bytes).toBeLessThan(DEFAULTS.bansMax * DEFAULTS.memoryBanBytes + 3 * 2 ** 20);
    // What is beyond the list is banned as well, and another entry of the policy has room of its own.
    expect(find(table, "flood 19999")).not.toBeNull();
    expect(table.unlisted).toBeGreaterThan(0);
    fail(book.share("floods", "caller"), "newcomer", 3, rule);
    expect([...book.share("floods", "caller").list()].map(({ key: label }) => label)).toContain("address newcomer");
    // A key that has used up what is free stays used up.
    expect(fail(table, "nearly banned", 1, rule)).not.toBeNull();
    time.pass(10 * MINUTE);
    expect(find(table, "banned")).toBeNull();
  });

  test("has the list to itself no longer than its bans last", () => {
    const { book, time } = runBook(undefined, null);
    const table = book.share("scans", "address");
    const rule = { ...RULE, times: 1, forMs: MINUTE, growing: false };
    for (let at = 0; at < DEFAULTS.bansMax + 10; at++) fail(table, `flood ${at}`, 2, rule);
    expect(table.unlisted).toBe(10);
    time.pass(MINUTE);
    fail(table, "later", 2, rule);
    expect([...table.list()].map(({ key: label }) => label)).toEqual(["address later"]);
    expect(table.unlisted).toBe(10);
  });
});

describe("with a state folder", () => {
  const ADDRESS = parseAddress("192.0.2.7") ?? UNIX_PEER;

  test("a crash keeps what is older than a moment, and the callers that were good", async () => {
    const files = new MemoryFiles();
    const time = new ManualTime(NOW_MS);
    const first = runBook(time, files);
    await first.book.loading;
    fail(first.book.share("scans", "address"), "a", 4);
    first.book.good.add(ADDRESS, "partners/acme", NOW_MS);
    time.pass(DEFAULTS.banWriteMs);
    await settled();
    time.pass(DEFAULTS.banGoodWriteMs);
    const kept = Buffer.concat([...files.contents.values()]).toString("latin1");
    expect(kept).not.toContain("acme");
    const second = runBook(time, files);
    await second.book.loading;
    expect(find(second.book.share("scans", "address"), "a")).toMatchObject({ key: "address a", count: 1 });
    expect(second.book.good.has(ADDRESS, "partners/acme", time.wallMs())).toBe(true);
    expect(second.book.good.has(ADDRESS, "partners/umbrella", time.wallMs())).toBe(false);
    expect(second.warned).toEqual([]);
  });

  test("a file that somebody damaged is set aside, and who is banned then is kept", async () => {
    const files = new MemoryFiles();
    const first = runBook(undefined, files);
    await first.book.loading;
    fail(first.book.share("scans", "address"), "a", 4);
    await first.stop();
    const [name = "", content = Buffer.alloc(0)] = [...files.contents].find(([file]) => file.startsWith("bans-")) ?? [];
    content[content.length - 3] = 0x21;
    const second = runBook(first.time, files);
    await second.book.loading;
    expect(files.aside).toEqual([name]);
    expect(second.warned).toEqual([`${name}: the content is damaged; it is set aside, and begun anew`]);
    fail(second.book.share("scans", "address"), "b", 4);
    await second.stop();
    const third = runBook(first.time, files);
    await third.book.loading;
    expect([...third.book.list()].map(({ key: label }) => label)).toEqual(["address b"]);
  });

  test("a ban of another name or key is none of this one", async () => {
    const files = new MemoryFiles();
    const first = runBook(undefined, files);
    await first.book.loading;
    fail(first.book.share("scans", "another key"), "a", 4);
    await first.stop();
    const second = runBook(first.time, files);
    await second.book.loading;
    expect([...second.book.list()]).toEqual([]);
  });

  test("a clock that was set back by years makes no ban longer than a day", async () => {
    const files = new MemoryFiles();
    const first = runBook(undefined, files);
    await first.book.loading;
    fail(first.book.share("scans", "address"), "a", 4);
    await first.stop();
    const second = runBook(new ManualTime(NOW_MS - 1_000 * DAY), files);
    await second.book.loading;
    expect(find(second.book.share("scans", "address"), "a")?.untilMs).toBe(NOW_MS - 999 * DAY);
  });

  test("requests wait for a disk that does not answer for a while, and no longer", async () => {
    const files = new MemoryFiles();
    files.read = () => new Promise(() => {});
    const { book, time } = runBook(undefined, files);
    const { loading } = book;
    expect(book.status().state).toBe("starting");
    time.pass(DEFAULTS.banLoadMs);
    await loading;
    expect(book.loading).toBeNull();
    fail(book.share("scans", "address"), "a", 4);
    time.pass(MINUTE);
    // What was never read is not written over.
    expect(files.contents.size).toBe(0);
  });
});

describe("at the admin port", () => {
  const shown = async ({ book }: BanRun, query: string) => book.room.show(new URLSearchParams(query));
  const lifted = async ({ book }: BanRun, settings: object) => book.room.acts["lift"]?.({ ...settings });

  test("bans are listed, those that end last first, and found by key", async () => {
    const run = runBook();
    await run.book.loading;
    const table = run.book.share("scans", "address");
    fail(table, "a", 4);
    run.time.pass(1_000);
    fail(table, "b", 4);
    const all = await shown(run, "ban=scans");
    expect(all).toMatchObject({
      ok: true,
      value: { bans: [{ ban: "scans", by: "address", keys: 2, banned: [{ key: "address b" }, { key: "address a" }] }] },
    });
    expect(await shown(run, "key=a")).toMatchObject({
      value: {
        bans: [
          { ban: "floods", keys: 0 },
          { ban: "scans", banned: [{ key: "address a", secondsLeft: 299 }] },
        ],
      },
    });
    expect(await shown(run, "ban=scan")).toEqual({
      ok: false,
      error: { status: 404, text: "the policy has no ban 'scan'; did you mean 'scans'?" },
    });
  });

  test("a ban is lifted by key, id or network, with the denials before it; and nothing by chance", async () => {
    const run = runBook();
    await run.book.loading;
    const table = run.book.share("scans", "address");
    fail(table, "a", 4);
    expect(await lifted(run, { ban: "scans" })).toMatchObject({ ok: false, error: { status: 400 } });
    expect(await lifted(run, { ban: "scans", key: "c" })).toMatchObject({ ok: false, error: { status: 404 } });
    expect(await lifted(run, { ban: "scans", key: find(table, "a")?.id })).toMatchObject({ value: { lifted: 1 } });
    expect(fail(table, "a", 3)).toBeNull();
    expect(fail(table, "a")).toMatchObject({ count: 1 });
    table.failed({ ...RULE, times: 1 }, key("v6"), () => "2001:db8::/64");
    table.failed({ ...RULE, times: 1 }, key("v6"), () => "2001:db8::/64");
    expect(await lifted(run, { ban: "scans", key: "2001:db8::77" })).toMatchObject({ value: { lifted: 1 } });
    fail(run.book.share("floods", "caller"), "x", 4);
    expect(await lifted(run, { all: true })).toMatchObject({ value: { lifted: 2, ban: null, key: null } });
    expect([...run.book.list()]).toEqual([]);
  });

  test("one answer lists no more than it may", async () => {
    const run = runBook(undefined, null);
    const table = run.book.share("scans", "address");
    for (let at = 0; at < DEFAULTS.banListMax + 5; at++) fail(table, `k${at}`, 4);
    const answer = await shown(run, "");
    const { bans } = (answer.ok ? answer.value : {}) as { bans: { keys: number; banned: unknown[] }[] };
    expect([bans[1]?.keys, bans[1]?.banned.length]).toEqual([DEFAULTS.banListMax + 5, DEFAULTS.banListMax]);
  });
});
