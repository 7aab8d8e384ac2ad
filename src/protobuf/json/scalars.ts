import { JsonNumber } from "../../bodies/json-number.ts";
import { parseDecimal } from "../../support/decimal.ts";
import type { EnumType, Scalar, ScalarKind } from "../types.ts";

const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d{1,9})?$/;
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$|^[A-Za-z0-9_-]*={0,2}$/;
const NUMBER_CHARACTERS_MAX = 64;
/** Of a whole number of 64 bits in base ten. */
const DIGITS_MAX = 20;

const RANGES: Partial<Record<ScalarKind, readonly [least: bigint, most: bigint]>> = {
  int32: [-(2n ** 31n), 2n ** 31n - 1n],
  sint32: [-(2n ** 31n), 2n ** 31n - 1n],
  sfixed32: [-(2n ** 31n), 2n ** 31n - 1n],
  uint32: [0n, 2n ** 32n - 1n],
  fixed32: [0n, 2n ** 32n - 1n],
  int64: [-(2n ** 63n), 2n ** 63n - 1n],
  sint64: [-(2n ** 63n), 2n ** 63n - 1n],
  sfixed64: [-(2n ** 63n), 2n ** 63n - 1n],
  uint64: [0n, 2n ** 64n - 1n],
  fixed64: [0n, 2n ** 64n - 1n],
};
const FLOAT_MAX = 3.4028234663852886e38;

/** A value of JSON as one of the type, by the mapping of proto3 (protobuf.dev/programming-guides/json); null where it is none. */
export function scalarOf(kind: ScalarKind, value: unknown): Scalar | null {
  switch (kind) {
    case "string":
      return typeof value === "string" ? value : null;
    case "bool":
      return typeof value === "boolean" ? value : null;
    case "bytes":
      return typeof value === "string" ? bytesOf(value) : null;
    case "float":
    case "double":
      return floatOf(kind, value);
    default:
      return wholeOf(kind, value);
  }
}

/** A key of a map, which JSON has as a text. */
export function keyOf(kind: ScalarKind, name: string): Scalar | null {
  if (kind === "bool") return name === "true" ? true : name === "false" ? false : null;
  return scalarOf(kind, name);
}

/** By name or number; `undefined` for a name that it does not have, null for what is neither. */
export function enumOf(type: EnumType, value: unknown): number | null | undefined {
  if (typeof value === "string") return type.byName.get(value);
  const number = wholeOf("int32", typeof value === "number" || value instanceof JsonNumber ? value : null);
  if (number === null) return null;
  return type.isClosed && !type.numbers.has(Number(number)) ? undefined : Number(number);
}

/** How a number is written, be it in quotes. */
function spelling(value: unknown): string | null {
  const text = typeof value === "number" ? String(value) : value instanceof JsonNumber ? value.text : value;
  if (typeof text !== "string" || text.length > NUMBER_CHARACTERS_MAX || !NUMBER.test(text)) return null;
  return text;
}

function wholeOf(kind: ScalarKind, value: unknown): Scalar | null {
  const text = spelling(typeof value === "number" && !Number.isFinite(value) ? null : value);
  const range = RANGES[kind];
  if (text === null || range === undefined) return null;
  const { digits, exponent } = parseDecimal(text);
  if (exponent < 0 || exponent > DIGITS_MAX) return null;
  const whole = digits * 10n ** BigInt(exponent);
  if (whole < range[0] || whole > range[1]) return null;
  return kind.endsWith("64") ? whole : Number(whole);
}

function floatOf(kind: "float" | "double", value: unknown): number | null {
  if (value === "NaN") return Number.NaN;
  if (value === "Infinity" || value === "-Infinity") return Number(value);
  const text = spelling(value);
  if (text === null) return null;
  const number = Number(text);
  if (!Number.isFinite(number) || (kind === "float" && Math.abs(number) > FLOAT_MAX)) return null;
  return kind === "float" ? Math.fround(number) : number;
}

/** Of either alphabet, padded or not. */
function bytesOf(text: string): Buffer | null {
  if (!BASE64.test(text)) return null;
  const plain = text.replace(/=+$/, "");
  const isPadded = plain.length !== text.length;
  if (plain.length % 4 === 1 || (isPadded && text.length % 4 !== 0)) return null;
  return Buffer.from(plain, "base64");
}
