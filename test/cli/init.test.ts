import { createHash, createPrivateKey, X509Certificate } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Command, EXIT } from "../../src/cli/command.ts";
import { explainCommand } from "../../src/cli/explain.ts";
import { initCommand } from "../../src/cli/init.ts";
import { type Clock, systemClock } from "../../src/support/clock.ts";

let cwd: string;
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), "postern-init-"));
});
afterEach(() => rmSync(cwd, { recursive: true, force: true }));

const init = (...args: string[]) => run(initCommand, args);

/** What explain says of a GET of /v1/orders under the policy in gate/. */
async function explained(...args: string[]): Promise<string> {
  return (await run(explainCommand, ["--policy", "gate/policy.yaml", ...args, "GET /v1/orders"])).stdout;
}

async function run(command: Command, args: readonly string[], clock: Clock = systemClock) {
  const output = { stdout: "", stderr: "" };
  const code = await command.run(args, {
    cwd,
    clock,
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
      "clients",
      "clients/first-caller",
      "clients/first-caller/tls.crt",
      "clients/first-caller/tls.key",
      "development",
      ...["README.md", "ca.key", "claims.json", "issuer.key"].map((name) => `development/${name}`),
      "issuer.jwks.json",
      "keys.yaml",
      "policy.yaml",
      "tls",
      ...["ca.crt", "tls.crt", "tls.key"].map((name) => `tls/${name}`),
    ]);
    expect(stdout).toContain("postern run --policy gate/policy.yaml");
    expect(stdout).toContain("https://localhost:8443/v1/");
  });

  test("keys are readable by their owner alone", async () => {
    await init("gate");
    await init("client", "billing", "gate");
    const keys = ["tls/tls.key", "clients/first-caller/tls.key", "clients/billing/tls.key", "keys.yaml"];
    for (const name of [...keys, "development/ca.key", "development/issuer.key"])
      expect(modeOf(`gate/${name}`), name).toBe(0o600);
  });

  test("the certificates come from the CA and fit their keys", async () => {
    await init("gate");
    await init("client", "billing", "gate");
    const read = (name: string) => readFileSync(join(cwd, "gate", name));
    const ca = new X509Certificate(read("tls/ca.crt"));
    for (const folder of ["tls", "clients/first-caller", "clients/billing"]) {
      const certificate = new X509Certificate(read(`${folder}/tls.crt`));
      expect(certificate.verify(ca.publicKey)).toBe(true);
      expect(certificate.checkPrivateKey(createPrivateKey(read(`${folder}/tls.key`)))).toBe(true);
      expect(Date.parse(certificate.validTo)).toBeLessThanOrEqual(Date.parse(ca.validTo));
    }
    expect(new X509Certificate(read("tls/tls.crt")).checkHost("localhost")).toBe("localhost");
    const { subjectAltName } = new X509Certificate(read("clients/billing/tls.crt"));
    expect(subjectAltName).toBe("URI:spiffe://example.org/billing");
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

  test.each(["policy.yaml", "keys.yaml", "tls/tls.key"])(
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
    symlinkSync(join(cwd, "elsewhere.key"), join(cwd, "gate/tls/tls.key"));
    const { code, stderr } = await init("gate");
    expect(code).toBe(EXIT.problems);
    expect(stderr).toContain("tls.key");
    expect(await filesIn(cwd)).not.toContain("elsewhere.key");
  });

  test("a folder that cannot be made is told in one line", async () => {
    writeFileSync(join(cwd, "gate"), "a file");
    const { code, stderr } = await init("gate");
    expect(code).toBe(EXIT.problems);
    expect(stderr).toMatch(/^postern init: .+\n$/);
  });

  test("a policy, its clients and its tokens go together: explain lets them in, with the scopes they were given", async () => {
    await init("gate");
    const token = (await init("token", "--subject", "alice", "--scope", "orders:read", "gate")).stdout.trim();
    expect(await explained("-H", `Authorization: Bearer ${token}`)).toContain(
      'development knows "alice", scopes orders:read',
    );
    const plain = (await init("token", "gate")).stdout.trim();
    expect(await explained("-H", `Authorization: Bearer ${plain}`)).toContain('development knows "first-caller"');
    await init("client", "billing", "gate");
    expect(await explained("--certificate", "gate/clients/billing/tls.crt")).toContain("spiffe://example.org/billing");
    // Another folder's issuer is nobody here.
    await init("other");
    const stranger = (await init("token", "other")).stdout.trim();
    expect(await explained("-H", `Authorization: Bearer ${stranger}`)).toContain("denied: token_");
  });

  test("a client is never made over another, nor under a name that leads elsewhere, nor where there is no CA", async () => {
    await init("gate");
    const before = await filesIn(cwd);
    for (const [name, folder, said] of [
      ["first-caller", "gate", "exists already"],
      ["../evil", "gate", "is no name of a client"],
      ["a/b", "gate", "is no name of a client"],
      ["billing", "nowhere", "expected a folder that 'postern init' made"],
    ] as const) {
      const { code, stderr } = await init("client", name, folder);
      expect(code).toBe(EXIT.problems);
      expect(stderr).toContain(said);
    }
    expect((await init("token", "nowhere")).stderr).toContain("expected a folder that 'postern init' made");
    expect(await filesIn(cwd)).toEqual(before);
  });

  test("a key that is not the CA's, or is none, is named and never quoted", async () => {
    await init("gate");
    await init("other");
    const caKey = join(cwd, "gate/development/ca.key");
    writeFileSync(caKey, readFileSync(join(cwd, "other/development/ca.key")));
    expect((await init("client", "billing", "gate")).stderr).toContain("is not the certificate of the key beside it");
    writeFileSync(caKey, "secret-that-is-no-key");
    const { code, stderr } = await init("client", "billing", "gate");
    expect(code).toBe(EXIT.problems);
    expect(stderr).toContain("cannot be read as PEM");
    expect(stderr).not.toContain("secret-that");
  });

  test("an authority that has ended signs nothing more", async () => {
    await init("gate");
    const later = { ...systemClock, wallMs: () => Date.now() + 91 * 86_400_000 };
    expect((await run(initCommand, ["client", "billing", "gate"], later)).stderr).toContain("ended on");
  });

  test("two folders, or an option it does not have, are misuse", async () => {
    expect((await init("a", "b")).code).toBe(EXIT.misuse);
    for (const args of [
      ["--force"],
      ["client"],
      ["client", "a", "b", "c"],
      ["token", "a", "b"],
      ["gate", "--scope", "a"],
      ["client", "a", "--scope", "a"],
    ])
      expect((await init(...args)).code, args.join(" ")).toBe(EXIT.misuse);
    expect(await filesIn(cwd)).toEqual([]);
  });
});
