// Goal: a person who opens the admin port sees what postern does and finds why the newest denial was one in two clicks, by keyboard
// alone too; acts only with the token; and nothing that clients or other sites say becomes more than text.
// Method: the real process and one Chromium; hostile paths, callers and reasons; axe-core in light and dark, narrow and wide.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { resolve } from "node:path";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openBrowser, startPages } from "../fixtures/pages.ts";
import { PATIENCE_MS } from "../fixtures/patience.ts";
import { type Postern, startPostern, startService } from "../fixtures/postern.ts";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
/** As docs/status-page.md has it. */
const ADMIN =
  /```yaml\n(admin: [\s\S]*?)```/.exec(
    readFileSync(resolve(import.meta.dirname, "../../docs/status-page.md"), "utf8"),
  )?.[1] ?? "";
const TOKEN = "admin-0123456789abcdef0123456789abcdef";
const MARKUP = `<img/src=x/onerror="document.title='owned'">`;
const KEY = "key-0123456789abcdef";

let browser: Browser;
let context: BrowserContext;
let page: Page;
let postern: Postern;
let evil: string;
const faults: string[] = [];

beforeAll(async () => {
  evil = `http://evil.localhost:${await startPages()}`;
  const service = await startService();
  const sha256 = createHash("sha256").update(KEY).digest("hex");
  postern = await startPostern(
    service.port,
    ({ port, admin, app }) => `version: 1
service: orders
listeners:
  - { name: inbound, address: "127.0.0.1:${port}", tls: { certificate: server.pem, key: server.key } }
upstreams: { app: { address: "http://127.0.0.1:${app}", healthCheck: { type: tcp } } }
${ADMIN.replace("9901", String(admin))}authenticators: { partners: { type: api-key, header: X-Api-Key, keys: keys.yaml } }
limits:
  daily: { quota: 2/day, key: principal }
routes:
  - { path: /open, methods: [GET], public: true }
  - { path: "/orders/{id}", methods: [GET], authenticate: [partners], authorize: { scopes: ["orders:write"] } }
  - { path: /counted, methods: [GET], authenticate: [partners], limit: [daily] }
`,
    {
      "secrets/admin": TOKEN,
      "keys.yaml": `callers: [{ name: ${JSON.stringify(MARKUP)}, scopes: ["orders:read"], keys: [{ sha256: "${sha256}" }] }]`,
    },
  );
  const headers = { "X-Api-Key": KEY };
  for (let count = 0; count < 3; count++) await postern.call({ path: "/counted", headers });
  await postern.call({ path: `/orders/${encodeURIComponent("<img src=x onerror=alert(1)>")}`, headers });
  browser = await openBrowser();
  context = await browser.newContext();
  page = await context.newPage();
  page.on("console", (message) => faults.push(message.text()));
  page.on("pageerror", (error) => faults.push(error.message));
  await page.goto(origin());
  await page.getByText("scope_missing").waitFor();
  await page.getByText("99 of 100 below").first().waitFor();
}, 120_000);

afterAll(() => browser?.close());

function origin(): string {
  return `http://127.0.0.1:${postern.admin}/`;
}

test("the reason of the newest denial is explained by keyboard alone", async () => {
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  const told = page.locator("#denials details").first().locator("pre", { hasText: "denied: scope_missing (403)" });
  await told.waitFor();
  await page.keyboard.press("Tab");
  expect(await page.locator("#denials details").first().locator("pre:focus").count()).toBe(1);
  await page.keyboard.press("Shift+Tab");
  await page.keyboard.press("Enter");
});

test("the reason of the newest denial is there at once, and its explanation a click away, with the policy's line", async () => {
  const newest = page.locator("#denials details").first();
  expect(await newest.locator("summary").innerText()).toContain("scope_missing");
  await newest.locator("summary").click();
  const told = newest.locator("pre", { hasText: "denied: scope_missing (403) at " });
  expect(await told.innerText()).toMatch(/policy\.yaml:12:\d+ {2}.*wanted scopes orders:write/);
  await newest.locator("summary").click();
});

test("what clients chose stands there as text", async () => {
  const rooms = page.locator("#rooms > details > summary");
  for (const room of await rooms.all()) await room.click();
  await page.locator("#rooms").getByText("quota", { exact: true }).first().waitFor();
  expect(await page.locator("#denials summary").allInnerTexts()).toContainEqual(expect.stringContaining("<img"));
  expect(await page.locator("img, svg script, a, iframe").count()).toBe(0);
  expect(await page.title()).toBe("orders: postern");
  expect(await page.locator("#limits").innerText()).toContain("<img/src=x");
  expect(await page.locator("#ends").innerText()).toContain("listener inbound");
});

test.each([
  ["light", 1280],
  ["light", 360],
  ["dark", 1280],
  ["dark", 360],
  ["light", 280],
] as const)("nobody is kept out: %s, %i pixels wide", async (colorScheme, width) => {
  await page.emulateMedia({ colorScheme });
  await page.setViewportSize({ width, height: 800 });
  if ((await page.evaluate("typeof axe")) === "undefined") await page.evaluate(AXE);
  const violations = await page.evaluate(
    `axe.run().then(({ violations }) => violations.map(({ id, nodes }) => id + " " + nodes[0].html + nodes[0].failureSummary))`,
  );
  expect(violations).toEqual([]);
  const overflow = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth");
  expect(overflow).toBe(0);
});

