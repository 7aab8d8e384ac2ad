import * as z from "zod";
import { AMOUNT_MAX, amountOf, MICRO } from "../../limits/budget/amount.ts";
import { parseJsonPath } from "../../limits/budget/json-path.ts";
import { PERIODS, type Period } from "../../limits/quota/calendar.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import { durationMs, headerName, mode, object } from "../../support/schema.ts";
import { parseSizeBytes, SIZE_PATTERN } from "../../support/units.ts";
import type { Otherwise } from "./budget-limit.ts";
import { calendarShape } from "./calendar-shape.ts";
import { type CostSettings, costSchema } from "./cost.ts";
import type { KeySettings } from "./key.ts";
import { keyShape } from "./key-schema.ts";
import { storeName } from "./schema.ts";

/** `2000000/month` → a decimal in JSON's spelling, and the period. */
export interface Budget {
  readonly amount: string;
  readonly period: Period;
}

/** A number of an answer: its place, and what one of it costs as a decimal. */
export interface FigureSettings {
  readonly path: string;
  readonly times?: number | undefined;
}

export type ResponseCost =
  | readonly FigureSettings[]
  | { readonly event: readonly FigureSettings[] }
  | { readonly header: string; readonly times?: number | undefined }
  | { readonly trailer: string; readonly times?: number | undefined }
  | { readonly bytes: "request" | "response" | "both" };

export interface SettledCost {
  readonly estimate: number | CostSettings;
  readonly response: ResponseCost;
  readonly otherwise?: Otherwise | undefined;
}

export interface BudgetSettings extends KeySettings {
  readonly budget: Budget;
  readonly cost: number | CostSettings | SettledCost;
  readonly unit?: string | undefined;
  readonly reservation?: number | undefined;
  readonly timeZone?: string | undefined;
  readonly resetDay?: number | undefined;
  readonly maxKeys?: number | undefined;
  readonly store?: string | undefined;
  readonly mode?: number | undefined;
}

const BUDGET_EXPECTED = `expected a budget: AMOUNT/${PERIODS.join(", /")}, as in 2000000/month, 25.50/day or 10GiB/day`;

const budget: z.ZodType<Budget, string> = z.string({ error: BUDGET_EXPECTED }).transform((text, context): Budget => {
  const slash = text.lastIndexOf("/");
  const period = PERIODS.find((one) => one === text.slice(slash + 1));
  const amount = amountIn(text.slice(0, slash));
  if (slash > 0 && period !== undefined && amount !== null) return { amount, period };
  context.addIssue({ code: "custom", message: BUDGET_EXPECTED });
  return z.NEVER;
});

function amountIn(text: string): string | null {
  if (SIZE_PATTERN.test(text)) {
    const bytes = parseSizeBytes(text);
    return bytes.ok && bytes.value > 0 ? String(bytes.value) : null;
  }
  const amount = /^\d{1,15}(?:\.\d{1,6})?$/.test(text) ? amountOf(text, 1) : null;
  return amount === null || amount === 0 || amount >= AMOUNT_MAX ? null : text;
}

const TIMES_EXPECTED = "expected what one of it costs: a number above 0, as in 0.000003";
const times = z
  .number({ error: TIMES_EXPECTED })
  .gt(0, { error: TIMES_EXPECTED })
  .max(MICRO, { error: TIMES_EXPECTED })
  .optional()
  .describe("What one of it costs, as 0.000003 of a token. 1 if absent.");

const jsonPath = z.string().superRefine((text, context) => {
  const parsed = parseJsonPath(text);
  if (!parsed.ok) context.addIssue({ code: "custom", message: parsed.error });
});

const FIGURES_EXPECTED = `expected a path as $.usage.total_tokens, { path: …, times: … }, or a list of at most ${DEFAULTS.budgetFiguresMax} of them`;
const figure: z.ZodType<FigureSettings, string | FigureSettings> = z.union(
  [
    jsonPath.transform((path): FigureSettings => ({ path })),
    object({ path: jsonPath.describe("Where the number stands, as $.usage.total_tokens."), times }),
  ],
  { error: FIGURES_EXPECTED },
);
const figures = z.union([figure.transform((one) => [one]), z.array(figure).min(1).max(DEFAULTS.budgetFiguresMax)], {
  error: FIGURES_EXPECTED,
});

const RESPONSE_EXPECTED =
  "expected where the answer says what it cost: $.path, { header: … }, { trailer: … }, { event: $.path } or { bytes: response }";

export const response: z.ZodType<ResponseCost> = z
  .union(
    [
      figures,
      object({ header: headerName.describe("The header that has the number."), times }),
      object({ trailer: headerName.describe("The trailer that has the number."), times }),
      object({ event: figures.describe("Where it stands in the last event of a stream that has it.") }),
      object({
        bytes: z.enum(["request", "response", "both"]).describe("Bytes of bodies, as they went by."),
      }),
    ],
    { error: RESPONSE_EXPECTED },
  )
  .describe(
    "Where the answer says what the request cost: a path into its JSON, or into the last event of a stream; of several the sum; a header, a trailer, or the bytes of the bodies.",
  );

/** What an answer that does not say costs. */
export const otherwise = z
  .enum(["estimate", "nothing", "nothing-on-errors"])
  .optional()
  .describe(
    "What a request costs whose answer does not say: the estimate, nothing, or nothing where its status is 400 or above. estimate if absent.",
  );

const AMOUNT_EXPECTED = "expected a number above 0";
const decimal = z
  .number({ error: AMOUNT_EXPECTED })
  .gt(0, { error: AMOUNT_EXPECTED })
  .max(1e12)
  .describe("A number above 0, which may have a fraction.");

/** What is taken before an answer says what its request cost. */
export const estimate = z
  .union([decimal, costSchema])
  .describe("What is reserved before the answer is known: a number, by method, or from an attribute.");

/** A value under `limits:` that has a `budget`. */
export const budgetSchema: z.ZodType<BudgetSettings> = object({
  budget: budget.describe(
    "What each key may spend in an hour, day, week or month of the calendar: 2000000/month, 25.50/day, 10GiB/day.",
  ),
  ...keyShape,
  cost: z
    .union(
      [
        decimal,
        object({
          estimate,
          response,
          otherwise,
        }),
        costSchema,
      ],
      { error: "expected { estimate: …, response: … }, or what each request costs" },
    )
    .describe("What a request costs: settled from its answer, or fixed as in other limits."),
  unit: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,31}$/, { error: "expected a word in lower case, as tokens or eur" })
    .optional()
    .describe("What is spent, for clients and logs, as tokens or eur. units if absent."),
  reservation: durationMs
    .optional()
    .describe(
      `How long an estimate is kept for a request that does not end; it still costs what it costs. ${DEFAULTS.budgetReservationMs / 60_000}m if absent.`,
    ),
  ...calendarShape,
  maxKeys: z
    .int()
    .min(DEFAULTS.rateKeysMin)
    .max(DEFAULTS.quotaKeysMax)
    .optional()
    .describe(`How many keys are counted at once. ${DEFAULTS.quotaKeys} if absent.`),
  store: storeName,
  mode: mode.optional(),
});
