// Goal: what was counted is there again after a restart, and no file, however damaged, keeps requests from being counted.
// Method: real folders, the real thread with the real database, several books one after the other.
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, test } from "vitest";
import { keyId } from "../../../src/limits/quota/shared-counts.ts";
import { DEFAULTS } from "../../../src/support/defaults.ts";
import { eventually } from "../../fixtures/eventually.ts";
import { ManualTime } from "../../fixtures/manual-time.ts";
import { DAILY, openBook, spend, stateDirectory } from "./kit.ts";

/** Starts the book and waits until its quota can be counted. */
async function begin(directory: string | null, limit = 100) {
  const opened = openBook(directory);
  const shared = opened.book.share(DAILY, limit);
  opened.book.start();
  await shared.waiting;
  return { ...opened, shared };
}

async function end(book: { close(): void; readonly closed: Promise<void> }): Promise<void> {
  book.close();
  await book.closed;
}

describe("a restart", () => {
  test("goes on where the last one ended, for each key", async () => {
    const directory = stateDirectory();
    const first = await begin(directory);
    expect([spend(first.shared, "alice", 30), spend(first.shared, "bob", 120)]).toEqual([30, 100]);
    await end(first.book);
    const second = await begin(directory);
    expect([spend(second.shared, "alice", 100), spend(second.shared, "bob", 1)]).toEqual([70, 0]);
    await end(second.book);
  });

  test("keeps many keys, and labels", async () => {
    const directory = stateDirectory();
    const first = await begin(directory);
    for (let key = 0; key < 9_000; key++) spend(first.shared, `user ${key}`, (key % 3) + 1);
    await end(first.book);
    const second = await begin(directory);
    expect(second.shared.counts.size).toBe(9_000);
    for (let key = 0; key < 9_000; key += 7) {
      const count = second.shared.counts.find(second.shared.keyOf(`user ${key}`));
      expect(count).toMatchObject({ used: (key % 3) + 1, label: `principal user ${key}` });
    }
    await end(second.book);
  });

  test("in a later window begins anew, and the file forgets the earlier one", async () => {
    const directory = stateDirectory();
    const time = new ManualTime(Date.UTC(2026, 0, 1, 12));
    const first = openBook(directory, time);
    const shared = first.book.share(DAILY, 100);
    first.book.start();
    await shared.waiting;
    expect(spend(shared, "alice", 200, time.wallMs())).toBe(100);
    await end(first.book);
    time.pass(86_400_000);
    const second = openBook(directory, time);
    const again = second.book.share(DAILY, 100);
    second.book.start();
    await again.waiting;
    expect(spend(again, "alice", 1, time.wallMs())).toBe(1);
    await end(second.book);
    const database = new DatabaseSync(join(directory, "quotas.sqlite"));
    expect(database.prepare("SELECT used FROM counts").all()).toMatchObject([{ used: 1 }]);
    database.close();
  });

  test("with another amount keeps the counts; with another zone it is another quota", async () => {
    const directory = stateDirectory();
    const first = await begin(directory);
    spend(first.shared, "alice", 100);
    await end(first.book);
    const second = await begin(directory, 150);
    expect(spend(second.shared, "alice", 100)).toBe(50);
    const other = second.book.share({ ...DAILY, timeZone: "Europe/Berlin" }, 100);
    await other.waiting;
    expect(spend(other, "alice", 100)).toBe(100);
    await end(second.book);
  });

  test("a quota that a later policy brings back has its counts", async () => {
    const directory = stateDirectory();
    const first = await begin(directory);
    spend(first.shared, "alice", 90);
    await end(first.book);
    const second = openBook(directory);
    second.book.start();
    await eventually(() => second.book.status().state === "ready");
    const shared = second.book.share(DAILY, 100);
    await shared.waiting;
    expect(spend(shared, "alice", 100)).toBe(10);
    await end(second.book);
  });
});

describe("while it runs", () => {
  test("changes are in the file within the time that is promised, without an end", async () => {
    const directory = stateDirectory();
    const time = new ManualTime(Date.now());
    const { book } = openBook(directory, time);
    const shared = book.share(DAILY, 1_000);
    book.start();
    await shared.waiting;
    spend(shared, "alice", 42, time.wallMs());
    time.pass(DEFAULTS.quotaWriteMs);
    expect(DEFAULTS.quotaWriteMs).toBeLessThanOrEqual(500);
    await eventually(() => book.status().freshAtMs !== null);
    // Nobody told the thread to end: what it has was committed.
    const wal = readFileSync(join(directory, "quotas.sqlite-wal"));
    expect(wal.includes("principal alice")).toBe(true);
    await end(book);
  });

  test("no text of a key that may not be shown reaches the file, which is its owner's alone", async () => {
    const directory = stateDirectory();
    const { book, shared } = await begin(directory);
    shared.counts.take(shared.keyOf("pk_a_secret_key"), 1, 100, () => null);
    spend(shared, "alice", 1);
    await end(book);
    const files = readdirSync(directory);
    expect(files.sort()).toEqual(["quotas.sqlite", expect.stringMatching(/^quota-seed-.*\.state$/)].sort());
    for (const file of files) {
      expect(readFileSync(join(directory, file)).includes("secret")).toBe(false);
      expect(statSync(join(directory, file)).mode & 0o777).toBe(0o600);
    }
  });

  test("ids of two folders have nothing in common", async () => {
    const ids = await Promise.all(
      [stateDirectory(), stateDirectory()].map(async (directory) => {
        const { book, shared } = await begin(directory);
        await end(book);
        return keyId(shared.keyOf("alice"));
      }),
    );
    expect(ids[0]).not.toBe(ids[1]);
  });

  test("a second process leaves the file to the first, says so, and takes it over", async () => {
    const directory = stateDirectory();
    const first = await begin(directory);
    spend(first.shared, "alice", 60);
    const second = await begin(directory);
    expect(second.book.status()).toMatchObject({
      state: "stale",
      fault: { text: "quotas.sqlite: another process has the file" },
    });
    expect(spend(second.shared, "alice", 10)).toBe(10);
    await end(first.book);
    await eventually(() => second.book.status().state === "ready");
    expect(spend(second.shared, "alice", 100)).toBe(30);
    await end(second.book);
    const third = await begin(directory);
    expect(spend(third.shared, "alice", 1)).toBe(0);
    await end(third.book);
  });
});

