// Goal: no part of a file that somebody is writing is ever taken for the file. Method: real files, a clock that the test
// moves, and every way in which files are saved.
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { recordReads } from "../../src/daemon/file-states.ts";
import { readRegularFile } from "../../src/daemon/regular-file.ts";
import { SettledFiles, untilWritten } from "../../src/daemon/settled-files.ts";
import { systemClock } from "../../src/support/clock.ts";
import { DEFAULTS } from "../../src/support/defaults.ts";
import { eventually } from "../fixtures/eventually.ts";
import { TestClock } from "../fixtures/telemetry.ts";

const SETTLE_MS = 1_000;
const OLD = new Date(2020, 1, 1);

let folder: string;
let policy: string;
let list: string;
let clock: TestClock;
let files: SettledFiles;

const read = (path: string) => readRegularFile(path, DEFAULTS.policyBytesMax);

/** An attempt reads both files. */
function attempt(isListIncluded = false) {
  const reads = recordReads(read);
  reads.readFile(policy);
  reads.readFile(list, isListIncluded);
  return reads.states;
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "postern-settled-"));
  policy = join(folder, "policy.yaml");
  list = join(folder, "deny.txt");
  writeFileSync(policy, "one\n");
  writeFileSync(list, "192.0.2.1\n");
  clock = new TestClock();
  files = new SettledFiles(read, clock, SETTLE_MS);
  files.follow(attempt());
});

afterEach(() => rmSync(folder, { recursive: true }));

/** A file made beside and moved to the name; its times as those of a slow machine, where both happen in one tick. */
function replace(path: string, content: string): void {
  writeFileSync(`${path}.new`, content);
  utimesSync(`${path}.new`, OLD, OLD);
  renameSync(`${path}.new`, path);
}

describe("a file written where it stands", () => {
  test("line by line is not whole while its writer goes on, however often it is looked at", () => {
    truncateSync(policy);
    for (let line = 0; line < 50; line++) {
      appendFileSync(policy, `line ${line}\n`);
      for (let look = 0; look < 9; look++) {
        expect(files.look()).toMatchObject({ changed: true, path: policy });
        expect(files.look().waitMs).toBeGreaterThan(0);
        clock.monotonic += 100;
      }
    }
    clock.monotonic += SETTLE_MS;
    expect(files.look()).toMatchObject({ changed: true, waitMs: 0 });
  });

  test("says for how long it has to stand still yet", () => {
    writeFileSync(policy, "two\n");
    expect(files.look().waitMs).toBe(SETTLE_MS);
    clock.monotonic += 400;
    expect(files.look().waitMs).toBe(600);
    clock.monotonic += 600;
    expect(files.look().waitMs).toBe(0);
  });

  test("emptied before it is written is nothing yet", () => {
    truncateSync(policy);
    expect(files.look().waitMs).toBe(SETTLE_MS);
  });

  test("is whole at once with the mark that ends a document, and only behind the last line", () => {
    writeFileSync(policy, "two\n...\nmore\n");
    expect(files.look().waitMs).toBe(SETTLE_MS);
    for (const end of ["...\n", "...", "...\r\n"]) {
      writeFileSync(policy, `two\n${end}`);
      expect(files.look().waitMs).toBe(0);
    }
    writeFileSync(policy, "two....\n");
    expect(files.look().waitMs).toBe(SETTLE_MS);
  });

  test("that had the mark waits long for it to come again", () => {
    writeFileSync(policy, "two\n...\n");
    files.look();
    files.follow(attempt());
    writeFileSync(policy, "three\n");
    expect(files.look().waitMs).toBe(DEFAULTS.reloadUnmarkedMs);
  });

  test("is not made whole by a jump of the wall clock, nor by times that a writer sets", () => {
    writeFileSync(policy, "two\n");
    clock.wall += 3_600_000;
    expect(files.look().waitMs).toBe(SETTLE_MS);
    clock.wall -= 7_200_000;
    expect(files.look().waitMs).toBe(SETTLE_MS);
    utimesSync(policy, OLD, OLD);
    expect(files.look().waitMs).toBe(SETTLE_MS);
  });

  test("back to what was read is no change", () => {
    writeFileSync(policy, "two\n");
    files.look();
    writeFileSync(policy, "one\n");
    expect(files.look().changed).toBe(false);
  });

  test("holds up a reload for the other files too, for all of them would be read", () => {
    replace(policy, "two\n");
    appendFileSync(list, "192.0.2.2\n");
    expect(files.look()).toMatchObject({ changed: true, waitMs: SETTLE_MS, path: list });
  });

  test("without end is taken after a while where it is a list, never where it is the policy", () => {
    for (let at = 0; at < 25; at++) {
      appendFileSync(list, `192.0.2.${at}\n`);
      const isLate = at * 500 >= DEFAULTS.reloadSettleMaxMs;
      expect(files.look().waitMs === 0).toBe(isLate);
      clock.monotonic += 500;
    }
    files.follow(attempt());
    for (let at = 0; at < 100; at++) {
      appendFileSync(policy, `# ${at}\n`);
      expect(files.look().waitMs).toBe(SETTLE_MS);
      clock.monotonic += 500;
    }
    // Nor where it is a file that the policy includes.
    files.follow(attempt(true));
    for (let at = 0; at < 100; at++) {
      appendFileSync(list, `# ${at}\n`);
      expect(files.look().waitMs).toBe(SETTLE_MS);
      clock.monotonic += 500;
    }
  });
});

