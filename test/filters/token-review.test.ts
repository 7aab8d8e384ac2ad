// Goal: what an API server says of a token is taken only where it has one reading.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Authenticator } from "../../src/filters/filter.ts";
import { introspectionKind } from "../../src/filters/introspection/compile.ts";
import { ok } from "../../src/support/result.ts";
import { closeAll } from "../fixtures/closing.ts";
import { type KubeApi, startKubeApi } from "../fixtures/kube-api.ts";
import { outsideContext, testResources } from "../fixtures/outside.ts";
import { createTestPki, type TestPki } from "../fixtures/pki.ts";
import { exchangeOf } from "../fixtures/telemetry.ts";
import { denialOf, principalOf, testContext } from "./identity-context.ts";

let pki: TestPki;
let api: KubeApi;
beforeAll(async () => {
  pki = await createTestPki();
  api = await startKubeApi(pki);
  api.reviewers.set("own-token", "auth-delegator");
});
afterAll(closeAll);

function compile(settings: Record<string, unknown> = {}) {
  const files = { token: "own-token\n", "ca.pem": pki.ca.certificate };
  const registry = testResources({ readFile: () => ok(Buffer.from(files.token)) });
  const context = { ...testContext(files), ...outsideContext(files, registry) };
  const base = { endpoint: api.url, ca: "ca.pem", token: { file: "token" }, audience: "orders", timeout: "2s" };
  const parsed = introspectionKind.schema.safeParse({
    type: "introspection",
    protocol: "tokenReview",
    ...base,
    ...settings,
  });
  if (!parsed.success) throw parsed.error;
  const authenticator = introspectionKind.compile("pods", parsed.data, context) as Authenticator | null;
  return { context, authenticator };
}

function ask(token: string, authenticator = compile().authenticator) {
  if (authenticator === null) throw new Error("it does not compile");
  return authenticator.authenticate(exchangeOf("GET", "/", { authorization: `Bearer ${token}` }));
}

/** One question whose answer is this. */
async function answered(body: object | string, status = 201, type = "application/json") {
  api.intercept = (_, response) =>
    Boolean(
      response.writeHead(status, { "Content-Type": type }).end(typeof body === "string" ? body : JSON.stringify(body)),
    );
  const answer = await ask("opaque");
  api.intercept = null;
  return denialOf(answer);
}

const reviewed = (status: unknown, more: object = {}) => ({
  kind: "TokenReview",
  apiVersion: "authentication.k8s.io/v1",
  status,
  ...more,
});
const user = { username: "system:serviceaccount:shop:billing", groups: ["system:authenticated"] };

test("a service account is the caller, with its groups, uid, extra and the token's own end", async () => {
  const token = api.token("shop/billing", { audiences: ["payments", "orders"] });
  const principal = principalOf(await ask(token));
  expect(principal).toMatchObject({ id: user.username, key: `pods/${user.username}`, type: "introspection" });
  expect([...(principal.groups ?? [])]).toContain("system:serviceaccounts:shop");
  expect(principal.claims).toMatchObject({
    aud: ["orders"],
    extra: { "authentication.kubernetes.io/pod-name": ["billing-0"] },
  });
  expect(principal.expiresAtMs).toBeLessThan(Date.now() + 3_601_000);
});

