// Goal: a person with the admin token lifts a ban, accepts an anomaly, promotes a candidate and takes it back from the page, each asked
// for twice and told in the audit log; who has no token, or a wrong one, changes nothing. Method: the real process and one Chromium.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openBrowser } from "../fixtures/pages.ts";
import {
  eventually,
  type PolicyPorts,
  type Postern,
  startPostern,
  startService,
  theWorld,
} from "../fixtures/postern.ts";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const TOKEN = "admin-0123456789abcdef0123456789abcdef";

const policy = ({ port, admin, app }: PolicyPorts, more: string, rule: string): string => `version: 1
service: orders
listeners:
  - { name: inbound, address: "127.0.0.1:${port}", tls: { certificate: server.pem, key: server.key } }
upstreams: { app: { address: "http://127.0.0.1:${app}" } }
admin: { address: "127.0.0.1:${admin}", token: { file: admin.token } }
state: { directory: state }
log: { audit: { file: audit.jsonl } }
authenticators: { partners: { type: api-key, header: X-Api-Key, keys: keys.yaml } }
bans: { guessing: { on: [api_key_unknown], times: 5/minute, key: client.address, for: 5m } }
inventory: {}
anomalies: {}
${more}
routes:
  - { path: /files/**, methods: [GET], public: true }
  - { path: /reports, methods: [GET], authenticate: [partners], authorize: { scopes: ["reports:read"] } }
  - { path: "/orders/{id}", methods: [GET], authenticate: [partners]${rule} }
`;

let browser: Browser;
let page: Page;
let postern: Postern;
const faults: string[] = [];

beforeAll(async () => {
  const service = await startService();
  let next = "";
  postern = await startPostern(
    service.port,
    (ports) => {
      next = policy(ports, "", ", authorize: { scopes: ['orders:write'] }");
      return policy(ports, "candidate: { file: next.yaml, share: 100%, cpuShare: 100% }", "");
    },
    { "admin.token": TOKEN, "next.yaml": "version: 1\n" },
  );
  postern.write("next.yaml", next);
  await eventually(
    async () => JSON.parse((await postern.admins("/candidate")).body) as { problems: readonly string[]; hash: unknown },
    ({ problems, hash }) => problems.length === 0 && hash !== null,
  );
  browser = await openBrowser();
  page = await browser.newPage();
  page.on("console", (message) => faults.push(message.text()));
  page.on("pageerror", (error) => faults.push(error.message));
  await page.goto(`http://127.0.0.1:${postern.admin}/`);
  await open("/policy");
}, 120_000);

afterAll(() => browser?.close());

const told = (text: string | RegExp): Promise<void> => page.locator("#told").filter({ hasText: text }).waitFor();

/** By keyboard alone. */
async function press(name: string | RegExp, place = page.locator("main")): Promise<void> {
  await place
    .getByRole("button", { name, exact: typeof name === "string" })
    .first()
    .focus();
  await page.keyboard.press("Enter");
  await told("Once more to");
  await page.keyboard.press("Enter");
}

async function open(room: string): Promise<void> {
  const summary = page.locator("#rooms > details > summary", { hasText: new RegExp(`^${room}$`) });
  if ((await summary.locator("xpath=..").getAttribute("open")) === null) await summary.click();
}

async function useToken(token: string): Promise<void> {
  await page.getByLabel("Admin token").fill(token);
  await page.keyboard.press("Enter");
}

async function audited(act: string): Promise<readonly { readonly result: string }[]> {
  const lines = readFileSync(join(postern.folder, "audit.jsonl"), "utf8").split("\n").filter(Boolean);
  return lines.map((line) => JSON.parse(line)).filter((line) => line.event === "admin_act" && line.act === act);
}

const acted = (act: string, result: string) =>
  eventually(
    () => audited(act),
    (lines) => lines.at(-1)?.result === result,
  );

