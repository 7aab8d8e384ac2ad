// Goal: a test of a policy gives an answer of the service and says what the client gets of it: head, body, refusal, leaks; by the
// code that answers go through. Method: `postern test` over policies with rules for answers.
import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { folderWith, KEY, type Told } from "./kit.ts";

const POLICY = `version: 1
service: orders
listeners: [{ name: inbound, address: '127.0.0.1:8443' }]
upstreams: { app: { address: 'http://127.0.0.1:3000' } }
authenticators: { partners: { type: api-key, header: X-Api-Key, keys: keys.yaml } }
limits:
  pace: { rate: 10/minute, burst: 10, key: client.address }
  spend: { budget: 100/hour, unit: tokens, key: client.address, cost: { estimate: 10, response: $.cost } }
defaults: { response: { securityHeaders: api } }
routes:
  - path: /orders/{id}
    authenticate: [partners]
    cors: { origins: [https://app.example.org] }
    limit: [pace]
    response:
      validate: { content: { application/json: { schema: order.json } } }
      fields: { remove: [$.internal] }
      mask: { $.card: last4 }
      leaks: { email: observe }
      errors: problem
      cookies: { secure: true, httpOnly: true, sameSite: Lax }
      setHeaders: { X-Api: orders }
  - path: /audited
    public: true
    response: { validate: { mode: audit, content: { application/json: { schema: order.json } } } }
  - { path: /plain, public: true }
  - { path: /spend, public: true, limit: [spend] }
  - { path: /home, public: true, redirect: { to: 'https://www.example.org/' } }
tests:
`;
const ORDER = { id: "1", total: 12, card: "4242424242424242", internal: { cost: 3 }, by: "ann@example.org" };
const KEYS = `callers: [{ name: acme, keys: [{ sha256: "${createHash("sha256").update(KEY).digest("hex")}" }] }]`;
const FILES = {
  "keys.yaml": KEYS,
  "order.json": JSON.stringify({ type: "object", properties: { total: { type: "number" } }, required: ["total"] }),
  "order.gz": gzipSync(JSON.stringify(ORDER)).toString("latin1"),
};

interface Entry {
  readonly expect?: unknown;
  readonly [key: string]: unknown;
}

const BASE = { name: "one", request: { path: "/orders/1" }, as: { "api-key": "acme" } };

function run(entries: readonly Entry[], ...args: readonly string[]): Promise<Told> {
  const lines = entries.map((entry) => `  - ${JSON.stringify({ ...BASE, ...entry })}\n`).join("");
  return folderWith({ ...FILES, "policy.yaml": `${POLICY}${lines}` }).postern("test", ...args, "policy.yaml");
}

/** What each of these tests found in place of what it expects; nothing where it holds. */
async function found(...entries: readonly Entry[]): Promise<readonly string[]> {
  const { out, err } = await run(entries, "--json");
  if (out === "") throw new Error(err);
  const report: { tests: { failure?: { differences: { what: string; found: string }[] } }[] } = JSON.parse(out);
  return report.tests.flatMap(({ failure }) =>
    (failure?.differences ?? []).map(({ what, found: text }) => `${what}: ${text}`),
  );
}

const masked = { ...ORDER, card: "****4242", internal: undefined };
const problem = { status: 502, reason: "response_invalid" };

describe("holds", () => {
  const held: readonly (readonly [string, Entry])[] = [
    [
      "what comes off, is masked and found",
      {
        answer: { body: ORDER },
        expect: {
          allow: true,
          status: 200,
          answer: {
            body: masked,
            removed: ["/internal"],
            masked: ["/card"],
            parts: { "/total": 12 },
            leaks: ["email"],
          },
        },
      },
    ],
    [
      "what the head gains and loses",
      {
        request: { path: "/orders/1", headers: { Origin: "https://app.example.org" } },
        answer: { headers: { Server: "x/1", "Set-Cookie": "a=b; Path=/", "X-Kept": ["a", "b"] }, body: ORDER },
        expect: {
          allow: true,
          answer: {
            headers: {
              Server: null,
              "Set-Cookie": "a=b; Path=/; Secure; HttpOnly; SameSite=Lax",
              "X-Kept": "a, b",
              "X-Api": "orders",
              "X-Content-Type-Options": "nosniff",
              "Access-Control-Allow-Origin": "https://app.example.org",
              "Cache-Control": "no-store, no-cache, must-revalidate",
              RateLimit: '"pace";r=9;t=6',
            },
          },
        },
      },
    ],
    [
      "an answer that is not as it should be",
      {
        answer: { body: { total: "12" } },
        expect: {
          deny: "response_invalid",
          status: 502,
          rule: "routes[0].response.validate",
          answer: { parts: { "/reason": problem.reason } },
        },
      },
    ],
    [
      "an error of the service",
      {
        answer: { status: 500, headers: { "Content-Type": "text/plain" }, body: "at Order.java:12" },
        expect: {
          allow: true,
          status: 500,
          answer: { headers: { "Content-Type": "application/problem+json" }, parts: { "/status": 500 } },
        },
      },
    ],
    [
      "a compressed answer from a file",
      {
        answer: { headers: { "Content-Type": "application/json", "Content-Encoding": "gzip" }, bodyFile: "order.gz" },
        expect: { deny: "response_unreadable" },
      },
    ],
    [
      "a refusal of the request, as its client reads it",
      {
        as: "nobody",
        expect: {
          deny: true,
          status: 401,
          answer: { headers: { "X-Api": "orders" }, parts: { "/reason": "credentials_missing" } },
        },
      },
    ],
    [
      "an answer of postern's own",
      {
        request: { path: "/home" },
        expect: { allow: true, status: 307, answer: { headers: { Location: "https://www.example.org/" } } },
      },
    ],
    [
      "no body behind HEAD",
      {
        request: { path: "/orders/1", method: "HEAD" },
        answer: { body: ORDER },
        expect: { allow: true, answer: { body: "" } },
      },
    ],
    [
      "a text",
      {
        request: { path: "/plain" },
        answer: { body: "hello" },
        expect: { allow: true, answer: { body: "hello", headers: { "Content-Length": "5" }, leaks: [] } },
      },
    ],
    [
      "what is only audited",
      {
        request: { path: "/audited" },
        answer: { body: {} },
        expect: { allow: true, audited: ["response_invalid"], answer: { body: {} } },
      },
    ],
    [
      "bytes that no service may send",
      {
        request: { path: "/plain" },
        answer: { headers: { "X-A": "b\r\nc" } },
        expect: { deny: "upstream_response_invalid", status: 502 },
      },
    ],
  ];
  test.each(held)("%s", async (_, entry) => {
    expect(await found(entry)).toEqual([]);
  });

  test("a budget is settled from the answers", async () => {
    const step = (cost: number, wanted: unknown) => ({ answer: { body: { cost } }, expect: wanted });
    const steps = [step(60, "allow"), step(50, "allow"), step(1, { deny: true })];
    expect(await found({ request: { path: "/spend" }, as: "nobody", steps })).toEqual([]);
    expect(await found({ request: { path: "/spend" }, as: "nobody", steps: [step(1, "allow"), ...steps] })).toEqual([]);
  });
});

