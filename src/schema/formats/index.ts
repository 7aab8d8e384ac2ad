import type { Dialect } from "../dialect.ts";
import { isPattern } from "../pattern/index.ts";
import { isDate, isDateTime, isDuration, isTime } from "./dates.ts";
import { isHostname, isIdnHostname, isIpv4, isIpv6 } from "./hosts.ts";
import { isEmail, isIdnEmail } from "./mail.ts";
import { isDouble, isFloat, isInteger } from "./numbers.ts";
import { isJsonPointer, isRelativeJsonPointer } from "./pointers.ts";
import { isIri, isIriReference, isUri, isUriReference } from "./uri.ts";
import { isUriTemplate } from "./uri-template.ts";

/** What a format asks of a value: of a text its characters, of a number its spelling in the body. Other values always fit. */
export type Format =
  | {
      readonly kind: "text";
      readonly test: (text: string) => boolean;
      /** The regular expression that says the same; null where there is none. */
      readonly source: string | null;
    }
  | { readonly kind: "number"; readonly test: (spelling: string) => boolean };

const UUID = /^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$/;
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;
/** The last character before the padding, whose unused bits are zero. */
const BASE64_END = /(?:[AQgw]==|[AEIMQUYcgkosw048]=|[A-Za-z0-9+/])$/;

/** RFC 4648 section 4, padded; each sequence of bytes has one spelling (section 3.5). */
export function isBase64(text: string): boolean {
  return text === "" || (text.length % 4 === 0 && BASE64.test(text) && BASE64_END.test(text.slice(-4)));
}

/** RFC 4648 section 5, padded or not. */
export function isBase64Url(text: string): boolean {
  return /^[A-Za-z0-9_-]*={0,2}$/.test(text) && text.replace(/=+$/, "").length % 4 !== 1;
}

const text = (test: (text: string) => boolean, source: string | null = null): Format => ({
  kind: "text",
  test,
  source,
});
const number = (test: (spelling: string) => boolean): Format => ({ kind: "number", test });
const anything = text(() => true);

/** Each is linear in the length of its text, and none throws. */
const FORMATS: ReadonlyMap<string, Format> = new Map([
  ["date-time", text(isDateTime)],
  ["date", text(isDate)],
  ["time", text(isTime)],
  ["duration", text(isDuration)],
  ["email", text(isEmail)],
  ["idn-email", text(isIdnEmail)],
  ["hostname", text(isHostname)],
  ["idn-hostname", text(isIdnHostname)],
  ["ipv4", text(isIpv4)],
  ["ipv6", text(isIpv6)],
  ["uri", text(isUri)],
  ["uri-reference", text(isUriReference)],
  ["iri", text(isIri)],
  ["iri-reference", text(isIriReference)],
  ["uuid", text((value) => UUID.test(value), UUID.source)],
  ["uri-template", text(isUriTemplate)],
  ["json-pointer", text(isJsonPointer)],
  ["relative-json-pointer", text(isRelativeJsonPointer)],
  ["regex", text((value) => isPattern(value, true))],
  ["byte", text(isBase64)],
  ["binary", anything],
  ["password", anything],
  ["int32", number(isInteger(32))],
  ["int64", number(isInteger(64))],
  ["float", number(isFloat)],
  ["double", number(isDouble)],
]);

/** Names that a format had in a dialect before it got its own. */
const OLD_NAMES: Partial<Record<Dialect, ReadonlyMap<string, string>>> = {
  "draft-04": new Map([
    ["host-name", "hostname"],
    ["ip-address", "ipv4"],
  ]),
};

export const FORMAT_NAMES: readonly string[] = [...FORMATS.keys()];

/**
 * What a format asks, null for one that nobody knows. Younger names mean the same in older dialects, and those of OpenAPI
 * in all: whoever writes one wants it held. In draft-04 the names of its predecessor are known, too.
 */
export function formatOf(name: string, dialect: Dialect): Format | null {
  return FORMATS.get(OLD_NAMES[dialect]?.get(name) ?? name) ?? null;
}
