import { DEFAULTS } from "../support/defaults.ts";
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

/** The first few of those that it stands for, by what they are of. */
function withNames(seen: string, members: ReadonlySet<string>): string {
  const names: string[] = [];
  for (const key of members) {
    const [, operation = "", caller = "", client = "", reason = ""] = key.split("\n");
    const name = operation || caller || client || reason;
    if (name !== "") names.push(name);
    if (names.length === DEFAULTS.anomalyNamesToldMax) break;
  }
  if (names.length === 0) return seen;
  return `${seen}; also ${names.join(", ")}${members.size > names.length ? " and others" : ""}`;
}

export function rowOf(anomaly: Anomaly): AnomalyRow {
  const { id, kind, state, subject, seen, expected, members, sinceMs, lastMs, examples } = anomaly;
  return {
    id,
    kind,
    state,
    ...subject,
    seen: withNames(seen, members),
    expected,
    members: members.size,
    since: new Date(sinceMs).toISOString(),
    last: new Date(lastMs).toISOString(),
    examples,
    advice: ANOMALY_KINDS[kind].advice,
  };
}
