// Goal: what requests show of the API is listed as what it is. Method: real policies; requests as the proxy tells of them.
import { validate } from "@hyperjump/json-schema/openapi-3-1";
import { expect, test } from "vitest";
import { Denial } from "../../src/decision/verdict.ts";
import { LeakNotes } from "../../src/message/leak-notes.ts";
import { read } from "../openapi/kit.ts";
import { NOW_MS, policyWith, problemsOf, snapshotOf, warningsOf } from "../policy/policy-kit.ts";
import { asked, callerOf, finishedOf, linesOf, MISSING, note, refusal, rowsOf } from "./kit.ts";

const ADMIN = "admin: { address: 127.0.0.1:9901 }\ninventory: {}";
const UUID = "0b54ad3b-9d6b-4f0e-8d9f-3f2a6f2a9c11";

function policy(routes: string, more = ""): string {
  return policyWith(`${ADMIN}\n${more}\nroutes:\n${routes}`);
}

const MIXED = policy(`  - { path: '/orders/{id}', methods: [GET, DELETE], public: true }
  - { path: /reports, methods: [GET], public: true }
  - { path: /old, methods: [GET], public: true, deprecated: {} }
  - { path: '/files/**', public: true }`);

test("what is declared is used or dead, what is not is undeclared or merely probed", async () => {
  const snapshot = await snapshotOf(MIXED);
  for (const path of ["/orders/1", "/orders/hunter2"]) note(snapshot, "/orders/{id}", finishedOf({ path }));
  note(snapshot, "/files/**", finishedOf({ path: "/files/2026-11-30/list" }));
  note(snapshot, "/files/**", finishedOf({ path: `/files/${UUID}`, method: "PUT" }, { status: 204 }));
  note(snapshot, "/files/**", finishedOf({ path: "/files/none" }, MISSING));
  note(snapshot, "/old", finishedOf({ path: "/old" }));
  note(snapshot, null, finishedOf({ path: "/wp-admin" }, refusal(new Denial("route_not_found", null, "", ""))));
  expect(await linesOf(snapshot)).toEqual([
    "probed GET /files/none 1",
    "undeclared GET /files/{date}/list 1",
    "undeclared PUT /files/{uuid} 1",
    "used GET /old 1",
    "dead DELETE /orders/{id} 0",
    "used GET /orders/{id} 2",
    "dead GET /reports 0",
    "probed GET /wp-admin 1",
  ]);
  const of = (rows: Awaited<ReturnType<typeof rowsOf>>, path: string) => rows.find((row) => row.path === path);
  const rows = await rowsOf(snapshot);
  expect(of(rows, "/old")?.findings).toEqual(["deprecated_used", "unauthenticated"]);
  expect(of(rows, "/files/{uuid}")).toMatchObject({
    findings: ["undeclared", "unauthenticated_change"],
    exposure: "high",
    threat: "none",
    declared: null,
    first: new Date(NOW_MS).toISOString(),
  });
  expect(of(rows, "/wp-admin")).toMatchObject({ threat: "low", exposure: "none" });
  expect(await asked(snapshot, "status=dead")).toMatchObject({
    counts: { used: 2, dead: 2, undeclared: 2, probed: 2 },
  });
});

test("the policy's own parameters are taken as they are, and only what is behind them is learnt", async () => {
  const snapshot = await snapshotOf(policy("  - { path: '/{tenant}/v1/**', public: true }"));
  for (const path of ["/acme/v1/items/7", "/other/v1/items/8.5", "/acme/v1", "/acme/v1/"]) {
    note(snapshot, "/{tenant}/v1/**", finishedOf({ path }));
  }
  expect(await linesOf(snapshot)).toEqual([
    "undeclared GET /{tenant}/v1 1",
    "undeclared GET /{tenant}/v1/ 1",
    "undeclared GET /{tenant}/v1/items/{number} 2",
  ]);
});

test("many names at one place are values, with what is known of each of them", async () => {
  const snapshot = await snapshotOf(policy("  - { path: /**, public: true }"));
  const name = (at: number) => `post-${String.fromCharCode(97 + (at % 26), 97 + Math.floor(at / 26))}`;
  for (let at = 0; at < 64; at++) note(snapshot, "/**", finishedOf({ path: `/blog/${name(at)}/likes` }));
  expect(await linesOf(snapshot)).toHaveLength(64);
  for (let at = 0; at < 100; at++) note(snapshot, "/**", finishedOf({ path: `/blog/${name(at)}/likes` }));
  note(snapshot, "/**", finishedOf({ path: "/blog/another-one" }, MISSING));
  expect(await linesOf(snapshot)).toEqual(["probed GET /blog/another-one 1", "undeclared GET /blog/{slug}/likes 164"]);
  expect((await rowsOf(snapshot))[1]?.findings).toContain("gap_names");
});

