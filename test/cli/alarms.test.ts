import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { main } from "../../src/main.ts";
import { systemClock } from "../../src/support/clock.ts";

const POLICY = `
version: 1
service: shop
listeners: [{ name: inbound, address: '127.0.0.1:8080' }]
upstreams: { app: { address: 'http://127.0.0.1:3000' } }
detectors: { own: { rules: [own.conf] } }
routes:
  - { path: '/**', methods: [POST], public: true, detect: [own] }
`;
const RULES = `
SecRule ARGS "@rx ;\\s*(?:who|id)\\b" "id:1,phase:2,pass,log,t:none,msg:'a command',severity:'CRITICAL',setvar:'tx.s=+5'"
SecRule ARGS "@rx \\[x\\]\\(" "id:2,phase:2,pass,log,t:none,msg:'a link'"
SecRule ARGS "@rx (?i)union" "id:3,phase:2,pass,log,t:none,msg:'a word'"
`;

const hit = (rule: number, field: string, score = 5): object => {
  return {
    in: "request",
    detector: "own",
    rule,
    message: `rule ${rule}`,
    score,
    field,
    matched: "…",
    place: "own.conf:1",
  };
};
const line = (client: string, hits: object[], more: object = {}): string =>
  JSON.stringify({ event: "request", route: "/**", client, detected: { score: 5, rules: [], hits }, ...more });

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "postern-alarms-"));
  const write = (name: string, text: string): void => writeFileSync(join(folder, name), text);
  write("policy.yaml", POLICY);
  write("own.conf", RULES);
  const lines = [
    line("192.0.2.1", [hit(1, "ARGS:json.items.0.note")], { reason: "attack_detected" }),
    line("192.0.2.2", [hit(1, "ARGS:json.items.17.note"), hit(2, "ARGS:json.items.1.note")], {
      audited: [{ reason: "attack_detected" }],
    }),
    line("192.0.2.2", [hit(3, "ARGS:q"), hit(3, "ARGS:told", 0)]),
    line("192.0.2.3", [hit(3, "ARGS:q"), { ...hit(3, "RESPONSE_BODY"), in: "response" }]),
    line("192.0.2.9", [hit(1, "ARGS:\u001b[31m.*(x)")]),
    line("192.0.2.1", [hit(99, "ARGS:old")]),
    line("192.0.2.2", [hit(99, "ARGS:old")]),
    '{"event":"ready"}',
    'another "detected" program',
  ];
  write("postern.log", `${lines.join("\n")}\n`);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function alarms(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  let out = "";
  let err = "";
  const io = {
    stdout: (text: string) => {
      out += text;
    },
    stderr: (text: string) => {
      err += text;
    },
    cwd: folder,
    clock: systemClock,
  };
  const code = await main(["alarms", ...args], io);
  return { code, out, err };
}

test("fields are told with what the rules' own patterns need, and with an exclusion for all members of a list", async () => {
  const { code, out } = await alarms("--policy", "policy.yaml", "postern.log");
  expect(code).toBe(0);
  expect(out).toContain("/**, own: ARGS:json.items.*.note: 2 requests of 2 clients, 2 refused or would be");
  expect(out).toContain(`in its schema:  pattern: "^[^;`);
  expect(out).toContain(
    'rules: [1, 2], fields: ["ARGS:/^json\\\\.items\\\\.[0-9]+\\\\.note$/"], because: "2 requests of 2 clients, none of them an attack"',
  );
  // A word of letters alone is in no pattern's power.
  expect(out).toMatch(/ARGS:q: 2 requests of 2 clients, 0 refused or would be\n {2}3 rule 3: 2\n {2}in 'exclude'/);
  // Of a rule that the policy has no more nothing is known.
  expect(out).toMatch(/ARGS:old: 2 requests of 2 clients, 0 refused or would be\n {2}99 rule 99: 2\n {2}in 'exclude'/);
  expect(out).not.toContain("RESPONSE_BODY");
  expect(out).not.toContain("ARGS:told");
});

test("what one client alone did proposes nothing, and steers no terminal", async () => {
  const { out } = await alarms("--policy", "policy.yaml", "postern.log");
  expect(out).toContain(
    "\ufffd[31m.*(x): 1 request of 1 client, 0 refused or would be\n  1 rule 1: 1\n  of too few clients",
  );
  expect(out).not.toContain("\u001b");
});

test("a proposal ends the alarm: a text of the pattern matches none of the rules, and the exclusion compiles", async () => {
  const { out } = await alarms("--policy", "policy.yaml", "--json", "postern.log");
  const rows = JSON.parse(out) as { field: string; mend: { pattern: string; exclude: object } | null }[];
  const mend = rows.find(({ field }) => field === "ARGS:json.items.*.note")?.mend;
  const pattern = new RegExp(mend?.pattern ?? "", "u");
  expect(pattern.test("bread; who cares")).toBe(false);
  expect(pattern.test("[x](y)")).toBe(false);
  expect(pattern.test('O\'Brien said: "no bread", at 5 % - $2')).toBe(true);
  const policy = POLICY.replace("detect: [own]", `detect: { by: [own], exclude: [${JSON.stringify(mend?.exclude)}] }`);
  writeFileSync(join(folder, "mended.yaml"), policy);
  let told = "";
  const tell = (text: string): void => {
    told += text;
  };
  const code = await main(["check", "mended.yaml"], { stdout: tell, stderr: tell, cwd: folder, clock: systemClock });
  expect(code, told).toBe(0);
});

test("it says what it needs", async () => {
  expect((await alarms("postern.log")).err).toContain("--policy FILE is missing");
  expect((await alarms("--policy", "policy.yaml")).err).toContain("expected a file with lines of the log");
  expect((await alarms("--policy", "policy.yaml", "none.log")).err).toContain("none.log cannot be read");
});
