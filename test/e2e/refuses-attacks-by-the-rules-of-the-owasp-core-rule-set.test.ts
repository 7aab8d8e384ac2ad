// Goal: an attack is refused wherever it stands in a request, by the rules as Debian ships them, and what people send passes. Method: a
// real process with the real rules, before a service that notes all that arrives.
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import {
  type LogLine,
  type PolicyPorts,
  type Postern,
  type Service,
  startPostern,
  startService,
} from "../fixtures/postern.ts";
import { closeAll } from "../fixtures/proxy.ts";

const policy = ({ port, admin, app }: PolicyPorts): string => `
version: 1
service: shop
listeners:
  - { name: inbound, address: '127.0.0.1:${port}', upstream: app }
upstreams:
  app: { address: 'http://127.0.0.1:${app}' }
admin: { address: '127.0.0.1:${admin}' }
detectors:
  crs:
    rules: [/etc/modsecurity/crs/crs-setup.conf, /usr/share/modsecurity-crs/rules]
    variables: { allowed_methods: GET HEAD POST PUT }
    answers: bodies
defaults: { detect: [crs] }
routes:
  - { path: '/**', methods: [GET, POST], public: true }
  - { path: /audited, methods: [GET], public: true, detect: { by: [crs], mode: audit } }
  - { path: /unsearched, methods: [GET, POST], public: true, detect: [] }
  - path: /sql
    methods: [POST]
    public: true
    detect: { by: [crs], exclude: [{ tags: [attack-sqli], fields: ['ARGS:json.query'], because: analysts send SQL here }] }
  - path: /numbers
    methods: [GET]
    public: true
    validate: { query: { id: { type: integer } } }
  - { path: /described, methods: [POST], public: true, validate: { body: { schema: redirect.json } } }
  - path: /sanitised
    methods: [POST]
    public: true
    validate: { body: { schema: redirect.json, undeclared: strip } }
  - { path: /inflated, methods: [POST], public: true, validate: { contentEncoding: inflate, body: { schema: any.json } } }
`;

const SQL = "1' UNION SELECT password FROM users-- ";
const XSS = "<script>alert(document.cookie)</script>";
/** Rule 931100 takes the address for one that is to be included. */
const ADDRESS = "http://127.0.0.1:8000/callback";
const REDIRECT = {
  type: "object",
  properties: { to: { enum: [ADDRESS] }, note: { type: "string" }, page: { type: "integer" } },
};
let service: Service;
let postern: Postern;
beforeAll(async () => {
  service = await startService((request, response) => {
    // By path: how much stands before the fault, or instead of one.
    const before = new Map([
      ["/broken", 0],
      ["/broken/script", 0],
      ["/broken/long", 400 * 1024],
      ["/fine/long", 400 * 1024],
    ]).get(request.url ?? "");
    if (before === undefined) return false;
    response.writeHead(200, { "Content-Type": request.url === "/broken/script" ? "text/javascript" : "text/html" });
    response.write("All is well. ".repeat(before / 13));
    response.end(
      request.url === "/fine/long"
        ? ""
        : "<b>Warning</b>: mysql_connect(): You have an error in your SQL syntax; check the manual that corresponds to your MySQL server version",
    );
    return true;
  });
  postern = await startPostern(service.port, policy, { "any.json": "{}", "redirect.json": JSON.stringify(REDIRECT) });
});
afterAll(closeAll);
beforeEach(() => {
  service.arrived.length = 0;
});

const USUAL = { "user-agent": "Mozilla/5.0", accept: "*/*" };

async function send(
  path: string,
  options: RequestInit = {},
): Promise<{ readonly status: number; readonly reason?: string }> {
  const response = await fetch(`http://127.0.0.1:${postern.port}${path}`, {
    ...options,
    headers: { ...USUAL, ...options.headers },
  });
  const text = await response.text();
  const isProblem = response.headers.get("content-type") === "application/problem+json";
  return { status: response.status, ...(isProblem ? { reason: (JSON.parse(text) as { reason: string }).reason } : {}) };
}

const json = (value: unknown): RequestInit => ({
  method: "POST",
  headers: { "content-type": "application/json" },
  body: JSON.stringify(value),
});
const form = (text: string): RequestInit => ({
  method: "POST",
  headers: { "content-type": "application/x-www-form-urlencoded" },
  body: text,
});
const REFUSED = { status: 403, reason: "attack_detected" };

test("an attack in the query, a path, a header, a cookie", async () => {
  expect(await send(`/items?q=${encodeURIComponent(SQL)}`)).toEqual(REFUSED);
  expect(await send(`/items?${encodeURIComponent(XSS)}=1`)).toEqual(REFUSED);
  expect(await send(`/items/${encodeURIComponent(XSS.replaceAll("/", ""))}`)).toEqual(REFUSED);
  expect(await send("/items", { headers: { referer: `http://x/?q=${XSS}` } })).toEqual(REFUSED);
  expect(await send("/items", { headers: { cookie: `a=${encodeURIComponent(SQL)}` } })).toEqual(REFUSED);
  expect(service.arrived).toEqual([]);
});

test("an attack in a body of each kind", async () => {
  const multipart = new FormData();
  multipart.set("note", SQL);
  const file = new FormData();
  file.set("upload", new Blob(["x"]), "shell.php");
  const xml = `<order><name>${XSS.replaceAll("<", "&lt;")}</name></order>`;
  expect(await send("/items", json({ items: [{ note: "ok" }, { note: SQL }] }))).toEqual(REFUSED);
  expect(await send("/items", json({ [XSS]: 1 }))).toEqual(REFUSED);
  expect(await send("/items", form(`note=${encodeURIComponent(SQL)}`))).toEqual(REFUSED);
  expect(await send("/items", { method: "POST", body: multipart })).toEqual(REFUSED);
  expect(await send("/items", { method: "POST", body: file })).toEqual(REFUSED);
  expect(await send("/items", { method: "POST", headers: { "content-type": "application/xml" }, body: xml })).toEqual(
    REFUSED,
  );
  expect(service.arrived).toEqual([]);
});

