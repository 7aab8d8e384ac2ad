/**
 * CPU per request of postern, HAProxy and nginx doing the same work, on one machine in one run:
 * user and system time of the proxy and its children over a load period, divided by the requests served in it. The
 * proxy has one core to itself; the service and the load generator share another. Each contestant first has to answer
 * the same requests in the same way; then rounds alternate, each with a fresh process, and medians are shown.
 */
import { availableParallelism } from "node:os";
import { type ConnectionsSample, measureConnections } from "./proxy/connections.ts";
import { type Contestant, findProgram } from "./proxy/contestant.ts";
import { expressOpenapiValidator, openapiBackend } from "./proxy/described-contestants.ts";
import { fastify } from "./proxy/fastify.ts";
import { haproxy } from "./proxy/haproxy.ts";
import type { Bench } from "./proxy/launch.ts";
import { measure, measureAdded, measureIdle, type Sample } from "./proxy/measure.ts";
import { modsecurity } from "./proxy/modsecurity.ts";
import { nginx } from "./proxy/nginx.ts";
import { note, type Options, readOptions, refuse } from "./proxy/options.ts";
import { startOrigins } from "./proxy/origin.ts";
import { createPostern } from "./proxy/postern.ts";
import {
  type AddedRow,
  addedRow,
  connectionsRow,
  type IdleRow,
  median,
  renderAdded,
  renderConnections,
  renderIdle,
  renderRows,
  renderTransfers,
  requestRow,
  rowsOf,
  transferRow,
} from "./proxy/report.ts";
import { measureTransfer, type TransferSample } from "./proxy/transfer.ts";
import { hasFacility, IDLE_WORKLOADS, type Workload } from "./proxy/workloads.ts";
import { createWorld, type World } from "./proxy/world.ts";

const START_ROUNDS = 3;
const TRANSFER_ROUNDS_MAX = 2;

/** Those who can run here and are asked for. */
async function chooseContestants(options: Options, world: World): Promise<Contestant[]> {
  const all = [
    haproxy,
    nginx,
    fastify,
    expressOpenapiValidator,
    openapiBackend,
    modsecurity,
    ...(options.contestants?.("postern") === false ? [] : [await createPostern(world)]),
  ];
  return all.filter((contestant) => {
    if (options.contestants?.(contestant.name) === false) return false;
    const missing = contestant.missing();
    if (missing !== null) note(`${contestant.name} is left out: ${missing}`);
    return missing === null;
  });
}

/** Others have nothing like it; an access log they have. */
function isOurs(workload: Workload): boolean {
  return hasFacility({ ...workload, accessLog: false });
}

type MeasureOne<S> = (bench: Bench, contestant: Contestant, workload: Workload) => Promise<S>;

/**
 * Alternates workloads and contestants within a round, and the order from round to round, so that rows that differ in one thing are
 * measured at one time. Samples by workload and contestant.
 */
async function measureRounds<S extends Sample>(
  bench: Bench,
  contestants: readonly Contestant[],
  workloads: readonly Workload[],
  rounds: number,
  measureOne: MeasureOne<S>,
): Promise<Map<string, S[]>> {
  const pairs = workloads.flatMap((workload) =>
    contestants
      .filter((contestant) => contestant.supports(workload) && (contestant.name === "postern" || !isOurs(workload)))
      .map((contestant) => ({ contestant, workload, key: `${workload.name} ${contestant.name}` })),
  );
  const samples = new Map<string, S[]>(pairs.map(({ key }) => [key, []]));
  for (let round = 0; round < rounds; round++) {
    for (const { contestant, workload, key } of round % 2 === 0 ? pairs : pairs.toReversed()) {
      const sample = await measureOne(bench, contestant, workload);
      samples.get(key)?.push(sample);
      note(`${key}: ${sample.cpuUs.toFixed(1)} µs, ${sample.rps.toFixed(sample.rps < 10 ? 2 : 0)} requests/s`);
    }
  }
  return samples;
}

async function measureStart(bench: Bench, contestants: readonly Contestant[]): Promise<IdleRow[]> {
  const rows: IdleRow[] = [];
  for (const contestant of contestants) {
    for (const workload of IDLE_WORKLOADS) {
      if (!contestant.supports(workload)) continue;
      const readyMs = [];
      for (let round = 1; round < START_ROUNDS; round++) {
        readyMs.push((await measureIdle(bench, contestant, workload, false)).readyMs);
      }
      const last = await measureIdle(bench, contestant, workload, true);
      rows.push({
        title: `${contestant.name}, ${workload.name}`,
        readyMs: median([...readyMs, last.readyMs]),
        residentMiB: last.residentMiB,
      });
    }
  }
  return rows;
}

/** One process each, for differences that are smaller than those of two processes. */
async function measureFacilities(bench: Bench, workloads: readonly Workload[], pairs: number): Promise<AddedRow[]> {
  const postern = await createPostern(bench.world);
  const rows: AddedRow[] = [];
  for (const workload of workloads.filter(hasFacility)) {
    const row = addedRow(workload.name, await measureAdded(bench, postern, workload, pairs));
    note(`${workload.name}: ${row.addedUs.toFixed(1)} µs more`);
    rows.push(row);
  }
  return rows;
}

async function main(): Promise<void> {
  const options = readOptions();
  if (process.platform !== "linux" || availableParallelism() < 2) refuse("this bench needs Linux and two cores");
  for (const program of ["taskset", "nginx"]) {
    if (findProgram(program) === null) refuse(`${program} is not installed`);
  }
  if (options.workloads.some((workload) => workload.protocol === "h2") && findProgram("h2load") === null) {
    refuse("h2load is not installed; leave the HTTP/2 workloads out with --only");
  }
  const world = await createWorld();
  const bench: Bench = { world, ...(await startOrigins(world)), measureMs: options.seconds * 1000 };
  if (options.pairs !== null) {
    const rows = await measureFacilities(bench, options.workloads, options.pairs);
    process.stdout.write(`${options.json ? JSON.stringify(rows, null, 2) : renderAdded(rows)}\n`);
    return;
  }
  const contestants = await chooseContestants(options, world);
  const that = (...work: Workload["work"][]) => options.workloads.filter((workload) => work.includes(workload.work));
  const { rounds } = options;
  const requests = await measureRounds<Sample>(bench, contestants, that("get", "post"), rounds, measure);
  const transfers = await measureRounds<TransferSample>(
    bench,
    contestants,
    that("download", "upload"),
    Math.min(rounds, TRANSFER_ROUNDS_MAX),
    measureTransfer,
  );
  const held = await measureRounds<ConnectionsSample>(bench, contestants, that("connections"), 1, measureConnections);
  const requestRows = rowsOf(requests, requestRow);
  const transferRows = rowsOf(transfers, transferRow);
  const connectionRows = rowsOf(held, connectionsRow);
  if (options.json) {
    process.stdout.write(`${JSON.stringify([...requestRows, ...transferRows, ...connectionRows], null, 2)}\n`);
    return;
  }
  const tables = [
    renderRows(requestRows, requests),
    renderTransfers(transferRows, transfers),
    renderConnections(connectionRows),
    renderIdle(await measureStart(bench, contestants)),
  ];
  process.stdout.write(`${tables.filter((table) => table !== "").join("\n\n")}\n`);
}

try {
  await main();
  process.exit(0);
} catch (error) {
  note(error instanceof Error ? error.message : String(error));
  process.exit(1);
}
