import type { MemoryBudget } from "../memory/budget.ts";
import type { Snapshot } from "../policy/snapshot.ts";
import type { Clock } from "../support/clock.ts";
import type { Deadlines } from "../support/deadlines.ts";
import type { Telemetry } from "../telemetry/telemetry.ts";
import type { Upstream } from "../upstream/upstream.ts";
import type { Beside } from "./beside.ts";
import type { LongLived } from "./long-lived.ts";

/** What a transaction needs of the proxy that all connections share. */
export interface TransactionDeps {
  readonly clock: Clock;
  readonly deadlines: Deadlines;
  readonly telemetry: Telemetry;
  readonly memory: MemoryBudget;
  readonly longLived: LongLived;
  /** Null where no other policy is tried beside the one in force. */
  readonly beside: Beside | null;
  /** Null where the policy is not new, or has no `guard`. */
  readonly guard: Beside | null;
  /** Of this moment; the transaction keeps the one it begins with. */
  readonly snapshot: Snapshot;
  readonly random: () => number;
  nextId(): string;
  poolOf(snapshot: Snapshot, name: string): Upstream;
}
