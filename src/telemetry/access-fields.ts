import { REASONS } from "../decision/reason.ts";
import { type Denial, ListDenial } from "../decision/verdict.ts";
import { type AnswerCount, answerFields, answerTotals } from "../message/answer-count.ts";
import { certificateFault } from "../message/certificate-fault.ts";
import type { DetectNote, DetectNotes } from "../message/detect-notes.ts";
import type { LeakNote } from "../message/leak-notes.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { fixed, isPlain } from "../support/json-text.ts";
import { maskCredentials } from "../support/mask-tokens.ts";
import { cutText, escaped, logText } from "./log-text.ts";
import type { RequestRecord } from "./request-record.ts";

/** What a field says of a request, as JSON; null where it has nothing to say, and is left out. */
export type FieldText = (record: RequestRecord) => string | null;

interface FreshText {
  readonly read: (record: RequestRecord) => string | null;
  readonly charsMax: number;
}

/** Fields that are another text for nearly every request; most need no JSON made of them before they are written. */
export const FRESH_TEXTS: Readonly<Record<"id" | "path", FreshText>> = {
  id: { read: ({ id }) => id, charsMax: DEFAULTS.logTextCharsMax },
  path: {
    read: ({ exchange: { method, target } }) => (method === "" ? null : target.path),
    charsMax: DEFAULTS.logPathCharsMax,
  },
};

interface FreshNumber {
  /** In units of its last digit; negative where the field is left out. */
  readonly units: (record: RequestRecord) => number;
  /** Behind the point. */
  readonly digits: 0 | 1 | 3;
}

/** Fields that are another number for nearly every request; no text is made of them before they are written. */
export const FRESH_NUMBERS = {
  decisionUs: { units: ({ decisionMs }) => decisionMs * 10_000, digits: 1 },
  upstreamMs: { units: ({ upstreamMs }) => upstreamMs * 1000, digits: 3 },
  durationMs: { units: ({ durationMs }) => durationMs * 1000, digits: 3 },
  bytesIn: { units: ({ requestBodyBytes }) => requestBodyBytes, digits: 0 },
  bytesOut: { units: ({ responseBodyBytes }) => responseBodyBytes, digits: 0 },
} satisfies Record<string, FreshNumber>;

/**
 * The fields of a request's line; log-reference.ts says what each means. By hand, for every request costs a line, and a general
 * serializer three times as much; each is picked, so that no header value and no query can come along. These are asked for each.
 */
export const USUAL_FIELDS = {
  id: freshText("id"),
  listener: repeated(({ listener }) => listener),
  client: repeated(({ clientAddress }) => clientAddress),
  country: ({ exchange: { geo, clientAddress } }) => textOrNull(geo?.country(clientAddress)),
  asn: ({ exchange: { geo, clientAddress } }) => textOrNull(geo?.asn(clientAddress)),
  network: ({ exchange: { geo, clientAddress } }) => textOrNull(geo?.network(clientAddress)),
  protocol: ({ protocol }) => (protocol === "h2" ? '"h2"' : '"http/1.1"'),
  proxyPeer: ({ exchange: { connection } }) => textOrNull(connection.proxyPeer?.text),
  method: ({ exchange: { method } }) => (method === "" ? null : outside(method, DEFAULTS.logMethodCharsMax)),
  path: freshText("path"),
  upstreamPath: ({ exchange: { target, upstreamTarget } }) =>
    upstreamTarget === null || upstreamTarget.path === target.path
      ? null
      : outside(upstreamTarget.path, DEFAULTS.logPathCharsMax),
  route: repeated(({ route }) => route),
  upstream: repeated(({ exchange: { upstream } }) => (upstream === "" ? null : upstream)),
  status: ({ status }) => String(status),
  grpcStatus: ({ grpcStatus }) => (grpcStatus === null ? null : String(grpcStatus)),
  principal: ({ exchange: { principal } }) =>
    principal === null ? null : outside(principal.id, DEFAULTS.logTextCharsMax),
  authenticator: repeated(({ exchange: { principal } }) => principal?.authenticator ?? null),
  certificateFault: ({ exchange: { certificate } }) =>
    certificate === null || certificate.untrusted === null ? null : faultText(certificate.untrusted),
  requestId: ({ exchange: { requestId } }) => textOrNull(requestId),
  traceId: ({ exchange: { traceId } }) => textOrNull(traceId),
  spanId: ({ exchange: { spanId } }) => textOrNull(spanId),
  version: ({ exchange: { version } }) => textOrNull(version),
  deprecated: ({ exchange: { deprecated } }) => textOrNull(deprecated),
  decisionUs: freshNumber("decisionUs"),
  upstreamMs: freshNumber("upstreamMs"),
  durationMs: freshNumber("durationMs"),
  bytesIn: freshNumber("bytesIn"),
  bytesOut: freshNumber("bytesOut"),
  policyHash: repeated(({ policyHash }) => policyHash),
} satisfies Record<string, FieldText>;

