import { JsonNumber } from "../bodies/json-number.ts";
import { parseDecimal } from "../support/decimal.ts";
import { nearestHint } from "../support/schema.ts";
import type { Shape } from "./keywords.ts";
import { isObject } from "./resource.ts";

export const TYPE_NAMES = ["null", "boolean", "integer", "number", "string", "array", "object"] as const;
export type TypeName = (typeof TYPE_NAMES)[number];

const TYPES: ReadonlySet<string> = new Set(TYPE_NAMES);

/** What is wrong with a keyword's value, subschemas aside; null for nothing. `isOld`: draft-04 and OpenAPI 3.0. */
export function shapeFault(shape: Shape, value: unknown, isOld: boolean): string | null {
  switch (shape) {
    case "any":
    case "schema":
    case "schemaOrList":
      return null;
    case "boolean":
      return typeof value === "boolean" ? null : "expected true or false";
    case "string":
    case "pattern":
    case "uriReference":
      return typeof value === "string" ? null : "expected a string";
    case "number":
      return isNumber(value) ? null : "expected a number";
    case "positive":
      return isNumber(value) && parseDecimal(numberText(value)).digits > 0n ? null : "expected a number above zero";
    case "count":
      return typeof value === "number" && Number.isSafeInteger(value) && value >= 0
        ? null
        : "expected an integer from zero up";
    case "array":
      return Array.isArray(value) ? null : "expected a list";
    case "schemaList":
      return Array.isArray(value) && value.length > 0 ? null : "expected a list of at least one schema";
    case "schemaMap":
    case "patternMap":
    case "dependencies":
      return isObject(value) ? null : "expected an object of schemas by name";
    case "stringList":
      return stringListFault(value, isOld);
    case "stringListMap": {
      if (!isObject(value)) return "expected an object of lists of names";
      return Object.values(value).some((list) => stringListFault(list, false) !== null)
        ? "expected a list of different names for each member"
        : null;
    }
    case "type":
      return typeFault(value);
  }
}

function stringListFault(value: unknown, isOld: boolean): string | null {
  if (typeof value === "boolean")
    return "expected a list of names beside 'properties', as in required: [id], not true or false at the member itself";
  const isList = Array.isArray(value) && value.every((name) => typeof name === "string");
  if (!isList || new Set(value).size !== value.length) return "expected a list of different names";
  return isOld && value.length === 0 ? "expected a list of at least one name" : null;
}

function typeFault(value: unknown): string | null {
  // Most have one, and a large description has very many of them.
  if (isTypeName(value)) return null;
  const names: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (names.length === 0 || new Set(names).size !== names.length) return "expected a type, or a list of different ones";
  for (const name of names) {
    if (typeof name !== "string") return "expected the name of a type";
    if (!isTypeName(name)) return `there is no type '${name}'; ${nearestHint(name, TYPE_NAMES)}`;
  }
  return null;
}

export function isTypeName(name: unknown): name is TypeName {
  return typeof name === "string" && TYPES.has(name);
}

export function isNumber(value: unknown): value is number | JsonNumber {
  return typeof value === "number" || value instanceof JsonNumber;
}

export function numberText(value: number | JsonNumber): string {
  return typeof value === "number" ? String(value) : value.text;
}
