// Goal: a real postern's audit log has what happened and no secret, over a reload and a restart, and a change of it shows.
import { appendFileSync, existsSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { main } from "../../src/main.ts";
import { systemClock } from "../../src/support/clock.ts";
import {
  eventually,
  ORDER_ID,
  ORDER_SCHEMA,
  ordersPolicy,
  type PolicyPorts,
  type Postern,
  startPostern,
  startService,
  theWorld,
} from "../fixtures/postern.ts";

const AUDIT_KEY = "the-key-of-the-audit-log-0123456789abcdef";
const SECRETS = ["planted-header", "planted-query", "planted-cookie", "plantedInPath0123456789Abc", AUDIT_KEY];
const [header, query, cookie, inPath] = SECRETS;

let postern: Postern;
let token = "";
const file = (): string => join(postern.folder, "audit/audit.jsonl");

interface Line {
  readonly event: string;
  readonly [field: string]: unknown;
}

function lines(name = file()): readonly Line[] {
  const text = readFileSync(name, "utf8");
  return text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Line);
}

async function verify(...files: readonly string[]): Promise<string> {
  let out = "";
  const add = (text: string): void => {
    out += text;
  };
  const io = { stdout: add, stderr: add, cwd: postern.folder, clock: systemClock };
  const code = await main(["audit-log", "verify", "--key-file", "audit.key", ...files], io);
  return `${code} ${out}`;
}

beforeAll(async () => {
  const service = await startService();
  const policy = (ports: PolicyPorts): string =>
    `${ordersPolicy(ports)}log: { access: "off", audit: { file: audit/audit.jsonl, key: { file: audit.key } } }\n`;
  postern = await startPostern(service.port, policy, { "order.json": ORDER_SCHEMA, "audit.key": AUDIT_KEY });
  const { mint } = await theWorld();
  token = await mint.token({ scope: "orders:none" });
  const headers = { Authorization: `Bearer ${token}`, "X-Other": header ?? "", Cookie: `sid=${cookie}` };
  await postern.call({ path: `/orders/${ORDER_ID}?q=${query}`, headers });
  await postern.call({ path: `/nowhere/${inPath}`, headers });
  await postern.call({ path: "/public" });
  await fetch(`http://127.0.0.1:${postern.admin}/decisions/trace`, {
    method: "POST",
    headers: { "Content-Type": "application/json", Authorization: `Bearer ${header}` },
    body: "{}",
  });
  const text = readFileSync(join(postern.folder, "policy.yaml"), "utf8");
  postern.write("policy.yaml", `${text}# another text\nversions: nonsense\n`);
  await postern.logged((line) => line["event"] === "reload");
  const written = () => Promise.resolve(existsSync(file()) ? readFileSync(file(), "utf8") : "");
  await eventually(written, (text) => /"event":"reload".*\n$/.test(text));
});

test("it has each denial, load and act, with reason and place, and no secret", async () => {
  expect(statSync(file()).mode & 0o777).toBe(0o600);
  const told = lines();
  expect(told.filter(({ event }) => event === "denied").map(({ reason }) => reason)).toEqual([
    "scope_missing",
    "route_not_found",
  ]);
  expect(told).toContainEqual(expect.objectContaining({ event: "admin_act", result: "no_token" }));
  expect(told).toContainEqual(expect.objectContaining({ event: "reload", result: "refused" }));
  expect(
    told
      .map(({ event }) => event)
      .slice(0, 2)
      .toSorted(),
  ).toEqual(["opened", "ready"]);
  const text = readFileSync(file(), "utf8");
  for (const secret of [...SECRETS, token]) expect(text).not.toContain(secret);
  const { resources } = JSON.parse((await postern.admins("/policy")).body) as { resources: { detail: string }[] };
  expect(resources.map(({ detail }) => detail).join()).toMatch(/audit\.jsonl, head \d+:[0-9a-f]{64}/);
  expect((await postern.admins("/metrics")).body).toContain(`postern_audit_log_line ${told.length}\n`);
});

test("a renamed file, a policy that turns it off and the end leave one chain, whose head the log tells", async () => {
  renameSync(file(), `${file()}.1`);
  const text = readFileSync(join(postern.folder, "policy.yaml"), "utf8").replace("versions: nonsense\n", "");
  postern.write("policy.yaml", text.replace(/^log:.*$/m, ""));
  await postern.logged((line) => line["event"] === "reload" && line["result"] === "ok");
  const { head } = await postern.logged((line) => line["event"] === "audit_head");
  expect(lines().map(({ event }) => event)).toEqual(["audit_ends"]);
  const files = ["audit/audit.jsonl.1", "audit/audit.jsonl"];
  expect(await verify("--head", String(head), ...files)).toMatch(/^0 whole: \d+ lines, 1 to/);
  const whole = readFileSync(`${file()}.1`, "utf8");
  writeFileSync(`${file()}.1`, whole.replace("scope_missing", "scope_missinG"));
  const denied = lines(`${file()}.1`).findIndex(({ event }) => event === "denied") + 1;
  expect(await verify(...files)).toMatch(new RegExp(`^1 audit/audit\\.jsonl\\.1:${denied}: was changed`));
  writeFileSync(`${file()}.1`, whole);
  appendFileSync(`${file()}.1`, "{}\n");
  expect(await verify(...files)).toMatch(/^1 .*is no line of an audit log/);
});
