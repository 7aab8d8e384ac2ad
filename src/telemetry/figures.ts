import { HEALTH_CHECK } from "../health/probe.ts";
import { ACCOUNT_NAMES, type MemoryBudget } from "../memory/budget.ts";
import type { ResourceStatus } from "../resources/resource.ts";
import type { HistogramCells, ListenerCells } from "./cells.ts";
import type { Metrics } from "./metrics.ts";
import type { ProcessFigures } from "./process-metrics.ts";
import type { ThreadWatch } from "./thread-watch.ts";

/** Where figures are held. */
export interface FigureSources {
  readonly metrics: Metrics;
  readonly logLinesDropped: () => number;
  readonly processFigures: (() => ProcessFigures) | null;
  readonly memory: MemoryBudget;
  readonly thread: ThreadWatch | null;
  readonly resources: () => readonly ResourceStatus[];
  /** Each reason that keeps the process from getting requests, and whether it is there. */
  readonly notReady: () => ReadonlyMap<string, boolean>;
}

/** One figure of the whole process: for `/status` and the page, and as a metric where none tells it in parts. */
export interface Figure {
  readonly name: string;
  readonly title: string;
  /** The picture of the page that has it; null for none. A counter is drawn as what it grows by in a second. */
  readonly chart: string | null;
  readonly unit: "count" | "bytes" | "seconds";
  readonly kind: "counter" | "gauge";
  readonly metric?: { readonly name: string; readonly help: string };
  /** Null where nobody measures it. */
  read(sources: FigureSources): number | null;
}

