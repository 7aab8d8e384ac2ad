import type { Limit, LimitReport } from "../filters/filter.ts";
import { keyText } from "../limits/key-text.ts";
import type { AdminRoom } from "../resources/admin-room.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { err, ok } from "../support/result.ts";

/** `/limits`: what the limits in force are and did, and who uses most of each; `?name=` for one of them. */
export function limitsRoom(limits: () => readonly Limit[]): AdminRoom {
  return {
    path: "/limits",
    acts: {},
    show: (query) => {
      const name = query.get("name");
      const all = limits();
      const chosen = name === null ? all.slice(0, DEFAULTS.limitsListMax) : all.filter((limit) => limit.name === name);
      if (name !== null && chosen.length === 0) {
        const text = `there is no limit '${name.slice(0, 64)}'; expected the name of one of 'limits'`;
        return err({ status: 404, text });
      }
      return ok({
        limits: chosen.map((limit) => ({
          ...reportOf(limit),
          phase: limit.phase,
          enforcePercent: limit.enforcePercent,
          place: { ...limit.place },
          top: limit.topCallers().map((caller) => ({ ...caller })),
        })),
        more: all.length - chosen.length,
      });
    },
  };
}

function reportOf(limit: Limit): LimitReport {
  const report = limit.report();
  return { ...report, key: keyText(report.key) };
}
