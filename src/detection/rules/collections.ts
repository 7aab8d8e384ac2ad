import type { AnswerFacts, BodyFacts, NamedText, RequestFacts } from "../facts.ts";
import type { EngineMode } from "./actions.ts";

/** What is known so far of a request and its answer. */
export interface Facts {
  readonly request: RequestFacts;
  body: BodyFacts;
  answer: AnswerFacts | null;
  /** How the body is read, as the request says or a rule. */
  processor: string;
  engine: EngineMode;
}

type Reader = (facts: Facts) => readonly NamedText[];

const NONE: readonly NamedText[] = [];

const one = (value: string): readonly NamedText[] => [{ name: "", value, shape: -1 }];
const single =
  (read: (facts: Facts) => string): Reader =>
  (facts) =>
    one(read(facts));
const names = (entries: readonly NamedText[]): readonly NamedText[] =>
  entries.map(({ name }) => ({ name, value: name, shape: -1 }));
const texts = (list: readonly string[]): readonly NamedText[] => list.map((value) => ({ name: "", value, shape: -1 }));
const both = (a: readonly NamedText[], b: readonly NamedText[]): readonly NamedText[] =>
  b.length === 0 ? a : a.length === 0 ? b : [...a, ...b];
const namedArgsOf = ({ request, body }: Facts): readonly NamedText[] => both(request.argsGet, body.args);
/** With those of the path, whose names are the policy's. */
const argsOf = (facts: Facts): readonly NamedText[] => both(facts.request.argsPath, namedArgsOf(facts));
const bytesOf = (entries: readonly NamedText[]): number =>
  entries.reduce((sum, { name, value }) => sum + name.length + value.length, 0);
const answerHeader = ({ answer }: Facts, wanted: string): string =>
  answer?.headers.find(({ name }) => name.toLowerCase() === wanted)?.value ?? "";

/** Of JSON, XML and parts, the raw bytes are no variable; the rules that know what is in them judge that. */
function rawBody({ body }: Facts): readonly NamedText[] {
  return body.raw !== "" && (body.processor === "URLENCODED" || body.processor === "") ? one(body.raw) : NONE;
}

