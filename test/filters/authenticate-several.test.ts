import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { Denial, type Verdict } from "../../src/decision/verdict.ts";
import { anonymousKind } from "../../src/filters/anonymous/compile.ts";
import { apiKeyKind } from "../../src/filters/api-key/compile.ts";
import { authenticateFilter } from "../../src/filters/authenticate/compile.ts";
import { clientCertificateKind } from "../../src/filters/client-certificate/compile.ts";
import type { Authenticator } from "../../src/filters/filter.ts";
import { mergeSettings } from "../../src/policy/merge.ts";
import { atOnce, stepsOf } from "../../src/support/turns.ts";
import { certificateOf } from "../fixtures/certificate.ts";
import { NOW_MS, request, testContext, testRoute } from "./identity-context.ts";
import { compileJwt, otherRsa, pem, token } from "./jwt-kit.ts";

const KEY = "pk_live_0123456789abcdefghijklmnopqrstuvwxyz";
const CERTIFICATE = certificateOf({
  uris: ["spiffe://example.org/billing"],
  spiffeId: "spiffe://example.org/billing",
  notAfterMs: NOW_MS + 1000,
});
const sha256 = createHash("sha256").update(KEY).digest("hex");
const keysFile = { "keys.yaml": `callers: [{ name: acme, scopes: [a], keys: [{ sha256: "${sha256}" }] }]` };

function named(one: Authenticator | null): Authenticator {
  if (one === null) throw new Error("did not compile");
  return one;
}
const mesh = named(
  atOnce(stepsOf(clientCertificateKind.compile("mesh", { type: "client-certificate" }, testContext()))),
);
const partners = named(
  atOnce(
    stepsOf(
      apiKeyKind.compile(
        "partners",
        apiKeyKind.schema.parse({ type: "api-key", header: "x-api-key", keys: "keys.yaml" }),
        testContext(keysFile),
      ),
    ),
  ),
);
const okta = named(compileJwt().authenticator);
const other = named(
  compileJwt({ issuer: "https://other.example.org/" }, { "k.pem": pem(otherRsa.publicKey) }).authenticator,
);
const entra: Authenticator = {
  name: "entra",
  type: other.type,
  place: other.place,
  challenge: other.challenge,
  credentialHeaders: other.credentialHeaders,
  authenticate: (exchange) => other.authenticate(exchange),
  assume: (identity) => other.assume(identity),
};
const guest = named(
  atOnce(stepsOf(anonymousKind.compile("guest", { type: "anonymous", scopes: ["catalog:read"] }, testContext()))),
);

function compile(settings: unknown) {
  const route = testRoute([mesh, okta, partners, entra, guest]);
  authenticateFilter.compile(authenticateFilter.schema.parse(settings), route.context);
  return route;
}

function check(settings: unknown) {
  const { checks, problems } = compile(settings);
  const [one] = checks;
  if (one === undefined || problems.length > 0) throw new Error(problems.join("\n"));
  return one;
}

function denied(verdict: Verdict): Denial {
  if (!(verdict instanceof Denial)) throw new Error("expected a denial");
  return verdict;
}
const bearer = (text: string) => ["authorization", `Bearer ${text}`] as const;

test("With 'all' a certificate and a token are both needed, and the last of them says who it is", async () => {
  const route = check({ all: ["mesh", "okta"] });
  const both = request([bearer(token())], CERTIFICATE);
  expect(await route.evaluate(both)).toBeNull();
  expect(both.principal).toMatchObject({ authenticator: "okta", id: "alice" });
  // Whichever credential ends first ends it, for streams that last.
  expect(both.principal?.expiresAtMs).toBe(CERTIFICATE.notAfterMs);

  const onlyToken = request([bearer(token())]);
  const first = denied(await route.evaluate(onlyToken));
  expect(first).toMatchObject({
    reason: "certificate_missing",
    seen: "okta only, nothing for mesh; no client certificate in the handshake",
  });
  expect(onlyToken.principal).toBeNull();
  const onlyCertificate = request([], CERTIFICATE);
  expect(denied(await route.evaluate(onlyCertificate)).seen).toBe("mesh only, nothing for okta");
  expect(onlyCertificate.principal).toBeNull();
});

test("With 'all' every denial is told, and so is who did know the caller", async () => {
  const route = check({ all: ["mesh", "okta", "partners"] });
  const exchange = request([bearer("a.b.c"), ["x-api-key", KEY]], { ...CERTIFICATE, untrusted: "CERT_UNTRUSTED" });
  const { reason, parts } = denied(await route.evaluate(exchange));
  expect(reason).toBe("certificate_untrusted");
  expect(parts.map(({ name, denial, caller }) => [name, denial?.reason ?? null, caller])).toEqual([
    ["mesh", "certificate_untrusted", undefined],
    ["okta", "token_malformed", undefined],
    ["partners", null, "acme"],
  ]);
});

