// Goal: src/telemetry/README.md tells of every metric, and of every reason that one may count by. Method: the code's own lists.
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect, test } from "vitest";
import { NOT_READY_REASONS } from "../../src/daemon/readiness.ts";
import { HTTP1_CLOSE_REASONS } from "../../src/http1/close-reason.ts";
import { HTTP2_CLOSE_REASONS } from "../../src/http2/close-reason.ts";
import { HTTP2_UNJUDGED } from "../../src/http2/unjudged.ts";
import { unlimitedMemory } from "../../src/memory/budget.ts";
import { HOLDERS } from "../../src/support/thread-holds.ts";
import { createTelemetry } from "../../src/telemetry/live.ts";
import { ADMIN_ACT_RESULTS, CONNECTION_REFUSALS, HANDSHAKE_FAILURES } from "../../src/telemetry/telemetry.ts";
import { MemorySink, TestClock } from "../fixtures/telemetry.ts";

const page = readFileSync(resolve(import.meta.dirname, "../../src/telemetry/README.md"), "utf8");
const metrics = page.split("## Metrics\n")[1] ?? "";
const rows = metrics.split("\n").filter((line) => line.startsWith("| `"));
const rowOf = (metric: string): string => rows.find((row) => row.includes(`\`${metric}\``)) ?? "";

test("every metric has its row, and every row its metric", async () => {
  const telemetry = createTelemetry({
    clock: new TestClock(),
    sink: new MemorySink(),
    processFigures: null,
    memory: unlimitedMemory(),
  });
  const served = [...(await telemetry.metricsText()).matchAll(/^# TYPE (\S+)/gm)].map(([, name = ""]) => name);
  const told = rows.flatMap((row) => [...(row.split("|")[1] ?? "").matchAll(/postern_\w+/g)].map(([name]) => name));
  expect(told.sort()).toEqual(served.sort());
});

test.each([
  ["postern_connections_refused_total", CONNECTION_REFUSALS],
  ["postern_handshakes_failed_total", HANDSHAKE_FAILURES],
  ["postern_h1_connections_closed_total", HTTP1_CLOSE_REASONS],
  ["postern_h2_sessions_closed_total", HTTP2_CLOSE_REASONS],
  ["postern_h2_requests_unjudged_total", HTTP2_UNJUDGED],
  ["postern_thread_held_total", HOLDERS],
  ["postern_not_ready", NOT_READY_REASONS],
  ["postern_admin_acts_total", ADMIN_ACT_RESULTS],
] as const)("%s: every reason is told", (metric, reasons) => {
  for (const reason of reasons) expect(rowOf(metric)).toContain(`\`${reason}\``);
});
