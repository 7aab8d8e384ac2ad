// Goal: spans reach a collector that has its moods, and one that is away costs nothing. Method: a caller that says what it is
// told to say, and a clock that stands.
import { beforeEach, expect, test } from "vitest";
import type { CallAnswer, CallFault, CallRequest } from "../../src/calls/call.ts";
import { DEFAULTS } from "../../src/support/defaults.ts";
import { err, ok, type Result } from "../../src/support/result.ts";
import { OTLP_JSON } from "../../src/tracing/otlp-json.ts";
import type { Span } from "../../src/tracing/span.ts";
import { type ExporterSettings, SpanExporter } from "../../src/tracing/span-exporter.ts";
import { readSpans } from "../fixtures/collector.ts";
import { ManualTime } from "../fixtures/manual-time.ts";
import { resourceWorld } from "../fixtures/resource-world.ts";

const SPAN: Span = {
  traceId: "0af7651916cd43dd8448eb211c80319c",
  spanId: "00f067aa0ba902b7",
  parentSpanId: "",
  traceState: "",
  flags: 1,
  name: "GET",
  kind: 2,
  startMs: 1_796_000_000_000,
  endMs: 1_796_000_000_001,
  attributes: [],
  events: [],
  link: null,
  isError: false,
};

type Said = Result<CallAnswer, CallFault>;
const status = (code: number, headers: Record<string, string> = {}, body = ""): Said =>
  ok({ status: code, headers, body: Buffer.from(body) });
const AWAY: Said = err({ kind: "connect_failed", text: "nobody listens there" });

let time: ManualTime;
let asked: CallRequest[];
let says: (nth: number) => Said | Promise<Said>;
let closed: number;
beforeEach(() => {
  time = new ManualTime(1_796_000_000_000);
  asked = [];
  says = () => status(200);
  closed = 0;
});

function open(changes: Partial<ExporterSettings> = {}): SpanExporter {
  const world = resourceWorld({
    timers: time,
    clock: time,
    openCaller: () => ({
      call: async (request) => {
        asked.push(request);
        return says(asked.length);
      },
      close: () => void closed++,
    }),
  });
  const settings = {
    url: new URL("https://otel.example.org/v1/traces"),
    encoding: OTLP_JSON,
    isCompressed: false,
    call: {} as ExporterSettings["call"],
    resource: [["service.name", "orders-postern"]] as const,
    headers: () => ok({ authorization: "Bearer s3cret" }),
    ...changes,
  };
  const exporter = new SpanExporter(settings, world, "the-instance");
  exporter.start();
  return exporter;
}

/** Until what is under way has come to where it waits for the clock. */
async function turns(): Promise<void> {
  for (let at = 0; at < 20; at++) await new Promise((resolve) => setImmediate(resolve));
}

function put(exporter: SpanExporter, count = 1): void {
  for (let at = 0; at < count; at++) if (exporter.takes(1)) exporter.add([SPAN]);
}

async function pass(ms: number): Promise<void> {
  time.pass(ms);
  await turns();
}

test("spans go out together, a second after the first, with who sends them", async () => {
  const exporter = open();
  put(exporter, 3);
  expect(asked).toEqual([]);
  await pass(DEFAULTS.tracingExportMs);
  const [call] = asked;
  expect(call).toMatchObject({
    method: "POST",
    headers: { authorization: "Bearer s3cret", "content-type": "application/json" },
  });
  const spans = readSpans("application/json", Buffer.from(call?.body ?? ""));
  expect(spans).toHaveLength(3);
  expect(spans[0]?.resource).toEqual({ "service.name": "orders-postern", "service.instance.id": "the-instance" });
  expect(exporter.status()).toMatchObject({ state: "ready", spans: { exported: 3 }, tries: { ok: 1 } });
});

test("a full batch does not wait, and what comes meanwhile is the next one", async () => {
  const exporter = open();
  put(exporter, DEFAULTS.tracingBatchSpansMax + 5);
  await turns();
  expect(asked).toHaveLength(1);
  await pass(DEFAULTS.tracingExportMs);
  expect(exporter.status().spans).toMatchObject({ exported: DEFAULTS.tracingBatchSpansMax + 5 });
});