test("A group in the list is one of its members, or all of them", async () => {
  const route = check({ all: ["mesh", { any: ["okta", "partners"] }] });
  const withKey = request([["x-api-key", KEY]], CERTIFICATE);
  expect(await route.evaluate(withKey)).toBeNull();
  expect(withKey.principal?.id).toBe("acme");
  expect(denied(await route.evaluate(request([["x-api-key", KEY]]))).reason).toBe("credentials_missing");

  const either = check(["partners", { all: ["mesh", "okta"] }]);
  expect(await either.evaluate(request([["x-api-key", KEY]]))).toBeNull();
  expect(await either.evaluate(request([bearer(token())], CERTIFICATE))).toBeNull();
  expect(denied(await either.evaluate(request([bearer(token())]))).reason).toBe("credentials_missing");
});

test("One authenticator may stand in several groups", async () => {
  const route = check([{ all: ["mesh", "okta"] }, { all: ["mesh", "partners"] }]);
  expect(await route.evaluate(request([["x-api-key", KEY]], CERTIFICATE))).toBeNull();
  const verdict = denied(await route.evaluate(request([["x-api-key", KEY]])));
  expect(verdict.headers.map(([, value]) => value.split(" ")[0])).toEqual(["ClientCertificate", "Bearer", "ApiKey"]);
});

test("The same token cannot stand for two authenticators of one kind", async () => {
  const route = check({ all: ["okta", "entra"] });
  expect(denied(await route.evaluate(request([bearer(token())]))).reason).toBe("token_issuer_mismatch");
});

test("Without any credentials the caller is anonymous, with bad ones it is refused", async () => {
  const route = check(["okta", "partners", "guest"]);
  const nobody = request();
  expect(await route.evaluate(nobody)).toBeNull();
  expect(nobody.principal).toMatchObject({ authenticator: "guest", type: "anonymous", id: "anonymous" });
  expect([...(nobody.principal?.scopes ?? [])]).toEqual(["catalog:read"]);

  for (const headers of [[bearer("a.b.c")], [["x-api-key", "pk_guess"] as const], [["x-api-key", ""] as const]]) {
    const exchange = request(headers);
    expect(denied(await route.evaluate(exchange)).reason).not.toBe("credentials_missing");
    expect(exchange.principal).toBeNull();
  }
  const known = request([["x-api-key", KEY]]);
  expect(await route.evaluate(known)).toBeNull();
  expect(known.principal?.id).toBe("acme");
});

test("A certificate without the token that is asked beside it is no anonymous caller", async () => {
  const route = check([{ all: ["mesh", "okta"] }, "guest"]);
  expect(denied(await route.evaluate(request([], CERTIFICATE))).reason).toBe("credentials_missing");
  expect(await route.evaluate(request())).toBeNull();
});

test.each([
  [["guest", "okta"], "0: 'guest' is anonymous, so it can only be the last choice of the route's own list"],
  [{ all: ["okta", "guest"] }, "all.1: 'guest' is anonymous, so it can only be the last choice"],
  [["okta", { any: ["partners", "guest"] }], "1.any.1: 'guest' is anonymous, so it can only be the last choice"],
  [["guest"], "0: 'guest' alone asks nobody who they are; expected 'public: true'"],
  [["mesh", "okta", "mesh"], "2: authenticator 'mesh' is named twice"],
  [{ all: ["mesh", "mesh"] }, "all.1: authenticator 'mesh' is named twice"],
  [{ all: ["mesh", { any: ["okto"] }] }, "all.1.any.0: authenticator 'okto' is not defined; did you mean 'okta'?"],
])("%j is a problem at its place", (settings, problem) => {
  expect(compile(settings).problems.join("\n")).toContain(problem);
});

test("Groups nest once, and a setting has one of 'any' and 'all'", () => {
  for (const settings of [
    { any: ["mesh"], all: ["okta", "partners"] },
    { all: ["mesh"] },
    ["mesh", { any: [{ all: ["okta", "partners"] }] }],
    ["mesh", {}],
    ["mesh", { all: ["okta"] }],
  ]) {
    expect(authenticateFilter.schema.safeParse(settings).success, JSON.stringify(settings)).toBe(false);
  }
});

test("A route's 'all' stands in place of the 'any' of the defaults", () => {
  const defaults = { value: { any: ["mesh"], mode: "audit" }, path: ["defaults", "authenticate"] };
  const route = { value: { all: ["mesh", "okta"] }, path: ["routes", 0, "authenticate"] };
  expect(mergeSettings(defaults, route, ["any", "all"]).value).toEqual({ all: ["mesh", "okta"] });
});
