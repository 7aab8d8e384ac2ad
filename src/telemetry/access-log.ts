import type { Logger } from "pino";
import { REASONS, type ReasonSource } from "../decision/reason.ts";
import type { Denial } from "../decision/verdict.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { logText } from "./log-text.ts";
import type { LogSettings, RequestRecord } from "./telemetry.ts";

/** The check that refused: its line in the policy, and what it saw against what it wanted. */
interface DenialFields {
  readonly policy?: string;
  readonly rule?: string;
  readonly seen: string;
  readonly wanted: string;
  /** Where more than one thing is wrong with a body. */
  readonly faults?: readonly string[];
}

/** Whose fault decides how loud a line is: a client that is refused is everyday, whoever scans the port is no alarm. */
const LEVELS = { client: "info", upstream: "warn", proxy: "error" } as const;

/** Writes the line of one request; telemetry/README.md describes every field. */
export function logRequest(logger: Logger, access: LogSettings["access"], record: RequestRecord): void {
  if (access === "off" || (access === "denied" && record.reason === null)) return;
  const source = record.reason === null ? undefined : REASONS[record.reason].source;
  logger[source === undefined ? "info" : LEVELS[source]](requestFields(record, source));
}

/** Every field is picked by hand: no header value and no query can come along. Undefined fields are left out. */
function requestFields(record: RequestRecord, source: ReasonSource | undefined): object {
  const { exchange, denial } = record;
  const { principal } = exchange;
  const isUnread = exchange.method === "";
  const refusal = denial === null ? null : denialFields(denial);
  return {
    event: "request",
    id: record.id,
    listener: record.listener,
    client: record.clientAddress,
    protocol: record.protocol,
    proxyPeer: exchange.connection.proxyPeer?.text,
    method: isUnread ? undefined : logText(exchange.method, DEFAULTS.logMethodCharsMax),
    path: isUnread ? undefined : logText(exchange.target.path, DEFAULTS.logPathCharsMax),
    route: record.route,
    status: record.status,
    grpcStatus: record.grpcStatus ?? undefined,
    principal: principal === null ? undefined : logText(principal.id),
    authenticator: principal?.authenticator,
    reason: record.reason ?? undefined,
    source,
    policy: refusal?.policy,
    rule: refusal?.rule,
    seen: refusal?.seen,
    wanted: refusal?.wanted,
    faults: refusal?.faults,
    decisionUs: rounded(record.decisionMs * 1000, 10),
    upstreamMs: record.upstreamMs < 0 ? undefined : rounded(record.upstreamMs, 1000),
    durationMs: rounded(record.durationMs, 1000),
    bytesIn: record.requestBodyBytes,
    bytesOut: record.responseBodyBytes,
    policyHash: record.policyHash,
    withheld: exchange.withheld
      ?.slice(0, DEFAULTS.logWithheldMax)
      .map((name) => logText(name, DEFAULTS.logWithheldCharsMax)),
    audited: exchange.audited?.slice(0, DEFAULTS.logAuditedMax).map(auditedFields),
  };
}

function auditedFields(denial: Denial): DenialFields & { readonly reason: string } {
  return { reason: denial.reason, ...denialFields(denial) };
}

function denialFields({ place, seen, wanted, body }: Denial): DenialFields {
  const faults = body.faults.length > 1 ? { faults: body.faults.map((fault) => logText(fault)) } : {};
  const texts = { seen: logText(seen), wanted: logText(wanted), ...faults };
  if (place === null) return texts;
  return { policy: `${place.file}:${place.line}:${place.column}`, rule: place.path, ...texts };
}

function rounded(value: number, perUnit: number): number {
  return Math.round(value * perUnit) / perUnit;
}
