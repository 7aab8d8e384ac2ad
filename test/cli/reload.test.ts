// Goal: `postern reload` has a running postern read its policy again and says what came of it; the token alone lets it.
// Method: real daemons over policies that are written meanwhile.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { EXIT } from "../../src/cli/command.ts";
import { main } from "../../src/main.ts";
import { systemClock } from "../../src/support/clock.ts";
import { createWorkspace, type Running, type Workspace } from "../daemon/fixtures.ts";

const TOKEN = "0123456789abcdef0123";
/** No change is found by itself. */
const BY_REQUEST = { timings: { debounceMs: 3_600_000, pollMs: 3_600_000, settleMs: 3_600_000 } };

let workspace: Workspace;
let running: Running;

beforeEach(async () => {
  workspace = createWorkspace();
  workspace.write({ answer: "one", adminToken: TOKEN });
  running = await workspace.start(BY_REQUEST);
});

afterEach(() => workspace.dispose());

async function reload(token = TOKEN): Promise<{ code: number; stdout: string; stderr: string }> {
  writeFileSync(join(workspace.folder, "token"), token);
  const [out, told] = [{ stdout: "", stderr: "" }, ["--address", new URL(running.admin).host, "--token-file", "token"]];
  const code = await main(["reload", ...told], {
    stdout: (text) => {
      out.stdout += text;
    },
    stderr: (text) => {
      out.stderr += text;
    },
    cwd: workspace.folder,
    clock: systemClock,
  });
  return { code, ...out };
}

test("another policy is in force when the command ends; the same again is said to run", async () => {
  const before = running.daemon.status.hash;
  workspace.write({ answer: "two", adminToken: TOKEN });
  const loaded = await reload();
  const { hash } = running.daemon.status;
  expect(loaded).toEqual({ code: EXIT.fine, stdout: `policy ${hash} is loaded\n`, stderr: "" });
  expect(hash).not.toBe(before);
  expect(await running.ask()).toBe("two");
  expect(await reload()).toMatchObject({ code: EXIT.fine, stdout: `policy ${hash} is the one that runs\n` });
  expect(running.sink.raw.join("\n")).toMatch(
    new RegExp(`"act":"/policy/reload","result":"done",.*"reload":"ok","policyHash":"${hash}"`),
  );
});

test("a policy that is refused is told with its place, and the old one stays", async () => {
  workspace.write("{");
  const { code, stderr } = await reload();
  expect([code, stderr]).toEqual([EXIT.problems, expect.stringContaining(`${workspace.file}:1:1: not valid JSON`)]);
  expect(await running.ask()).toBe("one");
});

test("nothing is read for who has not the token", async () => {
  workspace.write({ answer: "two", adminToken: TOKEN });
  const { code, stderr } = await reload(`${TOKEN}0`);
  expect([code, stderr]).toEqual([EXIT.problems, expect.stringContaining("(401)")]);
  expect(running.daemon.status.generation).toBe(1);
});
