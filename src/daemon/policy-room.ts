import type { Snapshot } from "../policy/snapshot.ts";
import type { AdminAnswer, AdminRoom } from "../resources/admin-room.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { err, ok, type Result } from "../support/result.ts";

/** From which policy to which, by their hashes. */
export interface RolledBack {
  readonly from: string;
  readonly to: string;
}

/** What came of the last attempt to load the policy. */
export interface LastAttempt {
  readonly result: string;
  readonly problems: readonly string[];
}

export interface PolicyActs {
  /** Reads the policy again, and gives what came of it. */
  reload(): Promise<LastAttempt>;
  rollBack(): Promise<Result<RolledBack, string>>;
}

/**
 * `/policy`: what runs and what was refused, without any content of a file; `reload` reads it again, as SIGHUP does, and
 * `rollback` is the way back to the policy before.
 */
export function policyRoom(status: () => { readonly hash: string }, { reload, rollBack }: PolicyActs): AdminRoom {
  return {
    path: "/policy",
    show: () => ok({ ...status() }),
    acts: {
      reload: async () => answerOf(await withinTime(reload()), status()),
      rollback: async () => {
        const done = await rollBack();
        return done.ok ? ok({ ...done.value }) : err({ status: 409, text: done.error });
      },
    },
  };
}

/** Null where the load takes longer than who asked would wait. */
function withinTime(attempt: Promise<LastAttempt>): Promise<LastAttempt | null> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => resolve(null), DEFAULTS.adminReloadWaitMs);
    attempt.then(resolve, reject).finally(() => clearTimeout(late));
  });
}

function answerOf(attempt: LastAttempt | null, { hash }: { readonly hash: string }): AdminAnswer {
  if (attempt === null) return ok({ reload: "running", policyHash: hash });
  if (attempt.result !== "refused") return ok({ reload: attempt.result, policyHash: hash });
  const text = ["the policy is refused; the old one stays", ...attempt.problems].join("\n");
  return err({ status: 400, text });
}

/** While this policy is in force, somebody can ask for the one before. */
export function mayRollBack({ admin }: Snapshot): boolean {
  return admin.address !== null && admin.token !== null;
}
