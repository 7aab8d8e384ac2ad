// Goal: a test of a policy says what requests come to by the code that judges them, each from the same beginning.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { policyWith } from "../policy/policy-kit.ts";
import { folderWith, KEY, ordersWith, type Told } from "./kit.ts";

const FILES = {
  "keys.yaml": `callers: [{ name: acme, scopes: ["orders:read"], keys: [{ sha256: "${createHash("sha256").update(KEY).digest("hex")}" }] }]`,
  "order.json": JSON.stringify({ type: "object", properties: { total: { type: "number" } }, required: ["sku"] }),
};

async function run(tests: string, ...args: readonly string[]): Promise<Told> {
  return folderWith({ ...FILES, "policy.yaml": ordersWith(tests) }).postern("test", ...args, "policy.yaml");
}

/** What each test came to. */
async function outcomes(tests: string): Promise<readonly string[]> {
  const { out, err } = await run(tests, "--json");
  if (out === "") throw new Error(err);
  const report: { tests: { outcome: string }[] } = JSON.parse(out);
  return report.tests.map(({ outcome }) => outcome);
}

/** What the only test of these, which fails, says it found in place of what it expects. */
async function found(fields: string): Promise<readonly string[]> {
  const { out, err } = await run(`  - { name: one, ${fields} }`, "--json");
  if (out === "") throw new Error(err);
  const report: { tests: { failure: { differences: { what: string; found: string }[] } }[] } = JSON.parse(out);
  return (report.tests[0]?.failure.differences ?? []).map((one) => `${one.what}: ${one.found}`);
}

describe("an expectation", () => {
  const held: readonly string[] = [
    "request: { path: /health }, expect: allow",
    "request: { path: /nothing }, expect: deny",
    "request: { path: /orders/1 }, expect: { deny: credentials_missing, status: 401 }",
    "request: { path: /orders/1 }, expect: { deny: [scope_missing, credentials_missing] }",
    'request: { path: /orders/1 }, expect: { deny: true, rule: "routes[1].authenticate" }',
    'request: { path: /orders/1 }, as: { jwt: { scope: "orders:write" } }, expect: { deny: scope_missing, rule: "routes[1].authorize" }',
    "request: { path: /orders/1, headers: { X-Api-Key: wrong-key-0123456789abcdef } }, expect: { deny: api_key_unknown }",
    `request: { path: /orders/1, headers: { X-Api-Key: ${KEY} } }, expect: allow`,
    'request: { path: "/orders/1?full=1" }, as: { api-key: acme }, expect: { allow: true, route: "/orders/{id}", upstream: { path: "/orders/1?full=1", headers: { X-Postern-Principal: acme, X-Api-Key: null } } }',
    'request: { method: POST, path: /orders, body: { total: "12" } }, as: { jwt: { sub: a } }, expect: { deny: body_schema_mismatch, problems: [/total] }',
    "request: { method: POST, path: /orders, body: { sku: a, total: 12 } }, as: { jwt: { sub: a } }, expect: allow",
    "request: { path: /../x }, expect: { deny: target_ambiguous, status: 400 }",
    "request: { path: /orders/1 }, as: { api-key: nobody-there }, expect: { deny: api_key_unknown }",
    "request: { method: POST, path: /orders }, as: { api-key: acme }, expect: deny",
  ];
  test.each(held)("holds: %s", async (fields) => {
    expect(await outcomes(`  - { name: one, ${fields} }`)).toEqual(["passed"]);
  });

  const broken: readonly (readonly [string, readonly string[]])[] = [
    ["request: { path: /health }, expect: deny", ["outcome: allow"]],
    ["request: { path: /orders/1 }, expect: allow", ["outcome: deny credentials_missing"]],
    ["request: { path: /orders/1 }, expect: { deny: scope_missing }", ["outcome: deny credentials_missing"]],
    ["request: { path: /orders/1 }, expect: { deny: credentials_missing, status: 403 }", ["status: 401"]],
    ['request: { path: /orders/1 }, expect: { deny: true, rule: "routes[1].auth" }', ["rule: routes[1].authenticate"]],
    ["request: { path: /health }, expect: { allow: true, route: /other }", ["route: /health"]],
    [
      "request: { path: /health, headers: { X-A: b } }, expect: { allow: true, upstream: { path: /x, headers: { X-A: c, X-B: d } } }",
      ["upstream path: /health", "header X-A: b", "header X-B: no such header"],
    ],
    [
      'request: { method: POST, path: /orders, body: { total: "12" } }, as: { jwt: {} }, expect: { deny: true, problems: [/other] }',
      ["problem: , /total"],
    ],
    [
      "request: { path: /orders/1 }, as: { api-key: acmee }, expect: deny",
      ["as: neither a caller of this name nor a key; did you mean 'acme'?"],
    ],
    [
      "matrix: { principals: { partner: { basic: acme } }, resources: { order: /orders/1 }, actions: [GET], allow: {} }",
      ["as: no authenticator that takes 'basic'"],
    ],
    [
      'request: { path: /orders/1 }, as: { certificate: { spiffeId: "spiffe://a.example/b" } }, expect: deny',
      ["as: listener 'inbound' asks for no certificate"],
    ],
    ["request: { path: /health, listener: other }, expect: allow", ["request: there is no listener 'other'"]],
    ["request: { path: /health, client: nowhere }, expect: allow", ["request: not an IP address: nowhere"]],
    ["as: { certificate: none.pem }, expect: allow", ["request: 'none.pem' does not exist"]],
    [
      "as: { certificate: { subjcet: CN=a } }, expect: allow",
      [
        "request: expected a file, or what it says: { subject, issuer, serialNumber, fingerprint, spiffeId, dnsNames, uris, emails, addresses }",
      ],
    ],
  ];
  test.each(broken)("fails: %s", async (fields, differences) => {
    expect(await found(fields)).toEqual(differences);
  });

  test("'deny' is no word for what is not the client's to mend", async () => {
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const claims = { iss: "https://idp.example.org/", aud: "orders", sub: "a", exp: 4_000_000_000 };
    const token = `${part({ alg: "ES256", typ: "JWT", kid: "1" })}.${part(claims)}.${"A".repeat(86)}`;
    const headers = `{ Authorization: "Bearer ${token}" }`;
    expect(await found(`request: { path: /orders/1, headers: ${headers} }, expect: deny`)).toEqual([
      "outcome: deny keys_unavailable",
    ]);
  });
});

