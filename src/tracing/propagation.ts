import { B3_HEADERS, b3MultiPlaceOf, b3PlaceOf } from "../message/b3.ts";
import type { HeaderBlock } from "../message/headers.ts";
import { TRACE_FLAGS, type TracePlace, traceContextOf } from "../message/trace-context.ts";

/** Words of OpenTelemetry's OTEL_PROPAGATORS, in the order in which they are believed. */
export const PROPAGATORS = ["tracecontext", "b3", "b3multi"] as const;

export type Propagator = (typeof PROPAGATORS)[number];

/** Where a request comes from, and what W3C's other header says of it. */
export interface Incoming extends TracePlace {
  /** Empty for none. */
  readonly tracestate: string;
}

/**
 * Headers that are postern's to write, lower case: those of the forms that are not spoken here come off as well, or a client
 * would have the service record whatever it likes.
 */
export const TRACE_HEADERS: readonly string[] = ["traceparent", "tracestate", ...B3_HEADERS];

/** What a request says of its trace; null where it says nothing, or nothing that has one reading. */
export function incomingOf(headers: HeaderBlock, propagators: readonly Propagator[]): Incoming | null {
  for (const propagator of propagators) {
    const place = READERS[propagator](headers);
    if (place !== null) return place;
  }
  return null;
}

const READERS: Readonly<Record<Propagator, (headers: HeaderBlock) => Incoming | null>> = {
  tracecontext: (headers) => (headers.get("traceparent") === undefined ? null : traceContextOf(headers)),
  b3: (headers) => withoutState(b3PlaceOf(headers)),
  b3multi: (headers) => withoutState(b3MultiPlaceOf(headers)),
};

function withoutState(place: TracePlace | null): Incoming | null {
  return place === null ? null : { ...place, tracestate: "" };
}

/** Where a request goes on. */
export interface Outgoing {
  readonly traceId: string;
  /** Of the span for the call. */
  readonly spanId: string;
  readonly flags: number;
  readonly tracestate: string;
}

/** Header lines for the service, each with CR LF. */
export function outgoingLines(
  { traceId, spanId, flags, tracestate }: Outgoing,
  propagators: readonly Propagator[],
): string {
  const sampled = flags & TRACE_FLAGS.sampled;
  let lines = "";
  for (const propagator of propagators) {
    if (propagator === "b3") lines += `b3: ${traceId}-${spanId}-${sampled}\r\n`;
    else if (propagator === "b3multi") {
      lines += `x-b3-traceid: ${traceId}\r\nx-b3-spanid: ${spanId}\r\nx-b3-sampled: ${sampled}\r\n`;
    } else {
      lines += `traceparent: 00-${traceId}-${spanId}-0${flags}\r\n`;
      if (tracestate !== "") lines += `tracestate: ${tracestate}\r\n`;
    }
  }
  return lines;
}
