import { AMOUNT_MAX, amountOf, amountText, MICRO } from "../../limits/budget/amount.ts";
import type { CostSource, Figure } from "../../limits/budget/answer-cost.ts";
import { type JsonPath, parseJsonPath } from "../../limits/budget/json-path.ts";
import { QuotaBook } from "../../limits/quota/book.ts";
import type { Exchange } from "../../message/exchange.ts";
import { type Decimal, parseDecimal } from "../../support/decimal.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import { defineLimit, type Limit, type LimitContext } from "../filter.ts";
import type { MethodRule } from "../method-rule.ts";
import { BudgetLimit } from "./budget-limit.ts";
import {
  type BudgetSettings,
  budgetSchema,
  type FigureSettings,
  type ResponseCost,
  type SettledCost,
} from "./budget-schema.ts";
import { isCalendarSound, PERIOD_SECONDS } from "./calendar-shape.ts";
import { type CostSettings, compileCost } from "./cost.ts";
import { compileLimitKey } from "./key.ts";
import { countedBy, limitPolicy } from "./told.ts";

/** `budget`: an amount of tokens, bytes or money in a window of the calendar, settled from answers. */
export const budgetKind = defineLimit<BudgetSettings>({ word: "budget", schema: budgetSchema, compile: compileBudget });

export function compileBudget(name: string, settings: BudgetSettings, context: LimitContext): Limit | null {
  const { amount, period } = settings.budget;
  const { timeZone = "UTC", resetDay = 1, unit = "units" } = settings;
  const { cost } = settings;
  const settled = isSettled(cost) ? cost : null;
  const source = settled === null ? null : sourceOf(settled.response);
  const scale = scaleOf(amount, source);
  const limit = amountOf(amount, scale) ?? AMOUNT_MAX;
  const sound = isCalendarSound("budget", period, settings.resetDay, context);
  const key = compileLimitKey(name, settings, context);
  const estimate = compileEstimate(
    settled === null ? (cost as number | CostSettings) : settled.estimate,
    scale,
    context,
  );
  const facts = { name, quota: Math.floor(limit / scale), windowSeconds: PERIOD_SECONDS[period], unit } as const;
  const { scope, by: together } = countedBy(settings.store !== undefined, null);
  const policy = limitPolicy({ ...facts, scope }, context);
  const store = settings.store === undefined ? undefined : context.store(settings.store);
  if (estimate !== null && estimate.max > limit) {
    const text = `a request that takes ${amountText(estimate.max, scale)} never passes; expected at most the budget of ${amount}`;
    context.problem(text, ...(settled === null ? ["cost"] : ["cost", "estimate"]));
    return null;
  }
  if (key === null || estimate === null || policy === null || store === null || !sound) return null;
  if (store === undefined && !context.hasState && period !== "hour") {
    context.warning(
      "state_missing",
      "without 'state' a restart forgets what was spent, and every caller has the whole budget again",
    );
  }
  const book = context.resource("quotas", [], (world) => new QuotaBook(world));
  const { maxKeys: keysMax = DEFAULTS.quotaKeys } = settings;
  const by = `budget by ${key.reader.identity} in 1/${scale}`;
  const shared = book.share({ name, by, period, timeZone, resetDay, keysMax }, limit, scale);
  const isUsual = settings.timeZone === undefined && settings.resetDay === undefined;
  const budget = new BudgetLimit(
    {
      place: context.place(),
      enforcePercent: settings.mode ?? 100,
      key,
      phase: key.reader.phase === "admit" && estimate.phase === "admit" ? "admit" : "limit",
      limit,
      scale,
      countedBy: together,
      description: `${amountText(limit, scale)} ${unit}/${period}${isUsual ? "" : ` in ${timeZone}`}`,
      policy,
      estimate: estimate.of,
      tellsMethods: estimate.tellsMethods,
      source,
      otherwise: settled?.otherwise ?? "estimate",
      reservationMs: settings.reservation ?? DEFAULTS.budgetReservationMs,
      clock: context.clock,
      waiting: context.waiting,
      account: context.memory.bodies,
    },
    shared,
  );
  return store === undefined ? budget : store.share(budget, 0);
}

function isSettled(cost: BudgetSettings["cost"]): cost is SettledCost {
  return typeof cost === "object" && "response" in cost;
}

/** Bytes are whole; other costs are counted to a millionth, where the budget is not so large that a double would err. */
function scaleOf(amount: string, source: CostSource | null): number {
  return source?.kind === "bytes" || (amountOf(amount, MICRO) ?? AMOUNT_MAX) >= AMOUNT_MAX ? 1 : MICRO;
}

interface Estimate {
  readonly phase: "admit" | "limit";
  readonly tellsMethods: MethodRule | null;
  readonly max: number;
  of(exchange: Exchange): number;
}

function compileEstimate(settings: number | CostSettings, scale: number, context: LimitContext): Estimate | null {
  if (typeof settings === "number") {
    const amount = amountOf(String(settings), scale) ?? AMOUNT_MAX;
    return { phase: "admit", tellsMethods: null, max: amount, of: () => amount };
  }
  const cost = compileCost(settings, context);
  if (cost === undefined) return null;
  if (cost === null) return { phase: "admit", tellsMethods: null, max: scale, of: () => scale };
  // Where it is from a client, it takes no more than the whole budget: what it wants beyond is refused as such.
  return {
    phase: cost.phase,
    tellsMethods: cost.tellsMethods,
    max: cost.max * scale,
    of: (exchange) => Math.min(AMOUNT_MAX, cost.of(exchange) * scale),
  };
}

function sourceOf(response: ResponseCost): CostSource {
  if ("header" in response) return { kind: "header", name: response.header, times: timesOf(response.times) };
  if ("trailer" in response) return { kind: "trailer", name: response.trailer, times: timesOf(response.times) };
  if ("bytes" in response) return { kind: "bytes", of: response.bytes };
  const eventsOnly = "event" in response;
  return { kind: "figures", eventsOnly, figures: (eventsOnly ? response.event : response).map(figureOf) };
}

/** What the schema has read is a path; nothing else comes here. */
const NOWHERE: JsonPath = { segments: [], bytes: [] };

function figureOf({ path, times }: FigureSettings): Figure {
  const parsed = parseJsonPath(path);
  return { path: parsed.ok ? parsed.value : NOWHERE, times: timesOf(times) };
}

function timesOf(times: number | undefined): Decimal {
  return parseDecimal(String(times ?? 1));
}
