import { expect, test } from "vitest";
import { EXIT } from "../../src/cli/command.ts";
import { openAdmin } from "../../src/daemon/admin.ts";
import { main } from "../../src/main.ts";
import { systemClock } from "../../src/support/clock.ts";
import { freePort } from "../fixtures/free-port.ts";

async function quota(...args: readonly string[]) {
  let stdout = "";
  let stderr = "";
  const code = await main(["quota", ...args], {
    stdout: (text) => {
      stdout += text;
    },
    stderr: (text) => {
      stderr += text;
    },
    cwd: "/",
    clock: systemClock,
  });
  return { code, stdout, stderr };
}

test("the help has both forms and an example", async () => {
  const { code, stdout } = await quota("--help");
  expect(code).toBe(EXIT.fine);
  for (const part of [
    "postern quota list (--policy",
    "postern quota reset (--policy",
    "--token-file FILE",
    "Example:",
  ]) {
    expect(stdout).toContain(part);
  }
});

test.each([
  [[], "expected 'list' or 'reset'"],
  [["lift"], "expected 'list' or 'reset'"],
  [["list"], "expected --policy FILE or --address HOST:PORT"],
  [["list", "--policy", "p.yaml", "--address", "127.0.0.1:1"], "expected --policy FILE or --address HOST:PORT"],
  [["list", "--address", "127.0.0.1:1", "--all"], "--all goes with 'reset'"],
  [["reset", "--address", "127.0.0.1:1", "--limit", "daily"], "or --all in place of what is not named"],
  [["reset", "--address", "127.0.0.1:1", "--key", "x"], "or --all in place of what is not named"],
  [["list", "--address", "nowhere"], "expected an IP address and a port"],
] as const)("%j is used wrongly", async (args, text) => {
  const { code, stderr } = await quota(...args);
  expect([code, stderr]).toEqual([EXIT.misuse, expect.stringContaining(text)]);
});

test("where nobody answers the address is named", async () => {
  const port = await freePort();
  const { code, stderr } = await quota("list", "--address", `127.0.0.1:${port}`);
  expect([code, stderr]).toEqual([EXIT.problems, expect.stringContaining(`postern quota: 127.0.0.1:${port}: `)]);
});

test("where the policy that runs has no quota, that is told", async () => {
  const opened = await openAdmin(
    { host: "127.0.0.1", port: 0 },
    {
      notReady: () => new Set<never>(),
      liveness: () => [],
      serviceProbes: () => new Map(),
      readiness: () => [],
      hosts: () => [],
      metrics: () => Promise.resolve(""),
      metricsHosts: () => [],
      identityKeys: () => null,
      rooms: () => [],
      token: () => null,
      acted: () => {},
    },
  );
  if (!opened.ok) throw new Error(opened.error);
  for (const words of [["list"], ["reset", "--all"]]) {
    expect(await quota(...words, "--address", opened.value.boundTo)).toMatchObject({
      code: EXIT.problems,
      stderr: "postern quota: the policy that runs has no quota\n",
    });
  }
  await opened.value.close();
});

test("a token file that is not there is told", async () => {
  const { code, stderr } = await quota("reset", "--address", "127.0.0.1:1", "--all", "--token-file", "no-such-file");
  expect([code, stderr]).toEqual([EXIT.problems, expect.stringContaining("no-such-file")]);
});
