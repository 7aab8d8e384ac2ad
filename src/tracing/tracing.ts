import type { Exchange } from "../message/exchange.ts";
import { TRACE_FLAGS } from "../message/trace-context.ts";
import type { Clock } from "../support/clock.ts";
import { DEFAULTS } from "../support/defaults.ts";
import { createRateGate } from "../telemetry/rate-gate.ts";
import { type Incoming, incomingOf, outgoingLines, type Propagator, TRACE_HEADERS } from "./propagation.ts";
import { RandomIds } from "./random-ids.ts";
import { RequestSpan, type SpanRecording } from "./request-span.ts";
import type { RequestTrace, SpanFacts, SpanSink } from "./traced-request.ts";

export interface TracingRules {
  /** Whose traces are passed on; others begin anew, with a link. */
  readonly from: "anybody" | "trustedProxies" | "nobody";
  /** Whose word counts that a request is sampled: of trusted proxies, of all whose traces are passed on, of nobody. */
  readonly parent: "trusted" | "always" | "never";
  /** Of the requests that are decided here, 0 to 1. */
  readonly sampleRatio: number;
  /** Denials and failures are traced in any case. */
  readonly tracesDenials: boolean;
  readonly propagators: readonly Propagator[];
  readonly facts: SpanFacts;
}

/**
 * Gives each request its place in a trace, and decides which are recorded. A client may say which trace its request belongs
 * to, but not that it is recorded, unless the policy trusts it: each recorded one costs here, at the collector and at every
 * service behind. So the draw is never by the trace id either, which the client chooses.
 */
export class Tracing implements SpanRecording {
  /** Names of headers that are postern's to write, lower case. */
  readonly headers: readonly string[] = TRACE_HEADERS;
  readonly facts: SpanFacts;
  readonly clock: Clock;
  readonly sink: SpanSink;
  readonly #rules: TracingRules;
  readonly #ids: RandomIds;
  readonly #denialGate: () => number | null;

  constructor(rules: TracingRules, clock: Clock, sink: SpanSink, random: (bytes: number) => Buffer) {
    this.#rules = rules;
    this.facts = rules.facts;
    this.clock = clock;
    this.sink = sink;
    this.#ids = new RandomIds(random);
    this.#denialGate = createRateGate(clock, DEFAULTS.tracingDenialsPerSecondMax);
  }

  /** A request begins; what it tells the service stands in its lines from now on. */
  begin(exchange: Exchange, isFromProxy: boolean): RequestSpan {
    const { from, propagators } = this.#rules;
    const incoming = incomingOf(exchange.headers, propagators);
    const isTaken = from === "anybody" || (from === "trustedProxies" && isFromProxy);
    const trace = this.#placeIn(isTaken ? incoming : null, isTaken ? null : incoming, isFromProxy);
    exchange.traceId = trace.traceId;
    exchange.isTraceSampled = (trace.flags & TRACE_FLAGS.sampled) !== 0;
    const { traceId, callId: spanId, flags, tracestate } = trace;
    exchange.serviceLines += outgoingLines({ traceId, spanId, flags, tracestate }, propagators);
    return new RequestSpan(this, trace);
  }

  #placeIn(parent: Incoming | null, link: Incoming | null, isFromProxy: boolean): RequestTrace {
    const isSampled = this.#parentSays(parent, isFromProxy) ?? this.#ids.ratio() < this.#rules.sampleRatio;
    const isRandom = parent?.isRandom ?? true;
    return {
      traceId: parent?.traceId || this.#ids.traceId(),
      parentId: parent?.parentId ?? "",
      callId: this.#ids.spanId(),
      flags: (isSampled ? TRACE_FLAGS.sampled : 0) | (isRandom ? TRACE_FLAGS.random : 0),
      tracestate: parent?.tracestate ?? "",
      link: link === null || link.traceId === "" ? null : { traceId: link.traceId, spanId: link.parentId },
    };
  }

  /** Null where it is decided here. */
  #parentSays(place: Incoming | null, isFromProxy: boolean): boolean | null {
    const { parent } = this.#rules;
    if (place === null || parent === "never" || (parent === "trusted" && !isFromProxy)) return null;
    return place.isSampled;
  }

  spanId(): string {
    return this.#ids.spanId();
  }

  takesDenial(): boolean {
    return this.#rules.tracesDenials && this.#denialGate() !== null;
  }
}