test("many denials leave the figures in sight; the older ones are a button away, and who reads one keeps it", async () => {
  const shown = page.locator("#denials > details:visible");
  const opened = page.locator("#denials details", { hasText: "scope_missing" });
  await opened.locator("summary").click();
  for (let count = 0; count < 15; count++) await postern.call({ path: `/nowhere/${count}` });
  await page.locator("#denials", { hasText: "/nowhere/14" }).waitFor();
  const all = page.getByRole("button", { name: /^all \d\d$/ });
  await all.waitFor();
  expect(await shown.count()).toBe(11);
  expect(await opened.isVisible()).toBe(true);
  await all.click();
  expect(await shown.count()).toBe(await page.locator("#denials > details").count());
  await page.getByRole("button", { name: "only the newest 10", expanded: true }).click();
  await opened.locator("summary").click();
  expect(await opened.isVisible()).toBe(true);
  await page.getByLabel("Admin token").focus();
  expect(await shown.count()).toBe(10);
});

test("moments that are numbers in JSON are read as times", async () => {
  const fresh = page.locator("#policy dl > div", { hasText: /^freshAtMs\d/ }).first();
  expect(await fresh.locator("dd").innerText()).toMatch(/^20\d\d-\d\d-\d\dT/);
});

test("without the token nothing can be acted on; with it a quota is reset, and the token is nowhere but in memory", async () => {
  await page.setViewportSize({ width: 1280, height: 800 });
  expect(await page.locator(".act:visible").count()).toBe(0);
  await page.getByLabel("Admin token").fill(TOKEN);
  await page.keyboard.press("Enter");
  const reset = page.locator("#limits").getByRole("button", { name: /^reset / });
  await reset.first().click();
  await page.getByRole("button", { name: /^really reset / }).click();
  await page.locator("#told", { hasText: '/quotas/reset: {"reset":1' }).waitFor();
  expect(await postern.logged(({ event }) => event === "admin_act")).toMatchObject({
    act: "/quotas/reset",
    result: "done",
  });
  const kept = await page.evaluate("JSON.stringify([localStorage, sessionStorage, document.cookie, location.href])");
  expect(kept).not.toContain(TOKEN);
  expect(await page.content()).not.toContain(TOKEN);
  expect(await page.getByLabel("Admin token").inputValue()).toBe("");
});

test("a policy that was written is loaded by its act, and one that is refused says why", async () => {
  /** What the act says; where the machine is so busy that it gives an answer before the reload is over, it is asked again. */
  const act = async (): Promise<string> => {
    for (;;) {
      await page.getByRole("button", { name: "reload", exact: true }).click();
      // The act before it may still draw the page anew, and takes the question back.
      const really = page.getByRole("button", { name: "really reload?" });
      const isAsked = await really.click({ timeout: 2_000 }).then(
        () => true,
        () => false,
      );
      if (!isAsked) continue;
      await page.locator("#told", { hasText: "/policy/reload: " }).waitFor();
      const told = await page.locator("#told").innerText();
      if (!told.includes('"running"')) return told;
    }
  };
  expect(await act()).toContain('{"reload":"unchanged"');
  postern.write("keys.yaml", "callers: nobody");
  expect(await act()).toContain("the policy is refused; the old one stays");
});

test("pages of other sites neither read, nor frame, nor act, though they knew the token", async () => {
  const other = await context.newPage();
  await other.goto(evil);
  const tries = await other.evaluate(
    async ([url, token]) => {
      const ask = async (path: string, settings: RequestInit): Promise<string> => {
        try {
          return String((await fetch(`${url}${path}`, settings)).status);
        } catch {
          return "failed";
        }
      };
      const headers = { "Content-Type": "application/json", Authorization: `Bearer ${token}` };
      return [
        await ask("status", {}),
        await ask("status", { mode: "no-cors" }),
        await ask("policy/reload", { method: "POST", headers, body: "{}" }),
        await ask("policy/reload", { method: "POST", mode: "no-cors", body: "{}" }),
      ];
    },
    [origin(), TOKEN] as const,
  );
  expect(tries).toEqual(["failed", "failed", "failed", "failed"]);
  expect(await postern.logged(({ result }) => result === "cross_site")).toMatchObject({ act: "/policy/reload" });
  const framed = await other.evaluate(
    `new Promise((done) => {
      const frame = document.createElement("iframe");
      frame.onload = () => { try { done(String(frame.contentDocument)) } catch { done("shown") } };
      frame.src = ${JSON.stringify(origin())};
      document.body.append(frame);
    })`,
  );
  // The browser's own error page stands there: of no origin, and without our text.
  expect(framed).toBe("null");
  await expect.poll(() => other.frames()[1]?.url(), { timeout: PATIENCE_MS }).toBe("chrome-error://chromewebdata/");
  // A name that evil.example makes point here is not answered.
  await other.goto(`http://rebound.localhost:${postern.admin}/`);
  expect(await other.content()).toContain("this host is not served here");
  await other.close();
});

test("the page is small and soon there, and nothing on it failed", async () => {
  const fresh = await context.newPage();
  const answer = await fresh.goto(origin());
  const bytes = (await answer?.body())?.length ?? Number.POSITIVE_INFINITY;
  const paintMs = await fresh.evaluate(
    `new Promise((done) => new PerformanceObserver((list) => {
      for (const { name, startTime } of list.getEntries()) if (name === "first-contentful-paint") done(startTime);
    }).observe({ type: "paint", buffered: true }))`,
  );
  console.log(`page: ${bytes} bytes, first paint after ${Math.round(Number(paintMs))} ms`);
  expect(bytes).toBeLessThan(40 * 1024);
  await fresh.close();
  expect(faults.filter((text) => !text.includes("400"))).toEqual([]);
});
