// Goal: OpenMetrics as its own parser reads it, with a trace to look at in each bucket, and no name that a scrape adds.
// Method: the text of a telemetry that saw something of everything, read by Python's strict parser and by our own eyes.
import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { formatFor } from "../../src/daemon/metrics-page.ts";
import { DEFAULTS } from "../../src/support/defaults.ts";
import { RequestCells } from "../../src/telemetry/request-cells.ts";
import { busyTelemetry, TRACE, telemetryOf } from "../fixtures/busy-telemetry.ts";
import { PYTHON, works } from "../fixtures/program.ts";
import { exchangeOf, recordOf } from "../fixtures/telemetry.ts";

test("OpenMetrics is what Python's parser takes, and alone names a trace for each bucket", async ({ skip }) => {
  const telemetry = busyTelemetry();
  const text = await telemetry.metricsText("openmetrics");
  const labels = 'listener="inbound",upstream="app",route="/v1/orders/{orderId}"';
  expect(text).toContain(
    `postern_request_seconds_bucket{${labels},le="0.005"} 2 # {trace_id="${TRACE}"} 0.004 1795262400.007\n`,
  );
  expect(text.match(/trace_id/g)).toHaveLength(2);
  expect(text.endsWith("\n# EOF\n")).toBe(true);
  expect(await telemetry.metricsText()).not.toContain("trace_id");
  if (!works(`${PYTHON} -c 'import prometheus_client'`)) skip("prometheus_client is not installed");
  const program = [
    "import sys",
    "from prometheus_client.openmetrics.parser import text_string_to_metric_families as read",
    "families = list(read(sys.stdin.read()))",
    "print(len(families), sum(1 for f in families for s in f.samples if s.exemplar))",
  ];
  const read = spawnSync(PYTHON, ["-c", program.join("\n")], { input: text, encoding: "utf8" });
  expect(read.stderr).toBe("");
  expect(read.stdout).toBe(`${text.match(/^# TYPE /gm)?.length} 2\n`);
});

test("a trace that is recorded stays the example of its bucket until another one that is", async () => {
  const telemetry = telemetryOf();
  const ask = async (traceId: string, isTraceSampled: boolean): Promise<readonly string[]> => {
    const exchange = exchangeOf("GET", "/v1/orders/1");
    Object.assign(exchange, { traceId, isTraceSampled });
    telemetry.requestFinished(recordOf({ exchange, durationMs: 3 }));
    const text = await telemetry.metricsText("openmetrics");
    return Array.from(text.matchAll(/trace_id="(\w+)"/g), ([, id = ""]) => id);
  };
  expect(await ask("a1", false)).toEqual(["a1"]);
  expect(await ask("a2", false)).toEqual(["a2"]);
  expect(await ask("b1", true)).toEqual(["b1"]);
  expect(await ask("a3", false)).toEqual(["b1"]);
  expect(await ask("b2", true)).toEqual(["b2"]);
});

test("no name or label is one that a scrape, its discovery, or an alert adds", async () => {
  const text = await busyTelemetry().metricsText();
  const names = [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name = ""]) => name);
  for (const name of names) expect(name).toMatch(/^(postern|process|nodejs)_[a-z0-9_]+$/);
  const used = new Set([...text.matchAll(/[{,]([a-zA-Z_]\w*)="/g)].map(([, label = ""]) => label));
  expect([...used]).toEqual(expect.arrayContaining(["listener", "upstream", "route", "decision_service", "hash"]));
  const added = ["job", "instance", "service", "namespace", "pod", "container", "endpoint", "node", "cluster", "host"];
  const reserved = [
    ...added,
    "env",
    "environment",
    "region",
    "zone",
    "alertname",
    "alertstate",
    "severity",
    "prometheus",
  ];
  for (const label of reserved) expect(used).not.toContain(label);
  for (const label of used) expect(label).toMatch(/^(?!exported_|__)[a-z][a-z0-9_]*$/);
});

test.each([
  // Prometheus 2.42 and 3.5, in their words.
  [
    "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
    "openmetrics",
  ],
  [
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1",
    "openmetrics",
  ],
  ["application/openmetrics-text", "openmetrics"],
  ["text/plain;version=0.0.4;q=0.5,application/openmetrics-text;version=1.0.0;q=0.4", "prometheus"],
  ["application/openmetrics-text; version=0.0.1", "prometheus"],
  ["application/openmetrics-text;q=0", "prometheus"],
  ["application/openmetrics-text;q=x", "prometheus"],
  ["*/*", "prometheus"],
  ["", "prometheus"],
])("who asks with Accept %s gets %s", (accept, format) => {
  expect(formatFor(accept)).toBe(format);
});

test("so many routes have durations of their own, the others share those of overflow", () => {
  const cells = new RequestCells();
  const routes = DEFAULTS.metricTimedRoutesMax + 7;
  for (let at = 0; at < routes; at++) cells.count("inbound", "app", `/r/${at}`, "GET", 200, null).times.observe(0.1);
  const rows = [...cells.times()];
  expect(rows).toHaveLength(DEFAULTS.metricTimedRoutesMax + 1);
  const overflow = rows.find(({ route }) => route === "overflow");
  expect(overflow?.times.counts.reduce((sum, count) => sum + count, 0)).toBe(7);
  const names = { listeners: new Set(["inbound"]), upstreams: new Set(["app"]) };
  cells.retain({ ...names, routes: new Set() });
  for (let at = 0; at < 3; at++) cells.count("inbound", "app", `/new/${at}`, "GET", 200, null);
  expect([...cells.times()].map(({ route }) => route)).toEqual(["overflow", "/new/0", "/new/1", "/new/2"]);
  cells.retain({ ...names, upstreams: new Set(), routes: new Set(["/new/0"]) });
  expect([...cells.times()]).toEqual([]);
});

test("reloads that are refused are counted until one is not", async () => {
  const telemetry = telemetryOf();
  const figure = async (): Promise<string | undefined> =>
    /^postern_reload_failures_consecutive (\d+)/m.exec(await telemetry.metricsText())?.[1];
  expect(await figure()).toBe("0");
  telemetry.reloaded("refused", true);
  telemetry.reloaded("refused", true);
  expect(await figure()).toBe("2");
  telemetry.reloaded("ok", false);
  expect(await figure()).toBe("0");
});