const basename = (path: string): string => path.slice(Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\")) + 1);

/** How each variable is read, by its name. */
const READERS: Readonly<Record<string, Reader>> = {
  ARGS: argsOf,
  ARGS_NAMES: (facts) => names(namedArgsOf(facts)),
  ARGS_GET: ({ request }) => request.argsGet,
  ARGS_GET_NAMES: ({ request }) => names(request.argsGet),
  ARGS_PATH: ({ request }) => request.argsPath,
  ARGS_POST: ({ body }) => body.args,
  ARGS_POST_NAMES: ({ body }) => names(body.args),
  ARGS_COMBINED_SIZE: single((facts) => `${bytesOf(argsOf(facts))}`),
  FILES: ({ body }) => body.files,
  FILES_NAMES: ({ body }) => names(body.files),
  FILES_COMBINED_SIZE: single(({ body }) => `${body.filesBytes}`),
  MULTIPART_FILENAME: ({ body }) => body.files,
  MULTIPART_NAME: ({ body }) => names(body.files),
  MULTIPART_PART_HEADERS: ({ body }) => body.partHeaders,
  QUERY_STRING: single(({ request }) => request.query),
  REMOTE_ADDR: single(({ request }) => request.remoteAddress),
  REMOTE_HOST: single(({ request }) => request.remoteAddress),
  REQBODY_ERROR: single(({ body }) => (body.error === null ? "0" : "1")),
  REQBODY_ERROR_MSG: single(({ body }) => body.error ?? ""),
  REQBODY_PROCESSOR_ERROR: single(({ body }) => (body.error === null ? "0" : "1")),
  REQBODY_PROCESSOR_ERROR_MSG: single(({ body }) => body.error ?? ""),
  REQBODY_PROCESSOR: single(({ processor }) => processor),
  REQUEST_BASENAME: single(({ request }) => basename(request.path)),
  REQUEST_BODY: rawBody,
  REQUEST_BODY_LENGTH: single(({ body }) => `${body.length}`),
  REQUEST_COOKIES: ({ request }) => request.cookies,
  REQUEST_COOKIES_NAMES: ({ request }) => names(request.cookies),
  REQUEST_FILENAME: single(({ request }) => request.path),
  REQUEST_HEADERS: ({ request }) => request.headers,
  REQUEST_HEADERS_NAMES: ({ request }) => names(request.headers),
  REQUEST_LINE: single(({ request }) => `${request.method} ${request.uriRaw} ${request.protocol}`),
  REQUEST_METHOD: single(({ request }) => request.method),
  REQUEST_PROTOCOL: single(({ request }) => request.protocol),
  REQUEST_URI: single(({ request }) => request.uri),
  REQUEST_URI_RAW: single(({ request }) => request.uriRaw),
  RESPONSE_BODY: ({ answer }) => (answer?.body === null || answer === null ? NONE : one(answer.body)),
  RESPONSE_CONTENT_LENGTH: single((facts) => answerHeader(facts, "content-length")),
  RESPONSE_CONTENT_TYPE: single((facts) => answerHeader(facts, "content-type")),
  RESPONSE_HEADERS: ({ answer }) => answer?.headers ?? NONE,
  RESPONSE_HEADERS_NAMES: ({ answer }) => names(answer?.headers ?? NONE),
  RESPONSE_PROTOCOL: single(({ answer }) => answer?.protocol ?? ""),
  RESPONSE_STATUS: single(({ answer }) => (answer === null ? "" : `${answer.status}`)),
  UNIQUE_ID: single(({ request }) => request.id),
  "XML:/*": ({ body }) => texts(body.xmlTexts),
  "XML://@*": ({ body }) => texts(body.xmlAttributes),
};

/** Variables that stay what they are while the rules of a phase run, in the order of their numbers. */
export const COLLECTIONS: readonly string[] = Object.keys(READERS);

const BY_NAME = new Map(COLLECTIONS.map((name, index) => [name, index]));
const READ = Object.values(READERS);

/** Numbers of those that are whole once the head of a request is there. */
export const HEAD_COLLECTIONS: ReadonlySet<number> = new Set(
  COLLECTIONS.flatMap((name, number) => {
    const isOfHead = /^(ARGS_GET|ARGS_PATH|QUERY_STRING|REMOTE_|REQUEST_|UNIQUE_ID)/.test(name);
    return isOfHead && !name.startsWith("REQUEST_BODY") ? [number] : [];
  }),
);

/** Variables that rules themselves write, or that are what the last test found. */
export const RUN_COLLECTIONS: ReadonlySet<string> = new Set([
  "TX",
  "MATCHED_VAR",
  "MATCHED_VAR_NAME",
  "MATCHED_VARS",
  "MATCHED_VARS_NAMES",
  "RULE",
]);

/** All that a rule may name. */
export const COLLECTION_NAMES: ReadonlySet<string> = new Set([...COLLECTIONS, ...RUN_COLLECTIONS, "XML"]);

/** The number of a collection; -1 where it is none that a request has. */
export function collectionNumber(name: string): number {
  return BY_NAME.get(name) ?? -1;
}

export function entriesOf(collection: number, facts: Facts): readonly NamedText[] {
  return READ[collection]?.(facts) ?? NONE;
}

const PERSISTENT = "what outlives a request is not kept by rules; limits and bans do that";
const STRICT = "its bodies have one strict reading, so that there is nothing to tell";
const ELSEWHERE = "postern does not give it to rules";

/** Variables of ModSecurity that nothing is read of, and why. */
export const NOT_COLLECTED: ReadonlyMap<string, string> = new Map([
  ...["IP", "GLOBAL", "SESSION", "USER", "RESOURCE", "SESSIONID", "USERID", "USERAGENT_IP"].map(
    (name) => [name, PERSISTENT] as const,
  ),
  ["GEO", "countries and networks are the policy's address lists"],
  ...[
    "MULTIPART_STRICT_ERROR",
    "MULTIPART_UNMATCHED_BOUNDARY",
    "MULTIPART_BOUNDARY_QUOTED",
    "MULTIPART_BOUNDARY_WHITESPACE",
    "MULTIPART_CRLF_LF_LINES",
    "MULTIPART_DATA_AFTER",
    "MULTIPART_DATA_BEFORE",
    "MULTIPART_FILE_LIMIT_EXCEEDED",
    "MULTIPART_HEADER_FOLDING",
    "MULTIPART_INVALID_HEADER_FOLDING",
    "MULTIPART_INVALID_PART",
    "MULTIPART_INVALID_QUOTING",
    "MULTIPART_LF_LINE",
    "MULTIPART_MISSING_SEMICOLON",
    "URLENCODED_ERROR",
    "INBOUND_DATA_ERROR",
    "OUTBOUND_DATA_ERROR",
  ].map((name) => [name, STRICT] as const),
  ...[
    "AUTH_TYPE",
    "DURATION",
    "ENV",
    "FILES_SIZES",
    "FILES_TMPNAMES",
    "FILES_TMP_CONTENT",
    "FULL_REQUEST",
    "FULL_REQUEST_LENGTH",
    "HIGHEST_SEVERITY",
    "HTTP",
    "MODSEC_BUILD",
    "PATH_INFO",
    "REMOTE_PORT",
    "REMOTE_USER",
    "REQUEST_BASENAME_RAW",
    "SCRIPT_BASENAME",
    "SCRIPT_FILENAME",
    "SERVER_ADDR",
    "SERVER_NAME",
    "SERVER_PORT",
    "SDBM_DELETE_ERROR",
    "STATUS_LINE",
    "STREAM_INPUT_BODY",
    "STREAM_OUTPUT_BODY",
    "TIME",
    "TIME_DAY",
    "TIME_EPOCH",
    "TIME_HOUR",
    "TIME_MIN",
    "TIME_MON",
    "TIME_SEC",
    "TIME_WDAY",
    "TIME_YEAR",
    "WEBAPPID",
    "WEBSERVER_ERROR_LOG",
    "MSC_PCRE_ERROR",
    "MSC_PCRE_LIMITS_EXCEEDED",
    "RESOLVED_ADDR",
  ].map((name) => [name, ELSEWHERE] as const),
]);