/** Neighbours among the usual fields that are often the same for many requests: of a client, of a route, of a caller. */
export interface SteadyFields {
  readonly names: readonly (keyof typeof USUAL_FIELDS)[];
  /** All that they are made of, in an order of its own. */
  read(record: RequestRecord, into: unknown[]): void;
}

export const STEADY_FIELDS: readonly SteadyFields[] = [
  {
    names: ["listener", "client", "country", "asn", "network", "protocol", "proxyPeer", "method"],
    read: ({ listener, clientAddress, protocol, exchange: { connection, method, geo } }, into) => {
      into[0] = clientAddress;
      into[1] = method;
      into[2] = listener;
      into[3] = protocol;
      into[4] = connection.proxyPeer;
      into[5] = geo;
    },
  },
  {
    names: ["route", "upstream", "status", "grpcStatus"],
    read: ({ route, status, grpcStatus, exchange: { upstream } }, into) => {
      into[0] = route;
      into[1] = status;
      into[2] = upstream;
      into[3] = grpcStatus;
    },
  },
  {
    names: ["principal", "authenticator", "certificateFault", "version", "deprecated"],
    read: ({ exchange: { principal, certificate, version, deprecated } }, into) => {
      into[0] = principal;
      into[1] = certificate;
      into[2] = version;
      into[3] = deprecated;
    },
  },
  {
    names: ["policyHash"],
    read: ({ policyHash }, into) => {
      into[0] = policyHash;
    },
  },
];

/** Of requests that postern answered in place of the service, or whose answer it ended. */
export const DENIAL_FIELDS = {
  reason: ({ reason }) => textOrNull(reason),
  source: ({ reason }) => (reason === null ? null : `"${REASONS[reason].source}"`),
  policy: ({ denial }) => textOrNull(denial === null ? null : placeOf(denial)),
  rule: ({ denial }) => textOrNull(denial?.place?.path),
  list: ({ denial }) => (denial instanceof ListDenial ? jsonOf(logText(denial.list)) : null),
  seen: ({ denial }) => (denial === null ? null : jsonOf(seenText(denial))),
  wanted: ({ denial }) => (denial === null ? null : jsonOf(logText(denial.wanted))),
  faults: ({ denial }) => (denial === null ? null : json(faultsOf(denial))),
} satisfies Record<string, FieldText>;

/** What few requests have anything of. */
export const NOTE_FIELDS = {
  withheld: ({ exchange: { withheld } }) =>
    json(withheld?.slice(0, DEFAULTS.logWithheldMax).map((name) => logText(name, DEFAULTS.logWithheldCharsMax))),
  bodyEdits: ({ exchange: { bodyEdits } }) => json(bodyEdits?.counts),
  answer: ({ exchange: { answerCounts } }) => json(answerCounts === null ? undefined : changedFields(answerCounts)),
  leaks: ({ exchange: { leaks } }) => json(leaks?.first.map(leakFields)),
  detected: ({ exchange: { detected } }) => json(detected === null ? undefined : detectedFields(detected)),
  audited: ({ exchange: { audited } }) => json(audited?.slice(0, DEFAULTS.logAuditedMax).map(auditedFields)),
} satisfies Record<string, FieldText>;

/** Those that a policy may leave out. `slow` and `sampleRatio` say why there is a line. */
export type AccessField =
  | keyof typeof USUAL_FIELDS
  | keyof typeof DENIAL_FIELDS
  | keyof typeof NOTE_FIELDS
  | "slow"
  | "sampleRatio";

