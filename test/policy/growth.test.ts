// Goal: no list and no fault of a policy costs more than in proportion to its length. Method: each kind in three sizes,
// four times as long each; the work of a compilation is counted in CPU time, and what is compared are the ratios.
import { join, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { KINDS, type Kind } from "../../bench/reload/kinds.ts";
import { RateTables } from "../../src/limits/rate/rate-tables.ts";
import { type Examination, examinePolicy } from "../../src/policy/compile.ts";
import { DEFAULTS } from "../../src/support/defaults.ts";
import { err, ok } from "../../src/support/result.ts";
import { fixedClock } from "./policy-kit.ts";

const FOLDER = resolve("/srv/growth");

async function examine({ make }: Kind, size: number): Promise<{ cpuMs: number; examination: Examination }> {
  const { policy, files } = make(size);
  const contents = new Map(Object.entries(files).map(([name, text]) => [join(FOLDER, name), Buffer.from(text)]));
  contents.set(join(FOLDER, "policy.yaml"), Buffer.from(policy));
  const before = process.threadCpuUsage();
  const examination = await examinePolicy(join(FOLDER, "policy.yaml"), {
    clock: fixedClock,
    rateTables: new RateTables([1, 2], fixedClock, 64),
    readFile: (name) => {
      const content = contents.get(name);
      return content === undefined ? err("does not exist") : ok(content);
    },
  });
  const { user, system } = process.threadCpuUsage(before);
  return { cpuMs: (user + system) / 1_000, examination };
}

/** Quadratic work grows sixteenfold; four and the noise of a machine at work is what is due. */
const GROWTH_MAX = 9;
const TRIES = 4;

/** The best of a few tries, since what disturbs a measurement only makes it longer. */
async function growth(kind: Kind, size: number): Promise<number> {
  let [small, large] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  for (let at = 0; at < TRIES; at++) {
    small = Math.min(small, (await examine(kind, size)).cpuMs);
    large = Math.min(large, (await examine(kind, size * 4)).cpuMs);
    if (ratio(large, small) <= GROWTH_MAX / 2) break;
  }
  return ratio(large, small);
}

/** Below some milliseconds the clock is too coarse to compare anything. */
function ratio(largeMs: number, smallMs: number): number {
  return (largeMs + 4) / (smallMs + 4);
}

describe.each(KINDS)("$name", (kind) => {
  test("grows with its length, and tells no more problems than a reader can want", async () => {
    const size = Math.ceil(kind.sizeMax / 16);
    const { examination } = await examine(kind, size);
    expect(examination.problems.length === 0).toBe(kind.isSound);
    expect(examination.problems.length).toBeLessThanOrEqual(DEFAULTS.policyProblemsMax);
    expect(await growth(kind, size)).toBeLessThan(GROWTH_MAX);
  });
});