test("a wrong token is told, changes nothing, and stands in the audit log", async () => {
  await useToken("not-the-token");
  await press("reload");
  await told("/policy/reload: 401");
  expect(await page.locator("#told").getAttribute("class")).toBe("failed");
  await acted("/policy/reload", "unauthorized");
});

test("who asks and then goes elsewhere has done nothing", async () => {
  await useToken(TOKEN);
  await page.getByRole("button", { name: "reload", exact: true }).click();
  await told("Once more to reload");
  await page.getByLabel("Admin token").focus();
  await page.locator("#told:empty").waitFor({ state: "attached" });
  expect(await page.getByRole("button", { name: "really reload?" }).count()).toBe(0);
});

test("a ban is lifted by its row, and whom it met is heard again", async () => {
  const guess = () => postern.call({ path: "/orders/1", headers: { "X-Api-Key": "guess-0123456789" } });
  await eventually(guess, ({ status }) => status === 429);
  await open("/bans");
  await press(/^lift guessing/);
  await told('/bans/lift: {"lifted":1,"ban":"guessing"');
  expect((await guess()).status).toBe(401);
  await acted("/bans/lift", "done");
  // The row is gone, and the button with it.
  await eventually(
    () => page.evaluate("document.activeElement.id"),
    (id) => id === "told",
  );
});

test("an anomaly is shown without a click, and accepted", async () => {
  for (let at = 0; at < 25; at++) await postern.call({ path: `/backup-${at}.zip` });
  await page.locator("#apart").getByText("path_scan").first().waitFor({ timeout: 60_000 });
  await press(/^accept path_scan/, page.locator("#apart"));
  await told('/anomalies/accept: {"accepted":1');
  await page.locator("#apart").getByText("anomalies: none").waitFor();
  await acted("/anomalies/accept", "done");
});

test("while somebody acts, axe has nothing to say", async () => {
  await page.getByRole("button", { name: "rollback", exact: true }).click();
  await told("Once more to rollback");
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    if ((await page.evaluate("typeof axe")) === "undefined") await page.evaluate(AXE);
    const violations = await page.evaluate(
      `axe.run().then(({ violations }) => violations.map(({ id, nodes }) => id + " " + nodes[0].html + nodes[0].failureSummary))`,
    );
    expect(violations).toEqual([]);
  }
});

test("a denial's check only audits for an hour, and enforces again when that is taken back", async () => {
  const { apiKey } = await theWorld();
  const ask = () => postern.call({ path: "/reports", headers: { "X-Api-Key": apiKey } });
  expect((await ask()).status).toBe(403);
  const denial = page.locator("#denials details", { hasText: "/reports" }).first();
  await denial.waitFor();
  await denial.locator("summary").click();
  await press(/^audit for an hour /, denial);
  await told("/ladder/set: ");
  expect(await page.locator("#told").innerText()).toContain('{"check":"authorize of GET /reports"');
  expect((await ask()).status).toBe(200);
  await acted("/ladder/set", "done");
  await open("/ladder");
  await press(/^unset authorize/);
  await told("/ladder/unset: ");
  expect((await ask()).status).toBe(403);
  await acted("/ladder/unset", "done");
});

test("what the candidate would decide otherwise is shown; it is promoted, and taken back", async () => {
  const { apiKey } = await theWorld();
  const ask = () => postern.call({ path: "/orders/1", headers: { "X-Api-Key": apiKey } });
  expect((await ask()).status).toBe(200);
  await page.locator("#apart").getByText("scope_missing").first().waitFor({ timeout: 60_000 });
  await open("/candidate");
  await press("promote");
  await told('/candidate/promote: {"promoted":');
  expect((await ask()).status).toBe(403);
  await acted("/candidate/promote", "done");
  await press("rollback");
  await told('/policy/rollback: {"from":');
  expect((await ask()).status).toBe(200);
  await acted("/policy/rollback", "done");
});

test("nothing on the page failed but what was refused", () => {
  expect(faults.filter((text) => !/\b(?:401|404)\b/.test(text))).toEqual([]);
});
