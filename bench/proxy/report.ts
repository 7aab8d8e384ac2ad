import type { Idle, Sample } from "./measure.ts";

/** Medians over the rounds: what `--json` prints. */
export interface Row extends Omit<Sample, "foreignShare"> {
  readonly workload: string;
  readonly contestant: string;
}

export interface IdleRow extends Idle {
  readonly title: string;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

export function medianRow(workload: string, contestant: string, samples: readonly Sample[]): Row {
  const of = (pick: (sample: Sample) => number, digits: number) => Number(median(samples.map(pick)).toFixed(digits));
  return {
    workload,
    contestant,
    cpuUs: of((s) => s.cpuUs, 2),
    rps: of((s) => s.rps, 0),
    p50Ms: of((s) => s.p50Ms, 3),
    p99Ms: of((s) => s.p99Ms, 3),
  };
}

/**
 * The table for people: every workload with ratios to HAProxy, how much of the core others took (a quiet machine shows a
 * few percent of interrupts), and the CPU figure of every round.
 */
export function renderRows(rows: readonly Row[], samples: ReadonlyMap<string, readonly Sample[]>): string {
  const header = [
    "workload",
    "contestant",
    "CPU µs/request",
    "× haproxy",
    "requests/s",
    "p50 ms",
    "p99 ms",
    "others %",
    "rounds",
  ];
  const lines = rows.map((row) => {
    const reference = rows.find((other) => other.workload === row.workload && other.contestant === "haproxy");
    const rounds = samples.get(`${row.workload} ${row.contestant}`) ?? [];
    return [
      row.workload,
      row.contestant,
      row.cpuUs.toFixed(1),
      reference === undefined ? "" : (row.cpuUs / reference.cpuUs).toFixed(2),
      row.rps.toFixed(0),
      row.p50Ms.toFixed(2),
      row.p99Ms.toFixed(2),
      (median(rounds.map((sample) => sample.foreignShare)) * 100).toFixed(0),
      rounds.map((sample) => sample.cpuUs.toFixed(1)).join(" "),
    ];
  });
  return table([header, ...lines]);
}

export function renderIdle(rows: readonly IdleRow[]): string {
  const lines = rows.map((row) => [row.title, row.readyMs.toFixed(0), row.residentMiB.toFixed(1)]);
  return table([["idle", "ready after ms", "resident MiB"], ...lines]);
}

function table(lines: readonly (readonly string[])[]): string {
  const widths = (lines[0] ?? []).map((_, column) => Math.max(...lines.map((line) => (line[column] ?? "").length)));
  return lines
    .map((line) => line.map((cell, column) => align(cell, column, widths[column] ?? 0)).join("  "))
    .join("\n");
}

/** Names to the left, numbers to the right. */
function align(cell: string, column: number, width: number): string {
  return /^[\d.]/.test(cell) && column > 0 ? cell.padStart(width) : cell.padEnd(width);
}
