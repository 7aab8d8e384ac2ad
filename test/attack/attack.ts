import { closeAll } from "../fixtures/closing.ts";
import { fairness } from "./fairness.ts";
import { badDays } from "./keys.ts";
import { behave, byLabel, type Manners, percentile, print, spawnChild, startPostern, startService } from "./kit.ts";
import { MEMORY_ATTACKS, memoryPolicy } from "./memory.ts";
import { attackBySearch } from "./search.ts";
import { attackByBodies, attackByReload, attackCounters, type ThreadAttack } from "./thread.ts";

/**
 * `npm run attack`: slowhttptest (an apt package) against a running postern on loopback, while a client with manners goes
 * on asking from another address. Prints what that client noticed. Bounded: about a minute and a half; SECONDS=5 for less.
 * Then the attacks on memory, under the limit of the shipped manifest, some two minutes, and a few seconds each of those on
 * the thread. `npm run attack -- MODE` runs one: slow, memory, reload, bodies, search, counters, fairness (eight times
 * SECONDS) or keys (seven times).
 */

const SECONDS = Number(process.env["SECONDS"] ?? 15);
const CONNECTIONS = 1_000;
const QUIET_SECONDS = Math.min(5, SECONDS);

const policy = (app: number) => (port: number, admin: number) =>
  `version: 1
service: target
listeners:
  - name: inbound
    address: 127.0.0.1:${port}
    maxConnections: ${CONNECTIONS}
upstreams:
  app: { address: "http://127.0.0.1:${app}", maxConnections: 64 }
admin: { address: "127.0.0.1:${admin}" }
log: { access: off }
routes:
  - { path: /**, public: true }
`;

type PolicyText = Parameters<typeof startPostern>[0];

const OUTCOMES = [
  ["postern_requests_total", "reason"],
  ["postern_connections_refused_total", "reason"],
  ["postern_handshakes_failed_total", "reason"],
  ["postern_h1_connections_closed_total", "reason"],
  ["postern_h2_sessions_closed_total", "reason"],
  ["postern_h2_requests_unjudged_total", "reason"],
] as const;

const ATTACKS: Readonly<Record<string, readonly string[]>> = {
  "slow headers (-H)": ["-H", "-r", "200", "-i", "1", "-x", "24"],
  "slow body (-B)": ["-B", "-r", "200", "-i", "1", "-s", "1048576", "-x", "10"],
  // Fewer a second: each asks for three megabytes, and two hundred of them would be a flood rather than a slow attack.
  "slow read (-X)": ["-X", "-r", "50", "-w", "1", "-y", "2", "-n", "1", "-z", "32", "-k", "3"],
  "ranges (-R)": ["-R", "-r", "50", "-a", "5", "-b", "2000"],
};

const MEMORY_LIMIT_MIB = 256;

const THREAD_SECONDS = Math.min(8, SECONDS);

const MODES: Readonly<Record<string, (app: number) => Promise<void>>> = {
  slow: attackSlowly,
  memory: attackMemory,
  reload: (app) => attackThread("reloads of a big policy", attackByReload(app, THREAD_SECONDS)),
  bodies: (app) => attackThread("bodies that are costly to judge", attackByBodies(app, THREAD_SECONDS)),
  search: async (app) => {
    await attackThread("no attack, with rules", attackBySearch(app, THREAD_SECONDS, 0));
    await attackThread("one text that is costly to search at a time", attackBySearch(app, THREAD_SECONDS, 1));
    await attackThread("texts that are costly to search", attackBySearch(app, THREAD_SECONDS, 8));
  },
  keys: attackKeys,
  fairness: attackFairness,
  counters: (app) => attackThread("random values that wash counters out", attackCounters(app, THREAD_SECONDS)),
};

async function main(): Promise<void> {
  const [name] = process.argv.slice(2);
  const modes = Object.entries(MODES).filter(([mode]) => name === undefined || mode === name);
  if (modes.length === 0) throw new Error(`unknown mode '${name}'; expected one of: ${Object.keys(MODES).join(", ")}`);
  const { port: app } = await startService();
  for (const [, attack] of modes) await attack(app);
}

async function attackKeys(app: number): Promise<void> {
  print("| bad day of an identity provider | good requests | 401 | 503 | fetches | p50 ms | p99 ms | core |");
  print("|---|---|---|---|---|---|---|---|");
  for await (const day of badDays(app, SECONDS)) {
    const { name, asked, refused, unanswered, fetches, p50Ms, p99Ms, cpuShare } = day;
    const counts = [`${name}, ${SECONDS} s`, asked, refused, unanswered, fetches];
    const cells = [...counts, p50Ms.toFixed(2), p99Ms.toFixed(2), `${(100 * cpuShare).toFixed(0)} %`];
    print(`| ${cells.join(" | ")} |`);
  }
  closeAll();
}

