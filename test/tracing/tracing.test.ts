// Goal: whose trace goes on, who decides what is recorded, and what the service is told. Method: headers in, lines out.
import { expect, test } from "vitest";
import { HeaderBlock } from "../../src/message/headers.ts";
import type { FinishedRequest } from "../../src/records/make-facts.ts";
import { DEFAULTS } from "../../src/support/defaults.ts";
import { PROPAGATORS, TRACE_HEADERS } from "../../src/tracing/propagation.ts";
import type { Span } from "../../src/tracing/span.ts";
import { Tracing, type TracingRules } from "../../src/tracing/tracing.ts";
import { exchangeOf, recordOf, TestClock } from "../fixtures/telemetry.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const SPAN = "b7ad6b7169203331";
const SAMPLED = { traceparent: `00-${TRACE}-${SPAN}-01`, tracestate: "a=1" };

/** Random bytes that count up, so that ids are told apart and every draw is small. */
function counting(): (bytes: number) => Buffer {
  let at = 0;
  return (bytes) => Buffer.from(Array.from({ length: bytes }, () => at++ % 251));
}

const clock = new TestClock();

function pass(ms: number): void {
  clock.wall += ms;
  clock.monotonic += ms;
}

function ask(
  rules: Partial<TracingRules>,
  headers: Readonly<Record<string, string>>,
  { isFromProxy = false, reason = null as FinishedRequest["reason"] } = {},
) {
  const spans: Span[] = [];
  const sink = { takes: () => true, add: (more: readonly Span[]) => void spans.push(...more) };
  const tracing = new Tracing(
    {
      from: "anybody",
      parent: "trusted",
      sampleRatio: 0,
      tracesDenials: true,
      propagators: ["tracecontext"],
      facts: { principal: false, userAgent: false },
      ...rules,
    },
    clock,
    sink,
    counting(),
  );
  const exchange = exchangeOf("GET", "/orders/1");
  exchange.headers = new HeaderBlock(Object.keys(headers), Object.values(headers));
  const span = tracing.begin(exchange, isFromProxy);
  span.finish({ ...recordOf({ exchange, reason }), denied: reason !== null }, null, clock.monotonicMs());
  const lines = exchange.serviceLines.trimEnd().split("\r\n");
  const out = Object.fromEntries(lines.map((line) => line.split(": ")));
  return { out, spans, exchange, tracing };
}

test("a span that is told late begins before its phases all the same", () => {
  const { tracing, exchange, spans } = ask({ sampleRatio: 1 }, {});
  const [before] = spans;
  const span = tracing.begin(exchange, false);
  const observer = span.observer(null);
  const beganMs = clock.monotonicMs();
  pass(1);
  observer?.onCheck(
    {
      name: "authenticate",
      phase: "authenticate",
      place: { file: "p", line: 1, column: 1, path: "" },
      enforcePercent: 100,
      explain: () => "",
    },
    null,
    true,
  );
  pass(2);
  const endedMs = clock.monotonicMs();
  // What else has to be told of the request comes first.
  pass(50);
  span.finish({ ...recordOf({ exchange, reason: null }), denied: false, durationMs: endedMs - beganMs }, null, endedMs);
  const told = spans.at(-1);
  expect(told).not.toBe(before);
  const [phase] = told?.events ?? [];
  expect((phase?.atMs ?? 0) - (told?.startMs ?? 0)).toBeCloseTo(1, 3);
  expect((told?.endMs ?? 0) - (phase?.atMs ?? 0)).toBeCloseTo(2, 3);
});

test("a trace that comes goes on with another span; one that is missing or invalid begins", () => {
  const on = ask({}, SAMPLED);
  expect(on.out["traceparent"]).toMatch(new RegExp(`^00-${TRACE}-(?!${SPAN})[0-9a-f]{16}-00$`));
  expect(on.out["tracestate"]).toBe("a=1");
  expect(on.exchange.traceId).toBe(TRACE);
  for (const traceparent of ["", "00-x", `ff-${TRACE}-${SPAN}-01`, `00-${"0".repeat(32)}-${SPAN}-01`]) {
    const { out, exchange } = ask({}, { traceparent, tracestate: "a=1" });
    expect(out["traceparent"], traceparent).toMatch(/^00-(?!0af7)[0-9a-f]{32}-[0-9a-f]{16}-02$/);
    expect(out["traceparent"]?.slice(3, 35)).toBe(exchange.traceId);
    expect(out, traceparent).not.toHaveProperty("tracestate");
  }
});

test("what is recorded, as a sample or for being refused, is told to who picks examples", () => {
  const isSampled = (...of: Parameters<typeof ask>): boolean => ask(...of).exchange.isTraceSampled;
  expect(isSampled({ sampleRatio: 1 }, {})).toBe(true);
  expect(isSampled({}, SAMPLED, { isFromProxy: true })).toBe(true);
  expect(isSampled({}, SAMPLED)).toBe(false);
  expect(isSampled({}, {}, { reason: "scope_missing" })).toBe(true);
  expect(isSampled({ tracesDenials: false }, {}, { reason: "scope_missing" })).toBe(false);
});

