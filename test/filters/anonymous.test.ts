import { expect, test } from "vitest";
import { anonymousKind } from "../../src/filters/anonymous/compile.ts";
import { buildRequestRewrite } from "../../src/filters/request/evaluate.ts";
import { Passage } from "../../src/filters/request/passage.ts";
import { NO_REQUEST_RULES } from "../../src/policy/no-rules.ts";
import { atOnce, stepsOf } from "../../src/support/turns.ts";
import { request, testContext } from "./identity-context.ts";

function compile(settings: Record<string, unknown> = {}) {
  const parsed = anonymousKind.schema.parse({ type: "anonymous", ...settings });
  const authenticator = atOnce(stepsOf(anonymousKind.compile("guest", parsed, testContext())));
  if (authenticator === null) throw new Error("did not compile");
  return authenticator;
}

test("An anonymous caller has the scopes that the policy gives it, and nothing by itself", () => {
  expect(compile().anonymous).toMatchObject({ type: "anonymous", id: "anonymous", key: "guest/anonymous" });
  expect([...(compile().anonymous?.scopes ?? [])]).toEqual([]);
  expect([...(compile({ scopes: ["catalog:read"] }).anonymous?.scopes ?? [])]).toEqual(["catalog:read"]);
  expect(anonymousKind.schema.safeParse({ type: "anonymous", scopes: ["a b"] }).success).toBe(false);
});

test("It knows nobody, so that no other list takes it for an authenticator", () => {
  expect(compile().authenticate(request())).toBeNull();
  expect(compile().assume({ type: "api-key", caller: "anonymous" })).toBeNull();
});

test("The service is told of no principal, and a client cannot tell it of one", () => {
  const exchange = request([["x-postern-principal", "alice"]]);
  exchange.principal = compile({ scopes: ["catalog:read"] }).anonymous ?? null;
  const rewrite = buildRequestRewrite(NO_REQUEST_RULES, new Passage(NO_REQUEST_RULES, []));
  expect(rewrite(exchange.headers, exchange)).not.toContain("x-postern");
});
