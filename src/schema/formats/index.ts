import { DEFAULTS } from "../../support/defaults.ts";
import type { Dialect } from "../dialect.ts";
import { isPattern } from "../pattern/index.ts";
import { isDate, isDateTime, isDuration, isTime } from "./dates.ts";
import { isHostname, isIdnHostname, isIpv4, isIpv6 } from "./hosts.ts";
import { NAME_OCTETS_MAX } from "./idna.ts";
import { isEmail, isIdnEmail } from "./mail.ts";
import { isDouble, isFloat, isInteger } from "./numbers.ts";
import { isJsonPointer, isRelativeJsonPointer } from "./pointers.ts";
import { fits, type Span, type Spans } from "./spans.ts";
import { iriReferenceSpans, iriSpans, uriReferenceSpans, uriSpans } from "./uri.ts";
import { isUriTemplate } from "./uri-template.ts";

type WorkOf = (text: string) => number;

/** What a format asks of a value: of a text its characters, of a number its spelling in the body. Other values always fit. */
export type Format =
  | {
      readonly kind: "text";
      readonly test: (text: string) => boolean;
      /** The regular expression that says the same; null where there is none. */
      readonly source: string | null;
      /** Where a text of any length may fit: that in parts, so that a long one can be judged in slices. */
      readonly spans: Spans | null;
      /** What a text costs beyond a look at each character, in instructions of patterns. */
      readonly workOf: WorkOf;
    }
  | { readonly kind: "number"; readonly test: (spelling: string) => boolean };

const UUID = /^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$/;
const BASE64_URL = /^[A-Za-z0-9_-]*$/;
const BASE64 = /^[A-Za-z0-9+/]*$/;
/** The end: unused bits of the last character before the padding are zero. */
const BASE64_END = /(?:[AQgw]==|[AEIMQUYcgkosw048]=|[A-Za-z0-9+/]{2})$/;

/** RFC 4648 section 4, padded; each sequence of bytes has one spelling (section 3.5). */
function base64Spans(text: string): readonly Span[] | null {
  if (text === "") return [];
  if (text.length % 4 !== 0 || !BASE64_END.test(text.slice(-4))) return null;
  return [{ text: text.slice(0, -2), every: BASE64 }];
}

export function isBase64(text: string): boolean {
  return fits(base64Spans(text));
}

/** RFC 4648 section 5, padded or not. */
function base64UrlSpans(text: string): readonly Span[] | null {
  const padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0;
  const length = text.length - padding;
  return length % 4 === 1 ? null : [{ text: text.slice(0, length), every: BASE64_URL }];
}

export function isBase64Url(text: string): boolean {
  return fits(base64UrlSpans(text));
}

/** Instructions for each character of what has to be parsed, or looked up in the tables of Unicode. */
const WORK_PER_CHAR = 16;
const isPlainName = (text: string): boolean => !/xn--|[^\0-\x7f]/i.test(text);
const ofNames = (text: string): number =>
  text.length > 2 * NAME_OCTETS_MAX || isPlainName(text) ? 0 : WORK_PER_CHAR * text.length;
const ofPatterns = (text: string): number =>
  text.length > DEFAULTS.formatRegexCharsMax ? 0 : WORK_PER_CHAR * text.length;
const ofOthers: WorkOf = () => 0;

/** What nobody writes at any length: a longer one does not fit. */
const text = (test: (text: string) => boolean, workOf = ofOthers, source: string | null = null): Format => ({
  kind: "text",
  test: (value) => value.length <= DEFAULTS.formatCharsMax && test(value),
  source,
  spans: null,
  workOf,
});
const long = (spans: Spans): Format => ({
  kind: "text",
  test: (value) => fits(spans(value)),
  source: null,
  spans,
  workOf: ofOthers,
});
const number = (test: (spelling: string) => boolean): Format => ({ kind: "number", test });
const anything: Format = { kind: "text", test: () => true, source: null, spans: null, workOf: ofOthers };

/** Each is linear in the length of its text, and none throws. */
const FORMATS: ReadonlyMap<string, Format> = new Map([
  ["date-time", text(isDateTime)],
  ["date", text(isDate)],
  ["time", text(isTime)],
  ["duration", text(isDuration)],
  ["email", text(isEmail, ofNames)],
  ["idn-email", text(isIdnEmail, ofNames)],
  ["hostname", text(isHostname, ofNames)],
  ["idn-hostname", text(isIdnHostname, ofNames)],
  ["ipv4", text(isIpv4)],
  ["ipv6", text(isIpv6)],
  ["uri", long(uriSpans)],
  ["uri-reference", long(uriReferenceSpans)],
  ["iri", long(iriSpans)],
  ["iri-reference", long(iriReferenceSpans)],
  ["uuid", text((value) => UUID.test(value), ofOthers, UUID.source)],
  ["uri-template", text(isUriTemplate)],
  ["json-pointer", text(isJsonPointer)],
  ["relative-json-pointer", text(isRelativeJsonPointer)],
  ["regex", text((value) => value.length <= DEFAULTS.formatRegexCharsMax && isPattern(value, true), ofPatterns)],
  ["byte", long(base64Spans)],
  ["base64url", long(base64UrlSpans)],
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
