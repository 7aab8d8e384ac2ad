// Goal: what `log` of a policy says of fields, shares and files is what lines are. Method: policies as text, requests as records.
import { afterEach, describe, expect, test } from "vitest";
import { Denial } from "../../src/decision/verdict.ts";
import { unlimitedMemory } from "../../src/memory/budget.ts";
import type { Exchange } from "../../src/message/exchange.ts";
import { DEFAULTS } from "../../src/support/defaults.ts";
import { createTelemetry } from "../../src/telemetry/live.ts";
import type { RequestRecord } from "../../src/telemetry/request-record.ts";
import { ManualTime } from "../fixtures/manual-time.ts";
import { exchangeOf, MemorySink, recordOf } from "../fixtures/telemetry.ts";
import { policyWith, problemsOf, snapshotOf } from "./policy-kit.ts";

const ROUTE = "routes: [{ path: '/t/{tenant}', public: true }]";
const policy = (log: string): string => `${policyWith(ROUTE)}\nlog: ${log}\n`;

async function logOf(log: string) {
  const sink = new MemorySink();
  sink.holdsToReference = false;
  const time = new ManualTime(Date.UTC(2026, 11, 1));
  const telemetry = createTelemetry({
    clock: time,
    timers: time,
    sink,
    processFigures: null,
    memory: unlimitedMemory(),
  });
  telemetry.policyLoaded(await snapshotOf(policy(log)));
  const told = (changes: Partial<RequestRecord> = {}): Readonly<Record<string, unknown>> | null => {
    sink.raw.length = 0;
    telemetry.requestFinished(recordOf(changes));
    const [line] = sink.raw;
    return line === undefined ? null : (JSON.parse(line) as Readonly<Record<string, unknown>>);
  };
  return { sink, time, telemetry, told };
}

function asked(path: string, params: readonly string[], headers: Readonly<Record<string, string>>): Exchange {
  const exchange = exchangeOf("GET", path, headers);
  exchange.params = params;
  exchange.principal = {
    authenticator: "idp",
    type: "jwt",
    id: "alice",
    key: "idp/alice",
    scopes: new Set(),
    claims: { tenant: "acme", roles: ["admin", "dev"], deep: { a: 1 }, n: 7 },
    expiresAtMs: 0,
  };
  return exchange;
}

