// Goal: what ZAP's passive rules look for in heads is not in answers of a service that says all the wrong things, nor in
// refusals; and a page of documentation works in a browser under `securityHeaders: pages`, while nothing else runs in it.
// Method: each rule of the table in docs/answers.md as a question about a real answer over TLS; and Chromium.
import { readFileSync } from "node:fs";
import { createServer, type IncomingHttpHeaders } from "node:http";
import { resolve } from "node:path";
import { type Browser, chromium } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Answer, type Postern, startPostern, startService } from "../fixtures/postern.ts";
import { closeAll, listen, onClose } from "../fixtures/proxy.ts";

const PAGE = readFileSync(resolve(import.meta.dirname, "../../docs/answers.md"), "utf8");

const TELLTALES = {
  Server: "secret/1.2",
  "X-Powered-By": "magic",
  "X-Backend-Server": "db-3",
  "X-ChromeLogger-Data": "e30=",
  "X-Debug-Token": "d3b07",
  "X-AspNet-Version": "4.0",
  "Access-Control-Allow-Origin": "*",
  "Set-Cookie": ["sid=1; Path=/", "theme=dark; Expires=Wed, 18 May 2033 03:33:20 GMT"],
};

/** As Swagger UI and Redoc are built: a script of its own, inline styles, pictures within, a worker from a blob. */
const DOCUMENTATION = `<!doctype html><title>docs</title><style>h1 { color: rgb(1, 2, 3) }</style>
<h1 style="margin: 5px">API</h1><img id="logo" src="data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' width='7' height='7'/%3E">
<script>window.injected = true</script><script src="/docs/app.js"></script>`;
const SCRIPT = `addEventListener("load", async () => {
  const answer = await (await fetch("/orders")).json();
  const url = URL.createObjectURL(new Blob(["postMessage(6 * 7)"], { type: "text/javascript" }));
  const worker = await new Promise((done) => { new Worker(url).onmessage = ({ data }) => done(data); });
  const elsewhere = await fetch("OTHER").then(() => "read", () => "refused");
  let evaluated = "refused";
  try { evaluated = eval("'run'"); } catch {}
  window.told = { answer, worker, elsewhere, evaluated, injected: window.injected === true,
    color: getComputedStyle(document.querySelector("h1")).color, width: document.querySelector("#logo").naturalWidth };
  document.body.append(Object.assign(document.createElement("p"), { id: "told" }));
});`;

let postern: Postern;
let browser: Browser;
let other: string;

beforeAll(async () => {
  const elsewhere = createServer((_, response) => {
    response.setHeader("Access-Control-Allow-Origin", "*");
    response.setHeader("Content-Type", "text/html");
    response.end(`<!doctype html><iframe src="https://localhost:${postern.port}/docs/"></iframe>`);
  });
  other = `http://other.localhost:${await listen(elsewhere)}/`;
  onClose(() => elsewhere.closeAllConnections());
  const service = await startService(({ url = "" }, response) => {
    const [type, body] = url.endsWith(".js")
      ? ["text/javascript", SCRIPT.replace("OTHER", other)]
      : url.endsWith("/")
        ? ["text/html; charset=utf-8", DOCUMENTATION]
        : ["application/json", '{"ok":true}'];
    response.writeHead(200, { ...TELLTALES, "Content-Type": type });
    response.end(body);
    return true;
  });
  postern = await startPostern(
    service.port,
    ({ port, app }) => `version: 1
service: orders
listeners:
  - { name: inbound, address: "127.0.0.1:${port}", protocols: [h2, http/1.1], tls: { certificate: server.pem, key: server.key }, upstream: app }
upstreams: { app: { address: "http://127.0.0.1:${app}" } }
authenticators: { partners: { type: api-key, header: X-Api-Key, keys: keys.yaml } }
defaults:
  cors: { origins: ['https://app.example.org'] }
  response: { cookies: { secure: true, httpOnly: true, sameSite: Lax } }
routes:
  - { path: /orders, public: true }
  - { path: /closed, authenticate: [partners] }
  - { path: /docs/**, public: true, response: { securityHeaders: pages } }
  - { path: /plain/**, public: true }
`,
  );
  browser = await chromium.launch({
    executablePath: process.env["CHROMIUM"] ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--ignore-certificate-errors"],
  });
}, 120_000);
afterAll(async () => {
  await browser?.close();
  await closeAll();
});

type Finds = (headers: IncomingHttpHeaders, isPage: boolean) => boolean;

const lacksFlag =
  (flag: RegExp): Finds =>
  (headers) =>
    (headers["set-cookie"] ?? []).some((cookie) => !flag.test(cookie));
const has =
  (name: string): Finds =>
  (headers) =>
    headers[name] !== undefined;
const lacks =
  (name: string, ofPagesAlone = false): Finds =>
  (headers, isPage) =>
    headers[name] === undefined && (isPage || !ofPagesAlone);
const csp = (headers: IncomingHttpHeaders): string => `${headers["content-security-policy"]}`;

