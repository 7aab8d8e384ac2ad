// Goal: postern authenticates to a provider in each way, and takes its word only where it has one reading.
// Method: the real oidc-provider for the ways; answers of a small server for what a provider may say.
import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Denial } from "../../src/decision/verdict.ts";
import type { Authenticator } from "../../src/filters/filter.ts";
import { introspectionKind } from "../../src/filters/introspection/compile.ts";
import { closeAll } from "../fixtures/closing.ts";
import { startOidc } from "../fixtures/oidc.ts";
import { outsideContext, testResources } from "../fixtures/outside.ts";
import { createTestPki, type TestPki } from "../fixtures/pki.ts";
import { exchangeOf } from "../fixtures/telemetry.ts";
import { testContext } from "./identity-context.ts";

let pki: TestPki;
beforeAll(async () => {
  pki = await createTestPki();
});
afterAll(closeAll);

const BASE = {
  type: "introspection",
  endpoint: "https://idp.example.org/introspect",
  clientId: "orders",
  clientSecret: { file: "secret" },
  audience: "orders",
};

function compile(settings: Record<string, unknown>, files: Record<string, string> = {}, registry = testResources()) {
  const all = { secret: "s3cret\n", "ca.pem": pki.ca.certificate, ...files };
  const context = { ...testContext(all), ...outsideContext(all, registry) };
  const parsed = introspectionKind.schema.safeParse({ ...BASE, ...settings });
  if (!parsed.success)
    return { context, authenticator: null, issues: parsed.error.issues.map(({ message }) => message) };
  const authenticator = introspectionKind.compile("opaque", parsed.data, context) as Authenticator | null;
  return { context, authenticator, issues: [] };
}

function ask(authenticator: Authenticator | null, token: string) {
  return authenticator?.authenticate(exchangeOf("GET", "/", { authorization: `Bearer ${token}` }));
}

const pem = (key: KeyObject): string => key.export({ type: "pkcs8", format: "pem" }).toString();

describe("postern shows the provider who it is", () => {
  const client = (method: string, more: object = {}) => ({
    client_id: "orders-client",
    client_secret: "a-secret-of-a-client-that-only-tests-know",
    grant_types: ["client_credentials"],
    redirect_uris: [],
    response_types: [],
    token_endpoint_auth_method: "client_secret_basic" as const,
    introspection_endpoint_auth_method: method,
    ...more,
  });

  test.each(["basic", "post"])("by its secret: %s", async (clientAuth) => {
    const issuer = await startOidc(pki);
    const token = await issuer.token("orders:read");
    const settings = {
      endpoint: `${issuer.issuer}/token/introspection`,
      ca: "ca.pem",
      clientId: issuer.clientId,
      clientAuth,
      audience: "https://orders.example",
    };
    const { authenticator } = compile(settings, { secret: issuer.clientSecret });
    expect(await ask(authenticator, token)).toMatchObject({ type: "introspection", id: issuer.clientId });
    const wrong = compile(settings, { secret: "another" });
    expect(await ask(wrong.authenticator, token)).toMatchObject({ reason: "introspection_unavailable" });
  });

  test.each([
    ["RSA", () => generateKeyPairSync("rsa", { modulusLength: 2048 }), "RS256"],
    ["P-256", () => generateKeyPairSync("ec", { namedCurve: "P-256" }), "ES256"],
    ["Ed25519", () => generateKeyPairSync("ed25519"), "Ed25519"],
  ])("by a signed assertion: %s", async (_, make, alg) => {
    const { privateKey, publicKey } = make() as { privateKey: KeyObject; publicKey: KeyObject };
    const jwk = { ...publicKey.export({ format: "jwk" }), alg, use: "sig", kid: "own" };
    const more = {
      token_endpoint_auth_method: "private_key_jwt",
      token_endpoint_auth_signing_alg: alg,
      jwks: { keys: [jwk] },
    };
    const issuer = await startOidc(pki, {
      configuration: {
        clients: [client("", {}), { ...client(""), client_id: "guard", ...more }] as never,
        enabledJWA: { clientAuthSigningAlgValues: ["RS256", "ES256", "Ed25519"] },
      },
    });
    const token = await issuer.token("orders:read");
    const { authenticator } = compile(
      {
        endpoint: `${issuer.issuer}/token/introspection`,
        issuer: issuer.issuer,
        ca: "ca.pem",
        clientId: "guard",
        clientAuth: "privateKey",
        clientKey: { file: "own.key" },
        clientSecret: undefined,
        audience: "https://orders.example",
      },
      { "own.key": pem(privateKey) },
    );
    expect(await ask(authenticator, token)).toMatchObject({ id: issuer.clientId });
  });
});

describe("bad settings are problems with their place", () => {
  test.each<[string, Record<string, unknown>, RegExp]>([
    ["an endpoint in the clear", { endpoint: "http://idp.example.org/" }, /in the clear/],
    ["a secret in the policy", { clientSecret: "s3cret" }, /a secret never stands in the policy/],
    ["no secret", { clientSecret: undefined }, /'clientSecret' is missing/],
    ["mtls without a certificate", { clientAuth: "mtls" }, /expected 'certificate' and 'key'/],
    ["an assertion without a key", { clientAuth: "privateKey" }, /expected 'clientKey'/],
    [
      "a key that is none",
      { clientAuth: "privateKey", clientKey: { file: "secret" } },
      /expected a private key in PEM/,
    ],
    ["half a certificate", { certificate: "ca.pem" }, /'key' is missing/],
    ["a cache without end", { cacheFor: "2d" }, /at most 60m/],
  ])("%s", (_, settings, text) => {
    const { context, authenticator, issues } = compile(settings);
    expect(authenticator).toBe(null);
    expect([...context.problems, ...issues].join("\n")).toMatch(text);
    expect([...context.problems, ...issues].join("\n")).not.toContain("s3cret");
  });

  test("no audience is a warning", () => {
    expect(compile({ audience: undefined }).context.warnings.join()).toMatch(/for whichever service/);
  });
});

describe("what the provider says is judged", () => {
  const good = { sub: "ann", aud: "orders", scope: "a b", exp: 4_000_000_000 };
  const judge = (claims: Record<string, unknown>, settings: Record<string, unknown> = {}) =>
    compile(settings).authenticator?.assume({ type: "jwt", claims: { ...good, ...claims } });

  test("a good answer is the caller, with its scopes and end", () => {
    expect(judge({})).toMatchObject({ id: "ann", key: "opaque/ann", expiresAtMs: 4e12 });
    expect(judge({ exp: undefined })).toMatchObject({ expiresAtMs: Number.POSITIVE_INFINITY });
  });

  test.each<[Record<string, unknown>, string, Record<string, unknown>?]>([
    [{ aud: "payments" }, "token_audience_mismatch"],
    [{ aud: ["payments", "ordersx"] }, "token_audience_mismatch"],
    [{ aud: undefined }, "token_audience_mismatch"],
    [{ exp: 1 }, "token_expired"],
    [{ exp: "4000000000" }, "token_malformed"],
    [{ exp: null }, "token_malformed"],
    [{ nbf: 4_000_000_000 }, "token_not_yet_valid"],
    [{ iss: "https://evil.example" }, "token_issuer_mismatch", { issuer: "https://idp.example.org" }],
    [{}, "token_claim_missing", { requiredClaims: ["tenant"] }],
    [{ sub: "a\nb" }, "token_malformed"],
  ])("%j is %s", (claims, reason, settings = {}) => {
    const answer = judge(claims, settings);
    expect(answer).toBeInstanceOf(Denial);
    expect(answer).toMatchObject({ reason });
  });
});
