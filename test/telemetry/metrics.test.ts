import { execFileSync, spawnSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { REASONS, type Reason } from "../../src/decision/reason.ts";
import { Denial } from "../../src/decision/verdict.ts";
import { unlimitedMemory } from "../../src/memory/budget.ts";
import { UNREAD } from "../../src/message/answer-count.ts";
import { DEFAULTS } from "../../src/support/defaults.ts";
import { createTelemetry, type LiveTelemetry } from "../../src/telemetry/live.ts";
import { checkName } from "../../src/telemetry/metrics.ts";
import { RequestCells } from "../../src/telemetry/request-cells.ts";
import { routeOf, snapshotOf } from "../fixtures/snapshot.ts";
import { exchangeOf, MemorySink, recordOf, TestClock } from "../fixtures/telemetry.ts";

function telemetryOf(): LiveTelemetry {
  return createTelemetry({
    clock: new TestClock(),
    sink: new MemorySink(),
    processFigures: null,
    memory: unlimitedMemory(),
  });
}

async function lineOf(telemetry: LiveTelemetry, start: string): Promise<readonly string[]> {
  return (await telemetry.metricsText()).split("\n").filter((line) => line.startsWith(start));
}

describe("request metrics", () => {
  test("a forwarded request is counted under its template, method and status class, with no reason", async () => {
    const telemetry = telemetryOf();
    telemetry.requestStarted();
    telemetry.requestFinished(recordOf());
    expect(await lineOf(telemetry, "postern_requests_total{")).toEqual([
      'postern_requests_total{listener="inbound",upstream="",route="/v1/orders/{orderId}",method="GET",status_class="2xx",reason="none",source="none"} 1',
    ]);
    expect(await lineOf(telemetry, "postern_requests_in_flight ")).toEqual(["postern_requests_in_flight 0"]);
    expect(await lineOf(telemetry, "postern_response_body_bytes_total{")).toEqual([
      'postern_response_body_bytes_total{listener="inbound"} 110',
    ]);
  });

  test("what rules made of answers is counted by route", async () => {
    const telemetry = telemetryOf();
    const exchange = exchangeOf("GET", "/v1/orders/1");
    exchange.answerCounts = [
      { action: "removed", count: () => 2 },
      { action: "removed", count: () => 3 },
      { action: "masked", count: () => 1 },
      { action: "writeOnly", count: () => 1 },
      UNREAD,
    ];
    for (let times = 0; times < 2; times++) telemetry.requestFinished(recordOf({ exchange }));
    const route = 'route="/v1/orders/{orderId}"';
    expect(await lineOf(telemetry, "postern_response_")).toEqual(
      expect.arrayContaining([
        `postern_response_fields_total{${route},action="removed"} 10`,
        `postern_response_fields_total{${route},action="masked"} 2`,
        `postern_response_fields_total{${route},action="undeclared"} 0`,
        `postern_response_fields_total{${route},action="writeOnly"} 2`,
        `postern_response_unread_total{${route}} 2`,
      ]),
    );
    telemetry.policyLoaded(snapshotOf());
    telemetry.policyLoaded(snapshotOf());
    expect(await lineOf(telemetry, "postern_response_fields_total{")).toEqual([]);
  });

  test("every reason is counted under its own name and source", () => {
    const cells = new RequestCells();
    const reasons = Object.keys(REASONS) as Reason[];
    for (const reason of reasons) cells.count("inbound", "app", "/", "GET", REASONS[reason].status, reason);
    const seen = Array.from(cells.series(), ({ reason, source, value }) => ({ reason, source, value }));
    expect(seen).toEqual(reasons.map((reason) => ({ reason, source: REASONS[reason].source, value: 1 })));
  });

  test("QUERY is counted under its own name", () => {
    const cells = new RequestCells();
    cells.count("inbound", "app", "/", "QUERY", 200, null);
    expect(Array.from(cells.series(), ({ method }) => method)).toEqual(["QUERY"]);
  });

  test("methods that a client invents share one label value", () => {
    const cells = new RequestCells();
    for (let at = 0; at < 1_000; at++) cells.count("inbound", "app", "/", `INVENTED${at}`, 405, "method_forbidden");
    for (const method of ["__proto__", "constructor", 'GET"} 1\nevil{a="', "get"]) {
      cells.count("inbound", "app", "/", method, 405, "method_forbidden");
    }
    expect(Array.from(cells.series(), ({ method, value }) => [method, value])).toEqual([["other", 1_004]]);
  });

  test("the number of series has an end, and what is beyond it is still counted", () => {
    const cells = new RequestCells();
    const routes = DEFAULTS.metricSeriesMax + 500;
    for (let at = 0; at < routes; at++) cells.count("inbound", "app", `/route/${at}`, "GET", 200, null);
    const series = [...cells.series()];
    expect(series.length).toBe(DEFAULTS.metricSeriesMax + 1);
    expect(series.find(({ route }) => route === "overflow")?.value).toBe(500);
    expect(series.reduce((sum, { value }) => sum + value, 0)).toBe(routes);
  });

  test("routes that two policies in a row do not have are forgotten, the others keep their counts", () => {
    const { metrics, ...telemetry } = telemetryOf();
    for (let generation = 0; generation < 200; generation++) {
      telemetry.policyLoaded(snapshotOf({ routeList: [routeOf("/kept"), routeOf(`/gone/${generation}`)] }));
      metrics.requestFinished(recordOf({ route: "/kept" }), () => 0);
      metrics.requestFinished(recordOf({ route: `/gone/${generation}` }), () => 0);
    }
    const seen = Array.from(metrics.requests.series(), ({ route, value }) => [route, value]);
    expect(seen.length).toBeLessThanOrEqual(3);
    expect(seen).not.toContainEqual(["/gone/100", 1]);
  });

  test("a clock that fails does not spoil a histogram for ever", async () => {
    const telemetry = telemetryOf();
    telemetry.requestFinished(
      recordOf({ decisionMs: Number.NaN, durationMs: -1, upstreamMs: Number.POSITIVE_INFINITY }),
    );
    telemetry.requestFinished(recordOf({ decisionMs: 0.0015 }));
    expect(await lineOf(telemetry, "postern_decision_seconds_sum")).toEqual([
      'postern_decision_seconds_sum{listener="inbound"} 0.0000015',
    ]);
    expect(await lineOf(telemetry, 'postern_decision_seconds_bucket{listener="inbound",le="0.000001"}')).toEqual([
      'postern_decision_seconds_bucket{listener="inbound",le="0.000001"} 0',
    ]);
    expect(await lineOf(telemetry, 'postern_decision_seconds_bucket{listener="inbound",le="+Inf"}')).toEqual([
      'postern_decision_seconds_bucket{listener="inbound",le="+Inf"} 1',
    ]);
  });

  test("an audited denial is counted under its route, check and reason", async () => {
    const telemetry = telemetryOf();
    const place = { file: "/p.yaml", line: 1, column: 1, path: "routes[2].authorize.scopes" };
    const exchange = exchangeOf("GET", "/");
    exchange.audited = [new Denial("scope_missing", place, "", "")];
    telemetry.requestFinished(recordOf({ exchange }));
    telemetry.requestFinished(recordOf({ exchange }));
    expect(await lineOf(telemetry, "postern_audited_denials_total{")).toEqual([
      'postern_audited_denials_total{route="/v1/orders/{orderId}",check="authorize",reason="scope_missing"} 2',
    ]);
  });

  test("a check is named by its key in the policy, wherever it stands", () => {
    const nameAt = (path: string) => checkName({ file: "", line: 1, column: 1, path });
    expect(nameAt("routes[2].authorize.scopes")).toBe("authorize");
    expect(nameAt("defaults.address.deny[0]")).toBe("address");
    expect(nameAt("limits.perCaller")).toBe("limits");
    expect(nameAt("routes[2].limit[0]")).toBe("limit");
    expect(checkName(null)).toBe("http");
  });
});

describe("the exposition", () => {
  test("is text that promtool accepts, with hostile names in every label", async ({ skip }) => {
    if (spawnSync("promtool", ["--version"]).error !== undefined) skip("promtool is not installed");
    const telemetry = createTelemetry({
      clock: new TestClock(),
      sink: new MemorySink(),
      memory: unlimitedMemory(),
      processFigures: () => ({
        cpuUserSeconds: 1.5,
        cpuSystemSeconds: 0.5,
        startTimeSeconds: 1_700_000_000,
        residentBytes: 5e7,
        heapUsedBytes: 1e7,
        heapTotalBytes: 2e7,
        externalBytes: 1e6,
        openFds: 20,
        maxFds: 1024,
        eventLoopActiveSeconds: 3,
        eventLoopIdleSeconds: 30,
        nodeVersion: "v26.10.0",
      }),
    });
    const subject = `CN=a"b\\c\nd\u001b[31m\u2028,O=${"x".repeat(10_000)}`;
    const certificate = {
      file: "/tls/server.pem",
      use: "listener inbound",
      subject,
      notAfterMs: 1.8e12,
      isShown: true,
    };
    telemetry.policyLoaded(
      snapshotOf({ certificates: [certificate, certificate], routeList: [routeOf('/a"b\\{x}\n')] }),
    );
    telemetry.connectionOpened("inbound");
    telemetry.handshakeFailed("inbound", "certificate_expired", "192.0.2.1", "");
    telemetry.requestFinished(recordOf({ route: '/a"b\\{x}\n', exchange: exchangeOf('X"} 1\n', "/") }));
    const text = await telemetry.metricsText();
    const checked = spawnSync("promtool", ["check", "metrics"], { input: text, encoding: "utf8" });
    expect(checked.stdout + checked.stderr).toBe("");
    expect(checked.status).toBe(0);
    expect(text).not.toContain("\u001b");
    expect(text.split("\n").every((line) => line.length < 1_000)).toBe(true);
    expect(text.match(/^postern_certificate_expiry/gm)?.length).toBe(1);
  });

  test("the alert rules and the scrape example are valid", ({ skip }) => {
    if (spawnSync("promtool", ["--version"]).error !== undefined) skip("promtool is not installed");
    execFileSync("promtool", ["check", "rules", "deploy/prometheus/alerts.yaml"]);
    execFileSync("promtool", ["check", "config", "--syntax-only", "deploy/prometheus/scrape.yaml"]);
  });

  test("who is near a limit, over it or gave way is counted by limit, as the limit says when it is asked", async () => {
    const telemetry = telemetryOf();
    const counts = { near: 0, denied: 0, evictions: 0 };
    telemetry.policyLoaded({ ...snapshotOf(), limits: [{ name: "logins", report: () => counts }] });
    Object.assign(counts, { near: 9, denied: 8, evictions: 7 });
    expect(await lineOf(telemetry, "postern_limit_")).toEqual([
      'postern_limit_near_total{limit="logins"} 9',
      'postern_limit_denied_total{limit="logins"} 8',
      'postern_limit_evictions_total{limit="logins"} 7',
    ]);
  });

  test("scrapes at the same time share one text", async () => {
    const telemetry = telemetryOf();
    const [first, second] = [telemetry.metricsText(), telemetry.metricsText()];
    expect(first).toBe(second);
    await first;
    expect(telemetry.metricsText()).not.toBe(first);
  });

  test("counters of one listener go on after a reload, those of a listener that is gone and empty leave", async () => {
    const telemetry = telemetryOf();
    telemetry.connectionOpened("old");
    telemetry.connectionOpened("inbound");
    telemetry.policyLoaded(snapshotOf({ listeners: [] }));
    expect(await lineOf(telemetry, "postern_connections_open{")).toHaveLength(2);
    telemetry.connectionClosed("old");
    telemetry.policyLoaded(snapshotOf({ listeners: [] }));
    expect(await lineOf(telemetry, "postern_connections_open{")).toEqual([
      'postern_connections_open{listener="inbound"} 1',
    ]);
  });
});
