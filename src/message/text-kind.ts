import { DEFAULTS } from "../support/defaults.ts";

/** What a text that is no name is a value of. Closed: inventory and records have these words. */
export const TEXT_KINDS = [
  "number",
  "uuid",
  "hash",
  "date",
  "ulid",
  "email",
  "token", // long, and no word
  "text", // anything else that is no plain name
] as const;

export type TextKind = (typeof TEXT_KINDS)[number];

const NUMBER = /^-?\d{1,20}(?:\.\d{1,10})?$/;
const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i;
const HASH = /^(?=[^g-z]*\d)[0-9a-f]{12,128}$/i;
const DATE = /^(?:19|20)\d\d-(?:0\d|1[0-2])(?:-[0-3]\d(?:T[\d:.%A-Z+-]{2,24})?)?$/;
const ULID = /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/i;
const EMAIL = /^[^@%]{1,64}(?:@|%40)[^@%]{1,128}\.[A-Za-z]{2,24}$/i;
const VERSION = /^v\d{1,3}(?:\.\d{1,3})?$/i;
/** `orders`, `order-items`, `.well-known`, `index.php`, `listOrders`, `oauth2`. */
const NAME = /^[._@~-]?[A-Za-z]+(?:[-_.][A-Za-z]+)*\d{0,2}$/;
const HUMP = /[a-z][A-Z]/g;
const WORD_CHARS_MAX = 20;
const HUMPS_MAX = 4;

/**
 * What kind of value a text is that is not empty; null for a name. In doubt it is a value: a path may hold what nobody else is to
 * read, and a name that is taken for a value costs a line of a list.
 */
export function textKindOf(text: string): TextKind | null {
  const { length } = text;
  if (length <= 20 && isDigits(text)) return "number";
  if (isName(text)) return null;
  if (length > 192) return "token";
  if (length === 36 && UUID.test(text)) return "uuid";
  if (DATE.test(text)) return "date";
  if (NUMBER.test(text)) return "number";
  if (length === 26 && ULID.test(text)) return "ulid";
  if (length >= 12 && HASH.test(text)) return "hash";
  if (EMAIL.test(text)) return "email";
  return length > WORD_CHARS_MAX ? "token" : "text";
}

/** Of ASCII, one at least. */
export function isDigits(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code < 0x30 || code > 0x39) return false;
  }
  return text.length > 0;
}

function isName(text: string): boolean {
  if (text.length > DEFAULTS.inventoryWordCharsMax) return false;
  if (!NAME.test(text)) return VERSION.test(text);
  if ((text.match(HUMP)?.length ?? 0) > HUMPS_MAX) return false;
  return text.length <= WORD_CHARS_MAX || text.split(/[-_.]/).every((word) => word.length <= WORD_CHARS_MAX);
}
