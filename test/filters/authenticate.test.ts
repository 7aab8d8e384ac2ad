import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { Denial, type Verdict } from "../../src/decision/verdict.ts";
import { apiKeyKind } from "../../src/filters/api-key/compile.ts";
import { authenticateFilter } from "../../src/filters/authenticate/compile.ts";
import { clientCertificateKind } from "../../src/filters/client-certificate/compile.ts";
import type { Authenticator } from "../../src/filters/filter.ts";
import type { AssumedIdentity } from "../../src/message/exchange.ts";
import { atOnce, stepsOf } from "../../src/support/turns.ts";
import { certificateOf } from "../fixtures/certificate.ts";
import { NOW_MS, request, testContext, testRoute } from "./identity-context.ts";
import { compileJwt, NOW_S, otherRsa, pem, token } from "./jwt-kit.ts";

const KEY = "pk_live_0123456789abcdefghijklmnopqrstuvwxyz";
const CERTIFICATE = certificateOf({
  uris: ["spiffe://example.org/billing"],
  spiffeId: "spiffe://example.org/billing",
  notAfterMs: NOW_MS + 1000,
});
const UNTRUSTED = { ...CERTIFICATE, untrusted: "CERT_UNTRUSTED" };

const sha256 = createHash("sha256").update(KEY).digest("hex");
const mesh = atOnce(stepsOf(clientCertificateKind.compile("mesh", { type: "client-certificate" }, testContext())));
const partners = atOnce(
  stepsOf(
    apiKeyKind.compile(
      "partners",
      { type: "api-key", header: "x-api-key", keys: "keys.yaml" },
      testContext({ "keys.yaml": `callers: [{ name: acme, scopes: [a, b], keys: [{ sha256: "${sha256}" }] }]` }),
    ),
  ),
);
const okta = compileJwt().authenticator;
const other = compileJwt({ issuer: "https://other.example.org/" }, { "k.pem": pem(otherRsa.publicKey) }).authenticator;
if (mesh === null || partners === null || okta === null || other === null) throw new Error("did not compile");
const legacy: Authenticator = { ...delegate(other), name: "legacy" };
const ALL = [mesh, okta, partners, legacy];

function delegate(one: Authenticator): Authenticator {
  const { name, type, place, challenge, credentialHeaders } = one;
  return {
    name,
    type,
    place,
    challenge,
    credentialHeaders,
    authenticate: (exchange) => one.authenticate(exchange),
    assume: (identity) => one.assume(identity),
  };
}

function compile(settings: unknown, isPublic = false) {
  const route = testRoute(ALL, isPublic, ["broken"]);
  authenticateFilter.compile(authenticateFilter.schema.parse(settings), route.context);
  return route;
}

function check(...names: string[]) {
  const [one] = compile(names).checks;
  if (one === undefined) throw new Error("no check");
  return one;
}

function denied(verdict: Verdict): Denial {
  expect(verdict).toBeInstanceOf(Denial);
  if (verdict === null) throw new Error("expected a denial");
  return verdict;
}
const challenges = (verdict: Verdict): string[] => denied(verdict).headers.map(([name, value]) => `${name}: ${value}`);

test("Without credentials the request is denied with a challenge of each authenticator", async () => {
  const verdict = await check("mesh", "okta", "partners").evaluate(request());
  expect(denied(verdict)).toMatchObject({ reason: "credentials_missing", wanted: "one of mesh, okta, partners" });
  expect(challenges(verdict)).toEqual([
    'www-authenticate: ClientCertificate realm="orders"',
    'www-authenticate: Bearer realm="orders"',
    'www-authenticate: ApiKey realm="orders"',
  ]);
});

test("Any one of the authenticators lets the caller in", async () => {
  const route = check("mesh", "okta", "partners");
  for (const [exchange, id] of [
    [request([], CERTIFICATE), "spiffe://example.org/billing"],
    [request([["authorization", `Bearer ${token()}`]]), "alice"],
    [request([["x-api-key", KEY]]), "acme"],
  ] as const) {
    expect(await route.evaluate(exchange)).toBeNull();
    expect(exchange.principal?.id).toBe(id);
  }
});

test("The first of several good credentials, in the policy's order, names the caller", async () => {
  const both = () => request([["x-api-key", KEY]], CERTIFICATE);
  const first = both();
  await check("mesh", "partners").evaluate(first);
  const second = both();
  await check("partners", "mesh").evaluate(second);
  expect([first.principal?.type, second.principal?.type]).toEqual(["client-certificate", "api-key"]);
});

test("A bad credential does not stand in the way of a good one", async () => {
  const route = check("mesh", "okta", "partners");
  const exchange = request(
    [
      ["authorization", `Bearer ${token({ exp: NOW_S - 60 })}`],
      ["x-api-key", KEY],
    ],
    UNTRUSTED,
  );
  expect(await route.evaluate(exchange)).toBeNull();
  expect(exchange.principal?.id).toBe("acme");
});

test("Where none succeeds the first denial is the reason, and the principal stays unset", async () => {
  const route = check("mesh", "okta", "partners");
  const expired = `Bearer ${token({ exp: NOW_S - 60 })}`;
  const exchange = request([["authorization", expired]], UNTRUSTED);
  expect(denied(await route.evaluate(exchange)).reason).toBe("certificate_untrusted");
  expect(denied(await route.evaluate(request([["authorization", expired]]))).reason).toBe("token_expired");
  expect(denied(await route.evaluate(request([["x-api-key", "bad"]]))).reason).toBe("api_key_unknown");
  expect(exchange.principal).toBeNull();
});

