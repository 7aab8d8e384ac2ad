import { existsSync } from "node:fs";
import { parseArgs } from "node:util";
import { sqlInjection } from "../../src/detection/sqli/judge.ts";
import { crossSiteScript } from "../../src/detection/xss/judge.ts";
import { libinjection } from "./libinjection.ts";
import { type List, listsIn } from "./lists.ts";

/**
 * `npm run conform:injection -- --lists FOLDER [--misses LIST]`: what the recognition of SQL and scripts says of public lists,
 * beside libinjection where it is installed. FOLDER holds checkouts, see `listsIn`. For attacks more is better, for honest
 * texts less. `--misses` prints the texts of lists with that in their name that were judged wrongly.
 */
const { values } = parseArgs({ options: { lists: { type: "string" }, misses: { type: "string" } } });
const folder = values.lists;
if (folder === undefined || !existsSync(folder)) {
  console.error("expected --lists FOLDER with checkouts: libinjection, PayloadsAllTheThings, coreruleset, …");
  process.exit(2);
}
const sums = new Map<string, { rows: number; own: number; other: number; same: number }>();
for (const list of listsIn(folder)) {
  for (const about of list.about === "both" ? (["sqli", "xss"] as const) : [list.about]) tell(list, about);
}
console.log();
for (const [name, { rows, own, other, same }] of sums) {
  console.log(
    `${name.padEnd(60)} ${rows}: ${share(own, rows)}, libinjection ${share(other, rows)}, the same ${share(same, rows)}`,
  );
}
for (const about of ["sqli", "xss"]) {
  const attacks = sums.get(`${about} attacks`)?.own ?? 0;
  const alarms = sums.get(`${about} honest`)?.own ?? 0;
  console.log(`${about}: of all that was recognised ${share(attacks, attacks + alarms)} are attacks`);
}

function tell(list: List, about: "sqli" | "xss"): void {
  const judge = about === "sqli" ? sqlInjection : crossSiteScript;
  const rows = list.rows.map((row) => row.map((text) => Buffer.from(text).toString("latin1")));
  const own = rows.map((row) => row.some((text) => judge(text) !== undefined));
  const answers = libinjection(rows.flat());
  let at = 0;
  const other = rows.map((row) => row.map(() => answers?.[at++]?.[about] === true).includes(true));
  const count = { rows: rows.length, own: own.filter(Boolean).length, other: other.filter(Boolean).length, same: 0 };
  count.same = own.filter((is, row) => is === other[row]).length;
  const beside = answers === undefined ? "" : `libinjection ${share(count.other, count.rows)}`;
  console.log(
    `${about.padEnd(5)}${list.kind.padEnd(8)}${list.name.padEnd(48)}${String(count.rows).padStart(7)}  ${share(count.own, count.rows)}  ${beside}`,
  );
  const sum = sums.get(`${about} ${list.kind}`) ?? { rows: 0, own: 0, other: 0, same: 0 };
  sums.set(`${about} ${list.kind}`, {
    rows: sum.rows + count.rows,
    own: sum.own + count.own,
    other: sum.other + count.other,
    same: sum.same + count.same,
  });
  if (values.misses === undefined || !list.name.includes(values.misses)) return;
  for (const [row, is] of own.entries()) {
    if (is !== (list.kind === "attacks")) console.log(`    ${JSON.stringify(list.rows[row]?.at(-1)).slice(0, 300)}`);
  }
}

function share(part: number, whole: number): string {
  return `${whole === 0 ? "0.00" : ((100 * part) / whole).toFixed(2)} % (${part})`;
}