async function attackFairness(): Promise<void> {
  print(
    "| protection | served before | p50 ms | p99 ms | served in the flood | p50 ms | p99 ms | the flood's answers |",
  );
  print("|---|---|---|---|---|---|---|---|");
  for await (const { protection, before, during, flood } of fairness(SECONDS)) {
    const cells = [before, during].flatMap(({ latenciesMs, failures }) => {
      const served = `${latenciesMs.length} of ${latenciesMs.length + failures}`;
      return [served, percentile(latenciesMs, 0.5).toFixed(1), percentile(latenciesMs, 0.99).toFixed(1)];
    });
    const statuses = Object.entries(flood.statuses).map(([status, count]) => `${count} × ${status}`);
    print(`| ${[protection, ...cells, `${statuses.join(", ")} of ${flood.sent}`].join(" | ")} |`);
  }
}

async function attackThread(name: string, attack: Promise<ThreadAttack>): Promise<void> {
  const { manners, heldMs, told } = await attack;
  const { latenciesMs, failures } = manners;
  const [p50, p99, longest] = [0.5, 0.99, 1].map((share) => percentile(latenciesMs, share).toFixed(2));
  print(`${name}, for ${THREAD_SECONDS} s: ${told}`);
  print("| requests with manners | failed | p50 ms | p99 ms | longest ms | thread held at most ms |");
  print("|---|---|---|---|---|---|");
  print(`| ${latenciesMs.length + failures} | ${failures} | ${p50} | ${p99} | ${longest} | ${heldMs.toFixed(1)} |`);
}

async function attackMemory(app: number): Promise<void> {
  const policyText = await memoryPolicy(app, MEMORY_LIMIT_MIB);
  print(`attackers on memory: one address without credentials, postern may hold ${MEMORY_LIMIT_MIB} MiB`);
  printHead();
  for (const [name, attack] of Object.entries(MEMORY_ATTACKS)) {
    const { manners, memory, outcomes } = await against(policyText, true, async (port) => {
      const held = await attack(port);
      return () => held.end();
    });
    print(row(name, manners, memory, outcomes));
  }
}

function printHead(): void {
  print("| | requests | failed | p50 ms | p99 ms | postern's memory | what became of the attackers |");
  print("|---|---|---|---|---|---|---|");
}

async function attackSlowly(app: number): Promise<void> {
  const before = await against(policy(app), false, () => nothing(QUIET_SECONDS));
  print(
    `attackers: ${CONNECTIONS} connections at 200/s (-H, -B) or 50/s for ${SECONDS} s; the client with manners: 100 requests/s`,
  );
  printHead();
  print(row("nobody attacks", before.manners, before.memory, ""));
  for (const [name, args] of Object.entries(ATTACKS)) {
    const { manners, memory, outcomes } = await against(policy(app), false, async (port) => {
      await slowhttptest(args, `http://127.0.0.1:${port}/big`);
      return () => {};
    });
    print(row(name, manners, memory, outcomes));
  }
}

interface Observed {
  readonly manners: Manners;
  readonly memory: string;
  readonly outcomes: string;
}

type Attack = (port: number) => Promise<() => void>;

async function nothing(seconds: number): Promise<() => void> {
  await new Promise((done) => setTimeout(done, seconds * 1_000));
  return () => {};
}

/** A fresh postern for each attack, so that none inherits what another left. */
async function against(text: PolicyText, secure: boolean, attack: Attack): Promise<Observed> {
  const postern = await startPostern(text);
  await warmUp(postern.port, secure);
  const memoryBefore = postern.residentMiB();
  const client = behave(postern.port, 10, secure);
  const end = await attack(postern.port);
  const memory = `${memoryBefore.toFixed(0)} → ${postern.residentMiB().toFixed(0)} MiB`;
  const manners = await client.stop();
  const metrics = await postern.metrics();
  const outcomes = OUTCOMES.flatMap(([metric, label]) => [...byLabel(metrics, metric, label)]);
  end();
  if (postern.exited()) throw new Error("postern ended by itself");
  await postern.stop();
  const listed = outcomes.filter(([reason]) => !/^(?:none|client)$/.test(reason)).map((one) => one.join(" "));
  return { manners, memory, outcomes: listed.join(", ") };
}

async function warmUp(port: number, secure: boolean): Promise<void> {
  const client = behave(port, 5, secure);
  await new Promise((done) => setTimeout(done, 1_000));
  await client.stop();
}

function slowhttptest(args: readonly string[], url: string): Promise<void> {
  const bounds = ["-c", String(CONNECTIONS), "-l", String(SECONDS), "-p", "3", "-u", url];
  return new Promise((done, failed) => {
    const child = spawnChild("slowhttptest", [...args, ...bounds]);
    // It ends by itself; if it does not, it is ended.
    const timer = setTimeout(() => child.kill("SIGKILL"), (SECONDS + 10) * 1_000);
    child.stdout?.resume();
    child.stderr?.resume();
    child.once("error", () => failed(new Error("slowhttptest is not there: apt-get install slowhttptest")));
    child.once("exit", () => {
      clearTimeout(timer);
      done();
    });
  });
}

function row(name: string, { latenciesMs, failures }: Manners, memory: string, outcomes: string): string {
  const figures = [percentile(latenciesMs, 0.5), percentile(latenciesMs, 0.99)].map((ms) => ms.toFixed(2));
  return `| ${name} | ${latenciesMs.length + failures} | ${failures} | ${figures.join(" | ")} | ${memory} | ${outcomes} |`;
}

await main();
process.exit(0);
