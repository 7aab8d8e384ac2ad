import { defineLimit, type Limit, type LimitContext } from "../filter.ts";
import { ConcurrencyLimit } from "./concurrency-limit.ts";
import { type ConcurrencySettings, concurrencySchema } from "./concurrency-schema.ts";
import { compileLimitKey } from "./key.ts";
import { limitPolicy } from "./told.ts";

/** `concurrency`: so many requests at once, with a queue that is fair by caller. */
export const concurrencyKind = defineLimit<ConcurrencySettings>({
  word: "concurrency",
  schema: concurrencySchema,
  compile: compileConcurrency,
});

/** Parts of keys that say where a request goes, and nothing of who sent it. */
const OF_THE_SERVICE: ReadonlySet<unknown> = new Set(["route", "upstream"]);

function compileConcurrency(name: string, settings: ConcurrencySettings, context: LimitContext): Limit | null {
  const { concurrency: max, key: parts, queue, adaptive } = settings;
  const facts = { name, quota: max, windowSeconds: 0, unit: "concurrent-requests", scope: "process" } as const;
  const policy = limitPolicy(facts, context);
  const key = parts.length === 0 ? null : compileLimitKey(name, settings, context);
  const isOfCallers = parts.some((part) => !OF_THE_SERVICE.has(part));
  let isSound = true;
  if (adaptive !== undefined && isOfCallers) {
    context.problem(
      "how long the service takes says how much it manages, and nothing of one caller; expected a 'key' of route, upstream or none",
      "adaptive",
    );
    isSound = false;
  }
  if (adaptive !== undefined && adaptive.min > max) {
    context.problem(`expected at most the ${max} of 'concurrency'`, "adaptive", "min");
    isSound = false;
  }
  if (policy === null || (key === null && parts.length > 0) || !isSound) return null;
  const rules = {
    max,
    queue: queue === undefined ? null : { lengthMax: queue.length, timeoutMs: queue.timeout },
    adaptive: adaptive === undefined ? null : { ...adaptive, max },
  };
  return new ConcurrencyLimit(
    {
      place: context.place(),
      enforcePercent: settings.mode ?? 100,
      key,
      rules,
      isOfCallers,
      policy,
      tellsPartition: context.tellsPartition,
      clock: context.clock,
    },
    // Another number of places is no reason to forget who has one.
    context.places.slots(JSON.stringify([name, key?.reader.identity ?? "none"])),
  );
}
