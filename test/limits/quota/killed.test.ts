// Goal: after kill -9 in the middle of load the file is readable and no quota is lower than what was admitted up to a second
// before. Method: processes that count are killed a hundred times, four at a time, each folder's next process going on from
// what the last one left. What a process was told to be on the disk has to be there without exception; the second is held
// wherever the machine let the process run in time.
import { spawn } from "node:child_process";
import { resolve } from "node:path";
import { createInterface } from "node:readline";
import { expect, test } from "vitest";
import { PATIENCE_MS } from "../../fixtures/patience.ts";
import { stateDirectory } from "./kit.ts";

const ENGINE = resolve(import.meta.dirname, "../../fixtures/quota-engine.ts");
const FOLDERS = 4;
const KILLS = 25;
/** Lives that end within the first second, and one in four that lasts longer. */
const SHORT_MS_MAX = 500;
const LONG_MS = 1_100;
/** What a process may have admitted behind its last line. */
const UNTOLD_MAX = 100;
/** Of the second that is promised, what is left beside the half in which changes are gathered. */
const LAG_MS_MAX = 300;

interface Line {
  readonly restored?: number;
  readonly state?: string;
  readonly warning?: string;
  readonly admitted?: number;
  readonly kept?: number;
  readonly lagMs?: number;
  readonly atMs?: number;
}

/** What a process said before it was killed, `lifeMs` after it had begun to count; and when that was. */
async function live(directory: string, lifeMs: number): Promise<{ lines: Line[]; killedAtMs: number }> {
  const child = spawn(process.execPath, [ENGINE, directory], { stdio: ["ignore", "pipe", "inherit"] });
  const exited = new Promise<void>((done) => child.once("exit", () => done()));
  const lines: Line[] = [];
  let killedAtMs = Number.NaN;
  for await (const text of createInterface(child.stdout)) {
    // The last one may be cut off.
    if (!text.endsWith("}")) continue;
    const line: Line = JSON.parse(text);
    lines.push(line);
    if (line.restored === undefined) continue;
    setTimeout(() => {
      killedAtMs = Date.now();
      child.kill("SIGKILL");
    }, lifeMs);
  }
  await exited;
  return { lines, killedAtMs };
}

/** Kills process after process on one folder; how often the second could be held to. */
async function killAgainAndAgain(folder: number): Promise<number> {
  const directory = stateDirectory();
  let least = 0;
  let leastInTime = 0;
  let most = 0;
  let inTime = 0;
  for (let kill = 0; kill <= KILLS; kill++) {
    const share = ((kill * 7 + folder * 3) % KILLS) / KILLS;
    const lifeMs = (kill % 4 === 0 ? LONG_MS : 0) + SHORT_MS_MAX * share;
    const { lines, killedAtMs } = await live(directory, lifeMs);
    const found = lines.find(({ restored }) => restored !== undefined);
    expect(lines.filter(({ warning }) => warning !== undefined)).toEqual([]);
    expect(found?.state).toBe("ready");
    const restored = found?.restored ?? -1;
    expect(restored).toBeGreaterThanOrEqual(Math.max(least, leastInTime));
    expect(restored).toBeLessThanOrEqual(most);
    least = Math.max(restored, ...lines.map(({ kept }) => kept ?? 0));
    most = Math.max(restored, ...lines.map(({ admitted }) => admitted ?? 0)) + UNTOLD_MAX;
    const silentMs = killedAtMs - (lines.at(-1)?.atMs ?? Number.NEGATIVE_INFINITY);
    const wasHeldUp = silentMs > LAG_MS_MAX || lines.some(({ lagMs = 0 }) => lagMs > LAG_MS_MAX);
    const before = lines.filter(({ atMs }) => atMs !== undefined && atMs <= killedAtMs - 1_000);
    leastInTime = wasHeldUp ? 0 : Math.max(0, ...before.map(({ admitted }) => admitted ?? 0));
    if (leastInTime > 0) inTime++;
  }
  return inTime;
}

test("a hundred kills", { timeout: 5 * PATIENCE_MS }, async () => {
  const inTime = await Promise.all(Array.from({ length: FOLDERS }, (_, folder) => killAgainAndAgain(folder)));
  console.log(`held to the second after ${inTime.reduce((sum, one) => sum + one)} of ${FOLDERS * KILLS} kills`);
});