describe("a file that is replaced", () => {
  test("by a rename counts at once, twice in a row as well", () => {
    for (const content of ["two\n", "three\n"]) {
      replace(policy, content);
      expect(files.look()).toMatchObject({ changed: true, waitMs: 0 });
    }
  });

  test("by a link that leads elsewhere counts at once", () => {
    mkdirSync(join(folder, "v1"));
    mkdirSync(join(folder, "v2"));
    writeFileSync(join(folder, "v1/policy.yaml"), "one\n");
    symlinkSync("v1", join(folder, "..data"));
    rmSync(policy);
    symlinkSync("..data/policy.yaml", policy);
    files.follow(attempt());
    writeFileSync(join(folder, "v2/policy.yaml"), "two\n");
    symlinkSync("v2", join(folder, "..data.new"));
    renameSync(join(folder, "..data.new"), join(folder, "..data"));
    expect(files.look()).toMatchObject({ changed: true, waitMs: 0 });
  });

  test("by one that is created and written there has to stand still: its inode is new, and nothing is moved", () => {
    renameSync(policy, `${policy}~`);
    expect(files.look()).toMatchObject({ changed: true, waitMs: 0 });
    writeFileSync(policy, "two\n");
    expect(files.look().waitMs).toBe(SETTLE_MS);
  });
});

describe("between a look and a read", () => {
  test("a writer that began makes the attempt count for nothing", () => {
    replace(policy, "two\n");
    expect(files.look().waitMs).toBe(0);
    writeFileSync(policy, "half of three\n");
    const states = attempt();
    expect(files.waitAfter(states)).toBeGreaterThan(0);
    appendFileSync(policy, "the other half\n");
    clock.monotonic += SETTLE_MS;
    expect(files.waitAfter(states)).toBeGreaterThan(0);
    expect(files.waitAfter(attempt())).toBe(SETTLE_MS);
  });

  test("what was looked at and read is the same, and counts", () => {
    writeFileSync(policy, "two\n");
    files.look();
    clock.monotonic += SETTLE_MS;
    expect(files.look().waitMs).toBe(0);
    expect(files.waitAfter(attempt())).toBe(0);
  });

  test("a file named for the first time counts where it has been there for long, else it has to stand still", () => {
    replace(policy, "two\n");
    files.look();
    const other = join(folder, "keys.yaml");
    writeFileSync(other, "keys\n");
    const states = new Map([...attempt(), ...readOne(other)]);
    clock.wall = Date.now();
    expect(files.waitAfter(states)).toBe(SETTLE_MS);
    clock.monotonic += SETTLE_MS;
    expect(files.waitAfter(states)).toBe(0);
  });
});

describe("at the start", () => {
  const FRESH_MS = 150;
  const ageMs = () => Date.now() - statSync(policy).mtimeMs;

  test("a policy that was just written where it stands is waited for, until its writer has paused", async () => {
    writeFileSync(policy, "half\n");
    const waiting = untilWritten(policy, FRESH_MS, systemClock);
    let isOver = false;
    void waiting.then(() => {
      isOver = true;
    });
    await eventually(() => ageMs() > FRESH_MS / 2);
    if (!isOver) appendFileSync(policy, "the other half\n");
    await waiting;
    expect(ageMs()).toBeGreaterThanOrEqual(FRESH_MS - 1);
  });

  test("one that was moved here, is old, says that it is whole or is not there needs no wait", async () => {
    const longMs = 3_600_000;
    replace(policy, "two\n");
    await untilWritten(policy, longMs, systemClock);
    writeFileSync(policy, "three\n...\n");
    await untilWritten(policy, longMs, systemClock);
    rmSync(policy);
    await untilWritten(policy, longMs, systemClock);
    writeFileSync(policy, "four\n");
    // A clock that was set back leaves a file of the future, which says nothing of a writer.
    await untilWritten(policy, longMs, { ...systemClock, wallMs: () => Date.now() - 60_000 });
  });
});

function readOne(path: string) {
  const reads = recordReads(read);
  reads.readFile(path);
  return reads.states;
}
