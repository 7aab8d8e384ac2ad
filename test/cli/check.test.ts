import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { checkCommand } from "../../src/cli/check.ts";
import { schemaCommand } from "../../src/cli/schema.ts";
import { main } from "../../src/main.ts";
import { systemClock } from "../../src/support/clock.ts";
import { DEFAULTS } from "../../src/support/defaults.ts";
import { PUBLIC_ROUTE, policyWith } from "../policy/policy-kit.ts";

const SECRETS = `authenticators: { keys: { type: api-key, header: X-Api-Key, keys: k.yaml } }
routes: [{ path: /, authenticate: [keys] }]`;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "postern-check-"));
  mkdirSync(join(folder, "conf"));
  writeFileSync(join(folder, "conf/good.yaml"), policyWith(PUBLIC_ROUTE));
  writeFileSync(join(folder, "conf/bad.yaml"), policyWith("rootes: []\nroutes: [{ path: /a }]"));
  writeFileSync(
    join(folder, "conf/spare.yaml"),
    policyWith(`limits: { a: { rate: 5/second, key: principal } }\n${PUBLIC_ROUTE}`),
  );
  writeFileSync(join(folder, "conf/keys.yaml"), "callers: []\n");
  writeFileSync(join(folder, "conf/rungs.yaml"), rungsPolicy());
  writeFileSync(join(folder, "conf/list.txt"), "192.0.2.1\nno\n192.0.2.2\n");
  writeFileSync(
    join(folder, "conf/list.yaml"),
    policyWith(`defaults: { address: { denyFile: list.txt } }\n${PUBLIC_ROUTE}`),
  );
  writeFileSync(join(folder, "escape.yaml"), policyWith(`"evil\\x1b[2Jkey\\n": 1\n${PUBLIC_ROUTE}`));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A rollout: each of 25 routes audits something of its own, and a thousand what the defaults do. */
function rungsPolicy(): string {
  const routes = Array.from({ length: 1_000 }, (_, at) => {
    const own = at < 25 ? ", authorize: { scopes: [a], mode: { enforce: 5% } }" : "";
    return `  - { path: /r${at}${own} }`;
  });
  return policyWith(`authenticators: { keys: { type: api-key, header: X-Key, keys: keys.yaml } }
defaults:
  authenticate: { any: [keys], mode: audit }
  address: { deny: [192.0.2.1], mode: audit }
routes:
${routes.join("\n")}
`);
}

async function run(...args: readonly string[]) {
  let out = "";
  let error = "";
  const io = {
    stdout: (text: string) => {
      out += text;
    },
    stderr: (text: string) => {
      error += text;
    },
    cwd: folder,
    clock: systemClock,
  };
  return { code: await main(args, io), out, error };
}

