import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { Denial } from "../../src/decision/verdict.ts";
import { apiKeyKind } from "../../src/filters/api-key/compile.ts";
import { authenticateFilter } from "../../src/filters/authenticate/compile.ts";
import { authorizeFilter } from "../../src/filters/authorize/compile.ts";
import type { Authenticator } from "../../src/filters/filter.ts";
import { atOnce, stepsOf } from "../../src/support/turns.ts";
import { request, testContext, testRoute } from "./identity-context.ts";
import { compileJwt, token } from "./jwt-kit.ts";

const KEY = "pk_0123456789abcdef0123456789";
const SHA256 = createHash("sha256").update(KEY).digest("hex");
const ORDERS = "https://api.example.org/orders";

function present(authenticator: Authenticator | null): Authenticator {
  if (authenticator === null) throw new Error("did not compile");
  return authenticator;
}

const okta = present(compileJwt({ audience: ["orders", ORDERS, "https://api.example.org/refunds"] }).authenticator);
const pool = present(compileJwt({ audience: ["app1", "app2"], audienceFrom: "client_id" }).authenticator);
const partners = present(
  atOnce(
    stepsOf(
      apiKeyKind.compile(
        "partners",
        apiKeyKind.schema.parse({ type: "api-key", header: "x-key", keys: "keys.yaml" }),
        testContext({ "keys.yaml": `callers: [{ name: acme, keys: [{ sha256: "${SHA256}" }] }]` }),
      ),
    ),
  ),
);

async function ask(
  settings: object,
  headers: readonly (readonly [string, string])[],
  authenticators: readonly Authenticator[] = [okta, partners],
): Promise<string | readonly (string | undefined)[]> {
  const { context, checks, problems } = testRoute(authenticators);
  atOnce(stepsOf(authenticateFilter.compile(authenticateFilter.schema.parse(settings), context)));
  expect(problems).toEqual([]);
  const exchange = request(headers);
  const verdict = await checks[0]?.evaluate(exchange);
  if (!(verdict instanceof Denial)) return exchange.principal?.id ?? "nobody";
  return [verdict.reason, verdict.seen, verdict.wanted, verdict.place?.path];
}

const bearer = (claims: Record<string, unknown>) => [["authorization", `Bearer ${token(claims)}`]] as const;

test("A token for another resource of the same service does not pass, one for this route does", async () => {
  const settings = { any: ["okta", "partners"], audience: ORDERS };
  expect(await ask(settings, bearer({ aud: ORDERS }))).toBe("alice");
  expect(await ask(settings, bearer({ aud: ["https://elsewhere.example", ORDERS] }))).toBe("alice");
  for (const aud of ["orders", "https://api.example.org/refunds", ["orders", "https://api.example.org/refunds"]]) {
    const told = await ask(settings, bearer({ aud }));
    expect([told[0], told[2], told[3]], String(aud)).toEqual([
      "token_audience_mismatch",
      `aud "${ORDERS}"`,
      "audience",
    ]);
  }
  for (const aud of [`${ORDERS}/`, ORDERS.toUpperCase()]) {
    expect((await ask(settings, bearer({ aud: ["orders", aud] })))[3], aud).toBe("audience");
  }
});

test("The authenticator's own audience is asked for as ever, so that a route never opens what it had closed", async () => {
  const settings = { any: ["okta"], audience: "https://elsewhere.example" };
  const told = await ask(settings, bearer({ aud: "https://elsewhere.example" }));
  expect(told[0]).toBe("token_audience_mismatch");
  expect(told[1]).toBe('aud "https://elsewhere.example"');
});

test("One of several will do, and it is read where the authenticator reads it", async () => {
  const settings = { any: ["okta"], audience: ["app2", "app3"] };
  expect(await ask(settings, bearer({ aud: "x", client_id: "app2" }), [pool])).toBe("alice");
  const told = await ask(settings, bearer({ aud: "app2", client_id: "app1" }), [pool]);
  expect(told.slice(0, 3)).toEqual(["token_audience_mismatch", 'aud "app1"', 'aud "app2" or "app3"']);
});

test("In an 'all' the token is asked whoever else is named last", async () => {
  const settings = { all: ["partners", "okta"], audience: ORDERS };
  const reversed = { all: ["okta", "partners"], audience: ORDERS };
  for (const [one, last] of [
    [settings, "alice"],
    [reversed, "acme"],
  ] as const) {
    expect(await ask(one, [...bearer({ aud: ORDERS }), ["x-key", KEY]])).toBe(last);
    expect((await ask(one, [...bearer({ aud: "orders" }), ["x-key", KEY]]))[0]).toBe("token_audience_mismatch");
  }
});

test("Where no authenticator has tokens, it is a problem, for nobody would be asked", () => {
  const { context, problems } = testRoute([partners]);
  const settings = authenticateFilter.schema.parse({ any: ["partners"], audience: ORDERS });
  atOnce(stepsOf(authenticateFilter.compile(settings, context)));
  expect(problems).toEqual([
    "/etc/postern/policy.yaml:1:1 audience: none of these authenticators has tokens, which alone are for somebody",
  ]);
  for (const audience of ["", [], [""], 7]) {
    expect(authenticateFilter.schema.safeParse({ any: ["okta"], audience }).success).toBe(false);
  }
});

test("A 401 names the scopes that every caller of the route needs, for tokens alone", async () => {
  const { context, checks } = testRoute([okta, partners]);
  atOnce(stepsOf(authenticateFilter.compile(["okta", "partners"], context)));
  const rule = authorizeFilter.schema.parse({
    scopes: ["orders:read"],
    any: [{ scopes: ["orders:admin"] }, { callers: ["alice"] }],
  });
  atOnce(stepsOf(authorizeFilter.compile(rule, context)));
  const challenges = async (headers: readonly (readonly [string, string])[]) => {
    const verdict = await checks[0]?.evaluate(request(headers));
    return verdict instanceof Denial ? verdict.headers.map(([, value]) => value) : [];
  };
  expect(await challenges([])).toEqual(['Bearer realm="orders", scope="orders:read"', 'ApiKey realm="orders"']);
  expect(await challenges([["authorization", "Bearer nonsense"]])).toEqual([
    'Bearer realm="orders", error="invalid_token", scope="orders:read"',
    'ApiKey realm="orders"',
  ]);
});
