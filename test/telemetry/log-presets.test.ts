// Goal: presets have names that their conventions have, with values of the type that is theirs there. Method: a table of those
// names, taken from where they are defined, and lines as postern writes them.
import { describe, expect, test } from "vitest";
import { Denial } from "../../src/decision/verdict.ts";
import { DENIAL_FIELDS, NOTE_FIELDS, USUAL_FIELDS } from "../../src/telemetry/access-fields.ts";
import { AccessLine } from "../../src/telemetry/access-line.ts";
import { createEventLog, EVENTS } from "../../src/telemetry/event-log.ts";
import { LogOutput } from "../../src/telemetry/log-output.ts";
import { PRESETS } from "../../src/telemetry/log-presets.ts";
import { EVENT_FIELDS } from "../../src/telemetry/log-reference-events.ts";
import { USUAL_DETAILS } from "../../src/telemetry/log-settings.ts";
import { createWordSink } from "../../src/telemetry/log-words.ts";
import { exchangeOf, MemorySink, recordOf, TestClock } from "../fixtures/telemetry.ts";

type Kind = "string" | "number" | "object";

/** github.com/elastic/ecs, generated/csv/fields.csv, 9.5.0-dev: keyword, wildcard, match_only_text and date are texts, long is a number. */
const ECS: Readonly<Record<string, Kind>> = {
  "@timestamp": "string",
  "client.address": "string",
  "client.as.number": "number",
  "client.as.organization.name": "string",
  "client.geo.country_iso_code": "string",
  "client.ip": "string",
  "ecs.version": "string",
  "error.message": "string",
  "event.action": "string",
  "event.category": "object",
  "event.duration": "number",
  "event.id": "string",
  "event.kind": "string",
  "event.outcome": "string",
  "event.reason": "string",
  "event.type": "object",
  "http.request.body.bytes": "number",
  "http.request.id": "string",
  "http.request.method": "string",
  "http.response.body.bytes": "number",
  "http.response.status_code": "number",
  "http.version": "string",
  "log.level": "string",
  message: "string",
  "rule.name": "string",
  "span.id": "string",
  "trace.id": "string",
  "url.path": "string",
  "user.id": "string",
};

/**
 * github.com/open-telemetry: opentelemetry-specification, specification/compatibility/logging_trace_context.md (JSON formats) and
 * specification/logs/data-model.md (severity text, event name); semantic-conventions, docs/registry/attributes/{client, enduser, geo,
 * http, network, url}.md.
 */
const OTEL: Readonly<Record<string, Kind>> = {
  timestamp: "string",
  severity_text: "string",
  body: "string",
  event_name: "string",
  trace_id: "string",
  span_id: "string",
  "client.address": "string",
  "enduser.id": "string",
  "geo.country.iso_code": "string",
  "http.request.body.size": "number",
  "http.request.method": "string",
  "http.response.body.size": "number",
  "http.response.status_code": "number",
  "http.route": "string",
  "network.peer.address": "string",
  "network.protocol.version": "string",
  "url.path": "string",
};

const FIELDS = [
  "level",
  "time",
  "event",
  "slow",
  "sampleRatio",
  ...[USUAL_FIELDS, DENIAL_FIELDS, NOTE_FIELDS].flatMap((table) => Object.keys(table)),
];

function fullRecord() {
  const exchange = exchangeOf("GET", "/v1/orders/1");
  exchange.principal = {
    authenticator: "idp",
    type: "jwt",
    id: "alice",
    key: "idp/alice",
    scopes: new Set(),
    claims: {},
    expiresAtMs: 0,
  };
  exchange.traceId = "4bf92f3577b34da6a3ce929d0e0e4736";
  exchange.spanId = "00f067aa0ba902b7";
  exchange.requestId = "r-1";
  exchange.upstream = "app";
  exchange.geo = {
    knows: () => true,
    country: () => "DE",
    continent: () => "EU",
    asn: () => "AS64496",
    network: () => "Example",
  };
  const place = { file: "p.yaml", line: 1, column: 2, path: "routes[0]" };
  const denial = new Denial("scope_missing", place, "a", "b");
  return recordOf({ exchange, reason: "scope_missing", denial, durationMs: 1.5, protocol: "h2" });
}

