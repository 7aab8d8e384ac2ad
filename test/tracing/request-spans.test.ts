// Goal: spans say what OpenTelemetry's conventions for HTTP want of them, and nothing secret. What requests usually are is
// looked at end to end (traces-requests-to-a-collector); here are the odd ones.
import { expect, test } from "vitest";
import { Denial } from "../../src/decision/verdict.ts";
import { HeaderBlock } from "../../src/message/headers.ts";
import type { FinishedRequest } from "../../src/records/make-facts.ts";
import { requestSpans } from "../../src/tracing/request-spans.ts";
import type { CalledService, SpanFacts } from "../../src/tracing/traced-request.ts";
import { exchangeOf, recordOf } from "../fixtures/telemetry.ts";

const TRACE = {
  traceId: "0af7651916cd43dd8448eb211c80319c",
  parentId: "",
  callId: "2222222222222222",
  flags: 2,
  tracestate: "",
  link: null,
};
const SPAN_ID = "1111111111111111";
const END_MS = 1_796_000_000_000;
const PLACE = { file: "policy.yaml", line: 42, column: 7, path: "routes[1].authorize" };

function spansOf(
  changes: Partial<FinishedRequest>,
  called: Partial<CalledService> | null = null,
  facts: Partial<SpanFacts> = {},
) {
  const service: CalledService = {
    forwardedMs: 10,
    status: 200,
    resends: 0,
    service: { name: "app", address: { type: "tcp", host: "10.0.0.7", port: 8443 }, protocol: "h2", tls: {} },
    ...called,
  };
  const finished = { ...recordOf(changes), denied: false, ...changes };
  const spans = requestSpans(
    {
      trace: TRACE,
      spanId: SPAN_ID,
      finished,
      called: called === null ? null : service,
      phases: new Map([["admit", 9]] as const),
      endMs: END_MS,
      wallOf: (ms) => END_MS - 20 + ms,
    },
    { principal: false, userAgent: false, ...facts },
  );
  return spans.map((span) => ({ ...span, attributes: Object.fromEntries(span.attributes) }));
}

test("a call to the service is a span of its own, under the server's", () => {
  const [server, client] = spansOf({}, {});
  expect(server).toMatchObject({ kind: 2, spanId: SPAN_ID, parentSpanId: "", flags: 0x103, endMs: END_MS });
  expect(server?.startMs).toBe(END_MS - 1.5);
  expect(server?.events.map(({ name, atMs }) => [name, atMs])).toEqual([
    ["postern.admit", END_MS - 11],
    ["postern.forward", END_MS - 10],
    ["postern.respond", END_MS - 8.75],
  ]);
  expect(client).toMatchObject({
    kind: 3,
    name: "GET",
    spanId: TRACE.callId,
    parentSpanId: SPAN_ID,
    startMs: END_MS - 10,
    endMs: END_MS,
    isError: false,
  });
  expect(client?.attributes).toEqual({
    "http.request.method": "GET",
    "server.address": "10.0.0.7",
    "server.port": 8443,
    "url.full": "https://10.0.0.7:8443/v1/orders/1",
    "network.protocol.version": "2",
    "http.response.status_code": 200,
    "postern.upstream": "app",
  });
});

test("a service on a Unix socket, one that was asked again, and one that gave no answer", () => {
  const service = {
    name: "app",
    address: { type: "unix", path: "/run/app.sock" },
    protocol: "http/1.1",
    tls: null,
  } as const;
  const [, client] = spansOf(
    { reason: "upstream_response_cut", status: 502, upstreamMs: -1 },
    { service, status: 0, resends: 1 },
  );
  expect(client?.isError).toBe(true);
  expect(client?.attributes).toEqual({
    "http.request.method": "GET",
    "server.address": "/run/app.sock",
    "url.full": "http://localhost/v1/orders/1",
    "network.protocol.version": "1.1",
    "error.type": "upstream_response_cut",
    "http.request.resend_count": 1,
    "postern.upstream": "app",
  });
});

type Errors = readonly [
  what: string,
  changes: Partial<FinishedRequest>,
  error: string | undefined,
  status: number | undefined,
];

test.each<Errors>([
  ["the service's 404", { status: 404 }, undefined, 404],
  ["the service's 503", { status: 503 }, "503", 503],
  ["a denial", { status: 403, reason: "scope_missing" }, undefined, 403],
  ["a service that is away", { status: 502, reason: "upstream_refused" }, "upstream_refused", 502],
  ["an answer that broke off", { status: 200, reason: "upstream_response_cut" }, "upstream_response_cut", 200],
  ["a client that left", { status: 499, reason: "client_closed" }, "client_closed", undefined],
  ["a call of gRPC that was denied", { status: 403, grpcStatus: 7, reason: "scope_missing" }, undefined, 200],
  ["one whose service is away", { status: 502, grpcStatus: 14, reason: "upstream_refused" }, "upstream_refused", 200],
])("%s", (_, changes, error, status) => {
  const [server] = spansOf(changes);
  expect(server?.attributes["error.type"]).toBe(error);
  expect(server?.isError).toBe(error !== undefined);
  expect(server?.attributes["http.response.status_code"]).toBe(status);
});

test("a call of gRPC that postern ended has its status by name", () => {
  const [server] = spansOf({ status: 403, grpcStatus: 7, reason: "scope_missing" });
  expect(server?.attributes).toMatchObject({
    "rpc.system.name": "grpc",
    "rpc.response.status_code": "PERMISSION_DENIED",
  });
});

test("a method that nobody knows, and a request that has none", () => {
  const [server, client] = spansOf({ exchange: exchangeOf("PROPFIND", "/a"), route: "unmatched" }, {});
  expect([server?.name, client?.name]).toEqual(["HTTP", "HTTP"]);
  expect(server?.attributes).toMatchObject({
    "http.request.method": "_OTHER",
    "http.request.method_original": "PROPFIND",
  });
  expect(server?.attributes).not.toHaveProperty("http.route");
  const [broken] = spansOf({ exchange: exchangeOf("", ""), route: "unmatched" });
  expect(broken?.name).toBe("HTTP");
  expect(broken?.attributes).not.toHaveProperty("http.request.method_original");
});

test("what only audits is an event with its line", () => {
  const exchange = exchangeOf("GET", "/v1/orders/1");
  exchange.audited = [new Denial("scope_missing", PLACE, "scope 'a'", "scope 'b'")];
  const [server] = spansOf({ exchange });
  expect(server?.events.at(-1)).toMatchObject({
    name: "postern.audited",
    attributes: [
      ["postern.reason", "scope_missing"],
      ["postern.rule", "routes[1].authorize"],
      ["postern.policy.place", "policy.yaml:42:7"],
    ],
  });
});

test("no query, and of paths, hosts and agents nothing that looks like a token", () => {
  const token = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl";
  const exchange = exchangeOf("GET", `/reset/${token}`);
  exchange.headers = new HeaderBlock(
    ["user-agent", "authorization", "cookie"],
    [`probe ${token}`, `Bearer ${token}`, token],
  );
  const told = JSON.stringify(spansOf({ exchange }, {}, { userAgent: true, principal: true }));
  expect(told).not.toContain(token);
  expect(told).not.toContain("secret=query");
  expect(told).toContain("/reset/~redacted~");
  expect(told).toContain('"user_agent.original":"probe ~redacted~"');
  expect(JSON.stringify(spansOf({ exchange }, {}))).not.toContain("user_agent");
});