test("A denial keeps the authenticator's place, and a token that failed is called invalid_token", async () => {
  const verdict = await check("okta", "partners").evaluate(
    request([["authorization", `Bearer ${token({ aud: "x" })}`]]),
  );
  expect(denied(verdict).place?.path).toBe("audience");
  expect(challenges(verdict)).toEqual([
    'www-authenticate: Bearer realm="orders", error="invalid_token"',
    'www-authenticate: ApiKey realm="orders"',
  ]);
  expect(challenges(await check("okta", "partners").evaluate(request([["x-api-key", "bad"]])))[0]).toBe(
    'www-authenticate: Bearer realm="orders"',
  );
});

test("Two authenticators of one challenge give one line, and the second issuer's tokens work", async () => {
  const route = check("legacy", "okta");
  expect(challenges(await route.evaluate(request()))).toEqual(['www-authenticate: Bearer realm="orders"']);
  const exchange = request([["authorization", `Bearer ${token()}`]]);
  expect(await route.evaluate(exchange)).toBeNull();
  expect(exchange.principal?.authenticator).toBe("okta");
});

test("Certificates, keys and cached tokens are judged without a promise", async () => {
  const route = check("mesh", "okta", "partners");
  const authorization = ["authorization", `Bearer ${token({ sub: "carol" })}`] as const;
  expect(route.evaluate(request([authorization]))).toBeInstanceOf(Promise);
  await route.evaluate(request([authorization]));
  for (const exchange of [request([authorization]), request([["x-api-key", KEY]]), request([], CERTIFICATE)]) {
    expect(route.evaluate(exchange)).toBeNull();
    expect(exchange.principal).not.toBeNull();
  }
  expect(route.evaluate(request())).toBeInstanceOf(Denial);
});

test("explain supposes tokens and keys in place of real ones, but never a certificate", async () => {
  const route = check("mesh", "okta", "partners");
  const suppose = (assumed: AssumedIdentity, certificate: typeof CERTIFICATE | null = null) =>
    Object.assign(request([["x-api-key", KEY]], certificate), { assumed });
  const exchange = suppose({ type: "jwt", claims: { sub: "bob", scope: "x y" } });
  expect(await route.evaluate(exchange)).toBeNull();
  expect(route.explain(exchange)).toBe('okta knows "bob", scopes x y');
  const withCertificate = suppose({ type: "jwt", claims: {} }, CERTIFICATE);
  expect(route.evaluate(withCertificate)).toBeNull();
  expect(withCertificate.principal?.authenticator).toBe("mesh");
  const unknown = suppose({ type: "api-key", caller: "nobody" });
  expect(denied(await route.evaluate(unknown)).reason).toBe("api_key_unknown");
  expect(route.explain(unknown)).toBe("nobody; asked mesh, okta, partners");
});

test("The headers that carry credentials are known to what removes them", () => {
  expect(compile(["mesh", "okta", "partners"]).credentialHeaders).toEqual(["authorization", "dpop", "x-api-key"]);
});

test("The ladder is the route's", () => {
  expect(compile(["okta"]).checks[0]?.enforcePercent).toBe(100);
  expect(compile({ any: ["okta"], mode: "audit" }).checks[0]?.enforcePercent).toBe(0);
  expect(compile({ any: ["okta"], mode: { enforce: "5%" } }).checks[0]?.enforcePercent).toBe(5);
});

test("Names that nobody defined are problems with the nearest one that exists", () => {
  const { problems, checks } = compile(["oktaa", "mesh", "nothing-like-it", "mesh", "broken"]);
  expect(problems).toEqual([
    "/etc/postern/policy.yaml:1:1 0: authenticator 'oktaa' is not defined; did you mean 'okta'?",
    "/etc/postern/policy.yaml:1:1 2: authenticator 'nothing-like-it' is not defined; expected one of: mesh, okta, partners, legacy, broken",
    "/etc/postern/policy.yaml:1:1 3: authenticator 'mesh' is named twice",
  ]);
  expect(checks).toHaveLength(1);
  expect(compile({ any: ["x"] }).problems[0]).toContain("any.0: ");
});

test("A check whose authenticators did not compile lets nobody in", async () => {
  const [only] = compile(["broken"]).checks;
  expect(denied((await only?.evaluate(request([["x-api-key", KEY]], CERTIFICATE))) ?? null).reason).toBe(
    "credentials_missing",
  );
});

test("A public route does not take over the authenticators of the defaults", () => {
  expect(compile(["okta"], true).checks).toEqual([]);
});

test("Lists without a name are no setting", () => {
  for (const settings of [[], [""], {}, { any: [] }, "okta", null, [1], { any: ["okta"], all: ["mesh"] }]) {
    expect(authenticateFilter.schema.safeParse(settings).success, JSON.stringify(settings)).toBe(false);
  }
});

test("With several issuers a token is told what its own issuer's authenticator has against it", async () => {
  const expired = token({ exp: 0 });
  for (const names of [
    ["okta", "legacy"],
    ["legacy", "okta"],
  ]) {
    const denial = denied(await check(...names).evaluate(request([["authorization", `Bearer ${expired}`]])));
    expect(denial.reason).toBe("token_expired");
    expect(denial.parts.map(({ name, denial: part }) => [name, part?.reason])).toEqual(
      names.map((name) => [name, name === "okta" ? "token_expired" : "token_issuer_mismatch"]),
    );
  }
});
