// Goal: whoever is not served for want of files finds a line that says so. Method: a clock that a test moves, and a process with
// few files.
import { spawnSync } from "node:child_process";
import { resolve } from "node:path";
import { expect, test } from "vitest";
import { unlimitedMemory } from "../../src/memory/budget.ts";
import { DEFAULTS } from "../../src/support/defaults.ts";
import { createTelemetry } from "../../src/telemetry/live.ts";
import { ManualTime } from "../fixtures/manual-time.ts";
import { MemorySink } from "../fixtures/telemetry.ts";

test("the log says it as long as it lasts, and not each time", () => {
  const time = new ManualTime(0);
  const sink = new MemorySink();
  let code: string | null = null;
  const telemetry = createTelemetry({
    clock: time,
    timers: time,
    sink,
    processFigures: null,
    memory: unlimitedMemory(),
    fileFault: () => code,
  });
  telemetry.serving();
  time.pass(60_000);
  expect(sink.events("listener_error")).toEqual([]);
  code = "EMFILE";
  time.pass(DEFAULTS.fileLookMs);
  expect(sink.events("listener_error")).toMatchObject([
    { level: "error", code: "EMFILE", msg: expect.stringContaining("closed unheard") },
  ]);
  time.pass(60_000);
  expect(sink.events("listener_error").length).toBeLessThan(15);
  code = null;
  time.pass(60_000);
  const told = sink.events("listener_error").length;
  time.pass(60_000);
  expect(sink.events("listener_error")).toHaveLength(told);
  telemetry.stop();
  expect(time.nextMs).toBe(Number.POSITIVE_INFINITY);
});

test("the system is asked for a file, and its answer is the cause", () => {
  const script = `
    import { openSync } from "node:fs";
    import { fileFault } from ${JSON.stringify(resolve(import.meta.dirname, "../../src/cli/file-fault.ts"))};
    const before = fileFault();
    try { for (;;) openSync("/dev/null", "r"); } catch {}
    process.stdout.write(JSON.stringify([before, fileFault()]));
  `;
  const ran = spawnSync("sh", ["-c", 'ulimit -n 64; exec "$0" --input-type=module -e "$1"', process.execPath, script], {
    encoding: "utf8",
  });
  expect(ran.stdout, ran.stderr).toBe('[null,"EMFILE"]');
});
