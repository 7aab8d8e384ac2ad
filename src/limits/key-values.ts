import { DEFAULTS } from "../support/defaults.ts";
import type { KeyHash } from "./rate/key-hash.ts";

/** Values of attributes as keys; which of them are one, src/attributes/README.md says. */

/** Kinds of values, fed before the value itself. */
const TEXT = 7;
const YES = 8;
const NO = 9;
const LIST = 10;

/** Feeds a value; false where it is none that can be a key. */
export function feedValue(hash: KeyHash, value: unknown): boolean {
  if (typeof value === "string" && value !== "") {
    hash.word(TEXT);
    hash.text(value);
    return true;
  }
  return Array.isArray(value) ? feedList(hash, value) : feedScalar(hash, value);
}

/** The same value as text: JSON, which has one reading. Null where `feedValue` is false. */
export function valueText(value: unknown): string | null {
  if (!Array.isArray(value)) return scalarText(value);
  if (!isKeyList(value)) return null;
  const items = value.map(scalarText);
  return items.includes(null) ? null : `[${items.join(",")}]`;
}

function feedList(hash: KeyHash, value: readonly unknown[]): boolean {
  if (!isKeyList(value)) return false;
  hash.word(LIST);
  hash.word(value.length);
  return value.every((item) => feedScalar(hash, item));
}

function feedScalar(hash: KeyHash, value: unknown): boolean {
  if (typeof value === "boolean") {
    hash.word(value ? YES : NO);
    return true;
  }
  const text = spelling(value);
  if (text === null) return false;
  hash.word(TEXT);
  hash.text(text);
  return true;
}

function scalarText(value: unknown): string | null {
  if (typeof value === "boolean") return String(value);
  const text = spelling(value);
  return text === null ? null : JSON.stringify(text);
}

/** A number is its shortest spelling, so that 42 and "42" are one caller's; of those beyond a double two may be one. */
function spelling(value: unknown): string | null {
  if (typeof value === "string") return value === "" ? null : value;
  if (typeof value === "bigint") return String(value);
  if (typeof value !== "number" || !Number.isFinite(value)) return null;
  return Number.isInteger(value) && !Number.isSafeInteger(value) ? null : String(value);
}

function isKeyList(value: readonly unknown[]): boolean {
  return value.length > 0 && value.length <= DEFAULTS.limitKeyItemsMax;
}