describe("time and counters", () => {
  const asAcme = "request: { path: /orders/1 }, as: { api-key: acme }";

  test("limits count over the steps of a test, in its own time, and begin anew with the next", async () => {
    const steps = `[{ times: 2, expect: allow }, { expect: { deny: rate_limited } }, { after: 1m, expect: allow }, { after: 1m, expect: { deny: quota_exceeded } }]`;
    const day = `[{ times: 2, expect: allow }, { after: 2m, expect: allow }, { after: 1m, expect: { deny: quota_exceeded } }, { after: 1d, expect: allow }]`;
    const one = `  - { name: a, ${asAcme}, at: 2026-12-01T12:00:00Z, steps: ${steps} }\n`;
    const two = `  - { name: b, ${asAcme}, at: 2026-11-01T12:00:00Z, steps: ${day} }\n`;
    expect(await outcomes(one + two + one)).toEqual(["passed", "passed", "passed"]);
  });

  test("bans begin within a test and not before it", async () => {
    const guess = "request: { path: /orders/1, headers: { X-Api-Key: wrong-key-0123456789abcdef } }";
    const steps = `[{ times: 3, expect: { deny: api_key_unknown } }, { expect: { deny: banned } }, { after: 6m, expect: { deny: api_key_unknown } }]`;
    const one = `  - { name: a, ${guess}, steps: ${steps} }\n`;
    expect(await outcomes(one + one)).toEqual(["passed", "passed"]);
  });

  test("who waits for a turn gets it in the time of the test", async () => {
    const beganMs = performance.now();
    const tests = "  - { name: a, request: { path: /slow }, as: { api-key: acme }, times: 3, expect: allow }\n";
    expect(await outcomes(tests)).toEqual(["passed"]);
    expect(performance.now() - beganMs).toBeLessThan(60_000);
  });

  test("the failing request is named", async () => {
    const { code, out } = await run(`  - { name: a, ${asAcme}, times: 3, expect: allow }`);
    expect(code).toBe(1);
    expect(out).toContain(
      "FAILED: a\n    request 3 of 3:\n    - allow\n    + deny rate_limited\n    GET /orders/1  (policy ",
    );
    expect(out).toMatch(/^ {6}limit +limit +deny +policy\.yaml:\d+:\d+ /m);
  });
});

