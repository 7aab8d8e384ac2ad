import type { Exchange } from "../message/exchange.ts";
import { excerpt } from "../support/excerpt.ts";
import type { Attribute } from "./attribute.ts";
import { AMBIGUOUS } from "./types.ts";

const CHARS_MAX = 128;

/** `path.tenant "acme"` for a log line: cut and escaped, and without the value where that may be a secret. */
export function shownAttribute(attribute: Attribute, exchange: Exchange): string {
  return `${attribute.text} ${shownValue(attribute, attribute.read(exchange))}`;
}

export function shownValue({ shown, type }: Pick<Attribute, "shown" | "type">, value: unknown): string {
  if (value === undefined || value === null) return "(absent)";
  if (value === AMBIGUOUS) return "(ambiguous)";
  if (shown === "nowhere") return "(not shown)";
  if (type === "time" && typeof value === "number") return new Date(value).toISOString();
  if (typeof value === "object" && !Array.isArray(value)) return "(an object)";
  return excerpt(JSON.stringify(Array.isArray(value) ? value.slice(0, ITEMS_MAX) : value), CHARS_MAX);
}

const ITEMS_MAX = 16;
