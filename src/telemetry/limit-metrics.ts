import { labelText } from "./cells.ts";
import type { PolicyFigures } from "./metrics.ts";
import type { LimitCounts } from "./telemetry.ts";

type Sample = { readonly labels: Readonly<Record<string, string>>; readonly value: number };

/** A family of metrics of limits and shedding, read from the policy in force. */
export interface LimitFamily {
  readonly kind: "counter" | "gauge";
  readonly name: string;
  readonly help: string;
  samples(policy: PolicyFigures): readonly Sample[];
}

/** A sample for each limit. */
function counts(count: "near" | "denied" | "evictions"): LimitFamily["samples"] {
  return ({ limits }) =>
    limits.map((limit) => ({ labels: { limit: labelText(limit.name) }, value: limit.report()[count] }));
}

/** A sample for each limit that holds requests, where `read` gives one. */
function places(read: (places: NonNullable<LimitCounts["places"]>) => number | null): LimitFamily["samples"] {
  return ({ limits }) =>
    limits.flatMap((limit) => {
      const { places: own } = limit.report();
      const value = own === undefined ? null : read(own);
      return value === null ? [] : [{ labels: { limit: labelText(limit.name) }, value }];
    });
}

export const LIMIT_FAMILIES: readonly LimitFamily[] = [
  {
    kind: "gauge",
    name: "postern_overload_level",
    help: "How much is shed: up to 1 a share of priority low, up to 2 of normal, up to 3 of high.",
    samples: ({ overload }) => (overload === null ? [] : [{ labels: {}, value: overload.watch.level }]),
  },
  {
    kind: "gauge",
    name: "postern_overload_delay_seconds",
    help: "How long events wait for the thread, while the policy sheds by it.",
    samples: ({ overload }) => (overload === null ? [] : [{ labels: {}, value: overload.watch.delayMs / 1000 }]),
  },
  {
    kind: "counter",
    name: "postern_limit_near_total",
    help: "Requests that a limit let pass while their caller had used more than 80 % of it.",
    samples: counts("near"),
  },
  {
    kind: "counter",
    name: "postern_limit_denied_total",
    help: "Requests that were beyond a limit, also those that it only audits.",
    samples: counts("denied"),
  },
  {
    kind: "counter",
    name: "postern_limit_evictions_total",
    help: "Keys of a limit that gave way to others while requests of theirs were counted.",
    samples: counts("evictions"),
  },
  {
    kind: "gauge",
    name: "postern_limit_in_flight",
    help: "Requests that have a place of a limit on concurrency.",
    samples: places(({ inFlight }) => inFlight),
  },
  {
    kind: "gauge",
    name: "postern_limit_waiting",
    help: "Requests that wait for a place or a turn of a limit.",
    samples: places(({ waiting }) => waiting),
  },
  {
    kind: "gauge",
    name: "postern_limit_concurrency",
    help: "What an adaptive limit lets be under way at once; of several keys the least.",
    samples: places(({ adapted }) => (adapted.length === 0 ? null : Math.min(...adapted))),
  },
];
