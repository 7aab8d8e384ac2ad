import { parseArgs } from "node:util";
import { WORKLOADS, type Workload } from "./workloads.ts";

const USAGE = `node bench/proxy.ts [--json] [--seconds N] [--rounds N] [--only WORKLOAD,…] [--contestants NAME,…]
node bench/proxy.ts --added [--json] [--pairs N] [--only WORKLOAD,…]

  --json         print one array of {workload, contestant, cpuUs, rps, p50Ms, p99Ms} and nothing else
  --seconds N    length of a load period (default 2)
  --rounds N     fresh processes per contestant and workload (default 3); transfers take two at most, connections one
  --only         ${inLines(WORKLOADS.map((workload) => workload.name))}
  --added        what each facility (access log, tracing, …) adds to a request, in one process of postern's whose policy has it
                 and has it not in turns
  --pairs N      periods of half a second with it, and as many without it (default 16)
  --contestants  postern, haproxy, nginx, fastify, express-openapi-validator, openapi-backend,
                 modsecurity

In the JSON of a transfer of 1 GiB the request is the whole transfer, and bytesPerCpuSecond and growthMiB (most resident
memory during it, less what there was before; the worst round) are added. In that of idle connections it is a handshake
with the first GET, and connections, bytesPerConnection, residentBeforeMiB and residentWithMiB are added.

All of it takes about 9 minutes. Needs Linux with two cores, taskset, and nginx (the service behind the proxies);
haproxy where it is to be compared; h2load for the HTTP/2 workloads; and leave to open 10,500 files at once (ulimit -Hn),
without which there are fewer idle connections.
`;

/** Names, three in a line, as the options are indented. */
function inLines(names: readonly string[]): string {
  const lines = Array.from({ length: Math.ceil(names.length / 3) }, (_, at) =>
    names.slice(at * 3, at * 3 + 3).join(", "),
  );
  return lines.join(`,\n${" ".repeat(17)}`);
}

export interface Options {
  readonly json: boolean;
  readonly seconds: number;
  readonly rounds: number;
  /** Pairs of periods with a facility and without it; null where contestants are compared. */
  readonly pairs: number | null;
  readonly workloads: readonly Workload[];
  readonly contestants: ((name: string) => boolean) | null;
}

export function note(text: string): void {
  process.stderr.write(`${text}\n`);
}

export function refuse(text: string): never {
  note(`${text}\n\n${USAGE}`);
  process.exit(2);
}

export function readOptions(): Options {
  const { values } = parseArgs({
    options: {
      json: { type: "boolean", default: false },
      seconds: { type: "string", default: "2" },
      rounds: { type: "string", default: "3" },
      added: { type: "boolean", default: false },
      pairs: { type: "string", default: "16" },
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
  const pairs = Number(values.pairs);
  if (!(Number.isInteger(pairs) && pairs > 0 && pairs <= 1000)) refuse("--pairs takes a whole number up to 1000");
  return {
    json: values.json,
    seconds,
    rounds,
    pairs: values.added ? pairs : null,
    workloads,
    contestants: names === undefined ? null : (name) => names.includes(name),
  };
}
