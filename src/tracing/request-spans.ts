import type { Phase } from "../decision/phases.ts";
import type { Denial } from "../decision/verdict.ts";
import type { Exchange } from "../message/exchange.ts";
import { TRACE_FLAGS } from "../message/trace-context.ts";
import type { FinishedRequest } from "../records/make-facts.ts";
import { shown } from "../records/redaction.ts";
import { placeText } from "../records/step.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { logText } from "../telemetry/log-text.ts";
import { type Attribute, SPAN_FLAGS, SPAN_KIND, type Span, type SpanEvent } from "./span.ts";
import type { CalledService, RequestTrace, ServiceFacts, SpanFacts, TracedRequest } from "./traced-request.ts";

/**
 * A request as spans: the server's, and the client's for the call to the service, by the conventions of OpenTelemetry for HTTP
 * (semantic-conventions 1.45, docs/http/http-spans.md). What comes from outside is masked and cut as in decisions, and
 * neither queries nor values of headers are told.
 */
export function requestSpans(request: TracedRequest, facts: SpanFacts): readonly Span[] {
  const server = serverSpan(request, facts);
  return request.called === null ? [server] : [server, clientSpan(request, request.called)];
}

function serverSpan({ trace, spanId, finished, called, phases, endMs, wallOf }: TracedRequest, facts: SpanFacts): Span {
  const { exchange, route } = finished;
  const [method, original] = methodOf(exchange);
  const template = route.startsWith("/") ? route : null;
  const error = serverError(finished);
  const attributes: Attribute[] = [["http.request.method", method]];
  if (original !== null) attributes.push(["http.request.method_original", original]);
  attributes.push(["url.scheme", exchange.connection.secure ? "https" : "http"]);
  attributes.push(["url.path", shown(exchange.target.path, DEFAULTS.logPathCharsMax)]);
  if (template !== null) attributes.push(["http.route", template]);
  if (exchange.host !== "") attributes.push(["server.address", shown(exchange.host, DEFAULTS.factsValueCharsMax)]);
  const port = /:(\d{1,5})$/.exec(exchange.authority)?.[1];
  if (port !== undefined) attributes.push(["server.port", Number(port)]);
  attributes.push(["client.address", finished.clientAddress]);
  attributes.push(["network.peer.address", (exchange.connection.proxyPeer ?? exchange.connection.peer).text]);
  attributes.push(["network.protocol.version", versionOf(finished.protocol)]);
  const status = sentStatus(finished);
  if (status !== null) attributes.push(["http.response.status_code", status]);
  if (error !== null) attributes.push(["error.type", error]);
  addCall(attributes, finished);
  addAllowed(attributes, exchange, facts);
  addDecision(attributes, finished);
  const remote = trace.parentId === "" ? 0 : SPAN_FLAGS.isRemote;
  return {
    ...placeOf(trace, remote),
    spanId,
    parentSpanId: trace.parentId,
    name: nameOf(method, template),
    kind: SPAN_KIND.server,
    startMs: endMs - finished.durationMs,
    endMs,
    attributes,
    events: eventsOf(finished, called, phases, endMs, wallOf),
    link: trace.link,
    isError: error !== null,
  };
}

function clientSpan({ trace, spanId, finished, endMs, wallOf }: TracedRequest, called: CalledService): Span {
  const { exchange } = finished;
  const [method] = methodOf(exchange);
  const { address, protocol, tls, name } = called.service;
  const error = clientError(finished, called.status);
  const scheme = tls === null ? "http" : "https";
  const attributes: Attribute[] = [["http.request.method", method]];
  if (address.type === "unix") attributes.push(["server.address", address.path]);
  else attributes.push(["server.address", address.host], ["server.port", address.port]);
  const path = shown((exchange.upstreamTarget ?? exchange.target).path, DEFAULTS.logPathCharsMax);
  attributes.push(["url.full", `${scheme}://${authorityOf(address)}${path}`]);
  attributes.push(["network.protocol.version", versionOf(protocol)]);
  if (called.status > 0) attributes.push(["http.response.status_code", called.status]);
  if (error !== null) attributes.push(["error.type", error]);
  if (called.resends > 0) attributes.push(["http.request.resend_count", called.resends]);
  attributes.push(["postern.upstream", name]);
  return {
    ...placeOf(trace, 0),
    spanId: trace.callId,
    parentSpanId: spanId,
    name: nameOf(method, null),
    kind: SPAN_KIND.client,
    startMs: wallOf(called.forwardedMs),
    endMs,
    attributes,
    events: [],
    link: null,
    isError: error !== null,
  };
}

function placeOf({ traceId, tracestate, flags }: RequestTrace, remote: number) {
  // What is recorded is sampled, also where that was known too late to tell anybody.
  return { traceId, traceState: tracestate, flags: flags | TRACE_FLAGS.sampled | SPAN_FLAGS.hasRemote | remote };
}

/** Methods that the conventions know (RFC 9110, RFC 5789); others must not become values of an attribute. */
const METHODS: ReadonlySet<string> = new Set([
  "GET",
  "HEAD",
  "POST",
  "PUT",
  "PATCH",
  "DELETE",
  "OPTIONS",
  "CONNECT",
  "TRACE",
]);
const OTHER_METHOD = "_OTHER";

