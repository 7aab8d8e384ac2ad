// Goal: the admin port shows the callers who use most, in bounded size and without holding the thread, and forgets what it was
// told to and nothing else.
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { QuotaBook } from "../../../src/limits/quota/book.ts";
import { keyId, type SharedCounts } from "../../../src/limits/quota/shared-counts.ts";
import { DEFAULTS } from "../../../src/support/defaults.ts";
import type { JsonObject } from "../../../src/support/json.ts";
import { DAILY, openBook, spend } from "./kit.ts";

let book: QuotaBook;
let daily: SharedCounts;
let weekly: SharedCounts;

beforeEach(() => {
  ({ book } = openBook(null));
  daily = book.share({ ...DAILY, by: '["principal"]' }, 10);
  weekly = book.share({ ...DAILY, name: "weekly", period: "week" }, 100);
});

afterEach(() => book.close());

const show = (query: string) => book.room.show(new URLSearchParams(query));
const reset = (settings: JsonObject) => book.room.acts["reset"]?.(settings);

describe("the list", () => {
  test("has each quota with its window, and its keys, the most used first", async () => {
    spend(daily, "alice", 4);
    spend(daily, "bob", 12);
    const { startMs, endMs } = daily.counts.window;
    expect(await show("limit=daily")).toEqual({
      ok: true,
      value: {
        quotas: [
          {
            limit: "daily",
            quota: 10,
            per: "day",
            by: "principal",
            from: new Date(startMs).toISOString(),
            until: new Date(endMs).toISOString(),
            keys: 2,
            counts: [
              { id: keyId(daily.keyOf("bob")), key: "principal bob", used: 10, remaining: 0 },
              { id: keyId(daily.keyOf("alice")), key: "principal alice", used: 4, remaining: 6 },
            ],
          },
        ],
      },
    });
  });

  test("is of one key where one is named, by label, value or id", async () => {
    spend(daily, "alice", 4);
    spend(daily, "bob", 1);
    for (const key of ["principal bob", "bob", keyId(daily.keyOf("bob"))]) {
      expect(await show(`limit=daily&key=${encodeURIComponent(key)}`)).toMatchObject({
        value: { quotas: [{ keys: 1, counts: [{ used: 1 }] }] },
      });
    }
  });

  test("is bounded, and has those who use most", async () => {
    for (let key = 0; key < 5_000; key++) spend(weekly, `user ${key}`, key % 100 === 7 ? 9 : 1);
    const shown = await show("");
    if (!shown.ok) throw new Error(shown.error.text);
    const quotas = shown.value["quotas"] as { keys: number; counts: { used: number }[] }[];
    expect(quotas.map(({ keys, counts }) => [keys, counts.length])).toEqual([
      [0, 0],
      [5_000, DEFAULTS.quotaListMax],
    ]);
    expect(quotas[1]?.counts.filter(({ used }) => used === 9)).toHaveLength(50);
    expect(quotas[1]?.counts[49]?.used).toBe(9);
  });
});

describe("a reset", () => {
  test("is of one key of one quota, and of no other", async () => {
    for (const key of ["alice", "bob"]) spend(daily, key, 10);
    spend(weekly, "alice", 10);
    expect(await reset({ limit: "daily", key: "alice" })).toMatchObject({ ok: true, value: { reset: 1 } });
    expect([spend(daily, "alice", 20), spend(daily, "bob", 1), spend(weekly, "alice", 100)]).toEqual([10, 0, 90]);
  });

  test("of all says so in a word, and may be of one quota, or of one key", async () => {
    for (const shared of [daily, weekly]) for (const key of ["alice", "bob"]) spend(shared, key, 5);
    expect(await reset({ limit: "daily", all: true })).toMatchObject({ value: { reset: 2 } });
    expect(await reset({ key: "alice", all: true })).toMatchObject({ value: { reset: 1 } });
    expect(await reset({ all: true })).toMatchObject({ value: { reset: 1 } });
  });

  test.each([
    [{}],
    [{ limit: "daily" }],
    [{ key: "alice" }],
    [{ all: false }],
    [{ all: "yes" }],
    [{ limit: ["daily"], key: "alice" }],
  ])("%j is refused, for a word that is missing stands for nothing", async (settings) => {
    spend(daily, "alice", 5);
    expect(await reset(settings)).toMatchObject({ ok: false, error: { status: 400 } });
    expect(daily.counts.size).toBe(1);
  });

  test("of what is not there says what there is", async () => {
    expect(await reset({ limit: "dayly", key: "x" })).toMatchObject({
      error: { status: 404, text: "no quota 'dayly' is counted; did you mean 'daily'?" },
    });
    expect(await reset({ limit: "daily", key: "x" })).toMatchObject({ error: { status: 404 } });
  });
});
