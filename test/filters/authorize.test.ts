import { describe, expect, test } from "vitest";
import { Denial } from "../../src/decision/verdict.ts";
import { authorizeFilter } from "../../src/filters/authorize/compile.ts";
import type { Exchange } from "../../src/message/exchange.ts";
import {
  compileFilter,
  createCertificate,
  createExchange,
  createPrincipal,
  onlyCheck,
} from "../fixtures/route-context.ts";
import { compileJwt } from "./jwt-kit.ts";

function judge(settings: unknown, exchange: Exchange): Denial | null {
  const verdict = onlyCheck(compileFilter(authorizeFilter, settings)).evaluate(exchange);
  if (verdict instanceof Promise) throw new Error("authorize must answer at once");
  return verdict;
}

const withScopes = (...scopes: string[]): Exchange =>
  createExchange({ principal: createPrincipal({ scopes: new Set(scopes) }) });
const withClaims = (claims: Record<string, unknown>): Exchange =>
  createExchange({ principal: createPrincipal({ claims }) });
const withSpiffeId = (spiffeId: string | null, untrusted: string | null = null): Exchange =>
  createExchange({ certificate: createCertificate({ spiffeId, untrusted }), principal: createPrincipal() });

describe("scopes", () => {
  test("every scope is needed", () => {
    expect(judge({ scopes: ["a", "b"] }, withScopes("a", "b", "c"))).toBeNull();
    const denial = judge({ scopes: ["a", "b"] }, withScopes("a"));
    expect(denial).toMatchObject({ reason: "scope_missing", seen: "scopes a", wanted: "scopes a b" });
    expect(denial?.place?.path).toBe("authorize.scopes");
  });

  test("a token without the scope is told which one by the challenge, a key is not", () => {
    const bound = compileJwt({ bound: "dpop", dpop: { algorithms: ["ES256"] } }).authenticator;
    const authenticators = [compileJwt().authenticator, bound === null ? null : { ...bound, name: "bound" }];
    const compiled = compileFilter(
      authorizeFilter,
      { scopes: ["orders:write", "orders:read"] },
      { authenticators: authenticators.filter((one) => one !== null) },
    );
    const headersFor = (parts: Parameters<typeof createPrincipal>[0]) =>
      onlyCheck(compiled).evaluate(createExchange({ principal: createPrincipal(parts) }));
    const rest = 'error="insufficient_scope", scope="orders:write orders:read"';
    expect(headersFor({})).toMatchObject({ headers: [["www-authenticate", `Bearer realm="orders", ${rest}`]] });
    expect(headersFor({ authenticator: "bound" })).toMatchObject({
      headers: [["www-authenticate", `DPoP realm="orders", algs="ES256", ${rest}`]],
    });
    expect(headersFor({ type: "api-key" })).toMatchObject({ reason: "scope_missing", headers: [] });
  });

  test("a scope that merely begins or ends alike does not do", () => {
    expect(judge({ scopes: ["orders:read"] }, withScopes("orders:readx", "xorders:read"))).toBeInstanceOf(Denial);
  });

  test("a scope that would break out of the challenge is a problem of the policy", () => {
    expect(compileFilter(authorizeFilter, { scopes: ['a", realm="x'] }).problems).toHaveLength(1);
  });

  test("a scope with a line break in the token cannot forge a log line", () => {
    expect(judge({ scopes: ["a"] }, withScopes('x\n{"fake":1}'))?.seen).toBe('scopes x\\u000a{"fake":1}');
  });
});

describe("roles", () => {
  test("roles are found in roles or groups, as list or as text, and all are needed", () => {
    expect(judge({ roles: ["admin"] }, withClaims({ roles: ["ops", "admin"] }))).toBeNull();
    expect(judge({ roles: ["admin"] }, withClaims({ groups: "admin" }))).toBeNull();
    expect(judge({ roles: ["admin", "ops"] }, withClaims({ roles: ["admin"], groups: ["ops"] }))).toBeNull();
    expect(judge({ roles: ["admin", "ops"] }, withClaims({ roles: ["admin"] }))?.reason).toBe("role_missing");
  });

  test("roles are found in a claim that the policy names", () => {
    const settings = { roles: { claim: "realm_access.roles", has: ["admin"] } };
    expect(judge(settings, withClaims({ realm_access: { roles: ["admin"] } }))).toBeNull();
    expect(judge(settings, withClaims({ roles: ["admin"] }))?.reason).toBe("role_missing");
  });

  test("a role inside a longer text does not count", () => {
    expect(judge({ roles: ["admin"] }, withClaims({ roles: "not-admin admin-not" }))?.reason).toBe("role_missing");
  });
});

