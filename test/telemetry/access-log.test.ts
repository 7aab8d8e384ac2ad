import { describe, expect, test } from "vitest";
import { Denial, ListDenial } from "../../src/decision/verdict.ts";
import { unlimitedMemory } from "../../src/memory/budget.ts";
import { FieldNames } from "../../src/message/answer-count.ts";
import { DetectNotes } from "../../src/message/detect-notes.ts";
import type { Exchange } from "../../src/message/exchange.ts";
import { LeakNotes } from "../../src/message/leak-notes.ts";
import { DEFAULTS } from "../../src/support/defaults.ts";
import { createTelemetry, type LiveTelemetry } from "../../src/telemetry/live.ts";
import type { RequestRecord } from "../../src/telemetry/request-record.ts";
import { snapshotOf } from "../fixtures/snapshot.ts";
import { exchangeOf, type LogLine, MemorySink, recordOf, TestClock } from "../fixtures/telemetry.ts";

const PLACE = { file: "/etc/postern/policy.yaml", line: 42, column: 7, path: "routes[1].authorize.scopes" };

function setUp(): { sink: MemorySink; telemetry: LiveTelemetry; clock: TestClock } {
  const sink = new MemorySink();
  const clock = new TestClock();
  return { sink, clock, telemetry: createTelemetry({ clock, sink, processFigures: null, memory: unlimitedMemory() }) };
}

function lineFor(changes: Partial<RequestRecord>): LogLine {
  const { sink, telemetry } = setUp();
  telemetry.requestFinished(recordOf(changes));
  expect(sink.raw).toHaveLength(1);
  return sink.lines[0] ?? {};
}

const denial = new Denial("scope_missing", PLACE, "scope 'orders:write'", "scope 'orders:read'");