test.each([
  ["one that nobody knows", () => "invented", "token_inactive"],
  ["one for another service", () => api.token("shop/billing", { audiences: ["payments"] }), "token_inactive"],
  [
    "one for the API server itself",
    () => api.token("shop/billing", { audiences: ["https://kubernetes.default.svc"] }),
    "token_inactive",
  ],
])("%s is refused, and the server's words are in the log", async (_, token, reason) => {
  const denial = denialOf(await ask(token()));
  expect(denial).toMatchObject({ reason });
  expect(denial.seen).toMatch(/^authenticated: false, ".*invalid bearer token/);
});

test("only those whom 'subjects' names come in", async () => {
  const settings = { subjects: ["system:serviceaccount:shop:*"] };
  expect(await ask(api.token("shop/billing"), compile(settings).authenticator)).toMatchObject({ id: user.username });
  const foreign = await ask(api.token("shopping/billing"), compile(settings).authenticator);
  expect(foreign).toMatchObject({ reason: "token_subject_mismatch" });
});

describe("an answer that lets nobody in", () => {
  const good = { authenticated: true, user, audiences: ["orders"] };
  test.each<[string, unknown, string]>([
    ["false", { authenticated: false }, "token_inactive"],
    ["nothing said", {}, "token_inactive"],
    ["a user, and not authenticated", { ...good, authenticated: false }, "token_inactive"],
    ["anonymous", { ...good, user: { username: "system:anonymous" } }, "token_inactive"],
    [
      "of the group of those that nobody knows",
      { ...good, user: { ...user, groups: ["system:unauthenticated"] } },
      "token_inactive",
    ],
    ["audiences of another service", { ...good, audiences: ["payments"] }, "token_audience_mismatch"],
    [
      "no audiences, as of a server that does not look at them",
      { authenticated: true, user },
      "token_audience_mismatch",
    ],
    ["empty audiences", { ...good, audiences: [] }, "token_audience_mismatch"],
    ["a name with a line break", { ...good, user: { username: "a\nX-User: root" } }, "token_malformed"],
    ["an empty name", { ...good, user: { username: "" } }, "token_malformed"],
    ["in words", { ...good, authenticated: "true" }, "introspection_unavailable"],
    ["both at once", { ...good, error: "the webhook is away" }, "introspection_unavailable"],
    ["nobody's", { ...good, user: {} }, "introspection_unavailable"],
    ["groups that are one text", { ...good, user: { ...user, groups: "admins" } }, "introspection_unavailable"],
    ["audiences that are one text", { ...good, audiences: "orders" }, "introspection_unavailable"],
    ["no status", null, "introspection_unavailable"],
  ])("%s", async (_, status, reason) => {
    expect(await answered(reviewed(status))).toMatchObject({ reason });
  });

  test.each<[string, () => Promise<unknown>, RegExp]>([
    ["of another kind", () => answered(reviewed(good, { kind: "SelfSubjectReview" })), /kind "SelfSubjectReview"/],
    ["of the old version", () => answered(reviewed(good, { apiVersion: "authentication.k8s.io/v1beta1" })), /v1beta1/],
    ["a page", () => answered("<p>", 200, "text/html"), /not application\/json/],
    ["no JSON", () => answered("{", 201), /not JSON/],
    ["a member twice", () => answered('{"status":{},"status":{}}', 201), /twice/],
    ["a fault", () => answered({}, 500), /status 500; expected 201/],
  ])("%s is none at all", async (_, answer, seen) => {
    const denial = (await answer()) as { reason: string; seen: string };
    expect(denial.reason).toBe("introspection_unavailable");
    expect(denial.seen).toMatch(seen);
  });

  test("the token that it repeats stays out of the log", async () => {
    const denial = await answered(reviewed({ error: 'cannot parse "opaque"' }));
    expect(denial).toMatchObject({ reason: "token_inactive", seen: "authenticated: false" });
  });
});

test("whose own token is not known, or may not ask, is told what to do", async () => {
  const { authenticator } = compile();
  api.reviewers.set("own-token", "nobody");
  expect(denialOf(await ask("x", authenticator)).seen).toMatch(/system:auth-delegator/);
  api.reviewers.delete("own-token");
  expect(denialOf(await ask("x", authenticator)).seen).toMatch(/does not know postern's own token/);
  api.reviewers.set("own-token", "auth-delegator");
  expect(await ask("x", authenticator)).toMatchObject({ reason: "token_inactive" });
});

test.each<[string, Record<string, unknown>, RegExp]>([
  ["no audience", { audience: undefined }, /'audience' is missing; without it every token of the cluster/],
  ["a client", { clientId: "orders" }, /clientId: an API server of Kubernetes has no such thing/],
  ["an issuer", { issuer: "https://kubernetes.default.svc" }, /issuer: an API server/],
  ["bound tokens", { bound: "dpop" }, /bound: an API server/],
  ["a token that is not there", { token: { file: "none" } }, /^$/],
])("%s is a problem", (_, settings, text) => {
  const { context, authenticator } = compile(settings);
  expect(authenticator).toBe(null);
  expect(context.problems.join("\n")).toMatch(text);
});

test("'token' without tokenReview is a problem", () => {
  const { context } = compile({ protocol: undefined, clientId: "a" });
  expect(context.problems.join()).toMatch(/token: only with 'protocol: tokenReview'/);
});