describe("fields", () => {
  const ADD = `{ fields: { remove: [policyHash, decisionUs, client], add: {
    client: client.address, tenant: jwt.tenant, path_tenant: path.tenant, agent: 'request.headers["user-agent"]',
    roles: jwt.roles, deep: jwt.deep, n: jwt.n, none: jwt.none, at: now, template: route } } }`;

  test("are added as attributes say, and left out by their names", async () => {
    const { told } = await logOf(ADD);
    const exchange = asked("/t/a%2Fb", ["a%2Fb"], { "user-agent": "curl/8" });
    const line = told({ exchange, route: "/t/{tenant}" });
    expect(line).toMatchObject({
      client: "192.0.2.1",
      tenant: "acme",
      path_tenant: "a/b",
      agent: "curl/8",
      roles: ["admin", "dev"],
      n: 7,
      template: "/t/{tenant}",
    });
    expect(line?.["at"]).toMatch(/^20\d\d-.*Z$/);
    for (const name of ["policyHash", "decisionUs", "deep", "none"]) expect(line).not.toHaveProperty(name);
  });

  test("are there in no other number than 'only' says", async () => {
    const { told } = await logOf("{ fields: { only: [status, path] } }");
    expect(Object.keys(told() ?? {})).toEqual(["level", "time", "event", "id", "path", "status"]);
  });

  test("are bounded in bytes, masked, and begin no line, whatever a client sends", async () => {
    const { told, sink } = await logOf(ADD);
    const secret = "eyJhbGciOiJIUzI1NiJ9.c2VjcmV0LXNlY3JldA.c2lnbmF0dXJl";
    for (const evil of [
      "é".repeat(9_999),
      "\u0001".repeat(999),
      "\ud800".repeat(999),
      `a\n{"event":"request"}\r\u202e\u009b`,
    ]) {
      const exchange = asked("/t/x", [encodeURIComponent(evil.toWellFormed())], { "user-agent": evil });
      exchange.principal = {
        ...(exchange.principal as NonNullable<Exchange["principal"]>),
        claims: { tenant: evil, roles: [evil, evil, evil] },
      };
      const line = told({ exchange, route: "/t/{tenant}" });
      expect(sink.raw[0]?.indexOf("\n")).toBe((sink.raw[0]?.length ?? 0) - 1);
      // biome-ignore format: the classes are easier to read on one line
      expect(sink.raw[0]?.slice(0, -1)).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/);
      for (const name of ["agent", "tenant", "path_tenant", "roles"])
        expect(Buffer.byteLength(JSON.stringify(line?.[name]))).toBeLessThanOrEqual(DEFAULTS.logFieldBytesMax);
    }
    const masked = told({ exchange: asked("/t/x", ["x"], { "user-agent": `x ${secret}` }), route: "/t/{tenant}" });
    expect(masked?.["agent"]).toBe("x ~redacted~");
  });

  test("have a problem where the value may be a secret, is not known, or has the name of another", async () => {
    expect(
      await problemsOf(
        policy("{ fields: { add: { a: query.q, b: jwt.token, c: body.x, d: nothing.x, e: path.order } } }"),
      ),
    ).toEqual([
      expect.stringContaining("'query.q' may be a secret, which no log shows"),
      expect.stringContaining("'jwt.token' may be a secret"),
      expect.stringContaining("'body.x' may be a secret"),
      expect.stringContaining("there is no attribute 'nothing.x'"),
      expect.stringMatching(/no parameter 'order'; expected: tenant|no parameter 'order'/),
    ]);
    expect((await problemsOf(policy("{ fields: { add: { status: jwt.x } } }"))).join()).toContain(
      "a line has 'status' already",
    );
    expect((await problemsOf(policy("{ preset: ecs, fields: { add: { url.path: jwt.x } } }"))).join()).toContain(
      "a line has 'url.path' already",
    );
    expect((await problemsOf(policy("{ preset: ecs, fields: { add: { event.outcome: jwt.x } } }"))).join()).toContain(
      "a line has 'event.outcome' already",
    );
    expect((await problemsOf(policy("{ fields: { remove: [id] } }"))).join()).toContain("expected the name of a field");
    expect((await problemsOf(policy("{ fields: { remove: [path], only: [path] } }"))).join()).toContain(
      "both 'only' and 'remove'",
    );
    expect((await problemsOf(policy("{ file: { path: a/, maxBytes: 1MiB } }"))).join()).toContain(
      "expected the name of a file",
    );
    expect((await problemsOf(policy("{ file: { path: a }, audit: { file: a } }"))).join()).toContain(
      "the audit log is written to this file",
    );
    expect((await problemsOf(policy("{ file: { path: policy.yaml } }"))).join()).toContain(
      "the policy reads this file",
    );
    expect((await problemsOf(policy("{ sample: off }"))).join()).toContain("expected a share, as in 10%");
  });
});

describe("a share", () => {
  const inTen = (told: (changes: Partial<RequestRecord>) => unknown, change: (at: number) => Partial<RequestRecord>) =>
    Array.from({ length: 4_000 }, (_, at) => told(change(at))).filter((line) => line !== null).length;

  test("of requests that went well has a line, which says which; what was denied, failed or noted always has", async () => {
    const { told } = await logOf("{ sample: 10% }");
    const lines = inTen(told, (at) => ({ id: `a-${at}` }));
    expect(lines).toBeGreaterThan(250);
    expect(lines).toBeLessThan(600);
    const ids = Array.from({ length: 100 }, (_, at) => `b-${at}`);
    expect(ids.map((id) => told({ id })).find((line) => line !== null)).toMatchObject({ sampleRatio: 0.1 });
    for (const id of ids) {
      expect(told({ id, reason: "scope_missing", status: 403 })).not.toHaveProperty("sampleRatio");
      expect(told({ id, status: 502 })).toMatchObject({ status: 502 });
      const noted = exchangeOf("GET", "/");
      const place = { file: "p.yaml", line: 1, column: 1, path: "routes[0]" };
      noted.audited = [new Denial("rate_limited", place, "4", "at most 3")];
      expect(told({ id, exchange: noted })).toMatchObject({ audited: [{ reason: "rate_limited" }] });
    }
  });

  test("is of what rules merely had to do with, too: a route whose answers are looked at is no louder than others", async () => {
    const { told } = await logOf("{ sample: 0.1% }");
    const lines = inTen(told, (at) => {
      const exchange = exchangeOf("GET", "/");
      exchange.answerCounts = [{ action: "removed", count: () => 0 }];
      exchange.withheld = ["x-odd"];
      return { id: `c-${at}`, exchange };
    });
    expect(lines).toBeLessThan(40);
  });

  test("is the same for all requests of one trace", async () => {
    const { told } = await logOf("{ sample: 10% }");
    for (let trace = 0; trace < 50; trace++) {
      const lines = Array.from({ length: 4 }, (_, at) => {
        const exchange = exchangeOf("GET", "/");
        exchange.traceId = `${trace}`.padStart(32, "0");
        return told({ exchange, id: `${trace}-${at}` }) !== null;
      });
      expect(new Set(lines).size).toBe(1);
    }
  });

  test("does not count for what is slow, which says so, also where nothing else has a line", async () => {
    for (const log of ["{ sample: 0.1%, slow: 1s }", "{ access: denied, slow: 1s }"]) {
      const { told } = await logOf(log);
      expect(told({ durationMs: 1_000 })).toMatchObject({ slow: true });
      expect(told({ durationMs: 2_000, status: 101 })?.["slow"]).toBeUndefined();
    }
    expect((await logOf("{ access: off, slow: 1s }")).told({ durationMs: 2_000 })).toBeNull();
    expect((await logOf("{ slow: 1s }")).told({ durationMs: 999 })).not.toHaveProperty("slow");
  });
});

