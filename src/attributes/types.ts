import type { Phase } from "../decision/phases.ts";
import type { Exchange } from "../message/exchange.ts";
import type { Clock } from "../support/clock.ts";

/** Text, a list of texts, a moment in Unix milliseconds, or whatever JSON holds. */
export type AttributeType = "text" | "texts" | "time" | "any";

/** Where a value may be shown: `metric` only where there are few of them, `nowhere` where it may be a secret. */
export type Shown = "metric" | "log" | "nowhere";

/**
 * The value has no single reading: it was sent twice, or in two spellings of which services take one or the other. It is
 * neither there nor absent, and no rule may hold because of it.
 */
export const AMBIGUOUS: unique symbol = Symbol("ambiguous");

/** Undefined where the request has none; AMBIGUOUS where it has no single one. Never throws. */
export type Read = (exchange: Exchange) => unknown;

/** What a rule knows of the place in which it asks. */
export interface AttributeScope {
  readonly phase: Phase;
  /** Names of the route's path parameters from left to right; null where no route is known. */
  readonly parameters: readonly string[] | null;
  /** The route's template; null where none is known. */
  readonly route: string | null;
  readonly clock: Pick<Clock, "wallMs">;
}
