import { LEAK_KINDS } from "../src/leaks/catalogue.ts";
import { LeakStream } from "../src/leaks/leak-stream.ts";
import { Scanner } from "../src/leaks/scanner.ts";

/**
 * What it costs to look for leaks of all kinds in answers that have none: 2 KB at once, and 1 MiB in pieces as they come from a
 * socket; CPU time of this process, beside a bare loop over the same bytes in the same turn.
 */
const scanner = new Scanner(new Set(LEAK_KINDS));
const PIECE_BYTES = 64 * 1024;
const TURNS = 7;

const order = (at: number): object => ({
  id: `ord_${(at * 7919).toString(36)}`,
  number: 1_000_000 + at,
  status: at % 3 === 0 ? "PENDING" : "PAID",
  createdAt: new Date(1.7e12 + at * 1e7).toISOString(),
  total: { amount: ((at * 137) % 100_000) / 100, currency: "EUR" },
  customer: { id: `c-${at}`, name: "Jane Example", city: "Berlin" },
  links: { self: `https://api.example.com/v1/orders/${at}` },
  items: [{ sku: `A-${at % 100}`, quantity: at % 5, price: 12.5 }],
  note: "please ring the bell at the back door",
});
const bodyOf = (orders: number): Buffer =>
  Buffer.from(JSON.stringify(Array.from({ length: orders }, (_, at) => order(at))));

function cpuUs(times: number, work: () => void): number {
  const before = process.cpuUsage();
  for (let time = 0; time < times; time++) work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / times;
}

function look(body: Buffer): void {
  const stream = new LeakStream(scanner, "json", () => "pass");
  for (let at = 0; at < body.length; at += PIECE_BYTES) stream.take(body.subarray(at, at + PIECE_BYTES));
  stream.end();
}

let seen = 0;
function loop(body: Buffer): void {
  let sum = 0;
  for (let at = 0; at < body.length; at++) sum += body[at] ?? 0;
  seen += sum;
}

for (const [name, body, times] of [
  ["2 KB JSON", bodyOf(6), 5_000],
  ["1 MiB JSON", bodyOf(3_000), 15],
] as const) {
  const turns = Array.from({ length: TURNS }, () => {
    const all = cpuUs(times, () => look(body));
    const bare = cpuUs(times, () => loop(body));
    return { all, bare };
  });
  turns.sort((a, b) => a.all - b.all);
  const { all, bare } = turns[TURNS >> 1] ?? { all: 0, bare: 0 };
  const least = turns[0]?.all ?? 0;
  console.log(
    `${name} (${body.length} bytes): all ${LEAK_KINDS.length} kinds ${all.toFixed(1)} µs (least ${least.toFixed(1)}), a bare loop ${bare.toFixed(1)} µs`,
  );
}
if (seen === 0) console.log("nothing was read");
