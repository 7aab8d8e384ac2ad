import type { AdminRoom } from "../resources/admin-room.ts";
import type { Clock } from "../support/clock.ts";
import { ok } from "../support/result.ts";
import type { FigureSources } from "../telemetry/figures.ts";

export interface StatusSource {
  readonly clock: Pick<Clock, "wallMs">;
  readonly sources: FigureSources;
  ready(): boolean;
  /** The policy has a token, so that somebody can act. */
  canAct(): boolean;
  rooms(): readonly AdminRoom[];
}

/** Milliseconds of a day. */
const DAY_MS = 86_400_000;

/** `/status`: the figures of the whole process as they are now, what ends by itself, and what rooms there are. */
export function statusRoom(source: StatusSource): AdminRoom {
  return {
    path: "/status",
    acts: {},
    show: async () => {
      const { FIGURES, TIMES, sumCells } = await import("../telemetry/figures.ts");
      const { sources } = source;
      const { policy } = sources.metrics;
      const nowMs = source.clock.wallMs();
      return ok({
        at: new Date(nowMs).toISOString(),
        service: policy?.service ?? "",
        ready: source.ready(),
        canAct: source.canAct(),
        figures: FIGURES.map(({ name, title, chart, unit, kind, read }) => ({
          ...{ name, title, chart, unit, kind },
          value: read(sources),
        })),
        times: TIMES.flatMap(({ name, title, read }) => {
          const cells = sumCells(read(sources.metrics));
          return cells === null ? [] : [{ name, title, ...cells }];
        }),
        certificates: (policy?.certificates ?? [])
          .map(({ use, subject, notAfterMs }) => ({ use, subject, ...endOf(notAfterMs, nowMs) }))
          .toSorted((a, b) => a.days - b.days),
        revocationLists: (policy?.revocationLists ?? [])
          .map(({ use, issuer, nextUpdateMs }) => ({ use, issuer, ...endOf(nextUpdateMs, nowMs) }))
          .toSorted((a, b) => a.days - b.days),
        rooms: source.rooms().map(({ path, acts, asks = {} }) => ({
          path,
          acts: Object.keys(acts).map((name) => ({ name, asks: asks[name] ?? [] })),
        })),
      });
    },
  };
}

/** Whole days that are left, negative where it has ended. */
function endOf(atMs: number, nowMs: number): { readonly ends: string; readonly days: number } {
  return { ends: new Date(atMs).toISOString(), days: Math.floor((atMs - nowMs) / DAY_MS) };
}