describe("a matrix", () => {
  const matrix = (allow: string) => `  - name: who
    matrix:
      principals: { reader: { jwt: { scope: "orders:read" } }, writer: { jwt: { scope: "orders:write" } }, guest: nobody }
      resources: { order: /orders/1, health: { path: /health } }
      actions: [GET, DELETE]
      allow: ${allow}
`;
  test("denies what it does not list", async () => {
    const all = "{ reader: { order: [GET], health: [GET] }, writer: { health: [GET] }, guest: { health: [GET] } }";
    expect(await outcomes(matrix(all))).toEqual(Array(12).fill("passed"));
    const { out } = await run(
      matrix("{ reader: { order: [GET, DELETE] }, writer: { health: [GET] }, guest: { health: [GET] } }"),
    );
    expect(out.match(/FAILED: .*/g)).toEqual([
      "FAILED: who: reader may DELETE order",
      "FAILED: who: reader may not GET health",
    ]);
  });

  test("names that stand nowhere are problems", async () => {
    const { err } = await run(matrix("{ raeder: { order: [GET] }, guest: { helth: [GET], order: [PUT] } }"));
    expect(err).toContain("there is no such principal; did you mean 'reader'?");
    expect(err).toContain("there is no such resource; did you mean 'health'?");
    expect(err).toContain("there is no such action; expected one of: GET, DELETE");
  });
});

describe("the form of tests", () => {
  const wrong: readonly (readonly [string, string])[] = [
    ["{ name: a, expct: allow }", "unknown key 'expct'; did you mean 'expect'?"],
    ["{ name: a }", "expected one of 'expect', 'steps' and 'matrix'"],
    ["{ name: a, expect: alow }", "expected allow, deny, or a mapping"],
    ["{ name: a, expect: { deny: scope_mising } }", "there is no such reason; did you mean 'scope_missing'?"],
    ["{ name: a, expect: { status: 403 } }", "expected either 'allow: true' or 'deny'"],
    ["{ name: a, expect: { allow: true, rule: x } }", "'rule' and 'problems' are of a request that is denied"],
    [
      "{ name: a, expect: { deny: true, upstream: { path: /x } } }",
      "the service gets nothing of a request that is denied",
    ],
    ["{ name: a, request: { paht: /x }, expect: allow }", "unknown key 'paht'; did you mean 'path'?"],
    ["{ name: a, as: { jwt: {}, basic: bob }, expect: allow }", "expected one identity"],
    ["{ name: a, as: somebody, expect: allow }", "the fixtures have no such identity"],
    ["{ name: a, as: 5, expect: allow }", "expected an identity"],
    ["{ name: a, at: yesterday, expect: allow }", "expected a time with its zone"],
  ];
  test.each(wrong)("%s", async (fields, text) => {
    const { postern } = folderWith({ ...FILES, "policy.yaml": ordersWith(`  - ${fields}`) });
    for (const command of ["check", "test"]) {
      const { code, out, err } = await postern(command, "policy.yaml");
      expect(code).toBe(1);
      expect(out + err).toContain(text);
      expect(out + err).toMatch(/^policy\.yaml:2\d:\d+: /m);
    }
  });

  test("of files beside the policy, too, each with its own places", async () => {
    const { postern } = folderWith({
      ...FILES,
      "policy.yaml": ordersWith("  - { name: a, request: { path: /health }, expect: allow }"),
      "policy.test.yaml": "tests: [{ name: b, request: { path: /health }, expect: deny }]",
      "policy.more.test.yaml": "tests: [{ name: c, request: { path: /health }, expect: allow }]",
      "other.test.yaml": "nothing: here",
    });
    const { code, out } = await postern("test", "policy.yaml");
    expect(code).toBe(1);
    expect(out).toContain("policy.test.yaml:1:9: FAILED: b\n");
    expect(out).toContain("policy.yaml: 2 passed, 1 failed in ");
    const wrong = folderWith({
      ...FILES,
      "policy.yaml": ordersWith("  []"),
      "policy.test.yaml": "tests: [{ name: b }]\nmore: 1",
    });
    for (const command of ["check", "test"]) {
      const told = await wrong.postern(command, "policy.yaml");
      expect(told.code).toBe(1);
      expect(told.out + told.err).toContain("policy.test.yaml:2:1: unknown key 'more'");
    }
  });
});

