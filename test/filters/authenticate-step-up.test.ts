import { expect, test } from "vitest";
import { Denial } from "../../src/decision/verdict.ts";
import { authenticateFilter } from "../../src/filters/authenticate/compile.ts";
import { request, testRoute } from "./identity-context.ts";
import { compileJwt, NOW_S, token } from "./jwt-kit.ts";

const okta = compileJwt().authenticator;
if (okta === null) throw new Error("did not compile");

async function ask(settings: object, claims: Record<string, unknown>): Promise<string | readonly string[]> {
  const { context, checks } = testRoute([okta as NonNullable<typeof okta>]);
  authenticateFilter.compile(authenticateFilter.schema.parse({ any: ["okta"], ...settings }), context);
  const exchange = request([["authorization", `Bearer ${token(claims)}`]]);
  const verdict = await checks[0]?.evaluate(exchange);
  if (!(verdict instanceof Denial)) return exchange.principal?.id ?? "nobody";
  expect(exchange.principal).toBeNull();
  return [verdict.reason, verdict.seen, ...verdict.headers.map(([, value]) => value)];
}

test("A token whose acr is one of those that are asked for passes, another one is told to step up", async () => {
  expect(await ask({ acr: ["phr", "phrh"] }, { acr: "phrh" })).toBe("alice");
  const challenge =
    'Bearer realm="orders", error="insufficient_user_authentication", error_description="The user has to authenticate again.", acr_values="phr phrh"';
  expect(await ask({ acr: ["phr", "phrh"] }, { acr: "pwd" })).toEqual([
    "authentication_insufficient",
    'acr "pwd"',
    challenge,
  ]);
  expect(await ask({ acr: ["phr"] }, {})).toContain("no acr");
  for (const acr of [["phr"], "PHR", "phr ", true, null]) {
    expect(await ask({ acr: ["phr"] }, { acr }), JSON.stringify(acr)).toContain("authentication_insufficient");
  }
});

test("A user who authenticated too long ago, or at no time that is told, is asked to do it again", async () => {
  expect(await ask({ maxAge: "5m" }, { auth_time: NOW_S - 299 })).toBe("alice");
  // Clocks differ.
  expect(await ask({ maxAge: "5m" }, { auth_time: NOW_S - 329 })).toBe("alice");
  const told = await ask({ maxAge: "5m" }, { auth_time: NOW_S - 331 });
  expect(told[1]).toBe("auth_time 331 s ago");
  expect(told[2]).toContain('max_age="300"');
  for (const auth_time of [undefined, null, "1795262400", NOW_S + 3600]) {
    expect(await ask({ maxAge: "5m" }, { auth_time }), String(auth_time)).toContain("authentication_insufficient");
  }
});

test("Neither is asked where the policy does not", async () => {
  expect(await ask({}, {})).toBe("alice");
  for (const settings of [{ acr: [] }, { acr: ["a b"] }, { acr: ['"'] }, { maxAge: "0s" }]) {
    expect(authenticateFilter.schema.safeParse({ any: ["okta"], ...settings }).success).toBe(false);
  }
});
