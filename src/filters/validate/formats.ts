import { isIPv4, isIPv6 } from "node:net";

/**
 * The formats that schemas may name; another one does not compile. Each is linear in the length of its text: no
 * nested repetition, nothing that can backtrack into itself.
 */
const DATE = /^(\d{4})-(\d\d)-(\d\d)$/;
const TIME = /^([01]\d|2[0-3]):([0-5]\d):([0-5]\d|60)(?:\.\d{1,9})?(?:[Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/;
const UUID = /^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$/;
const LABEL = /^[0-9A-Za-z](?:[0-9A-Za-z-]{0,61}[0-9A-Za-z])?$/;
const EMAIL_LOCAL = /^[!#$%&'*+\-/=?^_`{|}~0-9A-Za-z.]{1,64}$/;
const URI = /^[A-Za-z][0-9A-Za-z+.-]{0,31}:[!#$&-;=?@[\]_~0-9A-Za-z%]+$/;
const BAD_ESCAPE = /%(?![0-9A-Fa-f]{2})/;

const DAYS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] as const;

function isDate(text: string): boolean {
  const match = DATE.exec(text);
  if (match === null) return false;
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])];
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return day >= 1 && day <= (month === 2 && !leap ? 28 : (DAYS[month - 1] ?? 0));
}

/** RFC 3339 section 5.6, the offset included: a time without one means something else to every reader. */
function isDateTime(text: string): boolean {
  return /^[Tt ]$/.test(text.charAt(10)) && isDate(text.slice(0, 10)) && TIME.test(text.slice(11));
}

/** RFC 1123 section 2.1. */
function isHostname(text: string): boolean {
  return text.length <= 253 && text.split(".").every((label) => LABEL.test(label));
}

function isEmail(text: string): boolean {
  const at = text.lastIndexOf("@");
  if (at < 1 || text.length > 254) return false;
  const local = text.slice(0, at);
  const dots = local.startsWith(".") || local.endsWith(".") || local.includes("..");
  return !dots && EMAIL_LOCAL.test(local) && isHostname(text.slice(at + 1));
}

const numeric = (validate: (value: number) => boolean) => ({ type: "number" as const, validate });

export const FORMATS = {
  date: isDate,
  time: (text: string): boolean => TIME.test(text),
  "date-time": isDateTime,
  uuid: (text: string): boolean => UUID.test(text),
  email: isEmail,
  hostname: isHostname,
  ipv4: (text: string): boolean => isIPv4(text),
  ipv6: (text: string): boolean => isIPv6(text) && !text.includes("%"),
  uri: (text: string): boolean => text.length <= 8192 && URI.test(text) && !BAD_ESCAPE.test(text),
  int32: numeric((value) => Number.isInteger(value) && value >= -(2 ** 31) && value < 2 ** 31),
  int64: numeric((value) => Number.isInteger(value) && value >= -(2 ** 63) && value < 2 ** 63),
  float: numeric(Number.isFinite),
  double: numeric(Number.isFinite),
};
