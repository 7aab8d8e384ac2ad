import { benchAuthenticate } from "./matcher/authenticate-bench.ts";
import { benchAuthorize } from "./matcher/authorize-bench.ts";
import { benchCidr } from "./matcher/cidr-bench.ts";
import { benchConcurrency } from "./matcher/concurrency-bench.ts";
import { benchDecision } from "./matcher/decision-bench.ts";
import { benchLimit } from "./matcher/limit-bench.ts";
import type { Figure } from "./matcher/measure.ts";
import { benchRoutes, ROUTE_TABLES } from "./matcher/route-bench.ts";
import { benchSpending } from "./matcher/spending-bench.ts";

/**
 * Matching against other routers, on the same tables and the same requests, in one process. `--json` prints one array
 * of figures and nothing else on stdout; remarks go to stderr then.
 */
const asJson = process.argv.includes("--json");
const say = asJson ? console.error : console.log;
const figures: Figure[] = [];

function report(title: string, section: readonly Figure[]): void {
  const best = Math.min(...section.map((figure) => figure.ns));
  say(title);
  for (const { contestant, ns } of [...section].sort((a, b) => a.ns - b.ns)) {
    say(
      `  ${contestant.padEnd(16)} ${ns.toFixed(1).padStart(10)} ns  ${(ns / best).toFixed(2).padStart(8)} x the fastest`,
    );
  }
  figures.push(...section);
}

for (const table of ROUTE_TABLES) report(table.title, benchRoutes(table, say));
report("100,000 prefixes", benchCidr());
report("whole decision, 1,000 routes", await benchDecision());
report("authorization, by rule", await benchAuthorize());
report("who asks, once that is known", await benchAuthenticate());
report("one limit, a million live keys", benchLimit());
report("a place, taken and given back", await benchConcurrency());
report("quotas, budgets and guards, 10,000 callers", await benchSpending());

if (asJson) console.log(JSON.stringify(figures.map((figure) => ({ ...figure, ns: Math.round(figure.ns * 10) / 10 }))));