describe("claims", () => {
  test("a claim equals one of the allowed values, and its type counts", () => {
    expect(judge({ claims: { tenant: "acme" } }, withClaims({ tenant: "acme" }))).toBeNull();
    expect(judge({ claims: { plan: ["gold", "silver"] } }, withClaims({ plan: "silver" }))).toBeNull();
    expect(judge({ claims: { level: 1 } }, withClaims({ level: "1" }))?.reason).toBe("claim_mismatch");
    expect(judge({ claims: { admin: true } }, withClaims({ admin: 1 }))?.reason).toBe("claim_mismatch");
  });

  test("a list claim holds the value, and several claims are all needed", () => {
    expect(judge({ claims: { tenants: "acme" } }, withClaims({ tenants: ["x", "acme"] }))).toBeNull();
    const denial = judge({ claims: { a: 1, b: 2 } }, withClaims({ a: 1, b: 3 }));
    expect(denial).toMatchObject({ reason: "claim_mismatch", seen: "claim b 3", wanted: "claim b 2" });
    expect(denial?.place?.path).toBe("authorize.claims.b");
  });

  test("a quoted segment reaches a claim whose name has dots", () => {
    const claims = { "https://example.org/tenant": { id: "acme" } };
    expect(judge({ claims: { '"https://example.org/tenant".id': "acme" } }, withClaims(claims))).toBeNull();
    expect(judge({ claims: { "https://example.org/tenant.id": "acme" } }, withClaims(claims))).not.toBeNull();
  });

  test("what every object inherits is no claim, nor is the length of a list", () => {
    expect(judge({ claims: { "constructor.name": "Object" } }, withClaims({}))?.seen).toBe(
      "claim constructor.name (absent)",
    );
    expect(judge({ claims: { "tags.length": 2 } }, withClaims({ tags: ["a", "b"] }))).not.toBeNull();
    expect(judge({ claims: { "a.b.c": 1 } }, withClaims({ a: null }))).not.toBeNull();
  });

  test("a long or hostile claim value is cut and escaped in what was seen", () => {
    const seen = judge({ claims: { tenant: "acme" } }, withClaims({ tenant: "\u001b[31m".repeat(500) }))?.seen ?? "";
    expect(seen).toMatch(/^[\x20-\x7e…]+$/);
    expect(seen.length).toBeLessThan(1500);
  });

  test.each(["a..b", ".a", "a.", '"a', "", "a b", "a.b.c.d.e.f.g.h.i"])("'%s' is no path", (path) => {
    expect(compileFilter(authorizeFilter, { claims: { [path]: 1 } }).problems).not.toHaveLength(0);
  });
});

describe("spiffeId", () => {
  const billing = "spiffe://example.org/ns/shop/sa/billing";

  test("the exact ID or one of a list is let in", () => {
    expect(judge({ spiffeId: billing }, withSpiffeId(billing))).toBeNull();
    expect(judge({ spiffeId: ["spiffe://example.org/x", billing] }, withSpiffeId(billing))).toBeNull();
    expect(judge({ spiffeId: billing }, withSpiffeId(`${billing}2`))?.reason).toBe("spiffe_id_mismatch");
  });

  test("/** covers what is below and nothing beside it", () => {
    const settings = { spiffeId: "spiffe://example.org/ns/shop/**" };
    expect(judge(settings, withSpiffeId(billing))).toBeNull();
    for (const id of [
      "spiffe://example.org/ns/shop",
      "spiffe://example.org/ns/shop/",
      "spiffe://example.org/ns/shopping/sa/x",
      "spiffe://example.org/ns/shop/../admin/sa/x",
      "spiffe://example.org/ns/shop//sa/x",
      "spiffe://example.org.evil/ns/shop/sa/x",
    ]) {
      expect(judge(settings, withSpiffeId(id))?.reason, id).toBe("spiffe_id_mismatch");
    }
    expect(judge({ spiffeId: "spiffe://example.org/**" }, withSpiffeId("spiffe://example.org.evil/x"))).not.toBeNull();
  });

  test("a certificate that is not trusted, has no ID, or is not there proves nothing", () => {
    expect(judge({ spiffeId: billing }, withSpiffeId(billing, "CERT_HAS_EXPIRED"))?.seen).toContain("CERT_HAS_EXPIRED");
    expect(judge({ spiffeId: billing }, withSpiffeId(null))?.reason).toBe("spiffe_id_mismatch");
    expect(judge({ spiffeId: billing }, createExchange())?.seen).toBe("no client certificate");
  });

  test("a certificate that expires on a connection that is kept open proves nothing from then on", () => {
    let nowMs = Date.UTC(2026, 0, 1);
    const clock = { monotonicMs: () => nowMs, wallMs: () => nowMs };
    const check = onlyCheck(compileFilter(authorizeFilter, { spiffeId: billing }, { clock }));
    const certificate = createCertificate({ notAfterMs: nowMs + 1000 });
    expect(check.evaluate(createExchange({ certificate }))).toBeNull();
    nowMs += 1001;
    expect(check.evaluate(createExchange({ certificate }))).toMatchObject({
      reason: "spiffe_id_mismatch",
      seen: "certificate expired 2026-01-01T00:00:01.000Z",
    });
  });

  test("a token and a certificate can both be asked for", () => {
    const both = createExchange({
      certificate: createCertificate(),
      principal: createPrincipal({ scopes: new Set(["a"]) }),
    });
    expect(judge({ spiffeId: billing, scopes: ["a"] }, both)).toBeNull();
    expect(judge({ spiffeId: billing, scopes: ["a"] }, withScopes("a"))?.reason).toBe("spiffe_id_mismatch");
    expect(judge({ spiffeId: billing, scopes: ["a"] }, withSpiffeId(billing))?.reason).toBe("scope_missing");
  });
});

