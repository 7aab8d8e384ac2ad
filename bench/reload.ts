import { join, resolve } from "node:path";
import { RateTables } from "../src/limits/rate/rate-tables.ts";
import { examinePolicy } from "../src/policy/compile.ts";
import { systemClock } from "../src/support/clock.ts";
import { DEFAULTS } from "../src/support/defaults.ts";
import { err, ok } from "../src/support/result.ts";
import { KINDS, type Sample } from "./reload/kinds.ts";
import { threadCpuMs } from "./stretches.ts";

/**
 * How long a reload holds up requests: each kind of list and of fault is compiled in sizes that grow fourfold, beside a
 * loop of events that measures its own gaps. `npm run bench:reload -- NAME` takes the kinds whose name begins so;
 * `--json` prints one array.
 */
const ROUNDS = 3;
const args = process.argv.slice(2);
const asJson = args.includes("--json");
const prefix = args.find((arg) => !arg.startsWith("-")) ?? "";

interface Figure {
  readonly kind: string;
  readonly size: number;
  readonly bytes: number;
  readonly totalMs: number;
  /** Longest time in which no event was handled. */
  readonly longestMs: number;
  /** The same in time that this thread had a core, which other programs of the machine do not lengthen. */
  readonly longestCpuMs: number;
  readonly problems: number;
}

async function measure(kind: string, size: number, { policy, files }: Sample): Promise<Figure> {
  const folder = resolve("/srv/bench");
  const contents = new Map(Object.entries(files).map(([name, text]) => [join(folder, name), Buffer.from(text)]));
  contents.set(join(folder, "policy.yaml"), Buffer.from(policy));
  let isRunning = true;
  let longestMs = 0;
  let longestCpuMs = 0;
  await new Promise((done) => setImmediate(done));
  let lastMs = performance.now();
  let lastCpuMs = threadCpuMs();
  const look = (): void => {
    const nowMs = performance.now();
    const nowCpuMs = threadCpuMs();
    longestMs = Math.max(longestMs, nowMs - lastMs);
    longestCpuMs = Math.max(longestCpuMs, nowCpuMs - lastCpuMs);
    lastMs = nowMs;
    lastCpuMs = nowCpuMs;
    if (isRunning) setImmediate(look);
  };
  setImmediate(look);
  const startMs = performance.now();
  const { problems } = await examinePolicy(join(folder, "policy.yaml"), {
    clock: systemClock,
    rateTables: new RateTables([1, 2], systemClock, 64),
    readFile: (name) => {
      const content = contents.get(name);
      return content === undefined ? err("does not exist") : ok(content);
    },
    sliceMs: DEFAULTS.compileSliceMs,
  });
  const totalMs = performance.now() - startMs;
  look();
  isRunning = false;
  const bytes = [...contents.values()].reduce((sum, { length }) => sum + length, 0);
  return { kind, size, bytes, totalMs, longestMs, longestCpuMs, problems: problems.length };
}

/** Of some rounds the one that held the thread least: what is not the reload's own comes and goes. */
async function leastOf(kind: string, size: number, sample: Sample): Promise<Figure> {
  let least = await measure(kind, size, sample);
  for (let round = 1; round < ROUNDS; round++) {
    const figure = await measure(kind, size, sample);
    if (figure.longestCpuMs < least.longestCpuMs) least = figure;
  }
  return least;
}

const figures: Figure[] = [];
if (!asJson)
  console.log("kind                                 entries    KiB     total ms   longest ms     (CPU ms)   problems");
for (const { name, sizeMax, make } of KINDS) {
  if (!name.startsWith(prefix)) continue;
  // Once unmeasured, so that the code is warm.
  await measure(name, 1, make(1));
  for (let size = Math.ceil(sizeMax / 64); ; size = Math.min(sizeMax, size * 4)) {
    const figure = await leastOf(name, size, make(size));
    figures.push(figure);
    if (!asJson) {
      const { bytes, totalMs, longestMs, longestCpuMs, problems } = figure;
      const times = [totalMs, longestMs, longestCpuMs].map((ms) => ms.toFixed(1));
      const cells = [size, Math.round(bytes / 1024), ...times, problems];
      const widths = [8, 6, 12, 12, 12, 10];
      console.log(name.padEnd(36) + cells.map((cell, at) => String(cell).padStart(widths[at] ?? 0)).join(" "));
    }
    if (size === sizeMax) break;
  }
}
if (asJson) console.log(JSON.stringify(figures));
