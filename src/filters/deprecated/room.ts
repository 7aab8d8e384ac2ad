import type { AdminAnswer, AdminRefusal, AdminRoom } from "../../resources/admin-room.ts";
import { wantedOfAct, wantedOfQuery } from "../../resources/admin-words.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import type { JsonObject } from "../../support/json.ts";
import { err, ok, type Result } from "../../support/result.ts";
import { nearestHint } from "../../support/schema.ts";
import type { CallerUse, RouteUse } from "./route-use.ts";

type Routes = () => Iterable<RouteUse>;

/** Who uses what is to end: `GET /deprecated?route=TEMPLATE&key=CALLER`, `POST /deprecated/forget` with `route` and `key`, or `all`. */
export function useRoom(routes: Routes): AdminRoom {
  return {
    path: "/deprecated",
    show: (query) => {
      const wanted = wantedOfQuery(query, "route");
      const found = routesOf(routes, wanted.name);
      return found.ok ? show(found.value, wanted.key) : found;
    },
    acts: { forget: (settings) => forget(routes, settings) },
    asks: { forget: ["route", "key"] },
    alsoTakes: { forget: ["all"] },
  };
}

/** Who asked last comes first, at most `deprecatedListMax` of all. */
function show(routes: readonly RouteUse[], key: string | undefined): AdminAnswer {
  let room: number = DEFAULTS.deprecatedListMax;
  const listed = routes.map(({ route, counts, callers, addresses }) => {
    const rows = [...rowsOf(callers, "caller"), ...rowsOf(addresses, "address")]
      .filter(({ name }) => key === undefined || name === key)
      .toSorted((a, b) => b.lastMs - a.lastMs);
    const shown = rows.slice(0, room);
    room -= shown.length;
    return { route, requests: { ...counts }, callers: rows.length, used: shown.map(({ row }) => row) };
  });
  return ok({ deprecated: listed });
}

interface Row {
  readonly name: string;
  readonly lastMs: number;
  readonly row: JsonObject;
}

function rowsOf(room: ReadonlyMap<string, CallerUse>, by: "caller" | "address"): readonly Row[] {
  return Array.from(room, ([name, { requests, firstMs, lastMs, outcome }]) => ({
    name,
    lastMs,
    row: {
      key: name,
      by,
      requests,
      first: new Date(firstMs).toISOString(),
      last: new Date(lastMs).toISOString(),
      outcome,
    },
  }));
}

function forget(routes: Routes, settings: JsonObject): AdminAnswer {
  const wanted = wantedOfAct(settings, "route");
  if (!wanted.ok) return wanted;
  const { name, key } = wanted.value;
  const found = routesOf(routes, name);
  if (!found.ok) return found;
  const forgotten = found.value.reduce((sum, route) => sum + route.forget(key), 0);
  if (forgotten === 0 && key !== undefined) return err({ status: 404, text: "no such caller is known" });
  return ok({ forgotten, route: name ?? null });
}

function routesOf(routes: Routes, name: string | undefined): Result<readonly RouteUse[], AdminRefusal> {
  const all = [...routes()].toSorted((a, b) => (a.route < b.route ? -1 : 1));
  const found = all.filter(({ route }) => name === undefined || route === name);
  if (found.length > 0 || name === undefined) return ok(found);
  const hint = nearestHint(
    name,
    all.map(({ route }) => route),
  );
  return err({ status: 404, text: `no deprecated route '${name.slice(0, 64)}' was asked for; ${hint}` });
}
