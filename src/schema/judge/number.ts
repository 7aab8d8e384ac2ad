import { JsonNumber } from "../../bodies/json-number.ts";
import { compareDecimals, type Decimal, isInteger, isMultiple, parseDecimal } from "../../support/decimal.ts";
import type { Dialect } from "../dialect.ts";
import { formatOf } from "../formats/index.ts";
import { numberText } from "../shapes.ts";
import type { Numeric, Rule, Subschema } from "../subschema.ts";
import type { Complaint } from "./faults.ts";
import type { Check } from "./run.ts";

/** Checks of numbers, exact in base ten: `multipleOf: 0.01` takes 19.99, and 9007199254740993 is not 9007199254740992. */
export function numberChecks({ number, format, resource }: Subschema): Check<Numeric>[] {
  const checks: Check<Numeric>[] = [];
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf } = number;
  if (minimum !== undefined) checks.push(bound(minimum, "minimum", "at least", (order) => order >= 0));
  if (exclusiveMinimum !== undefined)
    checks.push(openBound(exclusiveMinimum, "exclusiveMinimum", "more than", (order) => order > 0));
  if (maximum !== undefined) checks.push(bound(maximum, "maximum", "at most", (order) => order <= 0));
  if (exclusiveMaximum !== undefined)
    checks.push(openBound(exclusiveMaximum, "exclusiveMaximum", "less than", (order) => order < 0));
  if (multipleOf !== undefined) checks.push(multiple(multipleOf));
  if (format !== null) checks.push(...formatCheck(format, resource.language.dialect));
  return checks;
}

export function isWhole(value: Numeric): boolean {
  return typeof value === "number" ? Number.isInteger(value) : isInteger(parseDecimal(value.text));
}

function bound(
  { value: limit, site }: Rule<Numeric>,
  keyword: string,
  words: string,
  holds: (order: number) => boolean,
): Check<Numeric> {
  const complaint: Complaint = { keyword, detail: `expected ${words} ${numberText(limit)}`, site };
  const exact = parseDecimal(numberText(limit));
  if (limit instanceof JsonNumber) {
    return (value, run) => holds(compareDecimals(decimalOf(value), exact)) || run.fail(complaint);
  }
  // Two doubles that stand for their shortest spellings are in the order of these.
  return (value, run) => {
    const order = typeof value === "number" ? value - limit : compareDecimals(decimalOf(value), exact);
    return holds(order) || run.fail(complaint);
  };
}

/**
 * An open bound holds for the nearest double, too: 0.99999999999999999999 is less than 1, and 1 to a service that reads
 * doubles. A closed one needs no second look, for rounding never steps over a double.
 */
function openBound(...[rule, keyword, words, holds]: Parameters<typeof bound>): Check<Numeric> {
  const check = bound(rule, keyword, words, holds);
  const { value: limit, site } = rule;
  const complaint: Complaint = { keyword, detail: `expected ${words} ${numberText(limit)}`, site };
  const nearest = Number(numberText(limit));
  return (value, run) =>
    check(value, run) &&
    (typeof value === "number" || isWhole(value) || holds(Number(value.text) - nearest) || run.fail(complaint));
}

function multiple({ value: divisor, site }: Rule<Numeric>): Check<Numeric> {
  const complaint: Complaint = { keyword: "multipleOf", detail: `expected a multiple of ${numberText(divisor)}`, site };
  const exact = parseDecimal(numberText(divisor));
  const whole = typeof divisor === "number" && Number.isSafeInteger(divisor) ? divisor : null;
  return (value, run) => {
    const fits =
      whole !== null && typeof value === "number" && Number.isSafeInteger(value)
        ? value % whole === 0
        : isMultiple(decimalOf(value), exact);
    return fits || run.fail(complaint);
  };
}

function formatCheck({ value: name, site }: Rule<string>, dialect: Dialect): Check<Numeric>[] {
  const format = formatOf(name, dialect);
  if (format?.kind !== "number") return [];
  const complaint: Complaint = { keyword: "format", detail: `expected a number of format ${name}`, site };
  return [(value, run) => format.test(numberText(value)) || run.fail(complaint)];
}

function decimalOf(value: Numeric): Decimal {
  return parseDecimal(numberText(value));
}