describe.each([
  ["ecs", ECS],
  ["otel", OTEL],
] as const)("the preset %s", (preset, known) => {
  const names = PRESETS[preset];

  test("has names of its convention, and postern's own prefix for all else, each for one field", () => {
    const used = [...new Set([...FIELDS, ...Object.keys(EVENT_FIELDS)])].map((field) => names.nameOf(field));
    expect(new Set(used).size).toBe(used.length);
    expect(used.filter((name) => !name.startsWith("postern.") && !Object.hasOwn(known, name))).toEqual([]);
    expect(names.own.filter((name) => !Object.hasOwn(known, name))).toEqual([]);
    const unused = Object.keys(known).filter((name) => !used.includes(name) && !names.own.includes(name));
    expect(unused).toEqual([]);
  });

  test("gives values of the type that is theirs", () => {
    const text = new AccessLine(names).write(fullRecord(), "info", "2026-12-01T09:30:00.125Z", "").toString();
    const line = JSON.parse(text) as Readonly<Record<string, unknown>>;
    for (const [name, value] of Object.entries(line)) {
      const kind = known[name];
      if (kind !== undefined) expect(typeof value, name).toBe(kind);
    }
    expect(line).toMatchObject(
      preset === "ecs"
        ? {
            "client.ip": "192.0.2.1",
            "event.duration": 1_500_000,
            "client.as.number": 64496,
            "http.version": "2",
            "log.level": "info",
          }
        : { "network.protocol.version": "2", severity_text: "INFO", "postern.durationMs": 1.5, event_name: "request" },
    );
  });

  test("names the process's lines, too; who reads words gets them as ever", () => {
    const sink = new MemorySink();
    sink.holdsToReference = false;
    const people = new MemorySink();
    for (const to of [sink, createWordSink(people, false)]) {
      const output = new LogOutput(to);
      output.follow({ ...USUAL_DETAILS, names }, () => {});
      createEventLog(new TestClock(), output).error("watch_error", "changes are found by polling only", {
        error: "EMFILE",
      });
    }
    const line = JSON.parse(sink.raw.join("")) as Readonly<Record<string, unknown>>;
    expect(line).toMatchObject({
      [names.nameOf("event")]: "watch_error",
      [names.nameOf("msg")]: "changes are found by polling only",
      [names.nameOf("error")]: "EMFILE",
      [names.nameOf("level")]: preset === "ecs" ? "error" : "ERROR",
    });
    expect(people.raw.join("")).toMatch(/ error: watch_error: changes are found by polling only {2}error EMFILE\n$/);
  });
});

/** github.com/elastic/ecs, schemas/event.yml: which types are expected of a category. */
const EXPECTED: Readonly<Record<string, readonly string[]>> = {
  network: ["access", "allowed", "connection", "denied", "end", "info", "protocol", "start"],
  web: ["access", "error", "info"],
  configuration: ["access", "change", "creation", "deletion", "info"],
  process: ["access", "change", "end", "info", "start"],
};

interface Categorized {
  readonly "event.kind": string;
  readonly "event.category"?: readonly string[];
  readonly "event.type"?: readonly string[];
  readonly "event.outcome"?: string;
}

test("client.ip of ecs is left out where the client has no address, for its type takes nothing else", () => {
  const form = PRESETS.ecs.formOf("client");
  expect(form?.('"unix"')).toBe('"unix"');
  expect(form?.('"2001:db8::1"')).toBe('"2001:db8::1","client.ip":"2001:db8::1"');
});

describe("categories of ecs", () => {
  const names = PRESETS.ecs;
  const place = { file: "p.yaml", line: 1, column: 2, path: "routes[0]" };
  const denial = new Denial("scope_missing", place, "a", "b");
  const of = (facts: Parameters<typeof recordOf>[0]): Categorized =>
    JSON.parse(new AccessLine(names).write(recordOf(facts), "info", "2026-12-01T09:30:00.125Z", "").toString());
  const ofEvent = (event: string, fields = {}): Categorized => JSON.parse(`{${names.ofEvent(event, fields).slice(1)}}`);

  test.each([
    ["served", {}, "allowed", "success"],
    ["answered 404 by the service", { status: 404 }, "allowed", "failure"],
    ["a call that went wrong", { grpcStatus: 5 }, "allowed", "failure"],
    ["refused", { reason: "scope_missing", denial, status: 403 }, "denied", "success"],
    ["a client that left", { reason: "client_closed", status: 499 }, "error", "failure"],
    ["a service that is down", { reason: "upstream_connect_failed", status: 502 }, "error", "failure"],
    ["postern's own fault", { reason: "internal_error", denial: null, status: 500 }, "error", "failure"],
  ] as const)("of a request: %s", (_, facts, type, outcome) => {
    expect([...(EXPECTED["network"] ?? []), ...(EXPECTED["web"] ?? [])]).toContain(type);
    expect(of(facts)).toMatchObject({
      "event.kind": "event",
      "event.category": ["network", "web"],
      "event.type": ["access", type],
      "event.outcome": outcome,
    });
  });

  test("of lines of the process, as they went", () => {
    expect(ofEvent("reload", { result: "ok" })["event.outcome"]).toBe("success");
    expect(ofEvent("reload", { result: "refused" })["event.outcome"]).toBe("failure");
    expect(ofEvent("admin_act", { result: "unauthorized" })["event.outcome"]).toBe("failure");
    expect(ofEvent("anomaly")).toEqual({ "event.kind": "alert" });
    expect(ofEvent("constructor")).toEqual({ "event.kind": "event" });
  });

  test("are of the closed lists that ECS has, each type one that it expects of a category", () => {
    for (const event of EVENTS) {
      const { "event.category": category = [], "event.type": type = [], "event.outcome": outcome } = ofEvent(event);
      const expected = category.flatMap((one) => EXPECTED[one] ?? []);
      expect(
        type.filter((one) => !expected.includes(one)),
        event,
      ).toEqual([]);
      expect(["success", "failure", undefined]).toContain(outcome);
    }
  });
});
