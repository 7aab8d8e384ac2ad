import type { ConnectionsSample } from "./connections.ts";
import type { Idle, Sample } from "./measure.ts";
import type { Pair } from "./paired-load.ts";
import type { TransferSample } from "./transfer.ts";

/** Medians over the rounds: what `--json` prints. */
export interface Row extends Omit<Sample, "foreignShare"> {
  readonly workload: string;
  readonly contestant: string;
}
export type TransferRow = Row & Pick<TransferSample, "bytesPerCpuSecond" | "growthMiB">;
export type ConnectionsRow = Row & Omit<ConnectionsSample, keyof Sample>;

export interface IdleRow extends Idle {
  readonly title: string;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** A row for every workload and contestant that was measured. */
export function rowsOf<S, R>(
  samples: ReadonlyMap<string, readonly S[]>,
  row: (workload: string, contestant: string, samples: readonly S[]) => R,
): R[] {
  return [...samples].map(([key, list]) => {
    const [workload = "", contestant = ""] = key.split(" ");
    return row(workload, contestant, list);
  });
}

function medianOf<S>(samples: readonly S[], pick: (sample: S) => number, digits: number): number {
  return Number(median(samples.map(pick)).toFixed(digits));
}

export function requestRow(workload: string, contestant: string, samples: readonly Sample[]): Row {
  return {
    workload,
    contestant,
    cpuUs: medianOf(samples, (s) => s.cpuUs, 2),
    rps: medianOf(samples, (s) => s.rps, 0),
    p50Ms: medianOf(samples, (s) => s.p50Ms, 3),
    p99Ms: medianOf(samples, (s) => s.p99Ms, 3),
  };
}

export function transferRow(workload: string, contestant: string, samples: readonly TransferSample[]): TransferRow {
  return {
    ...requestRow(workload, contestant, samples),
    rps: medianOf(samples, (s) => s.rps, 3),
    bytesPerCpuSecond: medianOf(samples, (s) => s.bytesPerCpuSecond, 0),
    // The worst of them: a bound is to hold each time.
    growthMiB: Number(Math.max(...samples.map((s) => s.growthMiB)).toFixed(1)),
  };
}

export function connectionsRow(
  workload: string,
  contestant: string,
  samples: readonly ConnectionsSample[],
): ConnectionsRow {
  return {
    ...requestRow(workload, contestant, samples),
    connections: medianOf(samples, (s) => s.connections, 0),
    bytesPerConnection: medianOf(samples, (s) => s.bytesPerConnection, 0),
    residentBeforeMiB: medianOf(samples, (s) => s.residentBeforeMiB, 1),
    residentWithMiB: medianOf(samples, (s) => s.residentWithMiB, 1),
  };
}

/**
 * The table for people: every workload with ratios to HAProxy, how much of the core others took (a quiet machine shows a
 * few percent of interrupts), and the CPU figure of every round.
 */
export function renderRows(rows: readonly Row[], samples: ReadonlyMap<string, readonly Sample[]>): string {
  if (rows.length === 0) return "";
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

/** Bodies of 1 GiB: what a second of CPU time carries, beside nginx, and what memory grew by in the worst round. */
export function renderTransfers(
  rows: readonly TransferRow[],
  samples: ReadonlyMap<string, readonly TransferSample[]>,
): string {
  if (rows.length === 0) return "";
  const perCpuSecond = (bytes: number) => (bytes / 1024 ** 2).toFixed(0);
  const lines = rows.map((row) => {
    const reference = rows.find((other) => other.workload === row.workload && other.contestant === "nginx");
    const rounds = samples.get(`${row.workload} ${row.contestant}`) ?? [];
    return [
      row.workload,
      row.contestant,
      perCpuSecond(row.bytesPerCpuSecond),
      reference === undefined ? "" : (row.bytesPerCpuSecond / reference.bytesPerCpuSecond).toFixed(2),
      (row.p50Ms / 1000).toFixed(2),
      row.growthMiB.toFixed(1),
      (median(rounds.map((sample) => sample.foreignShare)) * 100).toFixed(0),
      rounds.map((sample) => perCpuSecond(sample.bytesPerCpuSecond)).join(" "),
    ];
  });
  const header = ["workload", "contestant", "MiB/CPU s", "× nginx", "seconds", "growth MiB", "others %", "rounds"];
  return table([header, ...lines]);
}

export function renderConnections(rows: readonly ConnectionsRow[]): string {
  if (rows.length === 0) return "";
  const lines = rows.map((row) => [
    row.contestant,
    String(row.connections),
    (row.bytesPerConnection / 1024).toFixed(1),
    row.residentBeforeMiB.toFixed(1),
    row.residentWithMiB.toFixed(1),
    row.cpuUs.toFixed(0),
  ]);
  const header = ["idle TLS", "connections", "KiB each", "MiB before", "MiB with them", "CPU µs to connect and ask"];
  return table([header, ...lines]);
}

export function renderIdle(rows: readonly IdleRow[]): string {
  const lines = rows.map((row) => [row.title, row.readyMs.toFixed(0), row.residentMiB.toFixed(1)]);
  return table([["idle", "ready after ms", "resident MiB"], ...lines]);
}

/** What a facility adds to a request: of the differences of pairs the median, and between which half of them lie. */
export interface AddedRow {
  readonly workload: string;
  readonly withoutUs: number;
  readonly withUs: number;
  /** Of a request without it: a machine that is slow for a while is slow for both. */
  readonly addedShare: number;
  readonly addedUs: number;
  readonly quarterUs: number;
  readonly threeQuartersUs: number;
  readonly foreignShare: number;
  readonly pairs: number;
}

export function addedRow(workload: string, pairs: readonly Pair[]): AddedRow {
  const added = pairs.map(({ withUs, withoutUs }) => withUs - withoutUs).sort((a, b) => a - b);
  return {
    workload,
    withoutUs: medianOf(pairs, (pair) => pair.withoutUs, 2),
    withUs: medianOf(pairs, (pair) => pair.withUs, 2),
    addedShare: medianOf(pairs, ({ withUs, withoutUs }) => withUs / withoutUs - 1, 3),
    addedUs: medianOf(added, (us) => us, 2),
    quarterUs: medianOf(added.slice(0, Math.ceil(added.length / 2)), (us) => us, 2),
    threeQuartersUs: medianOf(added.slice(Math.floor(added.length / 2)), (us) => us, 2),
    foreignShare: medianOf(pairs, (pair) => pair.foreignShare, 3),
    pairs: pairs.length,
  };
}

export function renderAdded(rows: readonly AddedRow[]): string {
  const lines = rows.map((row) => [
    row.workload,
    row.withoutUs.toFixed(1),
    row.withUs.toFixed(1),
    row.addedUs.toFixed(1),
    (row.addedShare * 100).toFixed(1),
    `${row.quarterUs.toFixed(1)} to ${row.threeQuartersUs.toFixed(1)}`,
    (row.foreignShare * 100).toFixed(0),
    String(row.pairs),
  ]);
  return table([
    ["workload", "µs without", "µs with", "added µs", "added %", "half of them µs", "others %", "pairs"],
    ...lines,
  ]);
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