test("who calls, with what tokens, and what kinds of data went", async () => {
  const snapshot = await snapshotOf(policy("  - { path: /orders, public: true }"));
  const claims = { iat: NOW_MS / 1000, aud: "orders" };
  const token = (id: string, changes: object, expiresAtMs: number) =>
    callerOf(id, { type: "jwt", claims: { ...claims, ...changes }, expiresAtMs });
  const day = 86_400_000;
  const callers = [
    callerOf("acme"),
    token("sound", {}, NOW_MS + day),
    token("long", {}, NOW_MS + 31 * day),
    token("endless", { aud: undefined }, Number.POSITIVE_INFINITY),
  ];
  for (const principal of callers) note(snapshot, "/orders", finishedOf({ path: "/orders", principal }));
  note(
    snapshot,
    "/orders",
    finishedOf({ path: "/orders", principal: callers[0] ?? null }, {}, (exchange) => {
      exchange.leaks = new LeakNotes();
      exchange.leaks.add({ way: "response", kind: "card", action: "mask", field: "/number" });
    }),
  );
  const [row] = await rowsOf(snapshot);
  expect(row?.callers.map(({ caller, requests, weak }) => [caller, requests, weak])).toEqual([
    ["partners/acme", 2, []],
    ["partners/endless", 1, ["no_expiry", "no_audience"]],
    ["partners/long", 1, ["long_life"]],
    ["partners/sound", 1, []],
  ]);
  expect(row?.sensitive).toEqual([{ way: "response", kind: "card", count: 1 }]);
  expect(row?.findings).toEqual(["sensitive", "weak_token"]);
});

test("what changes where only reading is declared, and reading that is none, is told", async () => {
  const snapshot = await snapshotOf(
    policy(`  - { path: '/orders/{id}', methods: [GET], public: true }
  - { path: /**, public: true }`),
  );
  note(snapshot, "/orders/{id}", finishedOf({ path: "/orders/1" }, { requestBodyBytes: 3 }));
  note(snapshot, "/**", finishedOf({ path: "/orders/1", method: "DELETE" }, { status: 204 }));
  note(snapshot, "/**", finishedOf({ path: "/Orders/1" }));
  note(snapshot, "/**", finishedOf({ path: "/items/7" }, { status: 201 }));
  note(snapshot, "/**", finishedOf({ path: "/items/7/delete" }));
  note(snapshot, "/**", finishedOf({ path: "/items/7/deleted" }));
  note(snapshot, "/**", finishedOf({ path: "/items/7/" }));
  const found = Object.fromEntries(
    (await rowsOf(snapshot)).map(({ method, path, findings }) => [
      `${method} ${path}`,
      findings.filter((one) => /^(?:unsafe|get|gap)/.test(one)),
    ]),
  );
  expect(found).toEqual({
    "DELETE /orders/{number}": ["unsafe_method", "gap_spelling"],
    "GET /Orders/{number}": ["gap_spelling"],
    "GET /items/{number}": ["get_changes", "gap_spelling"],
    "GET /items/{number}/": ["gap_spelling"],
    "GET /items/{number}/delete": ["get_changes"],
    "GET /items/{number}/deleted": [],
    "GET /orders/{id}": ["get_with_body", "gap_spelling"],
  });
});

test("attacks and refusals are the other axis", async () => {
  const snapshot = await snapshotOf(policy("  - { path: /orders, public: true }"));
  const [route] = snapshot.routeList;
  const denial = new Denial("scope_missing", route?.place ?? null, "", "");
  for (let at = 0; at < 20; at++) note(snapshot, "/orders", finishedOf({ path: "/orders" }, refusal(denial)));
  note(snapshot, "/orders", finishedOf({ path: "/orders", principal: callerOf("acme") }));
  expect((await rowsOf(snapshot))[0]).toMatchObject({ findings: ["refused"], threat: "medium", exposure: "none" });
  const live = await asked(snapshot, "as=live");
  expect(live).toMatchObject({
    requests: 21,
    operations: [{ method: "GET", path: "/orders", requests: 21, confirmed: 1, denied: 20 }],
    callers: [{ caller: "partners/acme", requests: 1, denied: 0 }],
    rules: [
      { route: "/orders", verdict: "allow", requests: 1 },
      { route: "/orders", verdict: "deny", reason: "scope_missing", place: "conf/policy.yaml:10:5", requests: 20 },
    ],
  });
});

