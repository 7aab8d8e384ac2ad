// Goal: `/status` has the figures of the process, the same as `/metrics` where both have them, and names what rooms and acts there are.
// Method: a real daemon's admin port; the cells of requests by hand.
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Reason } from "../../src/decision/reason.ts";
import { HistogramCells } from "../../src/telemetry/cells.ts";
import { FIGURES, sumCells } from "../../src/telemetry/figures.ts";
import { RequestCells } from "../../src/telemetry/request-cells.ts";
import { createWorkspace, type Running, type Workspace } from "./fixtures.ts";

interface Shown {
  readonly service: string;
  readonly ready: boolean;
  readonly canAct: boolean;
  readonly figures: readonly { readonly name: string; readonly value: number | null }[];
  readonly rooms: readonly { readonly path: string; readonly acts: readonly object[] }[];
}

let workspace: Workspace;
let running: Running;

beforeEach(async () => {
  workspace = createWorkspace();
  workspace.write({ answer: "orders", adminToken: "0123456789abcdef0123" });
  running = await workspace.start();
});

afterEach(() => workspace.dispose());

async function text(path: string): Promise<string> {
  return (await fetch(`${running.admin}${path}`)).text();
}

test("figures that metrics have without labels are the same there", async () => {
  const { metrics } = running.daemon.telemetry;
  metrics.requestsInFlight = 3;
  metrics.policyStale = true;
  running.sink.linesDropped = 7;
  const status = JSON.parse(await text("/status")) as Shown;
  const served = await text("/metrics");
  const figure = (name: string) => status.figures.find((one) => one.name === name)?.value;
  expect(status.figures.map(({ name }) => name)).toEqual(FIGURES.map(({ name }) => name));
  const both = FIGURES.flatMap(({ name, metric }) => (metric === undefined ? [] : [[name, metric.name] as const]));
  for (const [name, metric] of both) {
    const value = /^\S+ (\S+)$/m.exec(served.slice(served.indexOf(`\n${metric} `) + 1))?.[1];
    if (figure(name) !== null) expect([name, Number(value)]).toEqual([name, figure(name)]);
  }
  expect([figure("requestsInFlight"), figure("policyStale"), figure("logLinesDropped")]).toEqual([3, 1, 7]);
  expect(both.length).toBeGreaterThan(3);
});

test("it names the rooms with their acts, and whether anybody can act", async () => {
  const { rooms, ...status } = JSON.parse(await text("/status")) as Shown;
  expect(status).toMatchObject({ service: "orders", ready: true, canAct: true });
  const policy = rooms.find(({ path }) => path === "/policy");
  expect(policy?.acts).toContainEqual({ name: "reload", asks: [] });
  for (const { path } of rooms) expect((await fetch(`${running.admin}${path}`)).status, path).toBe(200);
});

test("requests are counted by who is to blame", () => {
  const cells = new RequestCells();
  const count = (status: number, reason: Reason | null): void =>
    void cells.count("inbound", "app", "/orders", "GET", status, reason);
  for (let at = 0; at < 5; at++) count(200, null);
  count(403, "scope_missing");
  count(429, "rate_limited");
  count(502, "upstream_connect_failed");
  expect(cells.totals()).toEqual({ all: 8, bySource: { client: 2, upstream: 1, proxy: 0 } });
});

test("a distribution is summed over its parts", () => {
  const [one, two] = [new HistogramCells([1, 2]), new HistogramCells([1, 2])];
  for (const seconds of [0.5, 1.5, 3]) one.observe(seconds);
  two.observe(1.5);
  expect(sumCells([one, two])).toEqual({ boundsSeconds: [1, 2], counts: [1, 2, 1] });
  expect(sumCells([])).toBeNull();
});
