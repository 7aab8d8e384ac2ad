import { describe, expect, test } from "vitest";
import { policyWith, problemsOf, snapshotOf, warningsOf } from "./policy-kit.ts";

const AUTHENTICATORS = "authenticators:\n  partners: { type: api-key, header: X-Key, keys: keys.yaml }\n";
const KEYS = `callers: [{ name: acme, keys: [{ sha256: "${"ab".repeat(32)}" }] }]`;
const FILES = { "keys.yaml": KEYS, "any.json": "true" };

/** Line 7 is the first of `rest`; the route stands behind it. */
const policy = (rest: string, authorize: string, more = ""): string =>
  policyWith(
    `${AUTHENTICATORS}${rest}routes:\n  - path: /t/{tenant}\n    authenticate: [partners]\n    authorize: ${authorize}\n${more}`,
  );

const problems = (rest: string, authorize: string, more = ""): Promise<readonly string[]> =>
  problemsOf(policy(rest, authorize, more), FILES);

describe("a condition's fault is told at its column", () => {
  test.each([
    ["{ when: path.tenant == jwt.x && 1 }"],
    ["{ when: 'path.tenant == \"a\" && 1' }"],
    ["{ when: 'path.tenant == ''a'' && 1' }"],
    ["{ when: \"path.tenant == 'a' && 1\" }"],
  ])("in %s", async (authorize) => {
    const found = await problems("", authorize);
    expect(found).toHaveLength(1);
    const [at = ""] = (found[0] ?? "").split(" ", 1);
    const [line, column] = at.split(":").map(Number);
    const text = policy("", authorize).split("\n")[(line ?? 1) - 1] ?? "";
    expect(text.slice((column ?? 1) - 1)).toMatch(/^&& 1/);
  });

  test("and in a block of several lines at its line", async () => {
    const block = "\n      when: |\n        path.tenant == principal.id\n          && path.tennant == 'x'";
    const [found = ""] = await problems("", block);
    const [line, column] = (found.split(" ", 1)[0] ?? "").split(":").map(Number);
    const text = policy("", block).split("\n")[(line ?? 1) - 1] ?? "";
    expect(text.slice((column ?? 1) - 1)).toBe("path.tennant == 'x'");
    expect(found).toContain("did you mean 'tenant'?");
  });
});

describe("roles of the policy", () => {
  const roles = "roles:\n  clerk: { groups: [order-desk] }\n";

  test("stand at its top, and routes name them", async () => {
    expect(await problems(roles, "{ roles: [clerk] }")).toEqual([]);
  });

  test("one that nobody names is warned of, and one that is nearly named, too", async () => {
    const warnings = await warningsOf(policy(roles, "{ roles: [clrk] }"), FILES);
    expect(warnings).toEqual(expect.arrayContaining([expect.stringContaining("did you mean 'clerk'?")]));
    const unused = await warningsOf(policy(roles, "{ roles: [other] }"), FILES);
    expect(unused).toEqual(expect.arrayContaining([expect.stringContaining("'clerk' is defined but nothing uses it")]));
  });

  test("a fault of a definition stands at the definition, once", async () => {
    const broken = "roles:\n  clerk: { match: { path.order: principal.id } }\n";
    const found = await problems(
      broken,
      "{ roles: [clerk] }",
      "  - { path: '/o/{order}', authenticate: [partners], authorize: { roles: [clerk] } }\n",
    );
    expect(found).toEqual([expect.stringContaining("no parameter 'order'")]);
    expect((await problems("roles:\n  clerk: { grops: [a] }\n", "{ roles: [clerk] }"))[0]).toContain(
      "did you mean 'groups'?",
    );
    expect(await problems("roles:\n  clerk: {}\n", "{ roles: [clerk] }")).toEqual([
      expect.stringContaining("asks for nothing"),
    ]);
  });
});

describe("members of the body", () => {
  const match = "{ match: { body.owner: principal.id } }";

  test("have to be read by the route", async () => {
    expect(await problems("", match)).toEqual([expect.stringContaining("nothing reads the body of '/t/{tenant}'")]);
    expect(await problems("", match, "    validate: { body: { schema: any.json } }\n")).toEqual([]);
    const shared = "defaults: { validate: { body: { schema: any.json } } }\n";
    expect(await problems(shared, match)).toEqual([]);
  });

  test("asked for by the defaults are a matter of each route", async () => {
    const shared = `defaults: { authorize: ${match} }\n`;
    expect(await problems(shared, "{ scopes: [a] }")).toEqual([
      expect.stringContaining("nothing reads the body of '/t/{tenant}'"),
    ]);
  });

  test("are looked at behind the body's own check", async () => {
    const snapshot = await snapshotOf(
      policy(
        "",
        `{ scopes: [a], match: { body.owner: principal.id } }`,
        "    validate: { body: { schema: any.json } }\n",
      ),
      FILES,
    );
    const checks = snapshot.routeList[0]?.checks.map(({ name, phase }) => `${phase} ${name}`);
    expect(checks).toEqual([
      "authenticate authenticate",
      "authorize authorize",
      "validate validate",
      "validate authorize",
    ]);
  });
});

test("authorize of the defaults and of a route both apply", async () => {
  const snapshot = await snapshotOf(
    policy("defaults: { authorize: { scopes: [a] } }\n", "{ any: [{ scopes: [b] }] }"),
    FILES,
  );
  const places = snapshot.routeList[0]?.checks
    .filter(({ name }) => name === "authorize")
    .map(({ place }) => place.path);
  expect(places).toEqual(["defaults.authorize", "routes[0].authorize"]);
});

test("what a default compares has to be there on every route", async () => {
  const shared = "defaults: { authorize: { match: { path.tenant: principal.id } } }\n";
  expect(await problems(shared, "{ scopes: [a] }")).toEqual([]);
  const found = await problems(shared, "{ scopes: [a] }", "  - { path: /other, authenticate: [partners] }\n");
  expect(found).toEqual([expect.stringMatching(/no parameter 'tenant'.*\(\/other\)/)]);
});
