import {
  appendFileSync,
  closeSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { readRegularFile } from "../../src/daemon/regular-file.ts";
import { Reloader } from "../../src/daemon/reload.ts";
import { watchedPaths } from "../../src/daemon/watched-paths.ts";
import { systemClock } from "../../src/support/clock.ts";
import { ok } from "../../src/support/result.ts";
import { eventually } from "../fixtures/eventually.ts";
import { snapshotOf } from "../fixtures/snapshot.ts";
import { compileTest, createWorkspace, type Running, type Workspace } from "./fixtures.ts";

let workspace: Workspace;

beforeEach(() => {
  workspace = createWorkspace();
  workspace.write({ answer: "one" });
});

afterEach(() => workspace.dispose());

async function answers(running: Running, answer: string): Promise<void> {
  await eventually(async () => (await running.ask()) === answer);
}

async function refused(running: Running): Promise<void> {
  await eventually(() => running.daemon.status.stale);
}

describe("a saved policy", () => {
  test("takes effect at once, on an open connection too", async () => {
    const running = await workspace.start();
    const client = connect(running.port, "127.0.0.1");
    const next = () => new Promise<string>((resolve) => client.once("data", (data) => resolve(data.toString())));
    client.write("?\n");
    expect(await next()).toBe("one\n");
    workspace.write({ answer: "two" });
    await eventually(() => running.daemon.status.generation === 2);
    client.write("?\n");
    expect(await next()).toBe("two\n");
    client.destroy();
    expect(running.daemon.telemetry.metrics.reloads).toEqual({ ok: 1, refused: 0, unchanged: 0 });
  });

  test("is seen where an editor writes a new file and renames it over the old one", async () => {
    const running = await workspace.start();
    for (const answer of ["two", "three", "four"]) {
      writeFileSync(`${workspace.file}.tmp`, JSON.stringify({ answer }));
      renameSync(`${workspace.file}.tmp`, workspace.file);
      await answers(running, answer);
    }
  });

  test("is seen where an editor moves the old file away first and creates a new one", async () => {
    const running = await workspace.start();
    renameSync(workspace.file, `${workspace.file}~`);
    workspace.write({ answer: "two" });
    await answers(running, "two");
  });

  test("is seen by polling alone where the system tells of no events", async () => {
    const running = await workspace.start({ timings: { debounceMs: 60_000, pollMs: 20, settleMs: 40 } });
    workspace.write({ answer: "two" });
    await answers(running, "two");
  });

  test("with the bytes that run already makes no reload", async () => {
    const running = await workspace.start();
    workspace.write({ answer: "one" });
    running.daemon.reload();
    await running.daemon.reloadSettled();
    expect(running.proxy.swaps).toBe(0);
    expect(running.daemon.telemetry.metrics.reloads.unchanged).toBe(1);
    expect(running.daemon.status.generation).toBe(1);
  });

  test("saved thousands of times in a row converges to the last content with few reloads", async () => {
    const running = await workspace.start();
    for (let at = 0; at < 3_000; at++) workspace.write({ answer: `number ${at}` });
    await answers(running, "number 2999");
    const { reloads } = running.daemon.telemetry.metrics;
    expect(reloads.ok + reloads.refused + reloads.unchanged).toBeLessThan(20);
  });

  test("half written is refused, completed is loaded", async () => {
    const running = await workspace.start();
    const text = JSON.stringify({ answer: "two" });
    const fd = openSync(workspace.file, "w");
    writeSync(fd, text.slice(0, 5));
    await refused(running);
    expect(await running.ask()).toBe("one");
    writeSync(fd, text.slice(5));
    closeSync(fd);
    await answers(running, "two");
    expect(running.daemon.status.stale).toBe(false);
  });
});

describe("a refused policy", () => {
  test("changes nothing and shows in the log, the metrics and the status, problem by problem", async () => {
    const running = await workspace.start();
    const { hash } = running.daemon.status;
    workspace.write("{ nonsense");
    await refused(running);
    expect(await running.ask()).toBe("one");
    const problem = `${workspace.file}:1:1: not valid JSON`;
    expect(running.daemon.status).toMatchObject({
      hash,
      generation: 1,
      lastAttempt: { result: "refused", problems: [problem] },
    });
    expect(running.sink.events("reload").at(-1)).toMatchObject({
      level: "error",
      result: "refused",
      problems: [problem],
    });
    const metrics = await running.daemon.telemetry.metricsText();
    expect(metrics).toContain("\npostern_policy_stale 1\n");
    expect(metrics).toContain('\npostern_reloads_total{result="refused"} 1\n');
  });

  test("is made good by going back to what runs, without a swap", async () => {
    const running = await workspace.start();
    workspace.write("{ nonsense");
    await refused(running);
    workspace.write({ answer: "one" });
    await eventually(() => !running.daemon.status.stale);
    expect(running.proxy.swaps).toBe(0);
  });

  test("is made good by fixing a file that only the refused one names, outside of the policy's folder", async () => {
    const other = createWorkspace("list.txt");
    other.write("broken");
    const running = await workspace.start();
    workspace.write({ answer: "two", files: [other.file] });
    await refused(running);
    other.write("fixed");
    await answers(running, "two");
    await other.dispose();
  });

  test("is made good by a named file that comes into being", async () => {
    const running = await workspace.start();
    workspace.write({ answer: "two", files: ["later/list.txt"] });
    await refused(running);
    mkdirSync(join(workspace.folder, "later"));
    writeFileSync(join(workspace.folder, "later/list.txt"), "here");
    running.daemon.reload();
    await answers(running, "two");
  });

  test("with an address that is in use leaves ports and policy as they were", async () => {
    const other = createWorkspace();
    other.write({ answer: "other" });
    const occupant = await other.start();
    const running = await workspace.start();
    workspace.write({ answer: "two", port: occupant.port });
    await refused(running);
    expect(running.daemon.status.lastAttempt.problems[0]).toContain("cannot listen: EADDRINUSE");
    expect(await running.ask()).toBe("one");
    expect(running.proxy.swaps).toBe(0);
    expect(Date.parse(running.daemon.status.retryAt ?? "")).toBeGreaterThan(0);
    await other.dispose();
    // Nobody touches a file: the port is free, and the policy that is on disk comes into force.
    await eventually(() => running.daemon.status.generation === 2);
    expect(running.daemon.status).toMatchObject({ stale: false, retryAt: null, lastAttempt: { result: "ok" } });
    expect(running.sink.events("reload").map(({ result }) => result)).toEqual(["refused", "ok"]);
  });

  test("that is wrong in itself is not tried again before somebody mends it", async () => {
    const running = await workspace.start();
    workspace.write("{ nonsense");
    await refused(running);
    expect(running.daemon.status.retryAt).toBeNull();
  });

  test("with an admin address that is in use is refused whole, new listeners included", async () => {
    const running = await workspace.start();
    const { address } = running.daemon.status.listeners[0] ?? { address: "" };
    workspace.write({ answer: "two", adminPort: running.port });
    await refused(running);
    expect(running.daemon.status.lastAttempt.problems[0]).toContain("admin on 127.0.0.1");
    expect(running.daemon.status.listeners.map((listener) => listener.address)).toEqual([address]);
    expect((await fetch(`${running.admin}/healthz`)).status).toBe(200);
  });
});

describe("a policy that goes away", () => {
  test("deleted: the old one keeps serving and the status says stale; created again: it loads", async () => {
    const running = await workspace.start();
    unlinkSync(workspace.file);
    await refused(running);
    expect(running.daemon.status.lastAttempt.problems[0]).toContain("does not exist");
    expect(await running.ask()).toBe("one");
    workspace.write({ answer: "two" });
    await answers(running, "two");
  });

  test("replaced by a folder, by a loop of links or by a link to a device: refused, and the old one serves", async () => {
    const running = await workspace.start();
    const replacements = [
      [() => mkdirSync(workspace.file), "is a folder"],
      [() => symlinkSync(workspace.file, workspace.file), "is a loop of symbolic links"],
      [() => symlinkSync("/dev/zero", workspace.file), "is not a regular file"],
    ] as const;
    for (const [replace, problem] of replacements) {
      rmSync(workspace.file, { recursive: true });
      replace();
      await eventually(() => running.daemon.status.lastAttempt.problems[0]?.includes(problem));
      expect(await running.ask()).toBe("one");
    }
    rmSync(workspace.file);
    workspace.write({ answer: "two" });
    await answers(running, "two");
  });

  test("its whole folder moved away and put back with another content: seen by polling", async () => {
    const running = await workspace.start({ timings: { debounceMs: 20, pollMs: 50, settleMs: 40 } });
    renameSync(workspace.folder, `${workspace.folder}-away`);
    await refused(running);
    mkdirSync(workspace.folder);
    workspace.write({ answer: "two" });
    await answers(running, "two");
    rmSync(`${workspace.folder}-away`, { recursive: true });
  });
});

describe("Kubernetes", () => {
  /** A ConfigMap as the kubelet mounts it: name → ..data/name, ..data → ..<time>, swapped by renaming a link. */
  function publish(version: string, files: Readonly<Record<string, string>>): void {
    const { folder } = workspace;
    mkdirSync(join(folder, version));
    for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, version, name), content);
    symlinkSync(version, join(folder, "..data_tmp"));
    renameSync(join(folder, "..data_tmp"), join(folder, "..data"));
  }

  test("a swap of ..data is seen, again and again, also for a file that the policy names", async () => {
    unlinkSync(workspace.file);
    const policy = (answer: string) => JSON.stringify({ answer, files: ["list.txt"] });
    publish("..2026_01", { "policy.json": policy("one"), "list.txt": "a" });
    symlinkSync("..data/policy.json", workspace.file);
    symlinkSync("..data/list.txt", join(workspace.folder, "list.txt"));
    const running = await workspace.start();
    const { hash } = running.daemon.status;
    publish("..2026_02", { "policy.json": policy("two"), "list.txt": "a" });
    rmSync(join(workspace.folder, "..2026_01"), { recursive: true });
    await answers(running, "two");
    publish("..2026_03", { "policy.json": policy("two"), "list.txt": "b" });
    rmSync(join(workspace.folder, "..2026_02"), { recursive: true });
    await eventually(() => running.daemon.status.generation === 3);
    publish("..2026_04", { "policy.json": policy("one"), "list.txt": "a" });
    await eventually(() => running.daemon.status.hash === hash);
  });

  test("every link on the way to a file is watched, and a loop of links has an end", () => {
    const { folder, file } = workspace;
    unlinkSync(file);
    publish("..2026_01", { "policy.json": "{}" });
    symlinkSync("..data/policy.json", file);
    expect(watchedPaths(file)).toEqual(
      expect.arrayContaining([file, join(folder, "..data"), join(folder, "..2026_01", "policy.json")]),
    );
    symlinkSync("round", join(folder, "round"));
    expect(watchedPaths(join(folder, "round"))).toContain(join(folder, "round"));
    symlinkSync("b/x", join(folder, "a"));
    symlinkSync("a/x", join(folder, "b"));
    expect(watchedPaths(join(folder, "a")).length).toBeLessThan(50);
  });
});

