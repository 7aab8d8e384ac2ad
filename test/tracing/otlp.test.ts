// Goal: a span is the same to a collector in both encodings. Method: what is written is read by protobufjs and as JSON.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { OTLP_JSON } from "../../src/tracing/otlp-json.ts";
import { OTLP_PROTOBUF } from "../../src/tracing/otlp-protobuf.ts";
import type { Span } from "../../src/tracing/span.ts";
import { partialSuccess, readSpans } from "../fixtures/collector.ts";

const SPAN: Span = {
  traceId: "0af7651916cd43dd8448eb211c80319c",
  spanId: "00f067aa0ba902b7",
  parentSpanId: "b7ad6b7169203331",
  traceState: "a=1,b=2",
  flags: 0x303,
  name: "GET /orders/{id}",
  kind: 2,
  startMs: 1_796_000_000_123.25,
  endMs: 1_796_000_000_130.5,
  attributes: [
    ["url.path", 'quote " and \u00e9\u{1f600}'],
    ["http.response.status_code", 200],
    ["zero", 0],
    ["large", 2 ** 40],
  ],
  events: [{ atMs: 1_796_000_000_124, name: "postern.admit", attributes: [["postern.reason", "rate_limited"]] }],
  link: { traceId: "1".repeat(32), spanId: "2".repeat(16) },
  isError: true,
};
const BARE: Span = {
  ...SPAN,
  parentSpanId: "",
  traceState: "",
  attributes: [],
  events: [],
  link: null,
  isError: false,
};
const RESOURCE = [["service.name", "orders-postern"]] as const;

describe.each([
  ["json", OTLP_JSON],
  ["protobuf", OTLP_PROTOBUF],
] as const)("%s", (_, encoding) => {
  const sent = (...spans: readonly Span[]) =>
    readSpans(
      encoding.contentType,
      encoding.request(
        RESOURCE,
        spans.map((span) => encoding.span(span)),
      ),
    );

  test("every field is what it was", () => {
    const [whole, bare] = sent(SPAN, BARE);
    expect(whole).toEqual({
      traceId: SPAN.traceId,
      spanId: SPAN.spanId,
      parentSpanId: SPAN.parentSpanId,
      traceState: SPAN.traceState,
      flags: 0x303,
      name: SPAN.name,
      kind: 2,
      startTimeUnixNano: "1796000000123250000",
      endTimeUnixNano: "1796000000130500000",
      attributes: Object.fromEntries(SPAN.attributes),
      events: [
        {
          timeUnixNano: "1796000000124000000",
          name: "postern.admit",
          attributes: { "postern.reason": "rate_limited" },
        },
      ],
      links: [SPAN.link],
      status: { code: 2 },
      resource: { "service.name": "orders-postern" },
    });
    expect(bare).toMatchObject({ name: SPAN.name, attributes: {}, events: [], links: [] });
    for (const absent of ["parentSpanId", "traceState"]) expect(bare).not.toHaveProperty(absent);
    expect(bare?.status?.code).toBeUndefined();
  });

  test("any text comes through, however long", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", maxLength: 300 }), fc.integer({ min: 0, max: 60 }), (text, times) => {
        const long = text.repeat(times);
        const [span] = sent({ ...SPAN, attributes: [["k", long]] });
        expect(span?.attributes).toEqual({ k: long });
      }),
      { numRuns: 50 },
    );
  });

  test("an empty request is one that a collector takes", () => {
    expect(sent()).toEqual([]);
  });

  test.each(["", "{", "[]", "\u0000", "\n", "\n\u0003\u0008"])("an answer that says nothing of spans: %j", (text) => {
    expect(encoding.rejected(Buffer.from(text, "latin1"))).toBe(0);
  });
});

test("a collector says how many spans it did not take", () => {
  expect(OTLP_JSON.rejected(Buffer.from('{"partialSuccess":{"rejectedSpans":"3"}}'))).toBe(3);
  expect(OTLP_JSON.rejected(Buffer.from('{"partialSuccess":{"rejectedSpans":-3}}'))).toBe(0);
  expect(OTLP_PROTOBUF.rejected(partialSuccess(300, "too old ".repeat(40)))).toBe(300);
  expect(OTLP_PROTOBUF.rejected(partialSuccess(0, "a warning"))).toBe(0);
});
