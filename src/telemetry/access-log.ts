import { REASONS, type ReasonSource } from "../decision/reason.ts";
import { type Denial, ListDenial } from "../decision/verdict.ts";
import { type AnswerCount, answerFields, answerTotals } from "../message/answer-count.ts";
import type { DetectNote, DetectNotes } from "../message/detect-notes.ts";
import type { Exchange } from "../message/exchange.ts";
import type { LeakNote } from "../message/leak-notes.ts";
import type { Clock } from "../support/clock.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { fixed, quoted } from "../support/json-text.ts";
import { rfc3339 } from "./event-log.ts";
import type { LogSink } from "./log-sink.ts";
import { logText } from "./log-text.ts";
import type { LogSettings, RequestRecord } from "./telemetry.ts";

/** The check that refused: its line in the policy, and what it saw against what it wanted. */
interface DenialFields {
  readonly policy?: string;
  readonly rule?: string;
  /** Which list of the policy met the client. */
  readonly list?: string;
  readonly seen: string;
  readonly wanted: string;
  /** Where more than one thing is wrong with a body. */
  readonly faults?: readonly string[];
}

/** Whose fault decides how loud a line is: a client that is refused is everyday, whoever scans the port is no alarm. */
const LEVELS = { client: "info", upstream: "warn", proxy: "error" } as const;

/** Writes a line for each request that the policy wants one for; telemetry/README.md describes every field. */
export class AccessLog {
  readonly #time: () => string;
  readonly #sink: LogSink;

  constructor(clock: Clock, sink: LogSink) {
    this.#time = rfc3339(clock);
    this.#sink = sink;
  }

  write(access: LogSettings["access"], record: RequestRecord): void {
    if (access === "off" || (access === "denied" && record.reason === null)) return;
    const source = record.reason === null ? null : REASONS[record.reason].source;
    const level = source === null ? "info" : LEVELS[source];
    this.#sink.write(`{"level":"${level}","time":"${this.#time()}",${requestFields(record, source)}}\n`);
  }
}

/**
 * The fields as JSON without braces. By hand, for every request costs a line, and a general serializer three times as much;
 * each is picked, so that no header value and no query can come along.
 */
function requestFields(record: RequestRecord, source: ReasonSource | null): string {
  const { exchange } = record;
  const { principal } = exchange;
  let fields = `"event":"request","id":${quoted(record.id)},"listener":${quoted(record.listener)},"client":${quoted(record.clientAddress)},"protocol":"${record.protocol}"`;
  if (exchange.connection.proxyPeer !== null) fields += `,"proxyPeer":${quoted(exchange.connection.proxyPeer.text)}`;
  if (exchange.method !== "") fields += requestLineFields(exchange);
  fields += `,"route":${quoted(record.route)},"status":${record.status}`;
  if (record.grpcStatus !== null) fields += `,"grpcStatus":${record.grpcStatus}`;
  if (principal !== null) {
    fields += `,"principal":${quoted(logText(principal.id))},"authenticator":${quoted(principal.authenticator)}`;
  }
  // Letters, digits and marks that JSON writes as they are.
  if (exchange.requestId !== null) fields += `,"requestId":"${exchange.requestId}"`;
  if (exchange.traceId !== null) fields += `,"traceId":"${exchange.traceId}"`;
  if (exchange.version !== null) fields += `,"version":${quoted(exchange.version)}`;
  if (exchange.deprecated !== null) fields += `,"deprecated":"${exchange.deprecated}"`;
  if (record.reason !== null) fields += `,"reason":"${record.reason}","source":"${source}"`;
  if (record.denial !== null) fields += rareFields(denialFields(record.denial));
  fields += `,"decisionUs":${fixed(record.decisionMs * 10_000, 1)}`;
  if (record.upstreamMs >= 0) fields += `,"upstreamMs":${fixed(record.upstreamMs * 1000, 3)}`;
  fields += `,"durationMs":${fixed(record.durationMs * 1000, 3)},"bytesIn":${record.requestBodyBytes},"bytesOut":${record.responseBodyBytes},"policyHash":${quoted(record.policyHash)}`;
  const { withheld: names, audited: denials, bodyEdits, leaks, detected, answerCounts } = exchange;
  if (names === null && denials === null && bodyEdits === null && leaks === null && answerCounts === null)
    return detected === null ? fields : fields + rareFields({ detected: detectedFields(detected) });
  const withheld = names?.slice(0, DEFAULTS.logWithheldMax).map((name) => logText(name, DEFAULTS.logWithheldCharsMax));
  const audited = denials?.slice(0, DEFAULTS.logAuditedMax).map(auditedFields);
  const answer = answerCounts === null ? undefined : changedFields(answerCounts);
  const found = leaks?.first.map(leakFields);
  const rules = detected === null ? undefined : detectedFields(detected);
  return (
    fields + rareFields({ withheld, bodyEdits: bodyEdits?.counts, answer, leaks: found, detected: rules, audited })
  );
}

function requestLineFields({ method, target, upstreamTarget }: Exchange): string {
  const path = logText(target.path, DEFAULTS.logPathCharsMax);
  const fields = `,"method":${quoted(logText(method, DEFAULTS.logMethodCharsMax))},"path":${quoted(path)}`;
  if (upstreamTarget === null || upstreamTarget.path === target.path) return fields;
  return `${fields},"upstreamPath":${quoted(logText(upstreamTarget.path, DEFAULTS.logPathCharsMax))}`;
}

/** Undefined ones are left out. */
function rareFields(fields: object): string {
  const text = JSON.stringify(fields).slice(1, -1);
  return text === "" ? "" : `,${text}`;
}

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

function auditedFields(denial: Denial): DenialFields & { readonly reason: string } {
  return { reason: denial.reason, ...denialFields(denial) };
}

function denialFields(denial: Denial): DenialFields {
  const { place, seen, wanted, body } = denial;
  const faults = body.faults.length > 1 ? { faults: body.faults.map((fault) => logText(fault)) } : {};
  const list = denial instanceof ListDenial ? { list: logText(denial.list) } : {};
  const texts = { ...list, seen: logText(seen), wanted: logText(wanted), ...faults };
  if (place === null) return texts;
  return { policy: `${place.file}:${place.line}:${place.column}`, rule: place.path, ...texts };
}
