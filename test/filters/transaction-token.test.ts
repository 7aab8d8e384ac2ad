import { expect, test } from "vitest";
import { attribute } from "../../src/attributes/attribute.ts";
import { IdentityKeys } from "../../src/filters/request/identity-keys.ts";
import { TransactionToken } from "../../src/filters/request/transaction-token.ts";
import type { Principal } from "../../src/message/principal.ts";
import { exchangeOf } from "../fixtures/telemetry.ts";
import { policyWith, problemsOf, warningsOf } from "../policy/policy-kit.ts";
import { FakeClock } from "./identity-context.ts";
import { JWKS } from "./jwt-kit.ts";

function setUp(told: Readonly<Record<string, string>> = {}) {
  const clock = new FakeClock();
  const keys = new IdentityKeys(60_000, { clock });
  const scope = { phase: "rewrite", parameters: null, route: "/orders", clock } as const;
  const tctx = new Map(
    Object.entries(told).map(([name, text]) => {
      const bound = attribute(text, scope);
      if (!bound.ok) throw new Error(bound.error);
      return [name, bound.value];
    }),
  );
  let count = 0;
  const token = new TransactionToken({
    header: "txn-token",
    issuer: "postern:orders",
    audience: "shop",
    lifetimeMs: 60_000,
    tctx,
    rctx: new Map(),
    keys,
    clock,
    newId: () => `id-${++count}`,
    route: "/orders",
  });
  const of = (principal: Principal | null, untold: string[] = []): string => {
    const exchange = exchangeOf("GET", "/");
    exchange.principal = principal;
    return token.line(exchange, untold);
  };
  const claims = (line: string) =>
    JSON.parse(Buffer.from(line.split(".")[1] ?? "", "base64url").toString()) as Record<string, unknown>;
  return { clock, of, claims };
}

const ANN: Principal = {
  authenticator: "okta",
  type: "jwt",
  id: "ann",
  key: "okta/ann",
  scopes: new Set(["a", "b"]),
  claims: { tenant: "t1", empty: "", nested: { a: 1 } },
  expiresAtMs: Number.POSITIVE_INFINITY,
};

test("it lives no longer than the credential, and at least until the next second", () => {
  const { of, claims, clock } = setUp();
  const ends = (expiresAtMs: number) => Number(claims(of({ ...ANN, expiresAtMs }))["exp"]) - clock.wallMs() / 1000;
  expect(ends(Number.POSITIVE_INFINITY)).toBe(60);
  expect(ends(clock.wallMs() + 5_000)).toBe(5);
  expect(ends(clock.wallMs() - 5_000)).toBe(1);
});

test("each has an id of its own, and of nobody there is none", () => {
  const { of, claims } = setUp();
  expect([claims(of(ANN))["txn"], claims(of(ANN))["txn"]]).toEqual(["id-1", "id-2"]);
  expect([of(null), of({ ...ANN, type: "anonymous" })]).toEqual(["", ""]);
});

test("what is absent or empty is left out, and a context of nothing is none", () => {
  const some = setUp({ tenant: "jwt.tenant", empty: "jwt.empty", absent: "jwt.absent" });
  expect(some.claims(some.of(ANN))["tctx"]).toEqual({ tenant: "t1" });
  const none = setUp({ absent: "jwt.absent" });
  expect("tctx" in none.claims(none.of(ANN))).toBe(false);
  expect("rctx" in none.claims(none.of(ANN))).toBe(false);
});

test("what is left out is told to whoever keeps the log", () => {
  const untold: string[] = [];
  setUp({ tenant: "jwt.tenant", empty: "jwt.empty", absent: "jwt.absent" }).of(ANN, untold);
  expect(untold).toEqual(["txn-token.tctx.empty", "txn-token.tctx.absent"]);
  setUp({ absent: "jwt.absent" }).of(null, untold);
  expect(untold).toHaveLength(2);
});

test("a member cannot become a claim, whatever it is called", () => {
  const { of, claims } = setUp({ sub: "jwt.tenant", __proto: "jwt.tenant" });
  expect(claims(of(ANN))).toMatchObject({ sub: "ann", tctx: { sub: "t1" } });
});

const policyOf = (token: string) =>
  policyWith(`admin: { address: "127.0.0.1:9901" }
identity: { token: ${token} }
authenticators: { okta: { type: jwt, issuer: "https://a.example/", audience: a, algorithms: [RS256], keys: jwks.json } }
routes: [{ path: "/orders/{orderId}", authenticate: [okta] }]
`);
const FILES = { "jwks.json": JWKS };

test.each([
  "{ profile: transaction, audience: shop }",
  "{ profile: transaction, audience: shop, tctx: { order: path.orderId }, rctx: { agent: principal.authenticator } }",
  "{ profile: transaction, audience: shop, header: X-Txn, rctx: {} }",
  "{ profile: accessToken, audience: shop, claims: { tenant: jwt.tenant } }",
])("%s is sound", async (token) => {
  expect(await problemsOf(policyOf(token), FILES)).toEqual([]);
  expect((await warningsOf(policyOf(token), FILES)).join()).not.toMatch(/admin/);
});

test.each<[string, RegExp]>([
  ["{ profile: transaction, audience: shop, claims: { a: jwt.a } }", /no such thing; expected 'tctx' or 'rctx'/],
  ["{ audience: shop, tctx: { a: jwt.a } }", /expected 'claims', or 'profile: transaction'/],
  ["{ profile: transaction, audience: shop, tctx: { a: 'request.headers.x-a' } }", /is what the client says/],
  ["{ profile: transaction, audience: shop, tctx: { a: query.a } }", /is what the client says/],
  ["{ profile: transaction, audience: shop, tctx: { a: path.nothing } }", /no route has 'path.nothing'/],
  ["{ profile: transaction, audience: shop, rctx: { a: nonsense.a } }", /there is no attribute/],
  ["{ profile: transaction, audience: shop, header: Host }", /postern writes 'host' itself/],
  ["{ profile: other, audience: shop }", /expected accessToken or transaction/],
  ["{ profile: transaction }", /audience/],
])("%s is a problem", async (token, text) => {
  expect((await problemsOf(policyOf(token), FILES)).join("\n")).toMatch(text);
});
