import type { LimitKind } from "../filter.ts";
import { lazyLimit } from "../lazy.ts";

/** All kinds of limits. A new one is one line here; what few policies use is loaded with the first that has it. */
export const LIMIT_KINDS: readonly LimitKind<unknown>[] = [
  lazyLimit("rate", async () => (await import("../callers.ts")).rateKind),
  lazyLimit("bandwidth", async () => (await import("./kind-bandwidth.ts")).bandwidthKind),
  lazyLimit("budget", async () => (await import("./kind-budget.ts")).budgetKind),
  lazyLimit("distinct", async () => (await import("./kind-distinct.ts")).distinctKind),
  lazyLimit("quota", async () => (await import("./kind-quota.ts")).quotaKind),
  lazyLimit("concurrency", async () => (await import("./kind-concurrency.ts")).concurrencyKind),
];