describe("the access log", () => {
  test("what rules made of the answer is one field, of what happened alone", () => {
    const exchange = exchangeOf("GET", "/v1/orders/1");
    exchange.answerCounts = [
      { action: "removed", count: () => 2 },
      { action: "masked", count: () => 0 },
      { action: "removed", count: () => 1 },
    ];
    expect(lineFor({ exchange })).toMatchObject({ answer: { removed: 3 } });
    const names = new FieldNames();
    for (const key of [
      "ssn",
      "sha256",
      7,
      "ssn",
      "ada@example.org",
      "a b",
      "x".repeat(65),
      "sk_live_4eC39HqLyjWD1",
      "ab6e2f6e-5a1f-4a9a",
    ])
      names.add(key);
    for (let at = 0; at < 99; at++) names.add(`f${at}`);
    exchange.answerCounts = [{ action: "undeclared", count: () => 9, fields: () => names.shown }];
    const fields = ["ssn", "sha256", "[*]", "*", "f0", "f1", "f2", "f3", "f4", "f5"];
    expect(lineFor({ exchange })).toMatchObject({ answer: { undeclared: 9, fields } });
    exchange.answerCounts = [{ action: "unread", count: () => 0 }];
    expect(lineFor({ exchange })).not.toHaveProperty("answer");
  });

  test("each line tells of its own request, whatever the one before has in common with it", () => {
    const { sink, telemetry, clock } = setUp();
    const one = { clientAddress: "192.0.2.1", route: "/a", status: 200 };
    const other = {
      clientAddress: "192.0.2.2",
      route: "/b/é",
      status: 503,
      reason: "upstream_connect_failed",
    } as const;
    const mixed = { ...one, route: "/b/é" };
    const records = [one, one, one, other, one, one, mixed, mixed, other, other, other, mixed].map((told, at) =>
      recordOf({ ...told, id: `a-${at}`, exchange: exchangeOf("GET", `/v1/orders/${at % 3}`) }),
    );
    records.forEach((record, at) => {
      if (at === 5) clock.wall++;
      telemetry.requestFinished(record);
    });
    const told = sink.lines.map(({ level, id, client, route, status, path, time }) => [
      ...[level, id, client, route, status, path, time?.slice(-4)],
    ]);
    const expected = records.map(({ id, clientAddress, route, status, exchange }, at) => [
      ...[status === 503 ? "warn" : "info", id, clientAddress, route, status, exchange.target.path],
      at < 5 ? "007Z" : "008Z",
    ]);
    expect(told).toEqual(expected);
  });

  test("a forwarded request is one line with these fields and no others", () => {
    expect(lineFor({})).toEqual({
      level: "info",
      time: "2026-11-21T12:00:00.007Z",
      event: "request",
      id: "a-1",
      listener: "inbound",
      client: "192.0.2.1",
      protocol: "http/1.1",
      method: "GET",
      path: "/v1/orders/1",
      route: "/v1/orders/{orderId}",
      status: 200,
      decisionUs: 1.4,
      upstreamMs: 1.25,
      durationMs: 1.5,
      bytesIn: 0,
      bytesOut: 110,
      policyHash: "0123456789abcdef",
    });
  });

  test("a denial names reason, file, line, column and rule, and what was seen against what was wanted", () => {
    expect(lineFor({ reason: "scope_missing", denial, status: 403, upstreamMs: -1 })).toMatchObject({
      level: "info",
      status: 403,
      reason: "scope_missing",
      source: "client",
      policy: "/etc/postern/policy.yaml:42:7",
      rule: "routes[1].authorize.scopes",
      seen: "scope 'orders:write'",
      wanted: "scope 'orders:read'",
    });
  });

  test("of what a rule saw, keys of known makers are masked, and names of keys are not", () => {
    const seen = 'request.headers["x-tenant"] "sk_live_4eC39HqLyjWD1", kid \'Zm9vYmFyYmF6cXV4MTIz\'';
    const line = lineFor({ reason: "attribute_mismatch", denial: new Denial("attribute_mismatch", PLACE, seen, "x") });
    expect(line).toMatchObject({ seen: 'request.headers["x-tenant"] "~redacted~", kid \'Zm9vYmFyYmF6cXV4MTIz\'' });
  });

  test("a line names the service, where the client is, and what is wrong with its certificate in words", () => {
    const exchange = exchangeOf("GET", "/");
    exchange.upstream = "app";
    exchange.geo = {
      knows: () => true,
      country: () => "DE",
      continent: () => "EU",
      asn: () => "AS64496",
      network: () => null,
    };
    const certificate = (untrusted: string | null) => ({ untrusted }) as Exchange["certificate"];
    exchange.certificate = certificate("CERT_HAS_EXPIRED");
    const line = lineFor({ exchange });
    expect(line).toMatchObject({
      upstream: "app",
      country: "DE",
      asn: "AS64496",
      certificateFault: "certificate_expired (CERT_HAS_EXPIRED); expected a certificate that is still valid",
    });
    expect(line).not.toHaveProperty("network");
    exchange.certificate = certificate(null);
    expect(lineFor({ exchange })).not.toHaveProperty("certificateFault");
    const { sink, telemetry } = setUp();
    telemetry.handshakeFailed("inbound", "certificate_revoked", "192.0.2.1", "CERT_REVOKED");
    telemetry.handshakeFailed("inbound", "not_tls", "192.0.2.1", "");
    expect(sink.lines[0]).toMatchObject({ reason: "certificate_revoked", wanted: "a certificate that is not revoked" });
    expect(sink.lines[1]).not.toHaveProperty("wanted");
  });

  test("neither header values nor the query reach the log", () => {
    const { sink, telemetry } = setUp();
    const exchange = exchangeOf("GET", "/", { authorization: "Bearer top-secret", cookie: "top-secret" });
    telemetry.requestFinished(recordOf({ exchange, reason: "scope_missing", denial, status: 403 }));
    expect(sink.raw.join("")).not.toMatch(/secret/);
  });

  test("the level follows whose fault it is", () => {
    const levelOf = (reason: RequestRecord["reason"]) => lineFor({ reason }).level;
    expect(levelOf("rate_limited")).toBe("info");
    expect(levelOf("upstream_connect_failed")).toBe("warn");
    expect(levelOf("internal_error")).toBe("error");
  });

  test("text from a client cannot begin a line of its own, colour a terminal or turn the text round", () => {
    const { sink, telemetry } = setUp();
    const evil = 'x\n{"event":"request","status":200}\r\u001b[2J\u009b31m\u2028\u202e\u2066"';
    const exchange = exchangeOf(`G${evil}`, `/${evil}`);
    exchange.principal = {
      authenticator: "mesh",
      type: "client-certificate",
      id: `CN=${evil}`,
      key: "",
      scopes: new Set(),
      claims: {},
      expiresAtMs: 0,
    };
    exchange.audited = [new Denial("claim_mismatch", PLACE, evil, evil)];
    exchange.requestId = evil;
    exchange.traceId = evil;
    exchange.version = evil;
    exchange.upstream = evil;
    exchange.upstreamTarget = { path: `/other${evil}`, query: "" };
    exchange.withheld = [evil];
    exchange.geo = {
      knows: () => true,
      country: () => evil,
      continent: () => evil,
      asn: () => evil,
      network: () => evil,
    };
    exchange.leaks = new LeakNotes();
    exchange.leaks.add({ way: "request", kind: "iban", action: "observe", field: evil });
    exchange.detected = new DetectNotes();
    const hit = { way: "request", detector: evil, id: 1, message: evil, score: 1, field: evil, matched: evil } as const;
    exchange.detected.add({ ...hit, file: evil, line: 1 }, evil);
    exchange.answerCounts = [{ action: "removed", count: () => 1, fields: () => [evil] }];
    const denial = new ListDenial("address_denied", PLACE, evil, evil, evil);
    telemetry.requestFinished(
      recordOf({
        exchange,
        denial,
        reason: "address_denied",
        clientAddress: evil,
        route: evil,
        listener: evil,
        id: evil,
      }),
    );
    telemetry.handshakeFailed("inbound", "other", "192.0.2.1", evil);
    for (const line of sink.raw) {
      expect(line.indexOf("\n")).toBe(line.length - 1);
      // biome-ignore format: the classes are easier to read on one line
      expect(line.slice(0, -1)).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/);
    }
  });

  test("a line has a greatest length, whatever a client sends", () => {
    const { sink, telemetry } = setUp();
    const long = "x".repeat(100_000);
    const exchange = exchangeOf(long, `/${long}`);
    exchange.withheld = Array.from({ length: 1_000 }, () => long);
    exchange.audited = Array.from({ length: 1_000 }, () => new Denial("claim_mismatch", PLACE, long, long));
    telemetry.requestFinished(recordOf({ exchange, denial: new Denial("not_authorized", PLACE, long, long) }));
    expect(sink.raw[0]?.length).toBeLessThan(16_384);
    expect(sink.lines[0]).toMatchObject({
      audited: { length: DEFAULTS.logAuditedMax },
      withheld: { length: DEFAULTS.logWithheldMax },
    });
  });

  test("the policy says which requests get a line, and a reload changes it", () => {
    const { sink, telemetry } = setUp();
    const finishBoth = () => {
      telemetry.requestFinished(recordOf());
      telemetry.requestFinished(recordOf({ reason: "scope_missing", denial, status: 403 }));
    };
    telemetry.policyLoaded(snapshotOf({ log: { access: "denied" } }));
    finishBoth();
    expect(sink.lines.map((line) => line.status)).toEqual([403]);
    telemetry.policyLoaded(snapshotOf({ log: { access: "off" } }));
    finishBoth();
    expect(sink.raw).toHaveLength(1);
    telemetry.policyLoaded(snapshotOf({ log: { access: "all" } }));
    finishBoth();
    expect(sink.raw).toHaveLength(3);
  });

  test("a flood of failed handshakes gives ten lines a second and the number of the others", () => {
    const { sink, telemetry, clock } = setUp();
    for (let at = 0; at < 1_000; at++) telemetry.handshakeFailed("inbound", "not_tls", "192.0.2.1", "");
    expect(sink.raw).toHaveLength(DEFAULTS.connectionLogLinesPerSecondMax);
    clock.monotonic += 1_000;
    telemetry.handshakeFailed("inbound", "not_tls", "192.0.2.1", "");
    expect(sink.lines.at(-1)).toMatchObject({ suppressed: 990 });
    expect(telemetry.metrics.listener("inbound").handshakesFailed.not_tls).toBe(1_001);
  });

  test("the time goes on from second to second", () => {
    const { sink, telemetry, clock } = setUp();
    telemetry.requestFinished(recordOf());
    clock.wall += 993;
    telemetry.requestFinished(recordOf());
    expect(sink.lines.map((line) => line.time)).toEqual(["2026-11-21T12:00:00.007Z", "2026-11-21T12:00:01.000Z"]);
  });
});
