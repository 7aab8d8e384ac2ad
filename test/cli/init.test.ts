import { createHash, createPrivateKey, X509Certificate } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { EXIT } from "../../src/cli/command.ts";
import { initCommand } from "../../src/cli/init.ts";
import { systemClock } from "../../src/support/clock.ts";

let cwd: string;
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), "postern-init-"));
});
afterEach(() => rmSync(cwd, { recursive: true, force: true }));

async function init(...args: string[]) {
  const output = { stdout: "", stderr: "" };
  const code = await initCommand.run(args, {
    cwd,
    clock: systemClock,
    stdout: (text) => {
      output.stdout += text;
    },
    stderr: (text) => {
      output.stderr += text;
    },
  });
  return { code, ...output };
}

const filesIn = async (folder: string) => (await readdir(folder, { recursive: true })).sort();
const modeOf = (name: string) => statSync(join(cwd, name)).mode & 0o777;

describe("postern init", () => {
  test("writes a policy and every file it names, and says what to do next", async () => {
    const { code, stdout } = await init("gate");
    expect(code).toBe(EXIT.fine);
    expect(await filesIn(join(cwd, "gate"))).toEqual([
      "keys.yaml",
      "policy.yaml",
      "tls",
      ...["ca.pem", "client.key", "client.pem", "server.key", "server.pem"].map((name) => `tls/${name}`),
    ]);
    expect(stdout).toContain("postern run --policy gate/policy.yaml");
    expect(stdout).toContain("https://localhost:8443/v1/");
  });

  test("keys are readable by their owner alone", async () => {
    await init("gate");
    for (const name of ["gate/tls/server.key", "gate/tls/client.key", "gate/keys.yaml"])
      expect(modeOf(name)).toBe(0o600);
  });

  test("the certificates come from the CA and fit their keys", async () => {
    await init("gate");
    const read = (name: string) => readFileSync(join(cwd, "gate/tls", name));
    const ca = new X509Certificate(read("ca.pem"));
    for (const name of ["server", "client"]) {
      const certificate = new X509Certificate(read(`${name}.pem`));
      expect(certificate.verify(ca.publicKey)).toBe(true);
      expect(certificate.checkPrivateKey(createPrivateKey(read(`${name}.key`)))).toBe(true);
    }
    expect(new X509Certificate(read("server.pem")).checkHost("localhost")).toBe("localhost");
  });

  test("the API key is printed once and only its hash is written", async () => {
    const { stdout } = await init("gate");
    const key = /X-Api-Key: ([\w-]+)/.exec(stdout)?.[1] ?? "";
    expect(key).toHaveLength(43);
    const digest = createHash("sha256").update(key).digest("hex");
    expect(readFileSync(join(cwd, "gate/keys.yaml"), "utf8")).toContain(digest);
    for (const name of await filesIn(join(cwd, "gate"))) {
      if (statSync(join(cwd, "gate", name)).isFile())
        expect(readFileSync(join(cwd, "gate", name), "utf8")).not.toContain(key);
    }
  });

  test("two runs never give the same API key", async () => {
    const keyOf = (text: string) => /X-Api-Key: ([\w-]+)/.exec(text)?.[1];
    expect(keyOf((await init("a")).stdout)).not.toBe(keyOf((await init("b")).stdout));
  });

  test.each(["policy.yaml", "keys.yaml", "tls/server.key"])(
    "never overwrites: an existing %s stops it before it writes",
    async (name) => {
      mkdirSync(join(cwd, "gate/tls"), { recursive: true });
      writeFileSync(join(cwd, "gate", name), "mine");
      const before = await filesIn(join(cwd, "gate"));
      const { code, stderr } = await init("gate");
      expect(code).toBe(EXIT.problems);
      expect(stderr).toContain(join(cwd, "gate", name));
      expect(readFileSync(join(cwd, "gate", name), "utf8")).toBe("mine");
      expect(await filesIn(join(cwd, "gate"))).toEqual(before);
    },
  );

  test("does not write through a link that leads nowhere yet", async () => {
    mkdirSync(join(cwd, "gate/tls"), { recursive: true });
    symlinkSync(join(cwd, "elsewhere.key"), join(cwd, "gate/tls/server.key"));
    const { code, stderr } = await init("gate");
    expect(code).toBe(EXIT.problems);
    expect(stderr).toContain("server.key");
    expect(await filesIn(cwd)).not.toContain("elsewhere.key");
  });

  test("a folder that cannot be made is told in one line", async () => {
    writeFileSync(join(cwd, "gate"), "a file");
    const { code, stderr } = await init("gate");
    expect(code).toBe(EXIT.problems);
    expect(stderr).toMatch(/^postern init: .+\n$/);
  });

  test("two folders, or an option it does not have, are misuse", async () => {
    expect((await init("a", "b")).code).toBe(EXIT.misuse);
    expect((await init("--force")).code).toBe(EXIT.misuse);
    expect(await filesIn(cwd)).toEqual([]);
  });
});
