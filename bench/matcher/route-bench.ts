import { CONTESTANTS, type Contestant } from "./contestants.ts";
import { type Figure, type Lane, medians, type Sample, time } from "./measure.ts";
import { makeProbes, type Probe } from "./probes.ts";
import { REST_API } from "./rest-api.ts";
import { type BenchRoute, makeTable } from "./tables.ts";

// Different requests for a table, and how many of them a round takes timed and untimed.
const PROBES = 16_384;
const BATCH = 512;
const WARM_UP = 15_872;
const ROUNDS = 75;
const SEED = 20_260_701;

export interface RouteTable {
  readonly title: string;
  readonly routes: readonly BenchRoute[];
}

export const ROUTE_TABLES: readonly RouteTable[] = [
  ...[10, 100, 1_000, 10_000].map((size) => ({ title: `${size} routes`, routes: makeTable(size) })),
  { title: `a REST API of ${REST_API.length} routes`, routes: REST_API },
];

/** Looks the same requests up with every router that can take the table; `say` hears of those that cannot. */
export function benchRoutes(table: RouteTable, say: (line: string) => void): Figure[] {
  const probes = makeProbes(table.routes, PROBES, SEED);
  const lanes: Record<string, Lane> = {};
  for (const [name, build] of Object.entries(CONTESTANTS)) {
    const contestant = attempt(build, table.routes, (reason) => say(`${name} cannot take this table: ${reason}`));
    if (contestant === null) continue;
    checkAll(name, contestant, probes);
    let round = 0;
    lanes[name] = () => {
      const from = (round++ * BATCH) % PROBES;
      const others = [...probes.slice(from + BATCH), ...probes.slice(0, from)].slice(0, WARM_UP);
      return timeBatch(contestant, probes.slice(from, from + BATCH), others);
    };
  }
  const ns = medians(lanes, ROUNDS);
  return Object.keys(ns).map((name) => ({
    bench: "route",
    contestant: name,
    size: table.routes.length,
    ns: ns[name] ?? Number.NaN,
  }));
}

/**
 * An untimed run over other requests first: it brings the table back into the processor's caches, which the other
 * contestants' turns emptied. Then the batch, its strings made just before, as a parser's are.
 */
function timeBatch(contestant: Contestant, batch: readonly Probe[], others: readonly Probe[]): Sample {
  contestant.run(others.map(methodOf), freshPaths(others));
  const methods = batch.map(methodOf);
  const paths = freshPaths(batch);
  const found = batch.filter((probe) => probe.id >= 0);
  const wanted = found.filter((probe, index) => probe.id !== found[index - 1]?.id).length;
  return time(() => contestant.run(methods, paths), wanted, batch.length);
}

function methodOf(probe: Probe): string {
  return probe.method;
}

function attempt(
  build: (routes: readonly BenchRoute[]) => Contestant,
  routes: readonly BenchRoute[],
  refused: (reason: string) => void,
): Contestant | null {
  try {
    return build(routes);
  } catch (error) {
    refused(error instanceof Error ? `${error.name} ${error.message}`.slice(0, 120) : String(error));
    return null;
  }
}

/** Every probe finds the right route with the right parameters, or the bench ends here. */
function checkAll(name: string, contestant: Contestant, probes: readonly Probe[]): void {
  for (const probe of probes) {
    const found = contestant.find(probe.method, probe.path);
    const isRight =
      (found?.id ?? -1) === probe.id &&
      Object.entries(probe.params).every(([param, value]) => found?.params[param] === value);
    if (!isRight) throw new Error(`${name} finds ${found?.id} at ${probe.method} ${probe.path}, not ${probe.id}`);
  }
}

/** Paths as a parser has them: cut from a head that was just decoded, so that no string has been hashed before. */
function freshPaths(probes: readonly Probe[]): string[] {
  return probes.map(({ method, path, head }) => {
    const from = method.length + 1;
    return head.toString("latin1").slice(from, from + path.length);
  });
}
