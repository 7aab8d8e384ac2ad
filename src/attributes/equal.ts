import { DEFAULTS } from "../support/defaults.ts";
import { AMBIGUOUS } from "./types.ts";

/** `unknown`: one of the two is absent, ambiguous, or a value of which nobody can say what it is. */
export type Equality = "equal" | "different" | "unknown";

/** Whether two attributes have one value, by the rules of README.md. A list holds what the other side is. */
export function equality(left: unknown, right: unknown): Equality {
  if (isNothing(left) || isNothing(right)) return "unknown";
  if (Array.isArray(left)) return Array.isArray(right) ? "different" : holds(left, right);
  return Array.isArray(right) ? holds(right, left) : scalarEquality(left, right);
}

/** Nothing that could be compared: an empty text is what a client sends who leaves a value out. */
export function isNothing(value: unknown): boolean {
  return value === undefined || value === null || value === "" || value === AMBIGUOUS;
}

function holds(list: readonly unknown[], value: unknown): Equality {
  if (list.length > DEFAULTS.attributeItemsMax) return "unknown";
  for (const item of list) if (scalarEquality(item, value) === "equal") return "equal";
  return "different";
}

function scalarEquality(left: unknown, right: unknown): Equality {
  if (typeof left === "string" && typeof right === "string")
    return left !== "" && left === right ? "equal" : "different";
  if (typeof left === "boolean" || typeof right === "boolean") return left === right ? "equal" : "different";
  const one = spelling(left);
  const other = spelling(right);
  if (one === null || other === null) return "unknown";
  return one === other ? "equal" : "different";
}

/** The one spelling of a text or number; null where there is none that could be trusted. */
function spelling(value: unknown): string | null {
  if (typeof value === "string") return value;
  if (typeof value !== "number") return null;
  // Of whole numbers beyond these, parsers make their neighbours: the ids of two callers would be one.
  return Number.isInteger(value) && !Number.isSafeInteger(value) ? null : String(value);
}
