import { Counter, Gauge, type Registry } from "prom-client";

/** What the operating system and the runtime say of this process; src/cli reads them, for only it names `process`. */
export interface ProcessFigures {
  readonly cpuUserSeconds: number;
  readonly cpuSystemSeconds: number;
  readonly startTimeSeconds: number;
  readonly residentBytes: number;
  readonly heapUsedBytes: number;
  readonly heapTotalBytes: number;
  readonly externalBytes: number;
  /** Null where the platform does not tell. */
  readonly openFds: number | null;
  readonly maxFds: number | null;
  /** Time since the start in which the event loop worked and in which it waited. */
  readonly eventLoopActiveSeconds: number;
  readonly eventLoopIdleSeconds: number;
  readonly nodeVersion: string;
}

/**
 * The usual process metrics under their usual names. prom-client's own set starts a timer that wakes an idle process a
 * hundred times a second and an observer of every garbage collection; these are read when somebody scrapes. The two
 * event loop counters give its utilisation: rate(active) / (rate(active) + rate(idle)).
 */
export function registerProcessMetrics(registry: Registry, readFigures: () => ProcessFigures): void {
  let figures = readFigures();
  const read = (): ProcessFigures => figures;
  const counter = (name: string, help: string, value: (figures: ProcessFigures) => number): void => {
    const metric: Counter = new Counter({
      name,
      help,
      registers: [registry],
      collect: () => {
        metric.reset();
        metric.inc(value(read()));
      },
    });
  };
  const gauge = (name: string, help: string, value: (figures: ProcessFigures) => number | null): void => {
    const metric: Gauge = new Gauge({
      name,
      help,
      registers: [registry],
      collect: () => metric.set(value(read()) ?? Number.NaN),
    });
  };
  // The registry asks in the order of registration: the first metric reads for all of them.
  counter("process_cpu_user_seconds_total", "CPU time in user mode.", () => {
    figures = readFigures();
    return figures.cpuUserSeconds;
  });
  counter("process_cpu_system_seconds_total", "CPU time in the kernel.", (f) => f.cpuSystemSeconds);
  counter("process_cpu_seconds_total", "CPU time.", (f) => f.cpuUserSeconds + f.cpuSystemSeconds);
  gauge("process_start_time_seconds", "Start of the process since the Unix epoch.", (f) => f.startTimeSeconds);
  gauge("process_resident_memory_bytes", "Resident memory.", (f) => f.residentBytes);
  gauge("process_open_fds", "Open file descriptors.", (f) => f.openFds);
  gauge("process_max_fds", "File descriptors that may be open.", (f) => f.maxFds);
  gauge("nodejs_heap_size_used_bytes", "JavaScript heap in use.", (f) => f.heapUsedBytes);
  gauge("nodejs_heap_size_total_bytes", "JavaScript heap reserved.", (f) => f.heapTotalBytes);
  gauge("nodejs_external_memory_bytes", "Memory of buffers outside of the JavaScript heap.", (f) => f.externalBytes);
  counter("nodejs_eventloop_active_seconds_total", "Time the event loop worked.", (f) => f.eventLoopActiveSeconds);
  counter("nodejs_eventloop_idle_seconds_total", "Time the event loop waited.", (f) => f.eventLoopIdleSeconds);
  const version: Gauge = new Gauge({
    name: "nodejs_version_info",
    help: "1 for the version of Node.js.",
    labelNames: ["version"],
    registers: [registry],
    collect: () => version.set({ version: read().nodeVersion }, 1),
  });
}
