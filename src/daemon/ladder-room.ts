import type { Rung } from "../policy/snapshot.ts";
import type { AdminRoom } from "../resources/admin-room.ts";
import { DEFAULTS } from "../support/defaults.ts";
import type { JsonObject } from "../support/json.ts";
import { ok } from "../support/result.ts";
import type { TopCounts } from "../support/top-counts.ts";
import type { LadderCounts } from "../telemetry/ladder-counts.ts";

/** `/ladder`: each check that does not enforce, or not for everybody, what it would have denied, and to whom. */
export function ladderRoom(all: readonly Rung[], counts: LadderCounts): AdminRoom {
  return {
    path: "/ladder",
    acts: {},
    show: () => {
      const listed = all.slice(0, DEFAULTS.ladderChecksMax);
      return ok({ checks: listed.map((rung) => shown(rung, counts)), more: all.length - listed.length });
    },
  };
}

function shown(rung: Rung, counts: LadderCounts): JsonObject {
  const { name, place, enforcePercent, routes } = rung;
  const templates = [...new Set(routes.map(({ template }) => template))];
  const listed = templates.slice(0, DEFAULTS.ladderRoutesListedMax);
  const step = counts.of(rung);
  return {
    check: name,
    mode: modeText(enforcePercent),
    place: { ...place },
    routes: listed,
    moreRoutes: templates.length - listed.length,
    denials: step?.total ?? 0,
    reasons: top(step?.reasons),
    deniedRoutes: top(step?.routes),
    callers: top(step?.callers),
  };
}

/** As a policy writes it. */
function modeText(percent: number): string {
  if (percent < 0) return "off";
  return percent === 0 ? "audit" : `enforce: ${percent}%`;
}

function top(counts: TopCounts | undefined): JsonObject {
  const list = (counts?.list ?? []).filter(({ count }) => count > 0).map((one) => ({ ...one }));
  return { list, other: counts?.other ?? 0 };
}
