// Goal: reloads leave nothing behind. Method: `npm run bench:reloads` for a few hundred of them, in a process of its own, where
// memory can be counted; a policy that is held on to weighs a hundred kilobytes and more.
import { execFile } from "node:child_process";
import { resolve } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";

interface Point {
  readonly heapBytes: number;
  readonly openFiles: number;
}

test("200 policies, one after another, leave memory and open files as they were", async () => {
  const script = resolve(import.meta.dirname, "../../bench/reloads.ts");
  const { stdout } = await promisify(execFile)(process.execPath, ["--expose-gc", script, "200"]);
  const { generation, points } = JSON.parse(stdout) as { generation: number; points: readonly Point[] };
  expect(generation).toBe(201);
  const [early, late] = [points[3], points.at(-1)];
  expect(late?.openFiles).toBe(early?.openFiles);
  expect((late?.heapBytes ?? 0) - (early?.heapBytes ?? 0)).toBeLessThan(3 * 2 ** 20);
});
