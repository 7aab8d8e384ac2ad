import type { z } from "zod";
import type { AuthenticatorKind, CompileContext, Filter, Limit } from "../filters/filter.ts";
import type { RateTable } from "../filters/limit/rate-table.ts";

/** The protections that a policy can name. `filters/index.ts` lists those there are; tests may pass fewer. */
export interface Registry {
  /** In the order in which checks of one phase run. */
  readonly filters: readonly Filter<unknown>[];
  readonly authenticators: readonly AuthenticatorKind<unknown>[];
  readonly limit: LimitKind<unknown>;
}

/** What an entry of `limits` is made of; counters stand in a table outside the policy, so that a reload keeps them. */
export interface LimitKind<Settings> {
  readonly schema: z.ZodType<Settings>;
  compile(name: string, settings: Settings, context: CompileContext, table: RateTable): Limit | null;
}
