/** One figure, as `--json` prints it. */
export interface Figure {
  readonly bench: "route" | "cidr" | "decision" | "authorize" | "authenticate" | "concurrency" | "limit";
  readonly contestant: string;
  /** Routes or prefixes in the table. */
  readonly size: number;
  /** Median nanoseconds a look-up. */
  readonly ns: number;
}

/** One short round of a contestant. */
export type Lane = () => Sample;

export interface Sample {
  readonly ns: number;
  readonly operations: number;
}

/** Runs every lane once a round, in an order that turns, and gives the median nanoseconds an operation of each. */
export function medians(lanes: Readonly<Record<string, Lane>>, rounds: number): Record<string, number> {
  const names = Object.keys(lanes);
  const samples: Record<string, number[]> = Object.fromEntries(names.map((name) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < names.length; turn++) {
      const name = names[(turn + round) % names.length] as string;
      const sample = lanes[name]?.();
      if (sample !== undefined) samples[name]?.push(sample.ns / sample.operations);
    }
  }
  return Object.fromEntries(names.map((name) => [name, median(samples[name] ?? [])]));
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** Nanoseconds that `work` takes; what it gives must be `wanted`, so that nothing of it can be left out. */
export function time(work: () => number, wanted: number, operations: number): Sample {
  const started = process.hrtime.bigint();
  const got = work();
  const ns = Number(process.hrtime.bigint() - started);
  if (got !== wanted) throw new Error(`a contestant gave ${got}, expected ${wanted}`);
  return { ns, operations };
}