export const FIGURES: readonly Figure[] = [
  {
    name: "requests",
    title: "all",
    chart: "Requests",
    unit: "count",
    kind: "counter",
    read: ({ metrics }) => metrics.requests.totals().all,
  },
  {
    name: "requestsDenied",
    title: "denied",
    chart: "Requests",
    unit: "count",
    kind: "counter",
    read: ({ metrics }) => metrics.requests.totals().bySource.client,
  },
  {
    name: "requestsFailed",
    title: "failed behind postern or in it",
    chart: "Requests",
    unit: "count",
    kind: "counter",
    read: ({ metrics }) => {
      const { upstream, proxy } = metrics.requests.totals().bySource;
      return upstream + proxy;
    },
  },
  {
    name: "requestsAudited",
    title: "denials that are audited alone",
    chart: "Requests",
    unit: "count",
    kind: "counter",
    read: ({ metrics }) =>
      Array.from(metrics.audited.values(), ({ cell }) => cell.value).reduce((sum, value) => sum + value, 0),
  },
  {
    name: "ladderSteps",
    title: "checks on another step for a while",
    chart: null,
    unit: "count",
    kind: "gauge",
    metric: {
      name: "postern_ladder_steps",
      help: "Checks that stand on another step of the ladder than the policy says, for a while.",
    },
    read: ({ metrics }) => metrics.ladderSteps,
  },
  {
    name: "requestsInFlight",
    title: "requests",
    chart: "Under way",
    unit: "count",
    kind: "gauge",
    metric: { name: "postern_requests_in_flight", help: "Requests that have begun and not ended." },
    read: ({ metrics }) => metrics.requestsInFlight,
  },
  {
    name: "connectionsOpen",
    title: "connections",
    chart: "Under way",
    unit: "count",
    kind: "gauge",
    read: (sources) => overListeners(sources, ({ connectionsOpen }) => connectionsOpen),
  },
  {
    name: "connectionsRefused",
    title: "refused",
    chart: "Connections refused",
    unit: "count",
    kind: "counter",
    read: (sources) => overListeners(sources, ({ connectionsRefused }) => sumOf(connectionsRefused)),
  },
  {
    name: "handshakesFailed",
    title: "handshakes failed",
    chart: "Connections refused",
    unit: "count",
    kind: "counter",
    read: (sources) => overListeners(sources, ({ handshakesFailed }) => sumOf(handshakesFailed)),
  },
  {
    name: "requestBodyBytes",
    title: "of requests",
    chart: "Bodies",
    unit: "bytes",
    kind: "counter",
    read: (sources) => overListeners(sources, ({ requestBodyBytes }) => requestBodyBytes),
  },
  {
    name: "responseBodyBytes",
    title: "of answers",
    chart: "Bodies",
    unit: "bytes",
    kind: "counter",
    read: (sources) => overListeners(sources, ({ responseBodyBytes }) => responseBodyBytes),
  },
  {
    name: "cpuSeconds",
    title: "seconds of processor in a second",
    chart: "Processor",
    unit: "seconds",
    kind: "counter",
    read: ({ processFigures }) => {
      const figures = processFigures?.() ?? null;
      return figures === null ? null : figures.cpuUserSeconds + figures.cpuSystemSeconds;
    },
  },
  {
    name: "threadHeldLongestSeconds",
    title: "thread held, longest of the last minute",
    chart: "Processor",
    unit: "seconds",
    kind: "gauge",
    metric: {
      name: "postern_thread_held_longest_seconds",
      help: "Longest time of the last minute in which no event was handled.",
    },
    read: ({ thread }) => (thread === null ? null : thread.longestMs / 1000),
  },
  {
    name: "residentBytes",
    title: "of the process",
    chart: "Memory",
    unit: "bytes",
    kind: "gauge",
    read: ({ processFigures }) => processFigures?.().residentBytes ?? null,
  },
  {
    name: "memoryHeldBytes",
    title: "held for clients",
    chart: "Memory",
    unit: "bytes",
    kind: "gauge",
    read: ({ memory }) => ACCOUNT_NAMES.reduce((sum, name) => sum + memory[name].heldBytes, 0),
  },
  {
    name: "memoryLimitBytes",
    title: "may be held",
    chart: "Memory",
    unit: "bytes",
    kind: "gauge",
    metric: { name: "postern_memory_limit_bytes", help: "What the process may hold, by its cgroup or its policy." },
    read: ({ memory }) => memory.limitBytes,
  },
  {
    name: "logLinesDropped",
    title: "log lines lost",
    chart: null,
    unit: "count",
    kind: "counter",
    metric: {
      name: "postern_log_lines_dropped_total",
      help: "Log lines for which there was no room: nobody read them, or a disk was full.",
    },
    read: ({ logLinesDropped }) => logLinesDropped(),
  },
  {
    name: "ready",
    title: "1 while the process is to get requests",
    chart: null,
    unit: "count",
    kind: "gauge",
    metric: { name: "postern_ready", help: "1 while the process is to get requests, as /readyz says." },
    read: ({ notReady }) => ([...notReady().values()].includes(true) ? 0 : 1),
  },
  {
    name: "policyStale",
    title: "1 while the policy on disk is refused",
    chart: null,
    unit: "count",
    kind: "gauge",
    metric: {
      name: "postern_policy_stale",
      help: "1 while the policy on disk is refused and an older one runs.",
    },
    read: ({ metrics }) => (metrics.policyStale ? 1 : 0),
  },
  {
    name: "upstreamsUnhealthy",
    title: "services that fail their health checks",
    chart: null,
    unit: "count",
    kind: "gauge",
    metric: { name: "postern_upstreams_unhealthy", help: "Services that fail the health checks of the policy." },
    read: ({ resources }) => {
      const checks = resources().filter(({ kind }) => kind === HEALTH_CHECK);
      return checks.length === 0 ? null : checks.filter(({ state }) => state === "failing").length;
    },
  },
];

/** What is measured as a distribution, over all listeners. */
export interface TimeFigure {
  readonly name: string;
  readonly title: string;
  read(metrics: Metrics): Iterable<HistogramCells>;
}

export const TIMES: readonly TimeFigure[] = [
  {
    name: "decision",
    title: "Judging a request",
    read: ({ listeners }) => Array.from(listeners.values(), (cells) => cells.decision),
  },
  {
    name: "upstream",
    title: "The service's answer",
    read: ({ requests }) => Array.from(requests.answerTimes(), ({ times }) => times),
  },
  {
    name: "request",
    title: "A whole request",
    read: ({ requests }) => Array.from(requests.times(), ({ times }) => times),
  },
];

/** Counts of a bucket, over several histograms of the same bounds; null before the first. */
export function sumCells(cells: Iterable<HistogramCells>): Pick<HistogramCells, "boundsSeconds" | "counts"> | null {
  const [first, ...rest] = cells;
  if (first === undefined) return null;
  const counts = first.counts.map((count, at) => rest.reduce((sum, one) => sum + (one.counts[at] ?? 0), count));
  return { boundsSeconds: first.boundsSeconds, counts };
}

function overListeners({ metrics }: FigureSources, read: (cells: ListenerCells) => number): number {
  return Array.from(metrics.listeners.values(), read).reduce((sum, value) => sum + value, 0);
}

function sumOf(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}
