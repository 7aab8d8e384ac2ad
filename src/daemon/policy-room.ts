import type { Snapshot } from "../policy/snapshot.ts";
import type { AdminRoom } from "../resources/admin-room.ts";
import { err, ok, type Result } from "../support/result.ts";

/** From which policy to which, by their hashes. */
export interface RolledBack {
  readonly from: string;
  readonly to: string;
}

/** `/policy`: what runs and what was refused, without any content of a file; and the way back to the policy before. */
export function policyRoom(status: () => object, rollBack: () => Promise<Result<RolledBack, string>>): AdminRoom {
  return {
    path: "/policy",
    show: () => ok({ ...status() }),
    acts: {
      rollback: async () => {
        const done = await rollBack();
        return done.ok ? ok({ ...done.value }) : err({ status: 409, text: done.error });
      },
    },
  };
}

/** While this policy is in force, somebody can ask for the one before. */
export function mayRollBack({ admin }: Snapshot): boolean {
  return admin.address !== null && admin.token !== null;
}
