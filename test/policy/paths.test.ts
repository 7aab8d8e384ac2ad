import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { cpuMs } from "../fixtures/cpu-time.ts";
import { policyWith, problemsOf, snapshotOf, warningsOf } from "./policy-kit.ts";

const SHA256 = createHash("sha256").update("test-key").digest("hex");
const FILES = { "keys.yaml": `callers: [{ name: acme, scopes: [a], keys: [{ sha256: '${SHA256}' }] }]\n` };
const AUTHENTICATORS = "authenticators: { keys: { type: api-key, header: X-Key, keys: keys.yaml } }";
const STRICT = "authenticate: [keys]";

/** The policy's routes begin at line 8. */
const text = (rest: string, defaults = "{}") => policyWith(`${AUTHENTICATORS}\ndefaults: ${defaults}\n${rest}`);
const warnings = (rest: string, defaults?: string) => warningsOf(text(rest, defaults), FILES);

describe("paths: caseSensitive", () => {
  test("stands on a route, or in the defaults for those that say nothing else", async () => {
    const routes = "routes: [{ path: /a, public: true }, { path: /b, public: true, paths: caseInsensitive }]";
    const snapshot = await snapshotOf(text(routes, "{ paths: caseSensitive }"), FILES);
    expect(snapshot.routeList.map(({ isCaseSensitive }) => isCaseSensitive)).toEqual([true, false]);
    const without = await snapshotOf(text("routes: [{ path: /a, public: true }]"), FILES);
    expect(without.routeList.map(({ isCaseSensitive }) => isCaseSensitive)).toEqual([false]);
  });

  test("a wrong value or key is a problem with its place", async () => {
    const routes = "routes: [{ path: /a, public: true, paths: casesensitive }]";
    expect(await problemsOf(text(routes, "{ path: caseSensitive }"), FILES)).toEqual([
      "7:13 unknown key 'path'; did you mean 'paths'?",
      "8:43 expected one of: caseSensitive, caseInsensitive; did you mean 'caseSensitive'?",
    ]);
  });
});

describe("a weaker route is warned of", () => {
  test("where another case leads to it and only 'paths: caseSensitive' lets it pass", async () => {
    const routes = `routes:
  - { path: /admin/**, ${STRICT} }
  - { path: '/b%C3%A4r/{id}', ${STRICT} }
  - { path: /**, public: true }
  - { path: /1, ${STRICT} }`;
    expect(await warnings(routes)).toEqual([]);
    expect(await warnings(routes, "{ paths: caseSensitive }")).toEqual([
      "11:5 in another case the paths of '/admin/**' (line 9) and of 1 more come here, where less is asked for; " +
        "expected 'paths: caseSensitive' only if the service tells upper from lower case",
    ]);
  });

  test("and not where it asks for as much", async () => {
    const routes = `routes:
  - { path: /admin/**, ${STRICT} }
  - { path: /health, public: true }
  - { path: /**, ${STRICT}, authorize: { scopes: [a] } }`;
    expect(await warnings(routes, "{ paths: caseSensitive }")).toEqual([]);
  });

  test("where both have templates that a service may take for one", async () => {
    const routes = `routes:
  - { path: /users, ${STRICT}, authorize: { scopes: [a] } }
  - { path: /users/, ${STRICT} }
  - { path: /Users, public: true, methods: [GET] }
  - { path: /orders, ${STRICT}, methods: [GET] }
  - { path: /orders/, public: true, methods: [POST] }
  - { path: /Orders, public: true, paths: caseSensitive }
  - { path: /hosts, ${STRICT}, hosts: [a.example] }
  - { path: /hosts/, public: true, hosts: [b.example] }`;
    const twin = "less is asked for here than at '/users' (line 9), and a service may take both for one place";
    expect(await warnings(routes)).toEqual([
      `10:5 ${twin}; expected the same checks`,
      `11:5 ${twin}; expected the same checks`,
      "14:5 less is asked for here than at '/orders' (line 12), and a service may take both for one place; expected the same checks",
    ]);
  });

  test("where it takes what follows the name of a script", async () => {
    const routes = `routes:
  - { path: /admin.php, ${STRICT} }
  - { path: /admin.php/**, public: true }
  - { path: /index.php, public: true }
  - { path: /index.php/admin, ${STRICT} }
  - { path: /admin.html, ${STRICT} }
  - { path: /admin.html/**, public: true }`;
    expect(await warnings(routes)).toEqual([
      "10:5 less is asked for here than at '/admin.php' (line 9), and a service runs the script whatever follows its name; " +
        "expected the same checks",
    ]);
  });

  test("once for each route, however many are stricter, in a time that grows with their number", async () => {
    const strict = Array.from({ length: 3_000 }, (_, at) => `  - { path: /s${at}.php, ${STRICT} }`);
    const routes = `routes:\n${strict.join("\n")}\n  - { path: /**, public: true }`;
    const started = cpuMs();
    expect(await warnings(routes, "{ paths: caseSensitive }")).toEqual([
      expect.stringContaining("'/s0.php' (line 9) and of 2999 more come here"),
    ]);
    expect(cpuMs() - started).toBeLessThan(10_000);
  });
});
