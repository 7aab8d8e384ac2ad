/** A Content-Type (RFC 9110 section 8.3): type and parameter names in lower case, quotes and escapes resolved. */
export interface MediaType {
  readonly type: string;
  readonly parameters: ReadonlyMap<string, string>;
}

const TYPE = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+\/[!#$%&'*+\-.^_`|~0-9A-Za-z]+)/;
const PARAMETER =
  /[ \t]*;[ \t]*(?:([!#$%&'*+\-.^_`|~0-9A-Za-z]+)=(?:([!#$%&'*+\-.^_`|~0-9A-Za-z]+)|"((?:[^"\\]|\\.)*)"))?/y;

/** Null where the text has no single reading, a repeated parameter included. */
export function mediaTypeOf(text: string): MediaType | null {
  const type = TYPE.exec(text)?.[1];
  if (type === undefined) return null;
  const parameters = new Map<string, string>();
  let at = type.length;
  while (at < text.length) {
    PARAMETER.lastIndex = at;
    const match = PARAMETER.exec(text);
    if (match === null) return null;
    at = PARAMETER.lastIndex;
    const name = match[1]?.toLowerCase();
    if (name === undefined) continue;
    if (parameters.has(name)) return null;
    parameters.set(name, match[2] ?? (match[3] ?? "").replace(/\\(.)/g, "$1"));
  }
  return { type: type.toLowerCase(), parameters };
}

/** `text/json` is what ASP.NET lists beside its own type, and reads; Rails and Laravel read the others as well. */
const JSON_TYPES: ReadonlySet<string> = new Set(["application/json", "text/json", "application/x-json", "text/x-json"]);

export function isJson(type: string): boolean {
  return JSON_TYPES.has(type) || type.endsWith("+json");
}

export function isXml(type: string): boolean {
  return type === "application/xml" || type === "text/xml" || type.endsWith("+xml");
}

export function isForm(type: string): boolean {
  return type === FORM_TYPE;
}

export function isText(type: string): boolean {
  return type === "text/plain";
}

/** Whether a body of this type is text that no other reading has: `text/csv` and `text/html`, but not `text/xml` and `text/json`. */
export function isAnyText(type: string): boolean {
  return type.startsWith("text/") && !type.includes("*") && !isJson(type) && !isXml(type) && !hasItems(type);
}

/** Whether a body of this type is a stream of items. */
export function hasItems(type: string): boolean {
  return isLines(type) || isJsonSequence(type) || type === EVENT_STREAM_TYPE;
}

export function isLines(type: string): boolean {
  return LINE_TYPES.has(type);
}

/** Its own type, and what is made of it, as `application/geo+json-seq`. */
export function isJsonSequence(type: string): boolean {
  return type === "application/json-seq" || type.endsWith("+json-seq");
}

const LINE_TYPES: ReadonlySet<string> = new Set([
  "application/x-ndjson",
  "application/ndjson",
  "application/jsonl",
  "application/x-jsonlines",
]);

export const EVENT_STREAM_TYPE = "text/event-stream";

export const FORM_TYPE = "application/x-www-form-urlencoded";

export function isMultipart(type: string): boolean {
  return type === MULTIPART_TYPE;
}

/** Whether parts of this type are the fields of a form: by RFC 7578, or as documents of OpenAPI before 3.2 have it of `multipart/mixed`. */
export function hasNamedParts(type: string): boolean {
  return isMultipart(type) || type === MIXED_TYPE;
}

export function hasParts(type: string): boolean {
  return type.startsWith("multipart/");
}

export const MIXED_TYPE = "multipart/mixed";

export const MULTIPART_TYPE = "multipart/form-data";
