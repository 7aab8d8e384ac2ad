import { unlimitedMemory } from "../src/memory/budget.ts";
import { systemClock } from "../src/support/clock.ts";
import { createTelemetry } from "../src/telemetry/live.ts";
import { familyText, type MetricsFormat } from "../src/telemetry/long-family.ts";
import { longFamilies } from "../src/telemetry/route-families.ts";

/** What a scrape costs where 1,000 routes are asked, each with two outcomes: CPU, bytes, and the longest hold of the thread. */
const ROUTES = 1_000;
const TIMES = 9;
const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";

const silent = {
  linesDropped: 0,
  write: () => {},
  writeBytes: () => {},
  flush: () => {},
  flushSync: () => {},
  onRecovered: () => {},
  close: () => Promise.resolve(),
};
const telemetry = createTelemetry({
  clock: systemClock,
  sink: silent,
  processFigures: null,
  memory: unlimitedMemory(),
});
for (let at = 0; at < ROUTES; at++) {
  for (let time = 0; time < 20; time++) {
    const reason = time % 10 === 0 ? "route_not_found" : null;
    const { times } = telemetry.metrics.requests.count("inbound", "app", `/v1/things/${at}/{id}`, "GET", 200, reason);
    times.observe(0.0005 * time * time);
    times.exemplify(TRACE, true, 0.0005 * time * time, Date.now);
  }
}

/** The longest that one step of a family took, in milliseconds. */
function longestStepMs(format: MetricsFormat): number {
  let longestMs = 0;
  for (const family of longFamilies(telemetry.metrics)) {
    const steps = familyText(family, format);
    for (let done: boolean | undefined = false; done !== true; ) {
      const startMs = performance.now();
      ({ done } = steps.next());
      longestMs = Math.max(longestMs, performance.now() - startMs);
    }
  }
  return longestMs;
}

const median = (of: readonly number[]): number => of.toSorted((a, b) => a - b)[of.length >> 1] ?? 0;

for (const format of ["prometheus", "openmetrics"] as const) {
  const cpuMs: number[] = [];
  const stepMs: number[] = [];
  let text = "";
  for (let time = 0; time < TIMES; time++) {
    const before = process.cpuUsage();
    text = await telemetry.metricsText(format);
    const { user, system } = process.cpuUsage(before);
    cpuMs.push((user + system) / 1000);
    stepMs.push(longestStepMs(format));
  }
  const lines = text.split("\n").length;
  console.log(
    `${format}: ${lines} lines, ${(text.length / 1e6).toFixed(2)} MB, ${median(cpuMs).toFixed(1)} ms of CPU, longest step ${Math.min(...stepMs).toFixed(2)} ms`,
  );
}
