import type { AdminRoom } from "../resources/admin-room.ts";
import type { Resources } from "../resources/registry.ts";
import type { Clock } from "../support/clock.ts";
import type { LiveTelemetry } from "../telemetry/live.ts";
import { explainRoom } from "./explain-room.ts";
import { limitsRoom } from "./limits-room.ts";
import type { DaemonStatus, PolicyInForce } from "./policy-in-force.ts";
import { type PolicyActs, policyRoom } from "./policy-room.ts";
import { statusRoom } from "./status-room.ts";

export interface RoomsDeps extends PolicyActs {
  readonly clock: Clock;
  readonly telemetry: LiveTelemetry;
  readonly resources: Resources;
  inForce(): PolicyInForce;
  status(): DaemonStatus;
  /** Null while the policy has none. */
  candidate(): AdminRoom | null;
}

/** What parts of the process show and do at the admin port, by the policy in force. */
export function roomsOf(deps: RoomsDeps): () => readonly AdminRoom[] {
  const { clock, telemetry, resources, status, inForce, candidate } = deps;
  const snapshot = () => inForce().proxy?.snapshot ?? null;
  const policy = policyRoom(status, deps);
  const limits = limitsRoom(() => snapshot()?.limits ?? []);
  const figures = statusRoom({
    clock,
    sources: telemetry.sources,
    ready: () => inForce().notReady.size === 0,
    canAct: () => (snapshot()?.admin.token ?? null) !== null,
    rooms: () => rooms(),
  });
  const rooms = (): readonly AdminRoom[] => {
    const records = snapshot()?.records?.rooms ?? [];
    const decisions = records.find(({ path }) => path === "/decisions");
    const explain = decisions === undefined ? [] : [explainRoom(decisions)];
    const tried = candidate();
    const own = [policy, figures, limits, inForce().ladder, ...(tried === null ? [] : [tried])];
    return [...own, ...records, ...explain, ...resources.rooms()];
  };
  return rooms;
}
