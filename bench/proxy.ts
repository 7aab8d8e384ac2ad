/**
 * CPU per request of postern, HAProxy and nginx doing the same work, on one machine in one run:
 * user and system time of the proxy and its children over a load period, divided by the requests served in it. The
 * proxy has one core to itself; the service and the load generator share another. Each contestant first has to answer
 * the same requests in the same way; then rounds alternate, each with a fresh process, and medians are shown.
 */
import { request } from "node:http";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type Contestant, findProgram } from "./proxy/contestant.ts";
import { fastify } from "./proxy/fastify.ts";
import { haproxy } from "./proxy/haproxy.ts";
import { type Bench, measure, measureIdle, type Sample, untilReady } from "./proxy/measure.ts";
import { configureOrigin, nginx } from "./proxy/nginx.ts";
import { createPostern } from "./proxy/postern.ts";
import { freePort, OTHER_CORE, start } from "./proxy/processes.ts";
import { type IdleRow, median, medianRow, type Row, renderIdle, renderRows } from "./proxy/report.ts";
import { IDLE_WORKLOADS, WORKLOADS, type Workload } from "./proxy/workloads.ts";
import { createWorld, type World } from "./proxy/world.ts";

const IDLE_ROUNDS = 3;
const USAGE = `node bench/proxy.ts [--json] [--seconds N] [--rounds N] [--only WORKLOAD,…] [--contestants NAME,…]

  --json         print one array of {workload, contestant, cpuUs, rps, p50Ms, p99Ms} and nothing else
  --seconds N    length of a load period (default 3)
  --rounds N     fresh processes per contestant and workload (default 3)
  --only         ${WORKLOADS.map((workload) => workload.name).join(", ")}
  --contestants  postern, haproxy, nginx, fastify

Needs Linux with two cores, taskset, and nginx (the service behind the proxies); haproxy where it is to be compared;
h2load for the HTTP/2 workloads.
`;

interface Options {
  readonly json: boolean;
  readonly seconds: number;
  readonly rounds: number;
  readonly workloads: readonly Workload[];
  readonly contestants: ((name: string) => boolean) | null;
}

function note(text: string): void {
  process.stderr.write(`${text}\n`);
}

function readOptions(): Options {
  const { values } = parseArgs({
    options: {
      json: { type: "boolean", default: false },
      seconds: { type: "string", default: "3" },
      rounds: { type: "string", default: "3" },
      only: { type: "string" },
      contestants: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    process.stdout.write(USAGE);
    process.exit(0);
  }
  const only = values.only?.split(",");
  const workloads = WORKLOADS.filter((workload) => only?.includes(workload.name) ?? true);
  const unknown = only?.filter((name) => !WORKLOADS.some((workload) => workload.name === name)) ?? [];
  if (unknown.length > 0) refuse(`no such workload: ${unknown.join(", ")}`);
  const names = values.contestants?.split(",");
  const seconds = Number(values.seconds);
  const rounds = Number(values.rounds);
  if (!(seconds > 0 && seconds <= 60)) refuse("--seconds takes a number up to 60");
  if (!(Number.isInteger(rounds) && rounds > 0 && rounds <= 100)) refuse("--rounds takes a whole number up to 100");
  return {
    json: values.json,
    seconds,
    rounds,
    workloads,
    contestants: names === undefined ? null : (name) => names.includes(name),
  };
}

function refuse(text: string): never {
  note(`${text}\n\n${USAGE}`);
  process.exit(2);
}

/** Those who can run here and are asked for. */
async function chooseContestants(options: Options, world: World): Promise<Contestant[]> {
  const all = [
    haproxy,
    nginx,
    fastify,
    ...(options.contestants?.("postern") === false ? [] : [await createPostern(world)]),
  ];
  return all.filter((contestant) => {
    if (options.contestants?.(contestant.name) === false) return false;
    const missing = contestant.missing();
    if (missing !== null) note(`${contestant.name} is left out: ${missing}`);
    return missing === null;
  });
}

async function startOrigin(world: World): Promise<number> {
  const port = await freePort();
  const origin = start(
    configureOrigin(port, join(world.folder, "origin")),
    OTHER_CORE,
    join(world.folder, "origin.log"),
  );
  await untilReady(origin, () => reachable(port));
  return port;
}

function reachable(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = request({ host: "127.0.0.1", port, agent: false }, (answer) => {
      answer.resume();
      resolve(answer.statusCode === 200);
    });
    probe.on("error", () => resolve(false));
    probe.end();
  });
}

/** Alternates contestants within a round and the order from round to round. */
async function measureAll(bench: Bench, contestants: readonly Contestant[], options: Options) {
  const samples = new Map<string, Sample[]>();
  for (const workload of options.workloads) {
    const able = contestants.filter((contestant) => contestant.supports(workload));
    for (let round = 0; round < options.rounds; round++) {
      for (const contestant of round % 2 === 0 ? able : able.toReversed()) {
        const sample = await measure(bench, contestant, workload);
        const key = `${workload.name} ${contestant.name}`;
        samples.set(key, [...(samples.get(key) ?? []), sample]);
        note(`${key}: ${sample.cpuUs.toFixed(1)} µs, ${sample.rps.toFixed(0)} requests/s`);
      }
    }
  }
  return samples;
}

async function measureStart(bench: Bench, contestants: readonly Contestant[]): Promise<IdleRow[]> {
  const rows: IdleRow[] = [];
  for (const contestant of contestants) {
    for (const workload of IDLE_WORKLOADS) {
      if (!contestant.supports(workload)) continue;
      const idle = [];
      for (let round = 0; round < IDLE_ROUNDS; round++) idle.push(await measureIdle(bench, contestant, workload));
      rows.push({
        title: `${contestant.name}, ${workload.name}`,
        readyMs: median(idle.map((sample) => sample.readyMs)),
        residentMiB: median(idle.map((sample) => sample.residentMiB)),
      });
    }
  }
  return rows;
}

async function main(): Promise<void> {
  const options = readOptions();
  if (process.platform !== "linux" || availableParallelism() < 2) refuse("this bench needs Linux and two cores");
  for (const program of ["taskset", "nginx"]) {
    if (findProgram(program) === null) refuse(`${program} is not installed`);
  }
  const world = await createWorld();
  const contestants = await chooseContestants(options, world);
  const bench: Bench = { world, originPort: await startOrigin(world), measureMs: options.seconds * 1000 };
  if (options.workloads.some((workload) => workload.protocol === "h2") && findProgram("h2load") === null) {
    refuse("h2load is not installed; leave the HTTP/2 workloads out with --only");
  }
  const samples = await measureAll(bench, contestants, options);
  const rows: Row[] = [...samples].map(([key, list]) => {
    const [workload = "", contestant = ""] = key.split(" ");
    return medianRow(workload, contestant, list);
  });
  if (options.json) {
    process.stdout.write(`${JSON.stringify(rows, null, 2)}\n`);
    return;
  }
  process.stdout.write(`${renderRows(rows, samples)}\n\n`);
  process.stdout.write(`${renderIdle(await measureStart(bench, contestants))}\n`);
}

try {
  await main();
  process.exit(0);
} catch (error) {
  note(error instanceof Error ? error.message : String(error));
  process.exit(1);
}
