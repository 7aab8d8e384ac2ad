import { WireWriter } from "../bodies/protobuf/writer.ts";
import type { Attribute, Span, SpanEncoding, SpanEvent } from "./span.ts";

/**
 * Field numbers of opentelemetry-proto 1.x: collector/trace/v1/trace_service.proto, trace/v1/trace.proto, common/v1/common.proto
 * and resource/v1/resource.proto.
 */
const REQUEST = { resourceSpans: 1 } as const;
const RESOURCE_SPANS = { resource: 1, scopeSpans: 2 } as const;
const RESOURCE = { attributes: 1 } as const;
const SCOPE_SPANS = { scope: 1, spans: 2 } as const;
const SCOPE = { name: 1 } as const;
const SPAN = {
  traceId: 1,
  spanId: 2,
  traceState: 3,
  parentSpanId: 4,
  name: 5,
  kind: 6,
  startTimeUnixNano: 7,
  endTimeUnixNano: 8,
  attributes: 9,
  events: 11,
  links: 13,
  status: 15,
  flags: 16,
} as const;
const EVENT = { timeUnixNano: 1, name: 2, attributes: 3 } as const;
const LINK = { traceId: 1, spanId: 2 } as const;
const STATUS = { code: 3 } as const;
const STATUS_CODE_ERROR = 2;
const KEY_VALUE = { key: 1, value: 2 } as const;
const ANY_VALUE = { stringValue: 1, intValue: 3 } as const;

/** OTLP as protobuf. */
export const OTLP_PROTOBUF: SpanEncoding = {
  contentType: "application/x-protobuf",
  span: (span) => {
    writeSpan(writer, span);
    return writer.take();
  },
  request: (resource, spans) => {
    writer.text(SCOPE.name, "postern");
    writer.message(SCOPE_SPANS.scope, 0);
    const parts = [writer.take(), ...spans.map((span) => framed(SCOPE_SPANS.spans, span))];
    const scopeSpans = framed(RESOURCE_SPANS.scopeSpans, Buffer.concat(parts));
    writeAttributes(writer, RESOURCE.attributes, resource);
    writer.message(RESOURCE_SPANS.resource, 0);
    return framed(REQUEST.resourceSpans, Buffer.concat([writer.take(), scopeSpans]));
  },
  // ExportTraceServiceResponse: partial_success = 1, in it rejected_spans = 1.
  rejected: (answer) => {
    const partial = answer[0] === PARTIAL_SUCCESS ? readVarint(answer, 1) : null;
    if (partial === null || answer[partial.end] !== REJECTED_SPANS) return 0;
    return readVarint(answer, partial.end + 1)?.value ?? 0;
  },
};

/** Tags, each a field number and how its value is written. */
const PARTIAL_SUCCESS = 1 * 8 + 2;
const REJECTED_SPANS = 1 * 8;
const VARINT_BYTES_MAX = 7;

/** Null for one that does not end, or is larger than a number can be. */
function readVarint(bytes: Buffer, start: number): { readonly value: number; readonly end: number } | null {
  let value = 0;
  for (let at = start; at < Math.min(bytes.length, start + VARINT_BYTES_MAX); at++) {
    const byte = bytes[at] ?? 0;
    value += (byte & 0x7f) * 0x80 ** (at - start);
    if (byte < 0x80) return { value, end: at + 1 };
  }
  return null;
}

/** One for all: what is written is taken out at once. */
const writer = new WireWriter();

function framed(field: number, message: Buffer): Buffer {
  writer.bytes(field, message);
  return writer.take();
}

function writeSpan(to: WireWriter, span: Span): void {
  to.fixed32(SPAN.flags, span.flags);
  if (span.isError) {
    const before = to.length;
    to.varint(STATUS.code, STATUS_CODE_ERROR);
    to.message(SPAN.status, before);
  }
  if (span.link !== null) {
    const before = to.length;
    to.hex(LINK.spanId, span.link.spanId);
    to.hex(LINK.traceId, span.link.traceId);
    to.message(SPAN.links, before);
  }
  for (let at = span.events.length - 1; at >= 0; at--) {
    const event = span.events[at];
    if (event !== undefined) writeEvent(to, event);
  }
  writeAttributes(to, SPAN.attributes, span.attributes);
  to.unixNano(SPAN.endTimeUnixNano, span.endMs);
  to.unixNano(SPAN.startTimeUnixNano, span.startMs);
  to.varint(SPAN.kind, span.kind);
  to.text(SPAN.name, span.name);
  if (span.parentSpanId !== "") to.hex(SPAN.parentSpanId, span.parentSpanId);
  if (span.traceState !== "") to.text(SPAN.traceState, span.traceState);
  to.hex(SPAN.spanId, span.spanId);
  to.hex(SPAN.traceId, span.traceId);
}

function writeEvent(to: WireWriter, event: SpanEvent): void {
  const before = to.length;
  writeAttributes(to, EVENT.attributes, event.attributes);
  to.text(EVENT.name, event.name);
  to.unixNano(EVENT.timeUnixNano, event.atMs);
  to.message(SPAN.events, before);
}

function writeAttributes(to: WireWriter, field: number, attributes: readonly Attribute[]): void {
  for (let at = attributes.length - 1; at >= 0; at--) {
    const [name, value] = attributes[at] ?? ["", ""];
    const before = to.length;
    if (typeof value === "number") to.varint(ANY_VALUE.intValue, value);
    else to.text(ANY_VALUE.stringValue, value);
    to.message(KEY_VALUE.value, before);
    to.text(KEY_VALUE.key, name);
    to.message(field, before);
  }
}