test("what is other than expected is told", async () => {
  const answer = { body: ORDER };
  const expected = {
    body: { a: 1 },
    headers: { "X-Api": "other", Server: "x" },
    parts: { "/total": 13, "/none": 1 },
    removed: ["/card", "/none"],
    masked: ["/total"],
    leaks: ["iban"],
  };
  expect(await found({ answer, expect: { allow: true, status: 201, answer: expected } })).toEqual(["status: 200"]);
  const shown = JSON.stringify(masked);
  expect(await found({ answer, expect: { allow: true, answer: expected } })).toEqual([
    "answer's header X-Api: orders",
    "answer's header Server: no such header",
    `answer's body: ${shown}`,
    "answer's /total: 12",
    "answer's /none: nothing",
    'answer\'s /card: "****4242"',
    "answer's /none: nothing",
    "answer's /total: 12",
    "leaks: email",
  ]);
  expect(await found({ expect: { allow: true, answer: { body: "" } } })).toEqual(["answer: none"]);
  expect(await found({ answer: { bodyFile: "none" }, expect: "allow" })).toEqual(["request: 'none' does not exist"]);
  expect(await found({ answer, expect: { allow: true, audited: ["scope_missing"] } })).toEqual(["audited: none"]);
});

test("a refused answer is explained", async () => {
  const { code, out } = await run([{ answer: { body: {} }, expect: "allow" }]);
  expect(code).toBe(1);
  expect(out).toContain("    - allow\n    + deny response_invalid\n");
  expect(out).toMatch(/ {6}respond +response_invalid +deny +policy\.yaml:\d+:\d+ /);
  expect(out).toMatch(/denied: response_invalid \(502\) at policy\.yaml:\d+:\d+/);
});

test("a body stands once, and a pointer is one", async () => {
  const { code, err } = await run([
    { answer: { body: {}, bodyFile: "a" }, expect: "allow" },
    { answer: {}, expect: { allow: true, answer: { removed: ["card"] } } },
  ]);
  expect(code).toBe(1);
  expect(err).toContain("expected one of 'body', 'bodyFile' and 'bodyOf'");
  expect(err).toContain("expected a JSON Pointer, as in /items/0/cost");
});

test("checks of answers count as tried where a test has an answer, and none of them has to deny", async () => {
  const covered = async (...entries: readonly Entry[]): Promise<string> => (await run(entries)).out;
  const without = await covered({ expect: "allow" });
  expect(without).toMatch(/, 0 of [1-9]\d* checks of answers tried\n$/);
  expect(without).toMatch(/coverage: validate was never tried: no test with an 'answer' comes there\n/);
  const plain = await covered({ request: "/plain", as: "nobody", answer: { body: {} }, expect: "allow" });
  const some = await covered({ answer: { body: ORDER }, expect: "allow" });
  const tried = (out: string): number => Number(/, (\d+) of \d+ checks of answers tried\n$/.exec(out)?.[1]);
  expect(tried(some)).toBeGreaterThan(tried(plain));
  // The route that only audits has another.
  expect(some.match(/validate was never tried/g)).toHaveLength(1);
  expect(some).not.toMatch(/mask never denied/);
});

test("a service says nothing in the header that tells of postern's decisions", async () => {
  const policy = (decisions: string): string => `version: 1
service: orders
listeners: [{ name: inbound, address: '127.0.0.1:8443' }]
upstreams: { app: { address: 'http://127.0.0.1:3000' } }
${decisions}
routes: [{ path: /plain, public: true }]
tests:
  - name: it does not come through
    request: /plain
    answer: { headers: { Postern-Decision: verdict=allow, X-Own: a } }
    expect: { allow: true, answer: { headers: { Postern-Decision: null, X-Own: a } } }
`;
  const { postern } = folderWith({
    "policy.yaml": policy("decisions: { debugHeader: { key: { file: debug.key } } }"),
    "without.yaml": policy(""),
    "debug.key": "0123456789abcdef0123456789abcdef",
  });
  // Where nobody can ask for it, it is a header as any.
  expect([(await postern("test", "policy.yaml")).code, (await postern("test", "without.yaml")).code]).toEqual([0, 1]);
});