test.each([
  ["seconds", "7", 7_000],
  ["a date", new Date(1_796_000_000_000 + 9_000).toUTCString(), 8_000],
  ["longer than anybody waits", "999999", DEFAULTS.tracingRetryAfterMsMax],
  ["nothing", "", DEFAULTS.tracingBackoffMsMin / 2],
  ["no time", "soon", DEFAULTS.tracingBackoffMsMin / 2],
])("busy, with a Retry-After of %s: the same spans are sent again then", async (_, text, afterMs) => {
  says = (nth) => (nth === 1 ? status(503, text === "" ? {} : { "retry-after": text }) : status(200));
  const exporter = open();
  put(exporter);
  await pass(DEFAULTS.tracingExportMs);
  expect(exporter.status()).toMatchObject({ state: "failing", fault: { text: "status 503" } });
  expect(time.nextMs).toBe(afterMs);
  await pass(afterMs);
  expect(asked).toHaveLength(2);
  expect(asked[1]?.body).toEqual(asked[0]?.body);
  expect(exporter.status()).toMatchObject({ state: "ready", spans: { exported: 1, given_up: 0 } });
});

test.each([429, 502, 503, 504])("after %i spans are sent again", async (code) => {
  says = (nth) => status(nth === 1 ? code : 200);
  const exporter = open();
  put(exporter);
  await pass(DEFAULTS.tracingExportMs);
  await pass(DEFAULTS.tracingBackoffMsMax);
  expect(exporter.status().spans).toMatchObject({ exported: 1 });
});

test.each([400, 401, 404, 413, 500, 501])("after %i they are not", async (code) => {
  says = () => status(code);
  const exporter = open();
  put(exporter);
  await pass(DEFAULTS.tracingExportMs);
  await pass(DEFAULTS.tracingBackoffMsMax);
  expect(asked).toHaveLength(1);
  expect(exporter.status()).toMatchObject({ state: "failing", spans: { exported: 0, rejected: 1 } });
});

test("one that is away is tried some times, then the next spans are", async () => {
  says = (nth) => (nth <= DEFAULTS.tracingTriesMax ? AWAY : status(200));
  const exporter = open();
  put(exporter, 2);
  await pass(DEFAULTS.tracingExportMs);
  for (let at = 1; at < DEFAULTS.tracingTriesMax; at++) await pass(DEFAULTS.tracingBackoffMsMax);
  expect(exporter.status().spans).toMatchObject({ given_up: 2, exported: 0 });
  put(exporter);
  await pass(DEFAULTS.tracingExportMs);
  expect(exporter.status()).toMatchObject({ state: "ready", spans: { given_up: 2, exported: 1 } });
});

test("what waits is bounded in number and bytes, and what has no room is counted", async () => {
  says = () => new Promise<Said>(() => {});
  const exporter = open();
  put(exporter, DEFAULTS.tracingWaitingSpansMax + DEFAULTS.tracingBatchSpansMax + 10);
  expect(exporter.status().spans).toMatchObject({ queue_full: 10 });
  const other = open();
  const large: Span = { ...SPAN, attributes: [["k", "x".repeat(64 * 1024)]] };
  let taken = 0;
  for (let at = 0; at < 300; at++) {
    if (!other.takes(1)) continue;
    other.add([large]);
    taken++;
  }
  expect(taken * 64 * 1024).toBeLessThan(DEFAULTS.tracingWaitingBytesMax + 65 * 1024);
  expect(other.status().detail).toContain(`${300 - taken} queue full`);
});

test("what a collector did not want of a batch is counted", async () => {
  says = () => status(200, {}, '{"partialSuccess":{"rejectedSpans":"2","errorMessage":"too old"}}');
  const exporter = open();
  put(exporter, 3);
  await pass(DEFAULTS.tracingExportMs);
  expect(exporter.status().spans).toEqual({ exported: 1, queue_full: 0, given_up: 0, rejected: 2 });
});

test("a header whose secret cannot be read is told by its name, and nothing is sent without it", async () => {
  const exporter = open({ headers: () => err("header authorization: the file does not exist") });
  put(exporter);
  await pass(DEFAULTS.tracingExportMs);
  expect(asked).toEqual([]);
  expect(exporter.status().fault?.text).toBe("header authorization: the file does not exist");
});

test("at its end it sends what waits, once, and lets go", async () => {
  const exporter = open();
  put(exporter, DEFAULTS.tracingBatchSpansMax - 1);
  exporter.close();
  await turns();
  expect([asked.length, closed]).toEqual([1, 1]);
  expect(exporter.takes(1)).toBe(false);
  says = () => AWAY;
  const away = open();
  put(away, 2 * DEFAULTS.tracingBatchSpansMax);
  await turns();
  away.close();
  await turns();
  // The batch that waited to be tried again is; what is behind it would fare no better.
  expect([asked.length, closed]).toEqual([3, 2]);
  expect(away.status().spans).toMatchObject({ exported: 0, given_up: 2 * DEFAULTS.tracingBatchSpansMax });
});

test("'check --online' sends an empty request", async () => {
  expect(await open().tryOnce()).toEqual(ok("otel.example.org takes spans"));
  says = () => status(401);
  expect(await open().tryOnce()).toEqual(err("status 401"));
});
