/**
 * What anomalies tell of an ordinary life, and what of attacks. First weeks in which nothing is wrong, from nothing learnt on: all
 * that is told is a false alarm. Then one attack at a time within the same life, and the seconds until it is told as what it is. The
 * clock is virtual, and everything comes from the seed. At last what watching costs a request, in CPU of this process.
 *
 *   npm run bench:anomalies -- [--seed 1] [--weeks 2] [--scale 1]
 */
import { parseArgs } from "node:util";
import { type AnomalyKind, KINDS } from "../src/anomalies/kinds.ts";
import { ATTACKS, type Attack } from "../test/fixtures/anomaly-attacks.ts";
import { AnomalyWorld, DAY_MS, HOUR_MS } from "../test/fixtures/anomaly-world.ts";
import { OrdinaryWeek, ROUTES } from "../test/fixtures/ordinary-week.ts";

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: "1" },
    weeks: { type: "string", default: "2" },
    scale: { type: "string", default: "1" },
  },
});
const week = new OrdinaryWeek(Number(values.seed), Number(values.scale));
const write = (text: string): void => void process.stdout.write(`${text}\n`);

const rows: Record<AnomalyKind, number>[] = [];
for (let at = 0; at < Number(values.weeks); at++) {
  const fromMs = week.world.nowMs;
  week.pass(7 * DAY_MS);
  const told = week.world.begun(fromMs);
  rows.push(
    Object.fromEntries(KINDS.map((kind) => [kind, told.filter((one) => one.kind === kind).length])) as (typeof rows)[0],
  );
}
write(`ordinary weeks: ${rows.length}, ${week.world.requests.toLocaleString("en")} requests; false alarms of each`);
for (const kind of KINDS) write(`  ${kind.padEnd(20)} ${rows.map((row) => String(row[kind]).padStart(4)).join("")}`);
const sum = (row: Record<AnomalyKind, number>): number => Object.values(row).reduce((all, one) => all + one, 0);
write(`  ${"all".padEnd(20)} ${rows.map((row) => String(sum(row)).padStart(4)).join("")}`);

write("attacks: seconds until told, requests of it until then, and what else was told of it");
for (const attack of ATTACKS) {
  const { told, until, others } = inject(attack);
  const text = told === null ? "NOT TOLD" : `${told} s`;
  write(`  ${attack.kind.padEnd(20)} ${text.padStart(9)} ${String(until).padStart(6)}  ${attack.name}${others}`);
}
write(`watching a request: ${cost().toFixed(2)} µs of CPU, median of rounds`);

/** Begins at its hour of the next day on which it is quiet. */
function inject(attack: Attack): { told: number | null; until: number; others: string } {
  const { world } = week;
  const beginMs = Math.ceil(world.nowMs / DAY_MS) * DAY_MS + attack.hour * HOUR_MS;
  week.pass(beginMs - world.nowMs);
  let own = 0;
  let until = 0;
  week.pass(attack.lastsMs, (nowMs) => {
    const before = world.requests;
    attack.each(week, nowMs - beginMs);
    own += world.requests - before;
    if (until === 0 && world.begun(beginMs).some(({ kind }) => kind === attack.kind)) until = own;
  });
  attack.end?.(week);
  week.pass(HOUR_MS);
  const begun = world.begun(beginMs);
  const first = begun.find(({ kind }) => kind === attack.kind);
  const more = begun.filter((one) => one !== first).map(({ kind }) => kind);
  return {
    told: first === undefined ? null : Math.round((first.atMs - beginMs) / 1000),
    until: until === 0 ? own : until,
    others: more.length === 0 ? "" : `  (+ ${more.join(", ")})`,
  };
}

/** Microseconds of one request, with its share of the looks. */
function cost(): number {
  const world = new AnomalyWorld(ROUTES);
  const batch = Array.from({ length: 2_000 }, (_, at) => ({
    route: at % 2 === 0 ? "/orders/{id}" : "/orders",
    params: at % 2 === 0 ? [`${at % 40}`] : [],
    from: `192.0.2.${at % 200}`,
    caller: `idp/user-${at % 300}`,
    ms: 20 + (at % 7),
    bytes: 900 + at,
  }));
  const finished = batch.map((asked) => [world.finished(asked), asked.route] as const);
  const times: number[] = [];
  for (let round = 0; round < 60; round++) {
    const before = process.cpuUsage();
    for (let at = 0; at < 10; at++) for (const [one, route] of finished) world.observe(one, route);
    world.pass(10_000);
    const { user, system } = process.cpuUsage(before);
    times.push((user + system) / (finished.length * 10));
  }
  return times.toSorted((a, b) => a - b)[times.length >> 1] ?? 0;
}