describe("what is told", () => {
  const tests = `  - { name: holds, request: { path: /health }, expect: allow }
  - { name: "not <yet> & never", todo: true, request: { path: /health }, expect: deny }
  - { name: broken, request: { path: /health }, expect: deny }
  - { name: is there by now, todo: true, request: { path: /health }, expect: allow }
`;
  test("todo tests fail nothing", async () => {
    expect(await outcomes(tests)).toEqual(["passed", "todo", "failed", "done"]);
    expect((await run(tests, "--filter", "YET")).code).toBe(0);
    expect((await run(tests, "--filter", "there by")).out).toContain("holds now, take 'todo' off: is there by now");
    expect((await run(tests, "--filter", "broken")).code).toBe(1);
    expect(await run(tests, "--filter", "no such")).toMatchObject({
      code: 1,
      err: "policy.yaml: no test has that text in its name\n",
    });
  });

  test("JUnit's XML", async () => {
    const { folder, postern } = folderWith({ ...FILES, "policy.yaml": ordersWith(tests) });
    expect((await postern("test", "--junit", "report.xml", "policy.yaml")).code).toBe(1);
    const xml = readFileSync(join(folder, "report.xml"), "utf8");
    expect(xml).toContain('<testsuite name="policy.yaml" tests="4" failures="1" errors="0" skipped="1" time="');
    expect(xml).toMatch(/<testcase name="not &lt;yet&gt; &amp; never" [^>]*><skipped message="todo: expected deny/);
    expect(xml).toMatch(/<testcase name="broken" [^>]*><failure message="expected deny[^"]*; got allow">- deny/);
    const piped = await postern("test", "--junit", "-", "policy.yaml");
    expect(piped.code).toBe(1);
    const timeless = (text: string) => text.replace(/ time="[\d.]+"/g, "");
    expect(timeless(piped.out)).toBe(timeless(xml));
    expect(readdirSync(folder)).not.toContain("-");
    expect(await postern("test", "--junit", "-", "--json", "policy.yaml")).toMatchObject({ code: 2, out: "" });
  });

  test("coverage of routes and checks", async () => {
    const some =
      "  - { name: a, request: { path: /health }, expect: allow }\n  - { name: b, request: { path: /orders/1 }, expect: deny }\n";
    const { out, code } = await run(some);
    expect(code).toBe(0);
    expect(out).toMatch(/policy\.yaml:\d+:5: coverage: route \/slow was never tried\n/);
    expect(out).toMatch(/policy\.yaml:\d+:\d+: coverage: authorize was never tried\n/);
    expect(out).not.toContain("route /health was never tried");
    expect(out).toMatch(/coverage \d+ %: 2 of 4 routes tried, 1 of \d+ checks tried, 1 denied\n$/);
    const below = await run(some, "--min-coverage", "90");
    expect(below.code).toBe(1);
    expect(below.err).toMatch(/^policy\.yaml: coverage is \d+ %, expected at least 90 %\n$/);
    expect((await run(some, "--min-coverage", "lots")).code).toBe(2);
  });

  test("no credential of a test comes up in any report", async () => {
    const secret = "pk_planted-secret-0123456789";
    const planted = `  - { name: a, request: { path: "/orders/1?token=${secret}", headers: { X-Api-Key: ${secret}, Cookie: "s=${secret}" } }, expect: allow }`;
    for (const args of [[], ["--json"]]) {
      const { out, err } = await run(planted, ...args);
      expect(out).toContain("api_key_unknown");
      expect(out.replaceAll(`?token=${secret}`, "") + err).not.toContain(secret);
    }
  });
});

test("a thousand tests", async () => {
  const many = Array.from(
    { length: 1000 },
    (_, at) =>
      `  - { name: t${at}, request: { path: "/orders/${at}" }, as: { api-key: acme }, times: 2, expect: allow }\n`,
  );
  const { code, out } = await run(many.join(""), "--json");
  expect(code).toBe(0);
  const { tests, ms }: { tests: unknown[]; ms: number } = JSON.parse(out);
  expect(tests).toHaveLength(1000);
  console.info(`1,000 tests of a policy, 2,000 requests: ${ms} ms`);
});

test("a value from a file is sent as it is, and beside it attributes are filled in", async () => {
  for (const secret of ["ab{x}cdef", "ab{client.address}cd", "aa{{bbbb}}ccdd", "pw$request.id99"]) {
    const policy = policyWith(`routes:
  - path: /a
    public: true
    request: { setHeaders: { X-Key: "\${file:secret}", X-From: "{client.address} \${file:secret}" } }
    response: { setHeaders: { X-Back: "\${file:secret}" } }
tests:
  - name: sent
    request: /a
    answer: { body: {} }
    expect:
      allow: true
      upstream: { headers: { X-Key: "${secret}", X-From: "127.0.0.1 ${secret}" } }
      answer: { headers: { X-Back: "${secret}" } }
`);
    const { code, out, err } = await folderWith({ secret, "policy.yaml": policy }).postern("test", "policy.yaml");
    expect(code, out + err).toBe(0);
  }
});