test("the id of a span that is sent stands with the request, for its line of the log", () => {
  const { exchange, spans } = ask({ sampleRatio: 1 }, {});
  expect(exchange.spanId).toBe(spans[0]?.spanId);
  expect(ask({}, {}).exchange.spanId).toBe(null);
});

test("only who is trusted says that a request is recorded, or is not", () => {
  const flags = (...of: Parameters<typeof ask>) => {
    const { out, spans } = ask(...of);
    return [out["traceparent"]?.slice(-2), spans.length];
  };
  const not = { traceparent: `00-${TRACE}-${SPAN}-00` };
  const random = { traceparent: `00-${TRACE}-${SPAN}-03` };
  expect(flags({}, SAMPLED)).toEqual(["00", 0]);
  expect(flags({}, SAMPLED, { isFromProxy: true })).toEqual(["01", 1]);
  expect(flags({}, random, { isFromProxy: true })).toEqual(["03", 1]);
  expect(flags({ parent: "always" }, SAMPLED)).toEqual(["01", 1]);
  expect(flags({ parent: "never" }, SAMPLED, { isFromProxy: true })).toEqual(["00", 0]);
  expect(flags({ sampleRatio: 1 }, not)).toEqual(["01", 1]);
  expect(flags({ sampleRatio: 1 }, not, { isFromProxy: true })).toEqual(["00", 0]);
  expect(flags({ sampleRatio: 1 }, {})).toEqual(["03", 1]);
});

test("who may not have its trace passed on gets a new one with a link, and its state stays behind", () => {
  for (const from of ["nobody", "trustedProxies"] as const) {
    const { out, spans } = ask({ from, parent: "always", sampleRatio: 1 }, SAMPLED);
    expect(out["traceparent"]).not.toContain(TRACE);
    expect(out).not.toHaveProperty("tracestate");
    expect(spans[0]).toMatchObject({ link: { traceId: TRACE, spanId: SPAN }, parentSpanId: "", traceState: "" });
  }
  const [span] = ask({ from: "trustedProxies", sampleRatio: 1 }, SAMPLED, { isFromProxy: true }).spans;
  expect(span).toMatchObject({ traceId: TRACE, parentSpanId: SPAN, traceState: "a=1", link: null });
});

test("the share is drawn and no trace id chosen by a client is drawn for it", () => {
  const ids = ["f".repeat(32), `${"0".repeat(31)}1`];
  for (const id of ids) expect(ask({}, { traceparent: `00-${id}-${SPAN}-01` }).spans).toEqual([]);
  const { tracing } = ask({ sampleRatio: 0.3 }, {});
  let sampled = 0;
  for (let at = 0; at < 2_000; at++) {
    const exchange = exchangeOf("GET", "/orders/1");
    tracing.begin(exchange, false);
    if (exchange.serviceLines.trimEnd().endsWith("3")) sampled++;
  }
  expect(sampled / 2_000).toBeGreaterThan(0.25);
  expect(sampled / 2_000).toBeLessThan(0.35);
});

test("denials are recorded in any case, as many a second as their number may cost", () => {
  const denied = { reason: "scope_missing" } as const;
  expect(ask({}, {}, denied).spans).toHaveLength(1);
  expect(ask({ tracesDenials: false }, {}, denied).spans).toEqual([]);
  const { tracing } = ask({}, {});
  const max = DEFAULTS.tracingDenialsPerSecondMax;
  const taken = () => Array.from({ length: 2 * max }, () => tracing.takesDenial()).filter(Boolean).length;
  expect(taken()).toBe(max);
  clock.monotonic += 1_000;
  expect(taken()).toBe(max);
});

