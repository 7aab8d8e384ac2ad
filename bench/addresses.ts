import { readFeed } from "../src/addresses/read-feed.ts";
import type { RangeTable } from "../src/matching/range-table.ts";
import { type Address, parseAddress } from "../src/message/address.ts";
import { seededRandom } from "./matcher/random.ts";

/** Lists of a million entries: what reading one takes of a core, how long it holds the thread at a stretch, what it keeps, what asking costs. */
const ENTRIES = 1_000_000;
const PROBES = 65_536;
const ROUNDS = 25;
const SLICE_MS = 2;

const random = seededRandom(20_261_129);
const byte = (): number => random(256);
const half = (): string => random(65_536).toString(16);

const kinds: Readonly<Record<string, () => string>> = {
  "IPv4 addresses": () => `${1 + random(223)}.${byte()}.${byte()}.${byte()}`,
  "IPv4 prefixes": () => `${1 + random(223)}.${byte()}.${byte()}.0/24`,
  "IPv6 prefixes": () => `2${["001", "400", "600", "a00", "a02", "804"][random(6)]}:${half()}:${half()}::/48`,
  "IPv4 as JSON lines": () => `{"cidr":"${1 + random(223)}.${byte()}.${byte()}.0/24","sblid":"SBL${random(9)}"}`,
};

console.log("a million           file     reading   longest stretch   kept       a look-up");
for (const [name, entry] of Object.entries(kinds)) await bench(name, entry);

/** A function of its own, so that its table is gone before the next one is counted. */
async function bench(name: string, entry: () => string): Promise<void> {
  const lines = Array.from({ length: ENTRIES }, entry);
  const bytes = Buffer.from(`${lines.join("\n")}\n`);
  const probes = lines
    .slice(0, PROBES)
    .flatMap((line, at) => addressIn(at % 2 === 0 ? line : entry()))
    .map((address) => ({ ...address }));
  lines.length = 0;
  await collect();
  const before = process.memoryUsage();
  const { table, ms, longestMs } = read(bytes);
  await collect();
  const after = process.memoryUsage();
  const keptMiB = (after.arrayBuffers - before.arrayBuffers) / 1024 ** 2;
  const columns = [
    name.padEnd(18),
    `${(bytes.length / 1024 ** 2).toFixed(1)} MiB`.padStart(9),
    `${ms.toFixed(0)} ms`.padStart(9),
    `${longestMs.toFixed(1)} ms`.padStart(14),
    `${keptMiB.toFixed(1)} MiB`.padStart(12),
    `${nsOf(table, probes).toFixed(0)} ns`.padStart(12),
  ];
  console.log(columns.join(" "));
}

/** Buffers are given back a turn after what held them. */
async function collect(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) {
    globalThis.gc?.();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

function addressIn(line: string): readonly Address[] {
  const address = parseAddress(/\d[\da-f.:]+(?=\/|$)/.exec(line)?.[0] ?? "");
  return address === null ? [] : [address];
}

/** `longestMs`: of stretches between two turns, where requests would have waited. */
function read(bytes: Buffer): { readonly table: RangeTable; readonly ms: number; readonly longestMs: number } {
  const steps = readFeed(bytes, { cutsHostBits: true });
  const began = cpuMs();
  let since = began;
  let longestMs = 0;
  for (;;) {
    const step = steps.next();
    const now = cpuMs();
    if (step.done === true) {
      if (!step.value.ok) throw new Error(step.value.error);
      return { table: step.value.value.table, ms: now - began, longestMs: Math.max(longestMs, now - since) };
    }
    if (now - since < SLICE_MS) continue;
    longestMs = Math.max(longestMs, now - since);
    since = now;
  }
}

/** Of this thread, so that what else the machine does counts as little as can be. */
function cpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

/** The median of rounds. */
function nsOf(table: RangeTable, probes: readonly Address[]): number {
  const rounds: number[] = [];
  let hits = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const beganMs = cpuMs();
    for (let at = 0; at < probes.length; at++) if (table.has(probes[at] as Address)) hits++;
    rounds.push(((cpuMs() - beganMs) * 1e6) / probes.length);
  }
  if (hits < (ROUNDS * probes.length) / 3) throw new Error(`${hits} hits of ${ROUNDS * probes.length}`);
  return rounds.sort((a, b) => a - b)[ROUNDS >> 1] ?? Number.NaN;
}
