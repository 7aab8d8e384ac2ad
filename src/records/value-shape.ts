import { isDigits, textKindOf } from "../message/text-kind.ts";

/**
 * What may be told of a value that is not: its kind, and how large it is, by steps. `integer:3` has three digits, `name:16` 9 to
 * 16 characters; a kind whose texts are all of one length has no size. No value can be had back from it but `true` and `false`
 * together.
 */
export type ValueShape = string;

/** Closed: what stands before the colon. */
export const VALUE_KINDS = [
  "empty",
  "boolean",
  "integer", // digits; with `-` before their number for one below 0
  "decimal", // digits before the point
  "uuid",
  "date", // RFC 3339 full-date
  "date-time", // RFC 3339
  "name", // a word, as paths have them
  "hash",
  "email",
  "token", // long, and no word
  "text", // anything else
] as const;

export type ValueKind = (typeof VALUE_KINDS)[number];

/** More digits than a number of JSON keeps. */
const DIGITS_MAX = 15;
const SIGNED = /^-[1-9]\d{0,14}$/;
const DECIMAL = /^(-?)(0|[1-9]\d{0,14})\.\d{1,10}$/;
const FULL_DATE = /^\d{4}-(?:0\d|1[0-2])-(?:[0-2]\d|3[01])$/;
const DATE_TIME = /^\d{4}-(?:0\d|1[0-2])-(?:[0-2]\d|3[01])T\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/;
/** Lengths are told as the next power of two. */
const CHARS_MIN = 8;

/** The shape of a decoded value. */
export function shapeOf(value: string): ValueShape {
  const { length } = value;
  if (length === 0) return "empty";
  if (length <= DIGITS_MAX && isDigits(value) && (length === 1 || value.charCodeAt(0) !== ZERO))
    return INTEGERS[length] ?? "";
  if (value === "true" || value === "false") return "boolean";
  const kind = textKindOf(value);
  switch (kind) {
    case "uuid":
      return kind;
    case "number":
      return numberShape(value);
    case "date":
      return dateShape(value);
    case "ulid":
      return sized("text", length);
    default:
      return sized(kind ?? "name", length);
  }
}

const ZERO = 0x30;
const INTEGERS = Array.from({ length: DIGITS_MAX + 1 }, (_, digits) => `integer:${digits}`);

function numberShape(value: string): ValueShape {
  if (SIGNED.test(value)) return `integer:-${value.length - 1}`;
  const [, sign, digits] = DECIMAL.exec(value) ?? [];
  return digits === undefined ? sized("text", value.length) : `decimal:${sign}${digits.length}`;
}

function dateShape(value: string): ValueShape {
  if (FULL_DATE.test(value)) return "date";
  return DATE_TIME.test(value) ? "date-time" : sized("text", value.length);
}

function sized(kind: ValueKind, length: number): ValueShape {
  return `${kind}:${Math.max(CHARS_MIN, 2 ** Math.ceil(Math.log2(length)))}`;
}

/** A shape in its two parts; null for a text that is none. The size is in characters, or digits, below 0 for numbers that are. */
export function readShape(shape: ValueShape): { readonly kind: ValueKind; readonly size: number } | null {
  const colon = shape.indexOf(":");
  const word = colon < 0 ? shape : shape.slice(0, colon);
  const kind = VALUE_KINDS.find((one) => one === word);
  const size = colon < 0 ? 0 : Number(shape.slice(colon + 1));
  return kind === undefined || !Number.isSafeInteger(size) || Math.abs(size) > SIZE_MAX ? null : { kind, size };
}

/** No request's head is longer. */
const SIZE_MAX = 2 ** 20;
