import type { AdminAnswer, AdminRefusal, AdminRoom } from "../../resources/admin-room.ts";
import { isKey, type Wanted, wantedOfAct, wantedOfQuery } from "../../resources/admin-words.ts";
import type { Clock } from "../../support/clock.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import type { JsonObject } from "../../support/json.ts";
import { err, ok, type Result } from "../../support/result.ts";
import { nearestHint } from "../../support/schema.ts";
import { type Steps, Turns } from "../../support/turns.ts";
import { keyText } from "../key-text.ts";
import type { Count } from "./counts.ts";
import { keyId, type SharedCounts } from "./shared-counts.ts";

/** Where the quotas are. */
export interface Shares {
  shares(): Iterable<SharedCounts>;
}

/** Counts that are looked at between two turns of the event loop. */
const AT_A_TIME = 512;

/** Quotas at the admin port: `GET /quotas?limit=NAME&key=KEY`, `POST /quotas/reset` with `limit` and `key`, or `all`. */
export function quotaRoom(book: Shares, clock: Clock): AdminRoom {
  const run = async (steps: () => Steps<AdminAnswer>): Promise<AdminAnswer> => {
    // What is being read after a start is used, too.
    for (const { waiting } of [...book.shares()]) await waiting;
    return new Turns(clock, DEFAULTS.compileSliceMs).run(steps());
  };
  return {
    path: "/quotas",
    show: async (query) => {
      const wanted = wantedOfQuery(query, "limit");
      const stored = await lookInStores(book, wanted, false);
      return run(() => show(book, clock.wallMs(), wanted, stored));
    },
    asks: { reset: ["limit", "key"] },
    alsoTakes: { reset: ["all"] },
    acts: {
      reset: async (settings) => {
        const wanted = wantedOfAct(settings, "limit");
        if (!wanted.ok) return wanted;
        const stored = await lookInStores(book, wanted.value, true);
        const silent = [...stored].find(([, { used }]) => used === null);
        if (silent !== undefined) {
          return err({
            status: 404,
            text: `store '${silent[0].stored?.store}' does not answer; nothing was reset there`,
          });
        }
        return run(() => reset(book, clock.wallMs(), wanted.value, stored));
      },
    },
  };
}

/** A key in a store; `used` null where that does not say. */
interface StoredKey {
  readonly id: string;
  readonly used: number | null;
}

/** What stores have of the key that is wanted, by quota. Nobody can ask them for all keys. */
async function lookInStores(
  book: Shares,
  { name, key }: Wanted,
  isReset: boolean,
): Promise<ReadonlyMap<SharedCounts, StoredKey>> {
  const found = new Map<SharedCounts, StoredKey>();
  if (key === undefined) return found;
  for (const shared of [...book.shares()]) {
    const text = name === undefined || shared.name === name ? (shared.stored?.textOf(key) ?? null) : null;
    if (text === null) continue;
    const used = (await shared.stored?.look(text, isReset)) ?? null;
    found.set(shared, { id: keyId(shared.keyOf(text)), used });
  }
  return found;
}

function* show(
  book: Shares,
  nowMs: number,
  wanted: Wanted,
  stored: ReadonlyMap<SharedCounts, StoredKey>,
): Steps<AdminAnswer> {
  const shares = sharesOf(book, wanted);
  if (!shares.ok) return shares;
  const quotas: JsonObject[] = [];
  let room: number = DEFAULTS.quotaListMax;
  for (const shared of shares.value) {
    const { startMs, endMs } = shared.counts.turn(nowMs);
    const { many, most } = yield* mostUsed(shared, wanted, room);
    room -= most.length;
    const there = stored.get(shared);
    quotas.push({
      limit: shared.name,
      quota: wholeOf(shared) / shared.scale,
      per: shared.identity.period,
      by: keyText(shared.identity.by.replace(OF_BUDGETS, "")),
      from: new Date(startMs).toISOString(),
      until: new Date(endMs).toISOString(),
      ...(shared.stored === null ? {} : { store: shared.stored.store }),
      ...(typeof there?.used === "number"
        ? { keys: 1, counts: [countOf(shared, there.id, wanted.key ?? null, there.used)] }
        : { keys: many, counts: most.map(({ key, label, used }) => countOf(shared, keyId(key), label, used)) }),
    });
  }
  return ok({ quotas });
}

function wholeOf({ stored, limit }: SharedCounts): number {
  return stored?.limit ?? limit;
}

function countOf(shared: SharedCounts, id: string, key: string | null, used: number): JsonObject {
  const { scale } = shared;
  return { id, key, used: used / scale, remaining: Math.max(0, wholeOf(shared) - used) / scale };
}

/** How many there are, and those that have used most, at most `max`. */
function* mostUsed(shared: SharedCounts, wanted: Wanted, max: number): Steps<{ many: number; most: Count[] }> {
  let many = 0;
  let most: Count[] = [];
  const keepMost = (): void => {
    most = most.sort((a, b) => b.used - a.used).slice(0, max);
  };
  for (const count of matching(shared, wanted)) {
    many++;
    most.push(count);
    if (most.length >= 2 * max + AT_A_TIME) keepMost();
    if (many % AT_A_TIME === 0) yield;
  }
  keepMost();
  return { many, most };
}

function* reset(
  book: Shares,
  nowMs: number,
  wanted: Wanted,
  stored: ReadonlyMap<SharedCounts, StoredKey>,
): Steps<AdminAnswer> {
  const shares = sharesOf(book, wanted);
  if (!shares.ok) return shares;
  let count = [...stored.values()].filter(({ used }) => used !== null && used > 0).length;
  for (const shared of shares.value) {
    shared.counts.turn(nowMs);
    for (const one of matching(shared, wanted)) {
      if (shared.counts.reset(one.key)) count++;
      if (count % AT_A_TIME === 0) yield;
    }
  }
  const { name: limit, key } = wanted;
  if (count === 0 && key !== undefined) return err({ status: 404, text: "this key has used nothing of the quota" });
  return ok({ reset: count, limit: limit ?? null, key: key?.slice(0, DEFAULTS.quotaLabelCharsMax) ?? null });
}

function sharesOf(book: Shares, { name: limit }: Wanted): Result<readonly SharedCounts[], AdminRefusal> {
  const shares = [...book.shares()];
  const found = shares.filter(({ name }) => limit === undefined || name === limit);
  if (found.length > 0 || limit === undefined) return ok(found);
  const hint = nearestHint(limit, [...new Set(shares.map(({ name }) => name))]);
  return err({ status: 404, text: `no quota '${limit.slice(0, 64)}' is counted; ${hint}` });
}

/** What tells counts of a budget from those of a quota, around its key. */
const OF_BUDGETS = /^budget by | in 1\/\d+$/g;

function* matching({ counts }: SharedCounts, { key }: Wanted): Generator<Count> {
  for (const count of counts) if (key === undefined || isKey(count.label, keyId(count.key), key)) yield count;
}
