import type { AdminAnswer, AdminRoom } from "../resources/admin-room.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { err, ok } from "../support/result.ts";
import type { InventoryBook } from "./book.ts";
import type { DeclaredRoute } from "./declared.ts";
import { entrySteps, type JudgedEntry } from "./entries.ts";
import { STATUSES } from "./entry.ts";
import { rowOf } from "./entry-row.ts";
import { liveSteps } from "./live.ts";
import { openapiDocument } from "./openapi-document.ts";
import { overlayOf } from "./overlay-document.ts";

/** What of one policy the admin port shows. */
export interface Shown {
  readonly service: string;
  readonly book: InventoryBook;
  readonly declared: readonly DeclaredRoute[];
  readonly clock: { wallMs(): number };
}

/**
 * `GET /inventory`: `?status=STATUS`, `?from=NUMBER` where there are more than one answer holds; `?as=openapi`, `?as=overlay` with
 * `document=FILE`, and `?as=live` for the figures that `postern top` shows.
 */
export function inventoryRoom(shown: Shown): AdminRoom {
  return { path: "/inventory", show: (query) => show(shown, query), acts: {} };
}

async function show(shown: Shown, query: URLSearchParams): Promise<AdminAnswer> {
  const { book, declared, clock } = shown;
  const form = query.get("as") ?? "list";
  if (form === "live") return ok(await book.turns().run(liveSteps(book, declared, clock.wallMs())));
  const entries = await book.turns().run(entrySteps(book, declared));
  switch (form) {
    case "list":
      return list(shown, entries, query);
    case "openapi":
      return ok(openapiDocument(shown.service, entries));
    case "overlay":
      return overlayOf(shown.service, entries, query.get("document"));
    default:
      return err({ status: 400, text: "expected as=list, as=openapi, as=overlay or as=live" });
  }
}

function list({ service, book }: Shown, entries: readonly JudgedEntry[], query: URLSearchParams): AdminAnswer {
  const status = query.get("status");
  const from = query.get("from") ?? "0";
  if ((status !== null && !STATUSES.some((one) => one === status)) || !/^\d{1,9}$/.test(from)) {
    return err({ status: 400, text: `expected status=${STATUSES.join("|")} and from=NUMBER` });
  }
  const counts = Object.fromEntries(
    STATUSES.map((one) => [one, entries.filter((entry) => entry.status === one).length]),
  );
  const wanted = entries.filter((entry) => status === null || entry.status === status);
  const begin = Number(from);
  const told = wanted.slice(begin, begin + DEFAULTS.inventoryListMax);
  return ok({
    service,
    since: new Date(book.sinceMs).toISOString(),
    counts,
    probedGone: book.probed.gone,
    more: Math.max(0, wanted.length - begin - told.length),
    operations: told.map(rowOf),
  });
}
