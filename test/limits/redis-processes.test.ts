import { spawn } from "node:child_process";
import { resolve } from "node:path";
import { expect, test } from "vitest";
import { eventually } from "../fixtures/eventually.ts";
import { onClose } from "../fixtures/proxy.ts";
import { startRedis } from "../fixtures/redis.ts";

const ASKER = resolve(import.meta.dirname, "../fixtures/store-asker.ts");

/** A process that waits for a line before it asks. */
function startAsker(args: readonly string[]): { output: () => string; go: () => void } {
  const child = spawn(process.execPath, [ASKER, ...args], { stdio: "pipe" });
  onClose(() => void child.kill("SIGKILL"));
  let output = "";
  const note = (chunk: Buffer): void => {
    output += chunk;
  };
  child.stdout.on("data", note);
  child.stderr.on("data", note);
  return { output: () => output, go: () => void child.stdin.write("go\n") };
}

/** What each of three processes on one store was let in, of 3,000 requests at once. */
async function admittedBy(kind: string, lease: number): Promise<readonly number[]> {
  const redis = await startRedis();
  const askers = Array.from({ length: 3 }, () => startAsker([String(redis.port), "3000", kind, "2000", String(lease)]));
  await eventually(() => askers.every(({ output }) => output().includes("ready")));
  for (const { go } of askers) go();
  return Promise.all(
    askers.map(({ output }) =>
      eventually(() => {
        const [, admitted, unknown] = /admitted (\d+) unknown (\d+)/.exec(output()) ?? [];
        if (unknown !== undefined && unknown !== "0") throw new Error(output());
        return admitted === undefined ? null : { count: Number(admitted) };
      }),
    ),
  ).then((all) => all.map(({ count }) => count));
}

test.each(["rate", "quota"])("three processes on one store let in what a %s says, to the request", async (kind) => {
  const admitted = await admittedBy(kind, 0);
  expect(admitted.reduce((total, one) => total + one, 0)).toBe(2_000);
  expect(Math.min(...admitted)).toBeGreaterThan(0);
});

test("with leases they let in no more, and nearly as much", async () => {
  const sum = (await admittedBy("quota", 100)).reduce((total, one) => total + one, 0);
  expect(sum).toBeLessThanOrEqual(2_000);
  expect(sum).toBeGreaterThan(1_850);
});