function methodOf({ method }: Exchange): readonly [method: string, original: string | null] {
  if (METHODS.has(method)) return [method, null];
  return [OTHER_METHOD, method === "" ? null : shown(method, DEFAULTS.logMethodCharsMax)];
}

function nameOf(method: string, template: string | null): string {
  const verb = method === OTHER_METHOD ? "HTTP" : method;
  return template === null ? verb : `${verb} ${template}`;
}

function versionOf(protocol: "http/1.1" | "h2"): string {
  return protocol === "h2" ? "2" : "1.1";
}

function authorityOf(address: ServiceFacts["address"]): string {
  if (address.type === "unix") return "localhost";
  return `${address.host.includes(":") ? `[${address.host}]` : address.host}:${address.port}`;
}

/** Of a client that left before there was an answer nothing was sent; refused calls of gRPC have 200. */
function sentStatus({ status, grpcStatus }: FinishedRequest): number | null {
  if (grpcStatus !== null) return 200;
  return status === 0 || status === CLIENT_CLOSED ? null : status;
}

const CLIENT_CLOSED = 499;

/** Statuses of gRPC that are the server's fault (semantic-conventions 1.45, docs/rpc/grpc.md). */
const GRPC_FAULTS: ReadonlySet<number> = new Set([2, 4, 12, 13, 14, 15]);

/** What a server's span calls an error: what it could not do, not what it would not. */
function serverError({ status, grpcStatus, reason }: FinishedRequest): string | null {
  const isFault =
    grpcStatus === null
      ? status >= 500 || status === CLIENT_CLOSED || (reason !== null && status < 400)
      : GRPC_FAULTS.has(grpcStatus);
  return isFault ? (reason ?? String(status)) : null;
}

function clientError({ reason }: FinishedRequest, status: number): string | null {
  if (status >= 400) return String(status);
  return status === 0 ? reason : null;
}

/** Names of statuses, by number (https://grpc.github.io/grpc/core/md_doc_statuscodes.html). */
const GRPC_NAMES = [
  "OK",
  "CANCELLED",
  "UNKNOWN",
  "INVALID_ARGUMENT",
  "DEADLINE_EXCEEDED",
  "NOT_FOUND",
  "ALREADY_EXISTS",
  "PERMISSION_DENIED",
  "RESOURCE_EXHAUSTED",
  "FAILED_PRECONDITION",
  "ABORTED",
  "OUT_OF_RANGE",
  "UNIMPLEMENTED",
  "INTERNAL",
  "UNAVAILABLE",
  "DATA_LOSS",
  "UNAUTHENTICATED",
] as const;

/** Of a call of gRPC that postern ended. */
function addCall(attributes: Attribute[], { grpcStatus }: FinishedRequest): void {
  const name = grpcStatus === null ? undefined : GRPC_NAMES[grpcStatus];
  if (name !== undefined) attributes.push(["rpc.system.name", "grpc"], ["rpc.response.status_code", name]);
}

/** What may name persons, where the policy says so. */
function addAllowed(attributes: Attribute[], { principal, headers }: Exchange, facts: SpanFacts): void {
  if (facts.principal && principal !== null) {
    attributes.push(["enduser.id", logText(principal.id)], ["postern.authenticator", principal.authenticator]);
  }
  const agent = facts.userAgent ? headers.get("user-agent") : undefined;
  if (agent !== undefined) attributes.push(["user_agent.original", shown(agent, DEFAULTS.factsValueCharsMax)]);
}

function addDecision(
  attributes: Attribute[],
  { id, listener, policyHash, exchange, reason, denial }: FinishedRequest,
): void {
  attributes.push(["postern.decision.id", id], ["postern.listener", listener]);
  attributes.push(["postern.policy.hash", policyHash]);
  if (exchange.requestId !== null) attributes.push(["postern.request.id", exchange.requestId]);
  if (reason !== null) attributes.push(["postern.reason", reason]);
  if (denial !== null) addPlace(attributes, denial);
}

function addPlace(attributes: Attribute[], { place }: Denial): void {
  if (place === null) return;
  attributes.push(["postern.rule", place.path], ["postern.policy.place", placeText(place) ?? ""]);
}

function eventsOf(
  { exchange, upstreamMs }: FinishedRequest,
  called: CalledService | null,
  phases: ReadonlyMap<Phase, number>,
  endMs: number,
  wallOf: (monotonicMs: number) => number,
): readonly SpanEvent[] {
  const events: SpanEvent[] = [];
  for (const [phase, atMs] of phases) events.push(phaseEvent(phase, wallOf(atMs)));
  if (called !== null) {
    events.push(phaseEvent("forward", wallOf(called.forwardedMs)));
    if (upstreamMs >= 0) events.push(phaseEvent("respond", wallOf(called.forwardedMs + upstreamMs)));
  }
  for (const denial of exchange.audited?.slice(0, DEFAULTS.tracingEventsMax) ?? []) {
    const attributes: Attribute[] = [["postern.reason", denial.reason]];
    addPlace(attributes, denial);
    events.push({ atMs: endMs, name: "postern.audited", attributes });
  }
  return events;
}

/** Of the phases of checks when the last one was through; of the others when they began. */
function phaseEvent(phase: Phase, atMs: number): SpanEvent {
  return { atMs, name: `postern.${phase}`, attributes: [] };
}
