import type { z } from "zod";
import type { Place, Verdict } from "../decision/verdict.ts";
import type { Places } from "../limits/concurrency/places.ts";
import type { KeyReader } from "../limits/key.ts";
import type { StoredCounts } from "../limits/quota/shared-counts.ts";
import type { RateTables } from "../limits/rate/rate-tables.ts";
import type { StoreCounter } from "../limits/redis/ask.ts";
import type { TopCaller } from "../limits/top-callers.ts";
import type { Exchange } from "../message/exchange.ts";
import type { LimitFields, LimitScope } from "../message/limit-state.ts";
import type { Taken } from "../message/taken.ts";
import type { CompileContext } from "./compile-context.ts";
import type { MethodRule } from "./method-rule.ts";

/** One named limit of the policy, compiled; `limit` of a route names it. */
export interface Limit {
  readonly name: string;
  readonly place: Place;
  /** `admit` where the key is known before authentication, else `limit`. */
  readonly phase: "admit" | "limit";
  readonly enforcePercent: number;
  /** How many keys it counts at once in the tables that all limits share; 0 where it has none there. */
  readonly keys: number;
  /** By what it counts; null where all requests are one. Routes are bound to it, and the ladder's share goes by it. */
  readonly key: LimitKey | null;
  /** As of a check. */
  readonly looksBackMs?: number;
  /**
   * Takes what the request costs, or denies. A promise only where it must wait. What another limit's denial has to undo,
   * and what ends with the request, it hands to `exchange.take`. `together`: all limits of the route and phase, of which the
   * first in a store asks for all that lie there.
   */
  evaluate(exchange: Exchange, routeTemplate: string, together?: readonly Limit[]): Verdict | Promise<Verdict>;
  /** What routes that name it have to do for it; nothing where absent. */
  readonly needs?: LimitNeeds;
  /** Whether it can count on routes of this template: null, or why not. That of its key where absent. */
  bindRoute?(template: string): { readonly text: string } | null;
  /** For `explain`, after `evaluate`: kind, key, scope and what is left, without secrets. */
  explain(exchange: Exchange, routeTemplate: string): string;
  /** For metrics and the admin port. */
  report(): LimitReport;
  /** Who uses most of it, the greatest first; of a bounded number. */
  topCallers(): readonly TopCaller[];
}

/** What a limit looks at beside its key. */
export interface LimitNeeds {
  /** Null where all methods cost the same. */
  readonly tellsMethods: MethodRule | null;
  /** It reads bodies of answers, of which a part need not say what the whole does. */
  readonly readsAnswers: boolean;
}

/** A named set of limits. */
export interface Plan {
  readonly name: string;
  readonly limits: readonly Limit[];
}

/** Why a limit cannot count on routes of this template; null where it can. */
export function routeFault(limit: Limit, template: string): { readonly text: string } | null {
  if (limit.bindRoute !== undefined) return limit.bindRoute(template);
  return limit.key?.reader.bindRoute(template) ?? null;
}

/** By what a limit counts. */
export interface LimitKey {
  readonly reader: KeyReader;
  /** 0 to 1, the same for the same key wherever and whenever it is asked; null where there is no key. */
  share(exchange: Exchange, routeTemplate: string): number | null;
  /** The request lacks a part of it, and passes without being counted. */
  isUnlimited(exchange: Exchange, routeTemplate: string): boolean;
}

/** What a limit is and did, since its counters were made. */
export interface LimitReport {
  readonly name: string;
  /** Its word in the policy. */
  readonly kind: string;
  readonly description: string;
  /** What it counts by; nobody's value. */
  readonly key: string;
  readonly scope: LimitScope;
  /** Requests that passed while their caller had used more than four fifths. */
  readonly near: number;
  readonly denied: number;
  /** Keys that gave way to others while requests of theirs were counted. */
  readonly evictions: number;
  /** Of one that holds requests or is held by them. */
  readonly places?: LimitPlaces;
}

/** Requests that are under way or wait, now. */
export interface LimitPlaces {
  /** Null where it has no places but only delays. */
  readonly inFlight: number | null;
  readonly waiting: number;
  /** What may be under way at once, of each key of a limit that adapts; empty for any other. */
  readonly adapted: readonly number[];
}

/** A limit that a store can count in its place, so that several processes share it. */
export interface ShareableLimit extends Limit {
  readonly key: LimitKey;
  readonly needs: LimitNeeds;
  readonly terms: StoreCounter["terms"];
  /** What tells its counters from those of another limit that has its name and key. */
  readonly storedAs: string;
  /** How many units of the store are 1 of what clients are told. */
  readonly scale: number;
  /** Of a kind that is listed: how its counters in the store are looked at. */
  useStore?(stored: Omit<StoredCounts, "textOf">): void;
  /** Before the store is asked: gives back there what is overdue. */
  beforeAsking?(): void;
  /** Units, whole; 0 for a request that costs nothing. */
  costOf(exchange: Exchange): number;
  /** What is told apart, where that is counted; null where the request names none. */
  memberOf?(exchange: Exchange, routeTemplate: string): string | null;
  /** The store let the request in. */
  admit(exchange: Exchange, routeTemplate: string, remaining: number, resetMs: number): Verdict;
  /** The store says that it is over. */
  refuse(exchange: Exchange, routeTemplate: string, waitMs: number): Verdict;
  /** What a request took there; `correct` adds units to it, or takes them off. */
  taken(exchange: Exchange, units: number, correct: (units: number) => void): Taken;
}

/** One named store of the policy, compiled; `store` of a limit names it. */
export interface LimitStoreUse {
  readonly name: string;
  readonly place: Place;
  /** The same limit, counted there. `lease`: units that are taken at once; the store's own setting where undefined. */
  share(limit: ShareableLimit, lease: number | undefined): Limit;
}

/** Compilation of one entry of `limits`. */
export interface LimitContext extends CompileContext {
  /** Where rates count; they outlive the policy. */
  readonly tables: RateTables;
  /** Where requests have places and wait for them; the same. */
  readonly places: Places;
  /** How many keys it counts at once where it does not say. */
  readonly usualKeys: number;
  /** By name; null with a problem at `store` where there is none. */
  store(name: string): LimitStoreUse | null;
  /** The policy has other limits: where one of them is over, the rest is to count nothing. */
  readonly hasOthers: boolean;
  /** Which fields of answers tell clients of it, and whether those tell keys apart. */
  readonly fields: readonly LimitFields[];
  readonly tellsPartition: boolean;
}

/** A kind of limit: an entry of `limits` that has its word. */
export interface LimitKind<Settings> {
  /** The key that tells it from the other kinds, as `rate`. */
  readonly word: string;
  /** Of the whole entry, its word among the keys. */
  readonly schema: z.ZodType<Settings>;
  /** Awaited before `schema` and `compile` where the policy has one of it: loads what other policies need not load. */
  prepare?(): Promise<void> | undefined;
  /** Settings → limit, or null with problems reported. */
  compile(name: string, settings: Settings, context: LimitContext): Limit | null;
}

export function defineLimit<Settings>(kind: LimitKind<Settings>): LimitKind<Settings> {
  return kind;
}