const B3: readonly [what: string, headers: Record<string, string>, place: [string, string] | null, sampled: boolean][] =
  [
    ["single", { b3: `${TRACE}-${SPAN}-1` }, [TRACE, SPAN], true],
    ["single with a parent", { b3: `${TRACE}-${SPAN}-1-05e3ac9a4f6e3b90` }, [TRACE, SPAN], true],
    ["single, debug", { b3: `${TRACE}-${SPAN}-d` }, [TRACE, SPAN], true],
    ["single, not sampled", { b3: `${TRACE}-${SPAN}-0` }, [TRACE, SPAN], false],
    ["single, left open", { b3: `${TRACE}-${SPAN}` }, [TRACE, SPAN], false],
    ["single, short id", { b3: `${SPAN}-${SPAN}-1` }, [`${"0".repeat(16)}${SPAN}`, SPAN], true],
    ["single, a decision alone", { b3: "0" }, null, false],
    ["single, upper case", { b3: `${TRACE.toUpperCase()}-${SPAN}-1` }, null, false],
    ["single, zeros", { b3: `${"0".repeat(32)}-${SPAN}-1` }, null, false],
    ["multi", { "x-b3-traceid": TRACE, "x-b3-spanid": SPAN, "x-b3-sampled": "1" }, [TRACE, SPAN], true],
    ["multi, words", { "x-b3-traceid": TRACE, "x-b3-spanid": SPAN, "x-b3-sampled": "true" }, [TRACE, SPAN], true],
    ["multi, debug", { "x-b3-traceid": TRACE, "x-b3-spanid": SPAN, "x-b3-flags": "1" }, [TRACE, SPAN], true],
    ["multi, not sampled", { "x-b3-traceid": TRACE, "x-b3-spanid": SPAN, "x-b3-sampled": "0" }, [TRACE, SPAN], false],
    ["multi without a span", { "x-b3-traceid": TRACE, "x-b3-sampled": "1" }, null, false],
    ["multi, no id", { "x-b3-traceid": "12", "x-b3-spanid": SPAN }, null, false],
  ];

test.each(B3)("B3: %s", (_, headers, place, isSampled) => {
  const { out, spans } = ask({ propagators: PROPAGATORS, parent: "always" }, headers);
  const sampled = isSampled ? "1" : "0";
  expect(spans.map(({ traceId, parentSpanId }) => [traceId, parentSpanId])).toEqual(isSampled ? [place] : []);
  const [, traceId = "", spanId = ""] = out["traceparent"]?.split("-") ?? [];
  if (place !== null) expect(traceId).toBe(place[0]);
  expect(out["b3"]).toBe(`${traceId}-${spanId}-${sampled}`);
  expect(out).toMatchObject({ "x-b3-traceid": traceId, "x-b3-spanid": spanId, "x-b3-sampled": sampled });
});

test("B3's decision alone is obeyed of who is trusted, and the trace begins here", () => {
  const says = (headers: Record<string, string>, isFromProxy: boolean, rules: Partial<TracingRules> = {}) => {
    const { out, spans } = ask({ propagators: ["b3", "b3multi"], ...rules }, headers, { isFromProxy });
    expect(out["b3"]).toMatch(/^(?!0{32})[0-9a-f]{32}-[0-9a-f]{16}-[01]$/);
    expect(spans.every(({ parentSpanId, link }) => parentSpanId === "" && link === null)).toBe(true);
    return spans.length;
  };
  for (const headers of [{ b3: "0" }, { "x-b3-sampled": "0" }, { "x-b3-sampled": "false" }]) {
    expect(says(headers, true, { sampleRatio: 1 }), JSON.stringify(headers)).toBe(0);
    expect(says(headers, false, { sampleRatio: 1 }), JSON.stringify(headers)).toBe(1);
    expect(says(headers, true, { sampleRatio: 1, from: "nobody" }), JSON.stringify(headers)).toBe(1);
  }
  for (const headers of [{ b3: "1" }, { b3: "d" }, { "x-b3-sampled": "1" }, { "x-b3-flags": "1" }]) {
    expect(says(headers, true), JSON.stringify(headers)).toBe(1);
    expect(says(headers, false), JSON.stringify(headers)).toBe(0);
  }
  for (const headers of [{ b3: "2" }, { "x-b3-sampled": "2" }, { "x-b3-spanid": SPAN, "x-b3-sampled": "0" }])
    expect(says(headers, true, { sampleRatio: 1 }), JSON.stringify(headers)).toBe(1);
});

test("a header that stands twice says nothing", () => {
  const twice = exchangeOf("GET", "/orders/1");
  const { tracing } = ask({ propagators: PROPAGATORS }, {});
  const names = ["b3", "b3", "x-b3-traceid", "x-b3-traceid", "x-b3-spanid"];
  twice.headers = new HeaderBlock(names, [`${TRACE}-${SPAN}-1`, `${TRACE}-${SPAN}-0`, TRACE, TRACE, SPAN]);
  tracing.begin(twice, true);
  expect(twice.traceId).not.toBe(TRACE);
});

test("W3C's header counts before B3's, and what is not spoken is written by nobody", () => {
  const headers = { ...SAMPLED, b3: `${"1".repeat(32)}-${SPAN}-0` };
  expect(ask({ propagators: PROPAGATORS, parent: "always" }, headers).out["b3"]).toMatch(new RegExp(`^${TRACE}-.*-1$`));
  expect(Object.keys(ask({}, headers).out)).toEqual(["traceparent", "tracestate"]);
  expect(Object.keys(ask({ propagators: ["b3"] }, headers).out)).toEqual(["b3"]);
  for (const name of Object.keys(ask({ propagators: PROPAGATORS }, SAMPLED).out)) expect(TRACE_HEADERS).toContain(name);
});