/** Whether any of `NOTE_FIELDS` has something. */
export function hasNotes({ exchange }: RequestRecord): boolean {
  const { withheld, audited, bodyEdits, leaks, detected, answerCounts } = exchange;
  return (
    withheld !== null ||
    audited !== null ||
    bodyEdits !== null ||
    leaks !== null ||
    detected !== null ||
    answerCounts !== null
  );
}

/** A text as JSON: of nearly all nothing has to be escaped. */
function jsonOf(text: string): string {
  return isPlain(text) ? `"${text}"` : escaped(JSON.stringify(text));
}

/** A text from outside as JSON, cut to a length. */
function outside(text: string, charsMax: number): string {
  return text.length <= charsMax && isPlain(text) ? `"${text}"` : cutText(text, charsMax);
}

function freshText(name: keyof typeof FRESH_TEXTS): FieldText {
  const { read, charsMax } = FRESH_TEXTS[name];
  return (record) => {
    const text = read(record);
    return text === null ? null : outside(text, charsMax);
  };
}

function freshNumber(name: keyof typeof FRESH_NUMBERS): FieldText {
  const { units, digits } = FRESH_NUMBERS[name];
  return (record) => {
    const number = units(record);
    if (number < 0) return null;
    return digits === 0 ? `${number}` : fixed(number, digits);
  };
}

/** Of a text that is the same for many requests in a row, and is made JSON once for all of them. */
function repeated(read: (record: RequestRecord) => string | null): FieldText {
  let last: string | null = null;
  let json: string | null = null;
  return (record) => {
    const text = read(record);
    if (text !== last) {
      last = text;
      json = textOrNull(text);
    }
    return json;
  };
}

function textOrNull(text: string | null | undefined): string | null {
  return text === null || text === undefined ? null : jsonOf(text);
}

function json(value: unknown): string | null {
  return value === undefined ? null : escaped(JSON.stringify(value));
}

const faultTexts = new Map<string, string>();

/** OpenSSL's code in words: a few, and the same ones again and again. */
function faultText(code: string): string {
  let text = faultTexts.get(code);
  if (text === undefined) {
    const { fault, wanted } = certificateFault(code);
    text = jsonOf(logText(`${fault} (${code}); expected ${wanted}`));
    if (faultTexts.size < FAULT_TEXTS_MAX) faultTexts.set(code, text);
  }
  return text;
}

const FAULT_TEXTS_MAX = 100;

function changedFields(counts: readonly AnswerCount[]): object | undefined {
  const totals = answerTotals(counts);
  if (Object.keys(totals).length === 0) return undefined;
  const fields = answerFields(counts);
  return fields.length === 0 ? totals : { ...totals, fields };
}

function leakFields({ way, kind, action, field }: LeakNote): object {
  return { in: way, kind, action, ...(field === "" ? {} : { field: logText(field, DEFAULTS.logPathCharsMax) }) };
}

function detectedFields({ score, answerScore, counts, first }: DetectNotes): object {
  const rules = counts.slice(0, DEFAULTS.detectRulesNotedMax).map(({ id }) => id);
  const answer = answerScore === 0 ? {} : { answerScore };
  return { score, ...answer, rules: [...new Set(rules)], hits: first.map(hitFields) };
}

function hitFields({ way, detector, id, message, score, field, matched, file, line }: DetectNote): object {
  return { in: way, detector, rule: id, message: logText(message), score, field, matched, place: `${file}:${line}` };
}

function auditedFields(denial: Denial): object {
  const { reason, place, wanted } = denial;
  return {
    reason,
    ...(place === null ? {} : { policy: placeOf(denial), rule: place.path }),
    ...(denial instanceof ListDenial ? { list: logText(denial.list) } : {}),
    seen: seenText(denial),
    wanted: logText(wanted),
    faults: faultsOf(denial),
  };
}

/** A rule may have looked at a header or a claim in which somebody's key stands. Masked first: half a key is one, too. */
function seenText({ seen }: Denial): string {
  return logText(maskCredentials(seen));
}

function placeOf({ place }: Denial): string | null {
  return place === null ? null : `${place.file}:${place.line}:${place.column}`;
}

/** Where more than one thing is wrong with a body. */
function faultsOf({ body }: Denial): readonly string[] | undefined {
  return body.faults.length > 1 ? body.faults.map((fault) => logText(fault)) : undefined;
}