describe("a flood of refusals", () => {
  test("has so many lines a second, and one that counts the others by reason, also where nothing follows", async () => {
    const { sink, time, telemetry } = await logOf("{ denialsPerSecond: 10 }");
    for (let at = 0; at < 100; at++) telemetry.requestFinished(recordOf({ reason: "rate_limited", status: 429 }));
    for (let at = 0; at < 5; at++) telemetry.requestFinished(recordOf({ reason: "scope_missing", status: 403 }));
    telemetry.requestFinished(recordOf({}));
    expect(sink.raw).toHaveLength(11);
    time.pass(1_000);
    expect(sink.lines.at(-1)).toMatchObject({
      event: "lines_left_out",
      lines: 95,
      reasons: { rate_limited: 90, scope_missing: 5 },
    });
    telemetry.requestFinished(recordOf({ reason: "scope_missing", status: 403 }));
    expect(sink.lines.at(-1)).toMatchObject({ reason: "scope_missing" });
    time.pass(5_000);
    expect(sink.raw).toHaveLength(13);
  });

  test("is told at the end of the process", async () => {
    const { sink, telemetry } = await logOf("{ denialsPerSecond: 1 }");
    for (let at = 0; at < 3; at++) telemetry.requestFinished(recordOf({ reason: "rate_limited", status: 429 }));
    telemetry.stop();
    expect(sink.lines.at(-1)).toMatchObject({ event: "lines_left_out", lines: 2 });
  });
});

describe("a line of the process", () => {
  let stop = (): void => {};
  afterEach(() => stop());

  test("that repeats is told once, and then how often it would have been", async () => {
    const { sink, time, telemetry } = await logOf("{ access: all }");
    stop = () => telemetry.stop();
    for (let at = 0; at < 8; at++) telemetry.log.warn("state", "cannot be written", { directory: "/s", file: "a" });
    telemetry.log.warn("state", "cannot be written", { directory: "/s", file: "b" });
    expect(sink.raw).toHaveLength(2);
    time.pass(DEFAULTS.logRepeatMs);
    expect(sink.raw).toHaveLength(3);
    expect(sink.lines[2]).toMatchObject({ event: "state", file: "a", repeated: 7 });
    telemetry.log.warn("state", "cannot be written", { directory: "/s", file: "a" });
    expect(sink.raw).toHaveLength(4);
    for (let at = 0; at < 2; at++) telemetry.log.info("reload", "policy loaded", { result: "ok" });
    expect(sink.raw).toHaveLength(6);
    for (let at = 0; at < DEFAULTS.logRepeatedLinesMax; at++) telemetry.log.warn("state", "x", { file: `f${at}` });
    telemetry.log.warn("state", "cannot be written", { directory: "/s", file: "a" });
    telemetry.log.warn("state", "cannot be written", { directory: "/s", file: "a" });
    telemetry.stop();
    expect(sink.lines.at(-1)).toMatchObject({ file: "a", repeated: 1 });
  });
});
