/** Short names that OpenSSL and RFC 4514 give attribute types, by their numbers and by other names of theirs. */
const TYPE_NAMES: Readonly<Record<string, string>> = {
  "2.5.4.3": "cn",
  "2.5.4.4": "sn",
  "2.5.4.5": "serialnumber",
  "2.5.4.6": "c",
  "2.5.4.7": "l",
  "2.5.4.8": "st",
  "2.5.4.9": "street",
  "2.5.4.10": "o",
  "2.5.4.11": "ou",
  "2.5.4.12": "title",
  "2.5.4.15": "businesscategory",
  "2.5.4.17": "postalcode",
  "2.5.4.42": "gn",
  "2.5.4.43": "initials",
  "2.5.4.46": "dnqualifier",
  "2.5.4.65": "pseudonym",
  "2.5.4.97": "organizationidentifier",
  "0.9.2342.19200300.100.1.1": "uid",
  "0.9.2342.19200300.100.1.25": "dc",
  "1.2.840.113549.1.9.1": "emailaddress",
  s: "st",
  e: "emailaddress",
  email: "emailaddress",
  userid: "uid",
  givenname: "gn",
  commonname: "cn",
  surname: "sn",
  countryname: "c",
  localityname: "l",
  stateorprovincename: "st",
  streetaddress: "street",
  organizationname: "o",
  organizationalunitname: "ou",
  domaincomponent: "dc",
};

const TYPE = /\s*([A-Za-z][A-Za-z0-9-]*|\d+(?:\.\d+)+)\s*=\s*/y;

/**
 * A distinguished name in any spelling that is in use: RFC 4514 (`CN=a,O=b`), OpenSSL's (`O = b, CN = a`, `subject=O=b,
 * CN=a`, `/O=b/CN=a`) → the same text for all spellings of one name, or null where it is none. Which end comes first
 * cannot be told from a spelling, so both orders of one name have the same text. Values are compared as they are.
 */
export function canonicalName(text: string): string | null {
  const plain = text.replace(/^\s*(?:subject|issuer)\s*=\s*(?=\/|[^,]*=)/i, "");
  const parts = plain.startsWith("/") ? slashed(plain) : separated(plain);
  if (parts === null || parts.length === 0) return null;
  const forward = parts.join(",");
  const backward = parts.toReversed().join(",");
  return forward < backward ? forward : backward;
}

const SLASHED = /^([A-Za-z][A-Za-z0-9-]*|\d+(?:\.\d+)+)=(.+)$/s;

/** `/O=b/CN=a`: a slash or a plus ends a value only where a type follows; nothing else has a meaning of its own. */
function slashed(text: string): readonly string[] | null {
  const parts: string[] = [];
  for (const part of text.slice(1).split(/(?<!\\)\/(?=[A-Za-z0-9.-]+=)/)) {
    const attributes: string[] = [];
    for (const attribute of part.split(/\+(?=[A-Za-z0-9.-]+=)/)) {
      const [, type, value] = SLASHED.exec(attribute) ?? [];
      if (type === undefined || value === undefined) return null;
      attributes.push(attributeText(type, withoutBytes(value.replaceAll("\\/", "/"))));
    }
    parts.push(attributes.sort().join("+"));
  }
  return parts;
}

/** `Gr\xC3\xB6\xC3\x9Fe`, as OpenSSL writes what is no ASCII there. */
function withoutBytes(value: string): string {
  return value.replace(/(?:\\x[0-9A-F]{2})+/g, (run) => Buffer.from(run.replaceAll("\\x", ""), "hex").toString("utf8"));
}

/** Relative names, separated by commas (RFC 4514 section 3) or semicolons, as RFC 2253 readers take them. */
function separated(text: string): readonly string[] | null {
  const parts: string[] = [];
  let attributes: string[] = [];
  let at = 0;
  for (;;) {
    TYPE.lastIndex = at;
    const type = TYPE.exec(text)?.[1];
    if (type === undefined) return null;
    const value = readValue(text, TYPE.lastIndex);
    if (value === null || value.text === "") return null;
    attributes.push(attributeText(type, value.text));
    at = value.end + 1;
    const separator = text[value.end];
    if (separator === "+") continue;
    parts.push(attributes.sort().join("+"));
    attributes = [];
    if (separator === undefined) return parts;
  }
}

/** A value up to its separator: quoted, or with escapes of one character or two hex digits (of UTF-8 each). */
function readValue(text: string, start: number): { readonly text: string; readonly end: number } | null {
  const bytes: Buffer[] = [];
  const isQuoted = text[start] === '"';
  let at = isQuoted ? start + 1 : start;
  let kept = 0;
  for (; at < text.length; at++) {
    const char = text[at] ?? "";
    if (isQuoted ? char === '"' : /[,;+]/.test(char)) break;
    if (char === "\\") {
      const hex = /^[0-9a-f]{2}/i.exec(text.slice(at + 1, at + 3))?.[0];
      const next = text.slice(at + 1, at + 2);
      if (next === "") return null;
      bytes.push(hex === undefined ? Buffer.from(next) : Buffer.from(hex, "hex"));
      at += hex === undefined ? 1 : 2;
      kept = bytes.length;
    } else {
      const point = String.fromCodePoint(text.codePointAt(at) ?? 0);
      at += point.length - 1;
      bytes.push(Buffer.from(point));
      // Blanks at the end belong to the separator.
      if (isQuoted || char !== " ") kept = bytes.length;
    }
  }
  const value = Buffer.concat(bytes.slice(0, kept)).toString("utf8");
  if (!isQuoted) return { text: value, end: at };
  if (text[at] !== '"') return null;
  const rest = /^\s*/.exec(text.slice(at + 1))?.[0].length ?? 0;
  const end = at + 1 + rest;
  return end === text.length || /[,;+]/.test(text[end] ?? "") ? { text: value, end } : null;
}

/** The value is quoted, so that none can look like the end of its part. */
function attributeText(type: string, value: string): string {
  const name = type.toLowerCase();
  return `${TYPE_NAMES[name] ?? name}=${JSON.stringify(value)}`;
}
