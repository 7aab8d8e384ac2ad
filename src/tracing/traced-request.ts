import type { Phase } from "../decision/phases.ts";
import type { FinishedRequest } from "../records/make-facts.ts";
import type { Span } from "./span.ts";

/** The place of one request in a trace. Ids are hexadecimal digits. */
export interface RequestTrace {
  readonly traceId: string;
  /** Of the span that asked; empty for none. */
  readonly parentId: string;
  /** Of the span for the call to the service. */
  readonly callId: string;
  /** As `traceparent` has them. */
  readonly flags: number;
  readonly tracestate: string;
  /** The place that it came with and was not given; null for none. */
  readonly link: { readonly traceId: string; readonly spanId: string } | null;
}

/** Where a call goes: an upstream, as far as spans tell of it. */
export interface ServiceFacts {
  readonly name: string;
  readonly address:
    | { readonly type: "tcp"; readonly host: string; readonly port: number }
    | { readonly type: "unix"; readonly path: string };
  readonly protocol: "http/1.1" | "h2";
  readonly tls: object | null;
}

/** The call to the service. */
export interface CalledService {
  /** Monotonic milliseconds. */
  readonly forwardedMs: number;
  /** Of its answer; 0 where there was none. */
  readonly status: number;
  /** How often it was sent again. */
  readonly resends: number;
  readonly service: ServiceFacts;
}

/** A request that is over, and is recorded. */
export interface TracedRequest {
  readonly trace: RequestTrace;
  /** Of the request's own span: drawn last, for few are recorded. */
  readonly spanId: string;
  readonly finished: FinishedRequest;
  /** Null where nothing was forwarded. */
  readonly called: CalledService | null;
  /** Monotonic milliseconds of the last check of each phase. */
  readonly phases: ReadonlyMap<Phase, number>;
  /** Unix milliseconds of its end. */
  readonly endMs: number;
  /** Monotonic milliseconds → Unix milliseconds. */
  wallOf(monotonicMs: number): number;
}

/** What spans tell beside the usual. */
export interface SpanFacts {
  readonly principal: boolean;
  readonly userAgent: boolean;
}

/** Who sends spans; it neither waits nor throws. */
export interface SpanSink {
  /** Whether there is room for more; where there is not, what would have come is counted. */
  takes(spans: number): boolean;
  add(spans: readonly Span[]): void;
}