describe("any and all", () => {
  const settings = { any: [{ scopes: ["a"] }, { roles: ["admin"] }] };

  test("one alternative is enough", () => {
    expect(judge(settings, withScopes("a"))).toBeNull();
    expect(judge(settings, withClaims({ roles: ["admin"] }))).toBeNull();
  });

  test("where all alternatives fail, a shared reason is kept and different ones become not_authorized", () => {
    expect(judge(settings, withScopes("x"))).toMatchObject({ reason: "not_authorized", headers: [] });
    const shared = judge({ any: [{ scopes: ["a"] }, { scopes: ["b"] }] }, withScopes("x"));
    expect(shared?.reason).toBe("scope_missing");
    expect(shared?.place?.path).toBe("authorize.any");
    expect(shared?.wanted).toBe("scopes a; or scopes b");
  });

  test("keys beside any are needed as well", () => {
    expect(judge({ claims: { t: 1 }, ...settings }, withScopes("a"))?.reason).toBe("claim_mismatch");
  });

  test("all holds every rule of its list, and the place is that of the key that failed", () => {
    const nested = { all: [{ scopes: ["a"] }, { any: [{ scopes: ["b"] }, { scopes: ["c"] }] }] };
    expect(judge(nested, withScopes("a", "c"))).toBeNull();
    expect(judge(nested, withScopes("c"))?.place?.path).toBe("authorize.all[0].scopes");
  });
});

describe("what must not let anybody in by mistake", () => {
  test.each([
    {},
    { mode: "audit" },
    { scopes: [] },
    { any: [] },
    { all: [] },
    { any: [{}] },
    { any: [{ scopes: ["a"] }, {}] },
    { roles: [] },
    { roles: { claim: "x", has: [] } },
    { claims: {} },
    { scopes: ["a"], claims: {} },
    { claims: { a: [] } },
    { spiffeId: [] },
    { spiffeId: "spiffe://example.org/../x" },
    { spiffeId: "spiffe://example.org/**/x" },
    { scope: ["a"] },
  ])("%j does not compile", (bad) => {
    const compiled = compileFilter(authorizeFilter, bad);
    expect(compiled.problems).not.toHaveLength(0);
    expect(compiled.checks).toHaveLength(0);
  });

  test("a misspelt key gets the nearest known one, also inside any", () => {
    expect(JSON.stringify(compileFilter(authorizeFilter, { any: [{ scope: ["a"] }] }).problems)).toContain(
      "did you mean 'scopes'?",
    );
  });

  test("without a caller there is a denial and no error", () => {
    for (const rule of [{ scopes: ["a"] }, { roles: ["a"] }, { claims: { a: 1 } }]) {
      expect(judge(rule, createExchange())?.reason).toBe("not_authorized");
    }
  });

  test("rules nested beyond the bound are a problem", () => {
    let rule: unknown = { scopes: ["a"] };
    for (let depth = 0; depth < 6; depth++) rule = { any: [rule] };
    expect(compileFilter(authorizeFilter, rule).problems[0]?.text).toContain("nested too deeply");
  });

  test("a public route that asks for scopes is a problem, one that asks for a certificate is not", () => {
    expect(compileFilter(authorizeFilter, { scopes: ["a"] }, { isPublic: true }).problems).toHaveLength(1);
    expect(compileFilter(authorizeFilter, { spiffeId: "spiffe://a/b" }, { isPublic: true }).problems).toHaveLength(0);
  });
});

test("the check stands in its phase, climbs the ladder, and explains whom it saw", () => {
  const check = onlyCheck(compileFilter(authorizeFilter, { scopes: ["a"], mode: { enforce: "5%" } }));
  expect(check).toMatchObject({ name: "authorize", phase: "authorize", enforcePercent: 5 });
  expect(check.explain(withScopes("a", "b"))).toBe("caller okta/alice; scopes a b; scopes (scopes a) holds");
});

test("A claim's name with slashes and dots that stands without quotes is warned of, and the log shows how it was read", async () => {
  const { checks, warnings } = compileFilter(authorizeFilter, {
    claims: { "https://example.org/tenant": "acme", "realm_access.roles": "x", '"https://example.org/tenant"': "acme" },
  });
  expect(warnings).toEqual([
    {
      path: "authorize.claims.https://example.org/tenant",
      text: `read as 'https://example' in 'org/tenant'; a name that has dots itself stands in quotes: '"https://example.org/tenant"'`,
    },
  ]);
  const verdict = await checks[0]?.evaluate(createExchange({ principal: createPrincipal({}) }));
  expect(verdict).toMatchObject({ seen: 'claim "https://example"."org/tenant" (absent)' });
});
