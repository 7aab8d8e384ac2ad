import type { AdminAnswer, AdminRoom } from "../resources/admin-room.ts";
import { wantedOfAct } from "../resources/admin-words.ts";
import { DEFAULTS } from "../support/defaults.ts";
import type { JsonObject } from "../support/json.ts";
import { err, ok } from "../support/result.ts";
import { nearestHint } from "../support/schema.ts";
import type { AnomalyBook } from "./book.ts";
import type { Anomaly } from "./event-book.ts";
import { rowOf } from "./event-row.ts";
import { type AnomalySettings, KINDS } from "./kinds.ts";

/** Which anomalies are meant: of a kind, or one by its id. */
interface Wanted {
  readonly kind: string | null;
  readonly key: string | null;
}

/**
 * Anomalies at the admin port: `GET /anomalies?kind=KIND&key=ID`, those that are there first, and `POST /anomalies/accept` with
 * `kind` and `key`, or `all`: what is as it should be has ended.
 */
export function anomalyRoom(book: AnomalyBook, settings: AnomalySettings): AdminRoom {
  return {
    path: "/anomalies",
    show: (query) => show(book, settings, { kind: query.get("kind"), key: query.get("key") }),
    acts: { accept: (asked) => accept(book, asked) },
    asks: { accept: ["kind", "key"] },
    alsoTakes: { accept: ["all"] },
  };
}

function show(book: AnomalyBook, { learnMs }: AnomalySettings, wanted: Wanted): AdminAnswer {
  const unknown = unknownKind(wanted);
  if (unknown !== null) return unknown;
  const active = [...book.events.active.values()].toSorted((a, b) => b.sinceMs - a.sinceMs);
  const found = [...active, ...book.events.ended.toReversed()].filter((one) => isWanted(one, wanted));
  const learntMs = book.sinceMs + learnMs;
  return ok({
    active: active.length,
    learning: book.nowMs < learntMs,
    learntFrom: new Date(learntMs).toISOString(),
    more: Math.max(0, found.length - DEFAULTS.anomalyListMax),
    anomalies: found.slice(0, DEFAULTS.anomalyListMax).map(rowOf),
  });
}

function accept(book: AnomalyBook, asked: JsonObject): AdminAnswer {
  const named = wantedOfAct(asked, "kind");
  if (!named.ok) return named;
  const wanted = { kind: named.value.name ?? null, key: named.value.key ?? null };
  const unknown = unknownKind(wanted);
  if (unknown !== null) return unknown;
  const found = [...book.events.active.values()].filter((one) => isWanted(one, wanted));
  if (found.length === 0 && wanted.key !== null) return err({ status: 404, text: "no such anomaly is there" });
  for (const one of found) book.accept(one);
  return ok({ accepted: found.length, anomalies: found.map(({ id }) => id) });
}

function unknownKind({ kind }: Wanted): AdminAnswer | null {
  if (kind === null || KINDS.some((one) => one === kind)) return null;
  const hint = nearestHint(kind.slice(0, 64), KINDS);
  return err({ status: 404, text: `there is no kind '${kind.slice(0, 64)}'; ${hint}` });
}

function isWanted({ kind, id }: Anomaly, wanted: Wanted): boolean {
  return (wanted.kind === null || wanted.kind === kind) && (wanted.key === null || wanted.key === id);
}
