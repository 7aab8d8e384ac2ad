import { targetName, targetOf } from "../policy/ladder-checks.ts";
import type { Rung } from "../policy/snapshot.ts";
import type { AdminRoom } from "../resources/admin-room.ts";
import { DEFAULTS } from "../support/defaults.ts";
import type { JsonObject } from "../support/json.ts";
import { ok } from "../support/result.ts";
import type { TopCounts } from "../support/top-counts.ts";
import type { LadderCounts } from "../telemetry/ladder-counts.ts";
import { type LadderSteps, stepText } from "./ladder-steps.ts";

/**
 * `/ladder`: each check that does not enforce, or not for everybody, what it would have denied, and to whom; and the steps that
 * somebody has set for a while.
 */
export function ladderRoom(all: readonly Rung[], counts: LadderCounts, steps: LadderSteps): AdminRoom {
  return {
    path: "/ladder",
    acts: steps.acts,
    asks: { set: ["check", "mode", "for"], unset: ["check"] },
    show: () => {
      const listed = all.slice(0, DEFAULTS.ladderChecksMax);
      const checks = listed.map((rung) => shown(rung, counts));
      return ok({ steps: steps.shown, checks, more: all.length - listed.length });
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
    name: targetName(targetOf(place, routes[0] ?? null, name)),
    mode: stepText(enforcePercent),
    place: { ...place },
    routes: listed,
    moreRoutes: templates.length - listed.length,
    denials: step?.total ?? 0,
    reasons: top(step?.reasons),
    deniedRoutes: top(step?.routes),
    callers: top(step?.callers),
  };
}

function top(counts: TopCounts | undefined): JsonObject {
  const list = (counts?.list ?? []).filter(({ count }) => count > 0).map((one) => ({ ...one }));
  return { list, other: counts?.other ?? 0 };
}
