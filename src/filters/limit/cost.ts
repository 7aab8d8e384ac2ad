import * as z from "zod";
import { attributeName, bindAttribute } from "../../attributes/attribute.ts";
import type { Read } from "../../attributes/types.ts";
import { phaseOf } from "../../limits/key-parts.ts";
import type { Exchange } from "../../message/exchange.ts";
import { DEFAULTS } from "../../support/defaults.ts";
import { object } from "../../support/schema.ts";
import type { CompileContext } from "../filter.ts";
import type { MethodRule } from "../method-rule.ts";

/** What one request costs, as the policy has it. */
export type CostSettings =
  | number
  | { readonly from: string; readonly default: number }
  | ({ readonly default: number } & Readonly<Record<string, number>>);

const EXPECTED =
  "expected a number, costs by method as in { POST: 10, default: 1 }, or { from: ATTRIBUTE, default: 1 }";
const units = z.int().min(0).max(DEFAULTS.limitCostMax);
const fromOne = units.min(1, { error: "expected at least 1" });

export const costSchema = z
  .union(
    [
      fromOne,
      object({
        from: z
          .string()
          .min(1)
          .max(DEFAULTS.attributeCharsMax)
          .describe("The attribute whose value is the cost: a whole number from 1."),
        default: fromOne.describe("Where the attribute is absent or no such number."),
      }),
      z
        .object({ default: units.describe("Of all other methods.") })
        .catchall(units)
        .refine((costs) => Object.keys(costs).every((key) => key === "default" || /^[A-Z]+$/.test(key)), {
          error: "expected methods in upper case, and 'default'",
        }),
    ],
    { error: EXPECTED },
  )
  .describe("What one request costs: a number, by method, or from an attribute. 1 if absent.");

/** What one request costs. */
export interface Cost {
  readonly phase: "admit" | "limit";
  /** For people; empty where each costs 1. */
  readonly text: string;
  /** Of methods that do not cost the same; null where all do. */
  readonly tellsMethods: MethodRule | null;
  /** The most that one may cost, as far as that is known at load. */
  readonly max: number;
  /** The attribute's value comes from the client or its token: never less than 1. */
  of(exchange: Exchange): number;
}

/** Settings → cost; null where each request costs 1, undefined with problems reported. */
export function compileCost(settings: CostSettings | undefined, context: CompileContext): Cost | null | undefined {
  if (settings === undefined || settings === 1) return null;
  if (typeof settings === "number") {
    return { phase: "admit", text: `, ${settings} each`, tellsMethods: null, max: settings, of: () => settings };
  }
  if (typeof settings.from === "string") return costFrom(settings.from, settings.default, context);
  const { default: usual, ...byMethod } = settings as Readonly<Record<string, number>>;
  const costs = new Map(Object.entries(byMethod));
  const other = usual ?? 1;
  // Services run what they have for GET, and HEAD leaves out the answer's body alone (RFC 9110 section 9.3.2).
  const costOf = (method: string): number =>
    costs.get(method) ?? (method === "HEAD" ? costs.get("GET") : undefined) ?? other;
  const text = [...costs, ["other", other] as const].map(([method, cost]) => `${method} ${cost}`).join(", ");
  return {
    phase: "admit",
    text: `, cost ${text}`,
    max: Math.max(other, ...costs.values()),
    // A dear request must not come as a cheap one; the other way round its client pays too much.
    tellsMethods: (asked, named) => costOf(named) > costOf(asked),
    of: ({ method }) => costOf(method),
  };
}

function costFrom(from: string, usual: number, context: CompileContext): Cost | undefined {
  const name = attributeName(from);
  if (!name.ok) {
    context.problem(name.error, "cost", "from");
    return undefined;
  }
  const phase = phaseOf(name.value.row.from);
  if (phase === null) {
    context.problem(
      `'${name.value.text}' is not known yet where limits are asked; expected another attribute`,
      "cost",
      "from",
    );
    return undefined;
  }
  const bound = bindAttribute(name.value, { phase, parameters: null, route: null, clock: context.clock });
  if (!bound.ok) {
    context.problem(bound.error, "cost", "from");
    return undefined;
  }
  const { read, text } = bound.value;
  const tellsMethods = name.value.row.name === "request.method" ? () => true : null;
  return { phase, text: `, cost ${text}`, tellsMethods, max: usual, of: (exchange) => costIn(read, exchange) ?? usual };
}

/** Nothing that is no whole number from 1: `-100` would give a client what it never had, and 0 all that it wants. */
function costIn(read: Read, exchange: Exchange): number | null {
  const value = read(exchange);
  const number = typeof value === "string" && /^\d{1,9}$/.test(value) ? Number(value) : value;
  if (typeof number !== "number" || !Number.isSafeInteger(number) || number < 1) return null;
  return Math.min(number, DEFAULTS.limitCostMax);
}