test("what postern answers itself makes nothing of the service's, and what fails between the two neither", async () => {
  const snapshot = await snapshotOf(MIXED);
  note(snapshot, "/files/**", finishedOf({ path: "/files/a", method: "OPTIONS" }, { status: 204, upstreamMs: -1 }));
  note(
    snapshot,
    "/files/**",
    finishedOf({ path: "/files/b" }, { status: 502, reason: "upstream_refused", upstreamMs: -1 }),
  );
  note(snapshot, "/files/**", finishedOf({ path: "/files/c" }, { status: 302 }));
  expect((await linesOf(snapshot)).filter((line) => !line.startsWith("dead"))).toEqual([
    "probed GET /files/b 1",
    "probed GET /files/c 1",
  ]);
});

const DOCUMENT = `openapi: 3.1.0
info: { title: orders, version: '1' }
servers: [{ url: /v1 }]
paths:
  /orders/{id}:
    get: { responses: {}, parameters: [{ name: id, in: path, required: true, schema: { type: string } }] }
    delete: { responses: {}, parameters: [{ name: id, in: path, required: true, schema: { type: string } }] }
  /it's: { get: { responses: {} } }
`;

test("a document of what was answered is valid, and an Overlay of the declared one applies", async () => {
  const snapshot = await snapshotOf(
    policyWith(`${ADMIN}
openapi: [{ file: api/orders.yaml, public: true, undeclared: audit }]`),
    { "api/orders.yaml": DOCUMENT },
  );
  note(snapshot, "/v1/orders/{id}", finishedOf({ path: "/v1/orders/1" }));
  note(snapshot, "/v1/**", finishedOf({ path: `/v1/items/7/${UUID}/8`, method: "PATCH" }));
  expect((await linesOf(snapshot)).filter((line) => !line.startsWith("dead"))).toEqual([
    "undeclared PATCH /v1/items/{number}/{uuid}/{number2} 1",
    "used GET /v1/orders/{id} 1",
  ]);
  const whole = await asked(snapshot, "as=openapi");
  const judged = await validate("https://spec.openapis.org/oas/3.1/schema", JSON.parse(JSON.stringify(whole)));
  expect(judged.valid).toBe(true);
  expect(Object.keys(Object(whole["paths"]))).toEqual(["/v1/items/{number}/{uuid}/{number2}", "/v1/orders/{id}"]);
  const again = read({ "api/seen.json": JSON.stringify(whole) }, { file: "api/seen.json" });
  expect(again.findings.problems).toEqual([]);

  const overlay = JSON.stringify(await asked(snapshot, "as=overlay&document=orders.yaml"));
  const files = { "api/orders.yaml": DOCUMENT, "api/overlay.json": overlay };
  const laid = read(files, { overlays: ["api/overlay.json"] });
  expect([laid.findings.problems, laid.findings.warnings]).toEqual([[], []]);
  expect(laid.description?.operations.map(({ method, template }) => `${method} ${template}`)).toEqual([
    "GET /orders/{id}",
    "DELETE /orders/{id}",
    "GET /it's",
    "PATCH /items/{number}/{uuid}/{number2}",
  ]);
  expect(overlay).toContain('"target":"$.paths[\'/it\\\\\'s\'].get"');
});

test("what a policy without a document, or a query that nobody knows, gets", async () => {
  const snapshot = await snapshotOf(MIXED);
  await expect(asked(snapshot, "as=overlay")).rejects.toThrow("no OpenAPI document");
  await expect(asked(snapshot, "as=sheet")).rejects.toThrow("expected as=list");
  await expect(asked(snapshot, "status=lost")).rejects.toThrow("expected status=used|dead");
  await expect(asked(snapshot, "from=-1")).rejects.toThrow("from=NUMBER");
});

test("nobody pays for it who does not ask, and who asks without a way to look is told", async () => {
  const without = await snapshotOf(policyWith("routes: [{ path: /, public: true }]"));
  expect(without.records).toBeNull();
  const routes = "routes: [{ path: /, public: true }]";
  expect(await problemsOf(policyWith(`inventory: {}\n${routes}`))).toEqual([]);
  expect(String(await warningsOf(policyWith(`inventory: {}\n${routes}`)))).toContain("nobody can ask for it");
  expect(String(await problemsOf(policyWith(`inventory: { callers: 65 }\n${routes}`)))).toContain("at most 64");
});
