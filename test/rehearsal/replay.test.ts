import { createHash } from "node:crypto";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import type { DecisionFacts, PrincipalFacts } from "../../src/records/decision-facts.ts";
import { factsOf } from "../records/kit.ts";
import { folderWith, KEY } from "./kit.ts";

const HEAD = `version: 1
service: orders
listeners: [{ name: inbound, address: 127.0.0.1:8080 }]
upstreams: { app: { address: http://127.0.0.1:3000 } }
authenticators:
  okta: { type: jwt, issuer: "https://idp.example.org/", audience: [orders], algorithms: [RS256], keys: jwks.json }
  partners: { type: api-key, header: X-Api-Key, keys: keys.yaml }
limits:
  tight: { rate: 2/minute, burst: 2, key: principal }
`;
const FILES = {
  "body.json": JSON.stringify({ type: "object" }),
  "jwks.json": JSON.stringify({
    keys: [{ kty: "OKP", crv: "Ed25519", x: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", kid: "1", alg: "EdDSA" }],
  }),
  "keys.yaml": `callers: [{ name: acme, scopes: ["orders:read"], keys: [{ sha256: "${createHash("sha256").update(KEY).digest("hex")}" }] }]`,
};

const alice: PrincipalFacts = {
  id: "alice",
  authenticator: "okta",
  type: "jwt",
  scopes: ["orders:read"],
  roles: [],
  groups: [],
  claimNames: ["iss", "sub", "aud", "exp", "scope", "tenant", "level"],
  claims: { iss: "https://idp.example.org/", aud: "orders", tenant: "acme" },
};
const acme: PrincipalFacts = {
  ...alice,
  id: "acme",
  authenticator: "partners",
  type: "api-key",
  claimNames: [],
  claims: {},
};

let world: ReturnType<typeof folderWith>;

beforeAll(() => {
  world = folderWith({ ...FILES, "policy.yaml": HEAD.replace("RS256", "EdDSA") });
});

interface Report {
  readonly records: number;
  readonly same: number;
  readonly changed: number;
  readonly undecided: number;
  readonly skipped: number;
  readonly untold: Readonly<Record<string, number>>;
  readonly changes: readonly Readonly<Record<string, unknown>>[];
  readonly skippedLines: readonly { readonly place: string; readonly text: string }[];
}

function write(routes: string, lines: readonly (string | Partial<DecisionFacts>)[]): void {
  writeFileSync(join(world.folder, "policy.yaml"), `${HEAD.replace("RS256", "EdDSA")}routes:\n${routes}\n`);
  const text = lines.map((line) => (typeof line === "string" ? line : JSON.stringify(factsOf(line)))).join("\n");
  writeFileSync(join(world.folder, "record.jsonl"), `${text}\n`);
}

async function replay(routes: string, lines: readonly (string | Partial<DecisionFacts>)[]): Promise<Report> {
  write(routes, lines);
  const { out, err } = await world.postern("replay", "--json", "--policy", "policy.yaml", "record.jsonl");
  expect(err).toBe("");
  return JSON.parse(out) as Report;
}

const OPEN = "  - { path: '/orders/{id}', methods: [GET], public: true }";
const route = (more: string) => `  - { path: '/orders/{id}', authenticate: [okta, partners], ${more} }`;
const denied = { verdict: "deny", status: 403, reason: "scope_missing" } as const;

describe("a decision that would change", () => {
  test("is told by route, reason and caller, with examples", async () => {
    const report = await replay(route("authorize: { scopes: [orders:write] }"), [
      ...["a-1", "a-2", "a-3", "a-4"].map((id) => ({ id, principal: alice })),
      { id: "b-1", principal: acme },
      { id: "c-1", principal: alice, ...denied },
    ]);
    expect(report).toMatchObject({ records: 6, same: 1, changed: 5, untold: {}, skipped: 0 });
    expect(report.changes).toEqual([
      {
        change: "ALLOW→DENY",
        route: "/orders/{id}",
        reason: "scope_missing",
        place: expect.stringMatching(/^policy\.yaml:11:\d+$/),
        caller: "okta/alice",
        requests: 4,
        examples: ["a-1", "a-2", "a-3"],
      },
      expect.objectContaining({ caller: "partners/acme", requests: 1, examples: ["b-1"] }),
    ]);
  });

  test("from denied to allowed has the reason that it was denied for", async () => {
    const report = await replay(route("authorize: { scopes: [orders:read] }"), [{ principal: alice, ...denied }]);
    expect(report.changes).toMatchObject([{ change: "DENY→ALLOW", reason: "scope_missing", caller: "okta/alice" }]);
  });

  test("for want of a route", async () => {
    const report = await replay(OPEN, [{ path: "/other", route: "/other" }, { method: "DELETE" }]);
    expect(report.changes.map(({ reason }) => reason)).toEqual(["route_not_found", "method_not_allowed"]);
  });

  test("because nobody would be anonymous any more", async () => {
    const report = await replay(route("limit: [tight]"), [{}]);
    expect(report.changes).toMatchObject([{ change: "ALLOW→DENY", caller: "nobody", reason: "credentials_missing" }]);
  });

  test("makes the exit code 1, unless that is allowed", async () => {
    write(OPEN, [{ path: "/other" }]);
    const run = (...more: string[]) => world.postern("replay", "-p", "policy.yaml", ...more, "record.jsonl");
    expect((await run()).code).toBe(1);
    expect((await run("--allow-changes")).code).toBe(0);
    write(OPEN, [{}]);
    expect((await run()).code).toBe(0);
  });
});

describe("limits go by the record's own clock", () => {
  const atMs = Date.UTC(2026, 10, 1);
  const every = (seconds: number) =>
    Array.from({ length: 6 }, (_, nth) => ({ atMs: atMs + nth * seconds * 1000, durationMs: 0, principal: acme }));

  test("six within a minute meet one of two", async () => {
    const report = await replay(route("limit: [tight]"), every(1));
    expect(report.changes).toMatchObject([{ reason: "rate_limited", requests: 4 }]);
  });

  test("one in half a minute does not", async () => {
    expect(await replay(route("limit: [tight]"), every(31))).toMatchObject({ same: 6, changed: 0 });
  });

  test("of a sample nobody can tell", async () => {
    const report = await replay(
      route("limit: [tight]"),
      every(1).map((one) => ({ ...one, oneIn: 10 })),
    );
    expect(report).toMatchObject({
      same: 2,
      changed: 0,
      untold: { "counts before the record, or beside its sample": 4 },
    });
  });
});

describe("what hangs on what is not recorded is counted, never guessed", () => {
  test.each([
    [
      "body",
      "validate: { body: { schema: body.json } }",
      { method: "POST", requestBytes: 10, headers: ["content-type: application/json", "content-length: 10"] },
    ],
    ["header x-tier", `authorize: { when: 'request.headers["x-tier"] == "gold"' }`, { headers: ["x-tier"] }],
    ["query", "authorize: { when: 'query.page == \"2\"' }", { query: ["page"] }],
    ["claim level", "authorize: { when: 'jwt.level == 2' }", {}],
    [
      "masked path",
      "validate: { path: { id: { type: string, pattern: '^[a-z]+$' } } }",
      { path: "/orders/~redacted~" },
    ],
  ])("%s", async (why, more, facts) => {
    const report = await replay(route(`methods: [GET, POST], ${more}`), [{ principal: alice, ...facts }]);
    expect(report).toMatchObject({ changed: 0, untold: { [why]: 1 } });
  });

  test("clients that have no address are judged, too", async () => {
    const clients = ["unix", "unix:", "unknown"].map((client) => ({ client }));
    expect(await replay(OPEN, clients)).toMatchObject({ same: 3, skipped: 0 });
    const closed = await replay(`${OPEN.slice(0, -2)}, address: { allow: [10.0.0.0/8] } }`, clients);
    expect(closed.changes).toMatchObject([{ reason: "address_denied", requests: 3 }]);
  });

  test("what is recorded is judged", async () => {
    const known = await replay(route(`authorize: { when: 'jwt.tenant == "acme"' }`), [{ principal: alice }]);
    expect(known).toMatchObject({ same: 1, untold: {} });
    const other = await replay(route(`authorize: { when: 'jwt.tenant == "other"' }`), [{ principal: alice }]);
    expect(other.changes).toMatchObject([{ reason: "condition_failed" }]);
    const absent = await replay(route(`authorize: { when: 'request.headers["x-tier"] == "gold"' }`), [
      { principal: alice },
    ]);
    expect(absent).toMatchObject({ changed: 1 });
  });

  test("credentials that were refused", async () => {
    const refused = { verdict: "deny", status: 401, reason: "token_expired", headers: ["authorization"] } as const;
    expect(await replay(route("limit: [tight]"), [refused])).toMatchObject({ same: 1 });
    // Without authenticators everybody may, whatever was shown.
    expect(await replay(OPEN, [refused])).toMatchObject({ changed: 1 });
  });
});

describe("lines that are no requests", () => {
  test("are skipped with their places", async () => {
    const report = await replay(OPEN, [
      {},
      "{ broken",
      JSON.stringify({ ...factsOf(), v: 7 }),
      `{"v":1,"path":"${"x".repeat(300_000)}"}`,
      { client: "nowhere" },
      { path: "/a\u0000b" },
      { method: "GET /other HTTP/1.1\r\nX: y" },
      "",
      {},
    ]);
    expect(report).toMatchObject({ records: 2, same: 2, skipped: 6 });
    expect(report.skippedLines.map(({ place }) => place)).toEqual(
      [2, 3, 4, 5, 6, 7].map((line) => `record.jsonl:${line}`),
    );
  });

  test("nor does one of a client that ends the rest: half a character, a time out of all bounds", async () => {
    const report = await replay(OPEN, [
      { query: [`${"a".repeat(63)}\ud83d…`], path: "/orders/\udc00", host: "\ud800" },
      { query: ["sort"], values: ["\udfff"] },
      { atMs: 8.64e15 },
      { atMs: 1e300 },
      { atMs: -1e300, durationMs: 1e300 },
      { path: "/other" },
    ]);
    expect(report.changes).toMatchObject([{ change: "ALLOW→DENY", reason: "route_not_found" }]);
  });

  test("put nothing into the table that acts on a terminal", async () => {
    write(route("limit: [tight]"), [
      {
        id: "x\u001b[2J",
        principal: { ...alice, id: "eve\n\u202eALLOW→DENY", authenticator: "gone" },
        route: "/\u009b31m",
      },
      { path: "/%1b\u001b[31m" },
    ]);
    const { out } = await world.postern("replay", "-p", "policy.yaml", "record.jsonl");
    expect(out).not.toMatch(/[\u001b\u009b\u202e]/);
    expect(out.split("\n").filter((line) => line.startsWith("ALLOW→DENY")).length).toBeLessThan(2);
  });
});

test("a file that others may write is said to be one, and one that is none is refused", async () => {
  write(OPEN, [{}]);
  const file = join(world.folder, "record.jsonl");
  chmodSync(file, 0o666);
  const run = (name: string) => world.postern("replay", "-p", "policy.yaml", name);
  expect((await run("record.jsonl")).err).toContain("others may write it");
  chmodSync(file, 0o600);
  expect(await run("/dev/zero")).toMatchObject({ code: 2, err: expect.stringContaining("is no regular file") });
  expect(await run("absent.jsonl")).toMatchObject({ code: 2, err: expect.stringContaining("ENOENT") });
});

describe("access logs are read as far as they go", () => {
  const lines = {
    nginx: '192.0.2.1 - - [01/Nov/2026:12:00:00 +0000] "GET /orders/7?x=secret HTTP/1.1" 200 12 "-" "curl/8.5.0"',
    nginxJson:
      '{"time_iso8601":"2026-11-01T12:00:01+00:00","remote_addr":"192.0.2.1","request":"GET /other HTTP/1.1","status":"200","http_user_agent":"x"}',
    envoy:
      '[2026-11-01T12:00:02.310Z] "GET /orders/8 HTTP/2" 200 - 0 226 100 99 "192.0.2.2" "nsq2http" "cc21d9b0-cf5c-432b-8c7e-98aeb7988cd2" "localhost" "tcp://10.0.2.1:80"',
    envoyJson:
      '{"start_time":"2026-11-01T12:00:03.310Z","method":"GET","path":"/other","response_code":200,"downstream_remote_address":"192.0.2.2:4000","authority":"a.example:443"}',
    haproxy:
      'Nov  1 12:00:04 host haproxy[14389]: 192.0.2.3:33317 [01/Nov/2026:12:00:04.655] http-in static/srv1 10/0/30/69/109 200 2750 - - ---- 1/1/1/1/0 0/0 "GET /orders/9 HTTP/1.1"',
    own: '{"level":"info","time":"2026-11-01T12:00:05.000Z","event":"request","id":"abcdefgh-9","listener":"inbound","client":"192.0.2.4","protocol":"h2","method":"GET","path":"/other","route":"/other","status":200,"principal":"alice","authenticator":"okta","decisionUs":20,"upstreamMs":1,"durationMs":2,"bytesIn":0,"bytesOut":1,"policyHash":"x"}',
    ownEvent: '{"level":"info","time":"2026-11-01T12:00:06.000Z","event":"reload","result":"ok"}',
    refused: '192.0.2.1 - - [01/Nov/2026:12:00:07 +0000] "GET /orders/7 HTTP/1.1" 403 12',
  };

  test("of nginx, Envoy, HAProxy and postern", async () => {
    const report = await replay(OPEN, Object.values(lines));
    expect(report).toMatchObject({ records: 7, same: 3, changed: 3, undecided: 1, skipped: 0 });
    expect(report.changes.map(({ caller, requests }) => [caller, requests]).toSorted()).toEqual([
      ["nobody", 2],
      ["okta/alice", 1],
    ]);
  });

  test("with whole URLs, as HAProxy writes those of HTTP/2, and by the route of the new policy", async () => {
    const policy = OPEN.replace("public: true", "public: true, hosts: [a.example], address: { allow: [10.0.0.0/8] }");
    const report = await replay(policy, [
      lines.haproxy.replace("GET /orders/9 HTTP/1.1", "GET https://a.example/orders/9?x=1 HTTP/2.0"),
      lines.haproxy.replace("GET /orders/9 HTTP/1.1", "GET https://b.example HTTP/2.0"),
    ]);
    expect(report).toMatchObject({ records: 2, changed: 2, skipped: 0 });
    expect(report.changes.map(({ route, reason }) => [route, reason]).toSorted()).toEqual([
      ["/orders/{id}", "address_denied"],
      ["unknown", "route_not_found"],
    ]);
  });

  test("under names of ECS and OpenTelemetry; of names that nobody knows nothing is said", async () => {
    const named = {
      "@timestamp": "2026-11-01T12:00:01Z",
      "client.ip": "192.0.2.1",
      "http.request.method": "GET",
      "url.path": "/other",
      "http.response.status_code": 200,
    };
    const report = await replay(OPEN, [
      JSON.stringify(named),
      '{"time":"2026-11-01T12:00:01Z","verb":"GET","resource":"/other","code":200}',
      '{"time":"2026-11-01T12:00:01Z","method":"GET","path":"/other"}',
    ]);
    expect(report).toMatchObject({ records: 1, changed: 1, skipped: 2 });
  });

  test("behind what syslog puts before them, and with seconds since 1970 for a time", async () => {
    const report = await replay(OPEN, [
      `<190>Nov  1 12:00:00 edge nginx: ${lines.nginx.replace("/orders/7", "/other")}`,
      `Nov  1 12:00:00 edge nginx[14]: ${lines.nginx.replace("/orders/7", "/other")}`,
      lines.nginxJson.replace('"time_iso8601":"2026-11-01T12:00:01+00:00"', '"msec":"1793534401.310"'),
      `<134>Dec  1 08:32:36 haproxy[12958]: ${lines.envoyJson}`,
      `<134>1 2026-12-01T08:32:36.228+00:00 host haproxy 12958 - - ${lines.envoyJson}`,
    ]);
    expect(report).toMatchObject({ records: 5, changed: 5, skipped: 0 });
    // None of them has an id by which somebody could find it.
    expect(report.changes.map(({ examples }) => examples)).toEqual([
      ["record.jsonl:1", "record.jsonl:2", "record.jsonl:3"],
    ]);
  });

  test("with the host before the client, as Apache's vhost_combined has it, and of users with blanks in their names none", async () => {
    const policy = OPEN.replace("public: true", "public: true, hosts: [a.example], address: { allow: [10.0.0.0/8] }");
    const report = await replay(policy, [
      `a.example:443 ${lines.nginx}`,
      `Nov  1 12:00:00 edge apache2[14]: b.example ${lines.nginx}`,
      lines.nginx.replace("- - [", "- john doe ["),
    ]);
    expect(report).toMatchObject({ records: 2, changed: 2, skipped: 1 });
    expect(report.changes.map(({ route, reason }) => [route, reason]).toSorted()).toEqual([
      ["/orders/{id}", "address_denied"],
      ["unknown", "route_not_found"],
    ]);
  });

  test("whose callers nobody can tell are not guessed", async () => {
    const report = await replay(route("authorize: { scopes: [orders:read] }"), [
      lines.nginx,
      lines.own.replaceAll("/other", "/orders/1"),
    ]);
    expect(report).toMatchObject({ changed: 0, records: 2 });
    expect(Object.values(report.untold).reduce((sum, one) => sum + one, 0)).toBe(2);
  });

  test("by rules about addresses, on routes that ask for nothing else", async () => {
    const rule = OPEN.replace("public: true", "public: true, address: { allow: [10.0.0.0/8] }");
    expect(await replay(rule, [lines.nginx])).toMatchObject({ records: 1, changed: 1, untold: {} });
  });

  // As Envoy writes it by default: nobody has forwarded the request.
  const atEdge = lines.envoy.replace('"192.0.2.2"', '"-"');
  const withoutClient = lines.envoyJson.replace(/"downstream_remote_address":"[^"]*",/, "");

  test("that do not tell the client's address are read, and it is not guessed", async () => {
    expect(await replay(OPEN, [atEdge, withoutClient])).toMatchObject({ records: 2, same: 1, changed: 1, skipped: 0 });
    const limited = await replay(OPEN.replace("public: true", "public: true, address: { allow: [10.0.0.0/8] }"), [
      atEdge,
    ]);
    expect(limited).toMatchObject({ records: 1, changed: 0, skipped: 0, untold: { "client address": 1 } });
  });
});
