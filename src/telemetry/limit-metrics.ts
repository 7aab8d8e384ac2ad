import type { PolicyFigures } from "./metrics.ts";

type Sample = { readonly labels: Readonly<Record<string, string>>; readonly value: number };

/** A family of metrics of limits and shedding, read from the policy in force. */
export interface LimitFamily {
  readonly kind: "counter" | "gauge";
  readonly name: string;
  readonly help: string;
  samples(policy: PolicyFigures): readonly Sample[];
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
];