describe("a file that is damaged", () => {
  const damages: Record<string, (file: string) => void> = {
    "is no database": (file) => writeFileSync(file, "postern ".repeat(10_000)),
    "has a page of noise": (file) => {
      const content = readFileSync(file);
      for (let at = 4096; at < content.length; at++) content[at] = (at * 31) & 0xff;
      writeFileSync(file, content);
    },
    "is cut off": (file) => writeFileSync(file, readFileSync(file).subarray(0, 5_000)),
    "has a later version": (file) => {
      const database = new DatabaseSync(file);
      database.exec("PRAGMA user_version = 99");
      database.close();
    },
    "is another program's": (file) => {
      const database = new DatabaseSync(file);
      database.exec("PRAGMA application_id = 1; PRAGMA user_version = 1");
      database.close();
    },
  };
  test.each(Object.keys(damages))("and %s is set aside, loudly, and begun anew", async (name) => {
    const directory = stateDirectory();
    const file = join(directory, "quotas.sqlite");
    const first = await begin(directory);
    for (let key = 0; key < 2_000; key++) spend(first.shared, `user ${key}`, 1);
    await end(first.book);
    damages[name]?.(file);
    const second = await begin(directory);
    expect(second.warnings).toEqual([expect.stringMatching(/^quotas\.sqlite: .*; it is set aside, and begun anew$/)]);
    expect(existsSync(`${file}.damaged`)).toBe(true);
    expect(second.book.status()).toMatchObject({ state: "ready", detail: expect.stringContaining("set aside") });
    expect(spend(second.shared, "alice", 40)).toBe(40);
    await end(second.book);
    const third = await begin(directory);
    expect([spend(third.shared, "alice", 100), third.warnings]).toEqual([60, []]);
    await end(third.book);
  });

  test("while it is used, gets everything that is in memory", async () => {
    const directory = stateDirectory();
    const file = join(directory, "quotas.sqlite");
    const many = { ...DAILY, keysMax: 100_000 };
    const { book } = openBook(directory);
    const shared = book.share(many, 100);
    book.start();
    await shared.waiting;
    spend(shared, "alice", 40);
    // More than the database keeps in memory, so that it has to read what has become of the file.
    const label = "x".repeat(150);
    for (let key = 0; key < 40_000; key++) shared.counts.take(key, 1, 100, () => label);
    await eventually(() => book.status().freshAtMs !== null && shared.counts.changes === 0);
    for (const name of [file, `${file}-wal`]) writeFileSync(name, Buffer.alloc(statSync(name).size, 0x5a));
    await eventually(() => {
      for (let key = 0; key < 40_000; key += 50) shared.counts.take(key, 1, 100, () => label);
      return existsSync(`${file}.damaged`) && book.status().state === "ready";
    });
    spend(shared, "bob", 1);
    await end(book);
    const second = openBook(directory);
    const again = second.book.share(many, 100);
    second.book.start();
    await again.waiting;
    expect([spend(again, "alice", 100), spend(again, "bob", 100), again.counts.size]).toEqual([60, 99, 40_002]);
    await end(second.book);
  });
});

describe("a folder that cannot be used", () => {
  test.each([
    ["others may write into it", (directory: string) => chmodSync(directory, 0o777)],
    ["the file is a link", (directory: string) => symlinkSync("/dev/null", join(directory, "quotas.sqlite"))],
    ["the file is a folder", (directory: string) => mkdirSync(join(directory, "quotas.sqlite"))],
    [
      "others may write the file",
      (directory: string) => {
        writeFileSync(join(directory, "quotas.sqlite"), "");
        chmodSync(join(directory, "quotas.sqlite"), 0o666);
      },
    ],
  ])("because %s: counts are in memory, and that is told", async (_name, spoil) => {
    const directory = stateDirectory();
    spoil(directory);
    const { book, shared, states } = await begin(directory);
    expect(book.status()).toMatchObject({ state: "stale", detail: expect.stringContaining("in memory alone") });
    expect(states).toEqual(["stale"]);
    expect(spend(shared, "alice", 200)).toBe(100);
    await end(book);
  });
});

test("without a folder counts live as long as the process", async () => {
  const { book, shared } = await begin(null);
  expect(spend(shared, "alice", 200)).toBe(100);
  expect(book.share(DAILY, 100)).toBe(shared);
  expect(book.status()).toMatchObject({
    state: "ready",
    detail: "1 count in memory alone, for the policy has no 'state'",
  });
  await end(book);
});

test("a policy that is only looked at touches nothing", () => {
  const directory = stateDirectory();
  const { book } = openBook(directory);
  expect(spend(book.share(DAILY, 100), "alice", 1)).toBe(1);
  expect(readdirSync(directory)).toEqual([]);
});