describe("reloads", () => {
  test("run one at a time, and requests during one make exactly one more, of the latest content", async () => {
    let running = 0;
    let runningMax = 0;
    let attempts = 0;
    const release: (() => void)[] = [];
    const reloader = new Reloader({
      policyFile: "/policy",
      clock: systemClock,
      readFile: () => ok(Buffer.from("")),
      test: async () => ok([]),
      compile: async () => {
        attempts++;
        runningMax = Math.max(runningMax, ++running);
        await new Promise<void>((resolve) => release.push(resolve));
        running--;
        return ok(snapshotOf({ hash: String(attempts) }));
      },
      install: async () => ok(null),
      confirms: () => true,
      onAttempt: () => {},
    });
    for (let at = 0; at < 100; at++) reloader.request("asked");
    await eventually(() => release.length === 1);
    release[0]?.();
    await eventually(() => release.length === 2);
    release[1]?.();
    await reloader.settled();
    expect({ attempts, runningMax }).toEqual({ attempts: 2, runningMax: 1 });
  });

  test("a compiler that throws is a refused reload and no crash", async () => {
    let broken = false;
    const running = await workspace.start({}, (file, readFile, isInForce) => {
      if (broken) throw new Error("defect");
      return compileTest(file, readFile, isInForce);
    });
    broken = true;
    running.daemon.reload();
    await refused(running);
    expect(running.daemon.status.lastAttempt.problems[0]).toContain("internal error: defect");
    expect(await running.ask()).toBe("one");
  });

  test("a change between reading and watching is not missed", async () => {
    // The compiler itself changes the file after it has read it, which no event may tell of any more.
    let changed = false;
    const running = await workspace.start({}, async (file, readFile, isInForce) => {
      const compiled = await compileTest(file, readFile, isInForce);
      if (!changed) workspace.write({ answer: "two" });
      changed = true;
      return compiled;
    });
    await answers(running, "two");
  });
});

describe("reading files", () => {
  test("what is no regular file, is missing or too large is refused in words", () => {
    const wordsOf = (path: string) => {
      const read = readRegularFile(path, 1_000);
      return read.ok ? "read" : read.error;
    };
    appendFileSync(workspace.file, " ".repeat(2_000));
    expect(wordsOf(workspace.file)).toBe("is larger than 1000 bytes");
    expect(wordsOf(workspace.folder)).toBe("is a folder");
    expect(wordsOf("/dev/zero")).toBe("is not a regular file");
    expect(wordsOf(join(workspace.folder, "absent"))).toBe("does not exist");
    expect(wordsOf(join(workspace.file, "below"))).toBe("lies below something that is not a folder");
    // Files of /proc announce no size and have content all the same.
    expect(wordsOf("/proc/self/stat")).toBe("read");
    expect(wordsOf("/proc/self/maps")).toBe("is larger than 1000 bytes");
  });
});