describe("postern check", () => {
  test("says of a sound policy that it is, and ends with 0", async () => {
    expect(await run("check", "conf/good.yaml")).toEqual({ code: 0, out: "conf/good.yaml: no problems\n", error: "" });
  });

  test("with --offline lists files that are missing, looks at all else, and ends with 0", async () => {
    writeFileSync(join(folder, "conf/secrets.yaml"), policyWith(SECRETS));
    const place = "conf/secrets.yaml:6:67";
    expect(await run("check", "--offline", "conf/secrets.yaml")).toEqual({
      code: 0,
      out: `${place}: not looked at: 'k.yaml' does not exist\nconf/secrets.yaml: no problems in what is here\n`,
      error: "",
    });
    const { code, out } = await run("check", "--offline", "--json", "conf/secrets.yaml");
    expect({ code, line: JSON.parse(out)[0] }).toMatchObject({
      code: 0,
      line: { severity: "not_looked_at", file: "conf/secrets.yaml", line: 6 },
    });
    expect((await run("check", "conf/secrets.yaml")).code).toBe(1);
    writeFileSync(join(folder, "conf/secrets.yaml"), policyWith(SECRETS.replace("[keys]", "[kays]")));
    const broken = await run("check", "--offline", "conf/secrets.yaml");
    expect(broken.code).toBe(1);
    expect(broken.out).toContain("authenticator 'kays' is not defined");
  });

  test("prints each problem with the file's name as it was given, and ends with 1", async () => {
    const { code, out } = await run("check", "conf/good.yaml", "./conf/bad.yaml");
    expect(code).toBe(1);
    expect(out.split("\n")).toEqual([
      "conf/good.yaml: no problems",
      "./conf/bad.yaml:6:1: unknown key 'rootes'; did you mean 'routes'?",
      "./conf/bad.yaml:7:10: the route does not say who may use it; expected 'authenticate' or 'public: true'",
      "",
    ]);
  });

  test("problems in a file that the policy names have that file's name and line", async () => {
    const { out } = await run("check", "conf/list.yaml");
    expect(out).toMatch(/^conf\/list\.txt:2:1: warning: left out: expected an address/);
  });

  test("warnings are marked and are no failure", async () => {
    expect(await run("check", "conf/spare.yaml")).toEqual({
      code: 0,
      out: "conf/spare.yaml:6:11: warning: 'a' is defined but nothing uses it; use it or take it out [unused_definition]\nconf/spare.yaml: no problems, see warnings\n",
      error: "",
    });
  });

  test("from --fail-on on, a finding ends with 1, and what a comment silences is counted", async () => {
    expect(await run("check", "--fail-on", "warning", "conf/spare.yaml")).toMatchObject({ code: 1 });
    expect(await run("check", "--fail-on", "info", "conf/good.yaml")).toMatchObject({ code: 1 });
    expect(await run("check", "--fail-on", "note", "conf/good.yaml")).toMatchObject({ code: 2 });
    const text =
      "# postern: allow unused_definition because of tomorrow\nlimits: { a: { rate: 5/second, key: principal } }";
    writeFileSync(join(folder, "conf/silent.yaml"), policyWith(`${text}\n${PUBLIC_ROUTE}`));
    expect(await run("check", "--fail-on", "warning", "conf/silent.yaml")).toEqual({
      code: 0,
      out: "conf/silent.yaml: no problems; 1 silenced\n",
      error: "",
    });
    expect(JSON.parse((await run("check", "--json", "conf/silent.yaml")).out)[0]).toMatchObject({
      severity: "silenced",
      rule: "unused_definition",
      because: "of tomorrow",
      line: 7,
      allowedAt: { line: 6 },
    });
  });

  test("what does not enforce is listed, bounded in words and whole for machines, and hides nothing", async () => {
    const { code, out } = await run("check", "conf/rungs.yaml");
    expect(code).toBe(0);
    const lines = out.trimEnd().split("\n");
    const named = "/r0 (line 11), /r1 (line 12), /r2 (line 13) and 997 more";
    expect(lines.slice(0, 3)).toEqual([
      `conf/rungs.yaml:8:17: warning: 'authenticate' only audits, so whoever comes is let in: ${named}; enforce it, or say 'public: true' where everybody may come [authentication_not_enforced]`,
      "conf/rungs.yaml:9:12: note: 'address' only audits: every request",
      "conf/rungs.yaml:11:29: note: 'authorize' enforces for 5% of callers: /r0 (line 11)",
    ]);
    // One check before every request and 25 before a route each, then what the warning counts.
    expect(lines.slice(27, 29)).toEqual([
      "conf/rungs.yaml:14:5: note: 'authenticate' only audits: /r3",
      "conf/rungs.yaml:15:5: note: 'authenticate' only audits: /r4",
    ]);
    expect(lines).toHaveLength(1 + DEFAULTS.rungLinesMax + 2);
    const rest = 26 + 997 - DEFAULTS.rungLinesMax;
    expect(lines.at(-2)).toBe(`conf/rungs.yaml: note: ${rest} more do not enforce; --json has them all`);
    const told = JSON.parse((await run("check", "--json", "conf/rungs.yaml")).out) as Record<string, unknown>[];
    const all = told.filter(({ severity }) => severity !== "info");
    expect(all.map(({ severity }) => severity)).toEqual(["warning", ...Array(27).fill("note")]);
    expect(all.find(({ check }) => check === "authenticate")).toMatchObject({ enforcePercent: 0, line: 8, column: 17 });
    expect(all.find(({ check }) => check === "authenticate")?.["routes"]).toHaveLength(1_000);
    expect(all.at(-1)).toMatchObject({
      check: "authorize",
      enforcePercent: 5,
      routes: [{ template: "/r24", methods: [], line: 35 }],
    });
  });

  test("a missing file and a folder are problems", async () => {
    expect((await run("check", "nowhere.yaml")).out).toBe("nowhere.yaml:1:1: the policy does not exist\n");
    expect(await run("check", "conf")).toMatchObject({ code: 1, out: "conf:1:1: the policy is a folder\n" });
  });

  test("--json prints one array for machines", async () => {
    const { code, out } = await run("check", "--json", "conf/bad.yaml", "conf/spare.yaml");
    expect(code).toBe(1);
    expect(JSON.parse(out)).toEqual([
      expect.objectContaining({ severity: "problem", file: "conf/bad.yaml", line: 6, column: 1, path: "rootes" }),
      expect.objectContaining({ severity: "problem", file: "conf/bad.yaml", line: 7, path: "routes[0]" }),
      expect.objectContaining({ severity: "warning", file: "conf/spare.yaml", rule: "unused_definition" }),
      expect.objectContaining({ severity: "info", file: "conf/spare.yaml", rule: "route_without_limit" }),
    ]);
    expect(JSON.parse((await run("check", "--json", "conf/good.yaml")).out)).toEqual([
      expect.objectContaining({
        severity: "info",
        rule: "route_without_limit",
        mend: expect.stringContaining("'limit'"),
      }),
    ]);
  });

  test("a key in a policy cannot write to the terminal or fake a line", async () => {
    const { out } = await run("check", "escape.yaml");
    expect(out).not.toContain("\x1b");
    expect(out.trimEnd().split("\n")).toHaveLength(1);
  });

  test("used wrongly it says how it is used and ends with 2", async () => {
    expect(await run("check")).toMatchObject({ code: 2, out: "", error: expect.stringContaining("--json] FILE...") });
    const { code, error } = await run("check", "--jsn", "x");
    expect(code).toBe(2);
    expect(error).toContain("unknown option '--jsn'; did you mean '--json'?");
  });
});

