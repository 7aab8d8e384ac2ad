import { sqlInjection } from "../../src/detection/sqli/judge.ts";
import { crossSiteScript } from "../../src/detection/xss/judge.ts";

/**
 * What it costs to look for SQL and scripts: CPU of this process in µs for an ordinary value of 20 to 200 characters, and in ms
 * for 64 KiB of what is dearest.
 */
const ORDINARY = [
  "Jane O'Brien, accounting",
  "please ring the bell at the back door, it's open",
  "550e8400-e29b-41d4-a716-446655440000",
  "jane.example@example.com",
  "https://api.example.com/v1/orders/12345?page=2&size=50",
  "2026-11-29T23:59:59.000Z",
  "The quick brown fox jumps over the lazy dog, and then it runs into the forest, where it meets 3 bears & a wolf. They have tea.",
  "Berlin 10115, Invalidenstr. 5",
  "dGhpcyBpcyBiYXNlNjQgdGV4dCB3aXRob3V0IG1lYW5pbmc=",
  "where a < b and c > d, or none of them",
];
const HOSTILE = [
  "'",
  "(",
  "/*/**/*/",
  "--\n",
  "1+",
  "1'or ",
  "a(",
  "\\",
  ";",
  "<",
  "<a ",
  "<!--",
  "style=/",
  "a='b' ",
  "=\t",
  "&#x41;",
];
const HOSTILE_BYTES = 64 * 1024;
const VALUES = 200_000;
const TURNS = 5;

function cpuUs(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

const median = (figures: number[]): number => figures.sort((a, b) => a - b)[figures.length >> 1] ?? 0;
let found = 0;

for (const [name, judge] of [
  ["SQL", sqlInjection],
  ["scripts", crossSiteScript],
] as const) {
  const ordinary = (): void => {
    for (let at = 0; at < VALUES; at++) if (judge(ORDINARY[at % ORDINARY.length] ?? "") !== undefined) found++;
  };
  const usual = median(Array.from({ length: TURNS }, () => cpuUs(ordinary) / VALUES));
  console.log(`${name}: ${usual.toFixed(2)} µs for an ordinary value`);
  const costs = HOSTILE.map((piece) => {
    const text = piece.repeat(Math.ceil(HOSTILE_BYTES / piece.length)).slice(0, HOSTILE_BYTES);
    return { piece, ms: median(Array.from({ length: TURNS }, () => cpuUs(() => judge(text)) / 1000)) };
  });
  costs.sort((a, b) => b.ms - a.ms);
  const dearest = costs.slice(0, 3).map(({ piece, ms }) => `${JSON.stringify(piece)} ${ms.toFixed(1)} ms`);
  console.log(`${name}: 64 KiB of ${dearest.join(", ")}`);
}
if (found > 0) console.log(`${found} ordinary values were taken for attacks`);
