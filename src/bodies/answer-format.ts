import { EVENT_STREAM_TYPE, FORM_TYPE, isJson, isJsonSequence, isLines, mediaTypeOf } from "./media-type.ts";

/**
 * How the body of an answer is read. `notation` and `data`: forms in which services send what they would send as JSON to who asks
 * for it, and that nobody here reads, the one of characters, the other of bytes.
 */
export type BodyKind =
  | "json"
  | "ndjson"
  | "json-seq"
  | "events"
  | "csv"
  | "html"
  | "text"
  | "xml"
  | "form"
  | "notation"
  | "data"
  | "other";

/** `latin1`: bytes above 0x7f may be characters of their own. */
export type Charset = "utf8" | "latin1";

export interface BodyFormat {
  readonly kind: BodyKind;
  /** Null where nobody here reads it, as UTF-16 and UTF-7. */
  readonly charset: Charset | null;
}

/** Names of streams of lines that only answers have. Spring's old one, the last, ends as those of one JSON text do. */
const LINE_TYPES: ReadonlySet<string> = new Set([
  "application/x-jsonl",
  "application/jsonlines",
  "application/json-lines",
  "application/x-json-stream",
  "application/stream+json",
]);
/** Scripts (a call with the JSON in it, which a page gets by `?callback=`), YAML and the like. */
const NOTATIONS: ReadonlySet<string> = new Set([
  "javascript",
  "ecmascript",
  "jscript",
  "yaml",
  "json5",
  "hjson",
  "toml",
  "edn",
  "php.serialized",
  "turtle",
  "trig",
  "n3",
  "n-triples",
  "n-quads",
]);
/** Tables as sheets, and binary forms. */
const DATA: ReadonlySet<string> = new Set([
  "ion",
  "amzn-ion",
  "msgpack",
  "messagepack",
  "cbor",
  "cbor-seq",
  "bson",
  "avro",
  "avro-binary",
  "apache.avro",
  "apache.parquet",
  "apache.arrow.file",
  "apache.arrow.stream",
  "ms-excel",
  "ms-excel.sheet.binary.macroenabled.12",
  "ms-excel.sheet.macroenabled.12",
  "openxmlformats-officedocument.spreadsheetml.sheet",
  "oasis.opendocument.spreadsheet",
  "thrift",
  "apache.thrift.binary",
  "apache.thrift.compact",
  "proto",
  "protobuf",
  "google.protobuf",
  "google-protobuf",
  "jackson-smile",
  "ubjson",
  "flexbuffers",
  "capnp",
  "hessian",
  "amf",
  "java-serialized-object",
  "grpc",
  "grpc-web",
  "grpc-web-text",
  "connect",
]);
const KINDS: ReadonlyMap<string, BodyKind> = new Map<string, BodyKind>([
  [EVENT_STREAM_TYPE, "events"],
  ["text/csv", "csv"],
  ["application/csv", "csv"],
  ["text/tab-separated-values", "csv"],
  ["text/html", "html"],
  ["application/xhtml+xml", "html"],
  ["application/xml", "xml"],
  ["text/xml", "xml"],
  [FORM_TYPE, "form"],
]);

/** Names of charsets as RFC 9110 section 8.3.2 compares them, in lower case. */
const CHARSETS: ReadonlyMap<string, Charset> = new Map<string, Charset>([
  ["utf-8", "utf8"],
  ["utf8", "utf8"],
  ["us-ascii", "utf8"],
  ["ascii", "utf8"],
  ["iso-8859-1", "latin1"],
  ["latin1", "latin1"],
  ["latin-1", "latin1"],
  ["windows-1252", "latin1"],
  ["cp1252", "latin1"],
]);

const UNKNOWN: BodyFormat = { kind: "other", charset: "utf8" };
const KNOWN_MAX = 256;
/** Services have few values of Content-Type, and say each of them with every answer. */
const known = new Map<string, BodyFormat | null>();

/**
 * How an answer's body is read, by its Content-Type (RFC 9110 section 8.3); null where that has no single reading, as with
 * two charsets or two header lines, which clients take for different things.
 */
export function bodyFormatOf(contentType: string | undefined): BodyFormat | null {
  if (contentType === undefined) return UNKNOWN;
  let format = known.get(contentType);
  if (format !== undefined) return format;
  format = read(contentType);
  if (known.size < KNOWN_MAX) known.set(contentType, format);
  return format;
}

function read(contentType: string): BodyFormat | null {
  const parsed = mediaTypeOf(contentType);
  if (parsed === null) return null;
  const named = parsed.parameters.get("charset");
  const charset = named === undefined ? "utf8" : (CHARSETS.get(named.trim().toLowerCase()) ?? null);
  return { kind: kindOf(parsed.type), charset };
}

function kindOf(type: string): BodyKind {
  const kind = KINDS.get(type);
  if (kind !== undefined) return kind;
  if (isLines(type) || LINE_TYPES.has(type)) return "ndjson";
  if (isJson(type)) return "json";
  if (isJsonSequence(type)) return "json-seq";
  if (isAmong(NOTATIONS, type)) return "notation";
  // A body of several parts may have any in it.
  if (/^(?:multipart|avro)\//.test(type) || isAmong(DATA, type)) return "data";
  if (type.endsWith("+xml")) return "xml";
  return type.startsWith("text/") ? "text" : "other";
}

/** By its name without what says whose it is, or by what it is made of (RFC 6839). */
function isAmong(forms: ReadonlySet<string>, type: string): boolean {
  const [name = "", ...suffixes] = type.replace(/^[^/]*\/(?:x-|vnd\.)?/, "").split("+");
  return forms.has(name) || forms.has(suffixes.at(-1) ?? "");
}