describe("postern", () => {
  test("names its version", async () => {
    expect(await run("--version")).toMatchObject({ code: 0, out: expect.stringMatching(/^postern \d+\.\d+\.\d+\n$/) });
  });

  test("lists its commands, and helps with each by an example", async () => {
    const { code, out } = await run("--help");
    expect(code).toBe(0);
    const names = [...out.matchAll(/^ {2}(\S+) {2,}\S/gm)].map((match) => match[1] ?? "");
    expect(names).toContain("check");
    for (const name of names) {
      const help = await run(name, "--help");
      expect(help, name).toMatchObject({ code: 0, error: "" });
      expect(help.out, name).toContain("Usage:\n  postern ");
      expect(help.out, name).toContain("Example:\n  ");
      expect((await run("help", name)).out).toBe(help.out);
    }
  });

  test("a form of the log that does not exist is misuse", async () => {
    for (const command of ["run", "quickstart"]) {
      const { code, error } = await run(command, "--policy", "conf/good.yaml", "--log-format", "xml");
      expect(code).toBe(2);
      expect(error).toContain("expected --log-format auto, text or json");
    }
  });

  test("an unknown command gets the nearest one, and the code for misuse", async () => {
    expect(await run("chekc")).toEqual({
      code: 2,
      out: "",
      error: "postern: unknown command 'chekc'; did you mean 'check'?\n",
    });
    expect(await run("toString")).toMatchObject({ code: 2 });
    expect(await run()).toMatchObject({ code: 2, out: "" });
  });

  test("commands have the names they are listed under", async () => {
    expect([checkCommand.name, schemaCommand.name]).toEqual(["check", "schema"]);
    expect(JSON.parse((await run("schema")).out)).toHaveProperty("title", "postern policy");
  });
});
