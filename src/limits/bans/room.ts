import { networkText, parseAddress } from "../../message/address.ts";
import type { AdminAnswer, AdminRefusal, AdminRoom } from "../../resources/admin-room.ts";
import { isKey, type Wanted, wantedOfAct, wantedOfQuery } from "../../resources/admin-words.ts";
import type { Clock } from "../../support/clock.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import type { JsonObject } from "../../support/json.ts";
import { err, ok, type Result } from "../../support/result.ts";
import { nearestHint } from "../../support/schema.ts";
import { keyText } from "../key-text.ts";
import type { Ban } from "./ban.ts";
import type { BanTable } from "./ban-table.ts";

/** Where the bans are. */
interface Tables {
  readonly loading: Promise<void> | null;
  tables(): Iterable<BanTable>;
}

/** Bans at the admin port: `GET /bans?ban=NAME&key=KEY`, `POST /bans/lift` with `ban` and `key`, or `all`. */
export function banRoom(book: Tables, clock: Pick<Clock, "wallMs">): AdminRoom {
  const whenRead = async (act: () => AdminAnswer): Promise<AdminAnswer> => {
    await book.loading;
    return act();
  };
  return {
    path: "/bans",
    show: (query) => whenRead(() => show(book, clock.wallMs(), wantedOfQuery(query, "ban"))),
    acts: { lift: (settings) => whenRead(() => lift(book, settings)) },
    asks: { lift: ["ban", "key"] },
    alsoTakes: { lift: ["all"] },
  };
}

/** Those that end last come first, at most `banListMax` of all. */
function show(book: Tables, nowMs: number, wanted: Wanted): AdminAnswer {
  const tables = tablesOf(book, wanted);
  if (!tables.ok) return tables;
  let room: number = DEFAULTS.banListMax;
  const bans = tables.value.map((table) => {
    const found = matching(table, wanted).toSorted((a, b) => b.untilMs - a.untilMs);
    const listed = found.slice(0, room);
    room -= listed.length;
    const { name, by, unlisted } = table;
    return { ban: name, by: keyText(by), keys: found.length, unlisted, banned: listed.map((ban) => rowOf(ban, nowMs)) };
  });
  return ok({ bans });
}

function rowOf({ id, key, sinceMs, untilMs, count }: Ban, nowMs: number): JsonObject {
  return {
    id,
    key,
    since: new Date(sinceMs).toISOString(),
    until: new Date(untilMs).toISOString(),
    secondsLeft: Math.ceil((untilMs - nowMs) / 1000),
    count,
  };
}

function lift(book: Tables, settings: JsonObject): AdminAnswer {
  const wanted = wantedOfAct(settings, "ban");
  if (!wanted.ok) return wanted;
  const tables = tablesOf(book, wanted.value);
  if (!tables.ok) return tables;
  const { name, key } = wanted.value;
  let lifted = 0;
  for (const table of tables.value) {
    if (key === undefined) lifted += table.liftAll();
    else for (const { id } of matching(table, wanted.value)) if (table.lift(id)) lifted++;
  }
  if (lifted === 0 && key !== undefined) return err({ status: 404, text: "no such key is banned" });
  return ok({ lifted, ban: name ?? null, key: key?.slice(0, DEFAULTS.banLabelCharsMax) ?? null });
}

function tablesOf(book: Tables, { name }: Wanted): Result<readonly BanTable[], AdminRefusal> {
  const tables = [...book.tables()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const found = tables.filter((table) => name === undefined || table.name === name);
  if (found.length > 0 || name === undefined) return ok(found);
  const hint = nearestHint(name, [...new Set(tables.map((table) => table.name))]);
  return err({ status: 404, text: `the policy has no ban '${name.slice(0, 64)}'; ${hint}` });
}

function matching(table: BanTable, { key }: Wanted): readonly Ban[] {
  const bans = [...table.list()];
  if (key === undefined) return bans;
  const address = parseAddress(key);
  return bans.filter((ban) => {
    if (isKey(ban.key, ban.id, key)) return true;
    // Who asks for one address of IPv6 means the network that is banned.
    const prefix = Number(/\/(\d{1,3})$/.exec(ban.key)?.[1]);
    return address?.family === 6 && prefix > 0 && prefix <= 128 && networkText(address, prefix) === ban.key;
  });
}
