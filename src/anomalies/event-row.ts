import type { Anomaly } from "./event-book.ts";
import { ANOMALY_KINDS } from "./kinds.ts";

/** An anomaly as log, audit log, webhook and admin port tell it: the same fields, and no value of a request. */
export interface AnomalyRow {
  readonly id: string;
  readonly kind: string;
  readonly state: string;
  readonly operation: string | null;
  readonly policy: string | null;
  readonly caller: string | null;
  readonly client: string | null;
  readonly reason: string | null;
  readonly seen: string;
  readonly expected: string;
  /** How many are told as this one; 0 where it is one. */
  readonly members: number;
  readonly since: string;
  readonly last: string;
  readonly examples: readonly string[];
  readonly advice: string;
  readonly [name: string]: unknown;
}

export function rowOf(anomaly: Anomaly): AnomalyRow {
  const { id, kind, state, subject, seen, expected, members, sinceMs, lastMs, examples } = anomaly;
  return {
    id,
    kind,
    state,
    ...subject,
    seen,
    expected,
    members: members.size,
    since: new Date(sinceMs).toISOString(),
    last: new Date(lastMs).toISOString(),
    examples,
    advice: ANOMALY_KINDS[kind].advice,
  };
}