test("JSON under another label is read as JSON", async () => {
  const body = JSON.stringify({ note: "\\u0027 OR 1=1 -- ".replaceAll("\\\\", "\\"), more: SQL });
  const escaped = body.replaceAll("UNION", "\\u0055NION");
  expect(await send("/items", { ...form(escaped) })).toEqual(REFUSED);
});

test("a member that the contract closes raises no alarm, and those that it leaves open are searched", async () => {
  expect(await send("/items", json({ to: ADDRESS }))).toEqual(REFUSED);
  for (const path of ["/described", "/sanitised"]) {
    expect(await send(path, json({ to: ADDRESS, page: 2 })), path).toEqual({ status: 200 });
    expect(await send(path, json({ to: ADDRESS, note: SQL })), path).toEqual(REFUSED);
    expect(await send(path, json({ to: ADDRESS, note: ADDRESS })), path).toEqual(REFUSED);
    expect(await send(path, json({ to: ADDRESS, more: { to: ADDRESS } })), path).toEqual(
      path === "/described" ? REFUSED : { status: 200 },
    );
  }
});

test("a compressed body is searched as what it holds, or refused", async () => {
  const body = gzipSync(JSON.stringify({ note: SQL }));
  const headers = { "content-type": "application/json", "content-encoding": "gzip" };
  expect(await send("/items", { method: "POST", headers, body })).toEqual({
    status: 415,
    reason: "content_encoding_unsupported",
  });
  expect(await send("/inflated", { method: "POST", headers, body })).toEqual(REFUSED);
});

test("what has two readings is refused", async () => {
  const headers = { "content-type": "application/json" };
  const twice = { method: "POST", headers, body: `{"note":"ok","note":${JSON.stringify(SQL)}}` };
  expect(await send("/items", twice)).toEqual({ status: 400, reason: "body_not_json" });
});

test("what people send passes", async () => {
  const multipart = new FormData();
  multipart.set("note", "Please ring twice; the bell of the side door is broken.");
  multipart.set("picture", new Blob([Buffer.alloc(10_000, 7)], { type: "image/png" }), "door.png");
  expect(await send("/items?page=2&sort=-price&q=blue%20shirt")).toEqual({ status: 200 });
  expect(await send("/items", json({ name: "O'Brien", note: "Select a plan and drop by", total: 19.99 }))).toEqual({
    status: 200,
  });
  expect(await send("/items", form("name=Ann&city=K%C3%B6ln"))).toEqual({ status: 200 });
  expect(await send("/items", { method: "POST", body: multipart })).toEqual({ status: 200 });
  expect(service.arrived).toHaveLength(4);
});

test("a route can leave rules out, in one field or altogether, or only look", async () => {
  expect(await send("/sql", json({ query: "SELECT name FROM users WHERE id = 1 OR 1=1" }))).toEqual({ status: 200 });
  expect(await send("/sql", json({ other: SQL }))).toEqual(REFUSED);
  expect(await send(`/unsearched?q=${encodeURIComponent(SQL)}`)).toEqual({ status: 200 });
  expect(await send(`/audited?q=${encodeURIComponent(SQL)}`)).toEqual({ status: 200 });
  const line = await postern.logged((one) => one["path"] === "/audited");
  expect(Object(line["detected"]).score).toBeGreaterThanOrEqual(5);
});

test("the log names rule, field and place, and not what a password in it was", async () => {
  await send("/items", json({ login: `x' OR password='correcthorse` }));
  const line = (await postern.logged((one: LogLine) => JSON.stringify(one).includes("json.login"))) as Record<
    string,
    unknown
  >;
  const { score, rules, hits } = Object(line["detected"]);
  expect(score).toBeGreaterThanOrEqual(5);
  expect(rules).toContain(942100);
  // The first hit is of another rule: clients ask by the address alone.
  const hit = (hits as readonly Record<string, unknown>[]).find(({ rule }) => rule === 942100);
  expect(hit).toMatchObject({ in: "request", detector: "crs", field: "ARGS:json.login" });
  expect(hit?.["place"]).toMatch(/REQUEST-942-APPLICATION-ATTACK-SQLI\.conf:\d+$/);
  expect(line["seen"]).toMatch(/^score 8: 920350 .*, score 3 \(REQUEST-920-PROTOCOL-ENFORCEMENT\.conf:\d+\); 942100 /);
  expect(postern.output()).not.toContain("correcthorse");
  const { body } = await postern.admins("/metrics");
  expect(body).toMatch(/postern_detected_total\{.*category="attack-sqli".*rule="942100".*\} [1-9]/);
});

test("an answer that tells of the database does not leave", async () => {
  expect(await send("/broken")).toEqual({ status: 502, reason: "response_attack_detected" });
});

test("nor does one in a script, as to '?callback=', or in another notation of text", async () => {
  expect(await send("/broken/script")).toEqual({ status: 502, reason: "response_attack_detected" });
});

test("a long answer is searched to its end, in turns, and one without a fault leaves whole", async () => {
  expect(await send("/broken/long")).toEqual({ status: 502, reason: "response_attack_detected" });
  const whole = await fetch(`http://127.0.0.1:${postern.port}/fine/long`, { headers: USUAL });
  expect(whole.status).toBe(200);
  expect(await whole.text()).toBe("All is well. ".repeat((400 * 1024) / 13));
});
