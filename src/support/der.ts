/** One value of DER (X.690): its whole tag byte, and what is in it. */
export interface DerValue {
  readonly tag: number;
  readonly content: Buffer;
}

export const DER_INTEGER = 0x02;
export const DER_SEQUENCE = 0x30;
const OBJECT_IDENTIFIER = 0x06;
const BMP_STRING = 0x1e;
const UTC_TIME = 0x17;
const GENERALIZED_TIME = 0x18;

/** Where a value stands: its tag, where its content begins, and where it ends; null where the bytes are no DER. */
interface Span {
  readonly tag: number;
  readonly start: number;
  readonly end: number;
}

function spanAt(bytes: Buffer, at: number): Span | null {
  const tag = bytes[at] ?? 0;
  const first = bytes[at + 1];
  // Tags of several bytes do not occur in certificates.
  if (first === undefined || (tag & 0x1f) === 0x1f) return null;
  const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
  if (first === 0x80 || lengthBytes > 4 || at + 2 + lengthBytes > bytes.length) return null;
  const length = lengthBytes === 0 ? first : bytes.readUIntBE(at + 2, lengthBytes);
  const start = at + 2 + lengthBytes;
  return start + length > bytes.length ? null : { tag, start, end: start + length };
}

/** The values that stand one after another, or null where the bytes are no DER. What is inside of them is not looked at. */
export function derValues(bytes: Buffer): readonly DerValue[] | null {
  const values: DerValue[] = [];
  for (let at = 0; at < bytes.length; ) {
    const span = spanAt(bytes, at);
    if (span === null) return null;
    values.push({ tag: span.tag, content: bytes.subarray(span.start, span.end) });
    at = span.end;
  }
  return values;
}

/** The same with their tags and lengths, each as it stands there. */
export function derElements(bytes: Buffer): readonly Buffer[] | null {
  const elements: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const span = spanAt(bytes, at);
    if (span === null) return null;
    elements.push(bytes.subarray(at, span.end));
    at = span.end;
  }
  return elements;
}

/** The values in a SEQUENCE, or null where it is none. */
export function derSequence(value: DerValue | undefined): readonly DerValue[] | null {
  return value?.tag === DER_SEQUENCE ? derValues(value.content) : null;
}

export function isDerTime(value: DerValue | undefined): value is DerValue {
  return value?.tag === UTC_TIME || value?.tag === GENERALIZED_TIME;
}

/** Unix milliseconds of a UTCTime or GeneralizedTime (RFC 5280 section 4.1.2.5), or null. */
export function derTimeMs({ tag, content }: DerValue): number | null {
  const text = content.toString("latin1");
  const match = /^(\d{2,4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})Z$/.exec(text);
  if (match === null || text.length !== (tag === UTC_TIME ? 13 : 15)) return null;
  const [year = 0, month = 0, ...rest] = match.slice(1).map(Number);
  const [day, hour, minute, second] = rest;
  const fullYear = tag === GENERALIZED_TIME ? year : year < 50 ? 2000 + year : 1900 + year;
  return Date.UTC(fullYear, month - 1, day, hour, minute, second);
}

const ATTRIBUTES: Readonly<Record<string, string>> = {
  "550403": "CN",
  "550406": "C",
  "550407": "L",
  "550408": "ST",
  "55040a": "O",
  "55040b": "OU",
  "0992268993f22c640119": "DC",
  "2a864886f70d010901": "emailAddress",
};

/** A Name (RFC 5280 section 4.1.2.4) on one line, most specific part first; null where it is none. */
export function derNameText(name: DerValue | undefined): string | null {
  const parts: string[] = [];
  for (const set of derSequence(name) ?? [{ tag: 0, content: Buffer.alloc(0) }]) {
    const attributes = set.tag === 0x31 ? derValues(set.content) : null;
    if (attributes === null) return null;
    const texts: string[] = [];
    for (const attribute of attributes) {
      const [type, value] = derSequence(attribute) ?? [];
      if (type?.tag !== OBJECT_IDENTIFIER || value === undefined) return null;
      const oid = type.content.toString("hex");
      texts.push(`${ATTRIBUTES[oid] ?? `oid-${oid}`}=${stringOf(value)}`);
    }
    parts.push(texts.join("+"));
  }
  return parts.reverse().join(",");
}

/** As RFC 5280 section 7.1 has names compared: no matter the kind of string, upper case and blanks. */
export function nameKey(text: string): string {
  return text.toLowerCase().replace(/\s+/g, " ").trim();
}

function stringOf({ tag, content }: DerValue): string {
  if (tag !== BMP_STRING || content.length % 2 !== 0) return content.toString("utf8");
  return Buffer.from(content).swap16().toString("utf16le");
}