/** Whether the rule has something to say. */
const RULES: Readonly<Record<string, Finds>> = {
  10010: lacksFlag(/; HttpOnly/i),
  10011: lacksFlag(/; Secure/i),
  10015: (headers, isPage) =>
    !isPage && !["no-store", "no-cache", "must-revalidate"].every((word) => headers["cache-control"]?.includes(word)),
  10020: (headers, isPage) =>
    isPage && !(csp(headers).includes("frame-ancestors") && headers["x-frame-options"] === "DENY"),
  10021: (headers) => headers["x-content-type-options"] !== "nosniff",
  10035: lacks("strict-transport-security"),
  10036: has("server"),
  10037: has("x-powered-by"),
  10038: lacks("content-security-policy"),
  10039: has("x-backend-server"),
  10052: has("x-chromelogger-data"),
  10054: lacksFlag(/; SameSite=(?:Lax|Strict)/i),
  10055: (headers) => ["form-action", "base-uri", "frame-ancestors"].some((word) => !csp(headers).includes(word)),
  10056: has("x-debug-token"),
  10061: has("x-aspnet-version"),
  10063: lacks("permissions-policy", true),
  10098: has("access-control-allow-origin"),
  90004: (headers, isPage) =>
    headers["cross-origin-resource-policy"] !== "same-origin" ||
    lacks("cross-origin-opener-policy", true)(headers, isPage) ||
    lacks("cross-origin-embedder-policy", true)(headers, isPage),
};

const findingsOf = ({ headers }: Pick<Answer, "headers">, isPage: boolean): string[] =>
  Object.entries(RULES).flatMap(([id, finds]) => (finds(headers, isPage) ? [id] : []));

test("the page has each rule that is asked here, and no other", () => {
  const section = PAGE.split("## What scanners say\n")[1]?.split("\n## ")[0] ?? "";
  const ids = [...section.matchAll(/^\| (\d+) \|/gm)].map(([, id]) => id);
  expect(ids).toEqual(Object.keys(RULES));
});

test("the rules find what the service says by itself", () => {
  const bare = Object.fromEntries(Object.entries(TELLTALES).map(([name, value]) => [name.toLowerCase(), value]));
  expect(findingsOf({ headers: bare }, true)).toEqual(Object.keys(RULES).filter((id) => id !== "10015"));
  expect(findingsOf({ headers: bare }, false)).toContain("10015");
});

test.each([
  ["/orders", 200, false],
  ["/docs/", 200, true],
  ["/docs/app.js", 200, false],
] as const)("they find nothing in the answer of %s", async (path, status, isPage) => {
  const answer = await postern.call({ path });
  expect([answer.status, answer.headers["set-cookie"]?.length]).toEqual([status, 2]);
  // What may be kept of documentation is for its reader to know.
  expect(findingsOf(answer, isPage).filter((id) => path !== "/docs/app.js" || id !== "10015")).toEqual([]);
});

test.each(["/closed", "/nowhere"])(
  "they find nothing in the refusal of %s but that it need not be kept at all",
  async (path) => {
    const answer = await postern.call({ path });
    expect(answer.reason).toMatch(/credentials_missing|route_not_found/);
    expect(answer.headers["cache-control"]).toBe("no-store");
    expect(findingsOf(answer, false)).toEqual(["10015"]);
  },
);

test("a page of documentation works under 'pages', and scripts that are not the service's do not", async () => {
  const page = await browser.newPage();
  await page.goto(`https://localhost:${postern.port}/docs/`);
  await page.waitForSelector("#told", { state: "attached" });
  expect(await page.evaluate("window.told")).toEqual({
    answer: { ok: true },
    worker: 42,
    elsewhere: "refused",
    evaluated: "refused",
    injected: false,
    color: "rgb(1, 2, 3)",
    width: 7,
  });
  expect(await page.evaluate("document.cookie")).toBe("");
  const kept = await page.context().cookies(`https://localhost:${postern.port}/`);
  expect(kept.map(({ name, httpOnly, secure, sameSite }) => ({ name, httpOnly, secure, sameSite }))).toEqual([
    { name: "sid", httpOnly: true, secure: true, sameSite: "Lax" },
    expect.objectContaining({ name: "theme", httpOnly: true, secure: true, sameSite: "Lax" }),
  ]);
});

test("a page where none was meant to be runs nothing, and a page of others frames none", async () => {
  const page = await browser.newPage();
  await page.goto(`https://localhost:${postern.port}/plain/`);
  expect(
    await page.evaluate("[window.injected, window.told, getComputedStyle(document.querySelector('h1')).color]"),
  ).toEqual([undefined, undefined, "rgb(0, 0, 0)"]);
  const refused = page.waitForEvent("console", { predicate: (message) => /frame/i.test(message.text()) });
  await page.goto(other);
  expect((await refused).text()).toMatch(/frame-ancestors|X-Frame-Options|refused/i);
});
