import type { Denial, Verdict } from "../../src/decision/verdict.ts";
import type { Limit, LimitContext } from "../../src/filters/filter.ts";
import { LIMIT_KINDS } from "../../src/filters/limit/kinds.ts";
import { Places } from "../../src/limits/concurrency/places.ts";
import type { RateTables } from "../../src/limits/rate/rate-tables.ts";
import { unlimitedMemory } from "../../src/memory/budget.ts";
import type { Exchange } from "../../src/message/exchange.ts";
import { systemClock } from "../../src/support/clock.ts";
import { DEFAULTS } from "../../src/support/defaults.ts";
import { systemTimers } from "../../src/support/timers.ts";
import { createRouteContext } from "../fixtures/route-context.ts";

for (const { prepare } of LIMIT_KINDS) await prepare?.();

export interface Compiled {
  readonly limit: Limit | null;
  readonly problems: readonly { readonly text: string; readonly path: string }[];
}

/** One entry of `limits`, as a policy that has others compiles it. */
export function compileLimit(
  name: string,
  definition: Readonly<Record<string, unknown>>,
  tables: RateTables,
  more: Partial<LimitContext> = {},
): Compiled {
  const { context, compiled } = createRouteContext({ key: `limits.${name}` });
  const kind = LIMIT_KINDS.find(({ word }) => word in definition);
  if (kind === undefined) throw new Error("no kind of limit has its word there");
  const limit = kind.compile(name, kind.schema.parse(definition), {
    ...context,
    tables,
    places: new Places({ clock: systemClock, timers: systemTimers, random: () => 0.5, memory: unlimitedMemory() }),
    usualKeys: DEFAULTS.rateKeys,
    store: () => null,
    hasOthers: true,
    fields: ["draft-11"],
    tellsPartition: false,
    ...more,
  });
  return { limit, problems: compiled.problems };
}

/** The same of one that has to compile. */
export function limitOf(
  name: string,
  definition: Readonly<Record<string, unknown>>,
  tables: RateTables,
  more: Partial<LimitContext> = {},
): Limit {
  const { limit, problems } = compileLimit(name, definition, tables, more);
  if (limit === null) throw new Error(JSON.stringify(problems));
  return limit;
}

/** The verdict of a limit that answers at once. */
export function ask(limit: Limit, exchange: Exchange, template: string = "/v1"): Denial | null {
  const verdict: Verdict | Promise<Verdict> = limit.evaluate(exchange, template);
  if (verdict instanceof Promise) throw new Error("the limit waits");
  return verdict;
}
