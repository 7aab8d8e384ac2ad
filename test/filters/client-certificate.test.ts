import { X509Certificate } from "node:crypto";
import { expect, test } from "vitest";
import { createDevelopmentCa } from "../../src/cli/development-ca.ts";
import { clientCertificateKind } from "../../src/filters/client-certificate/compile.ts";
import { readClientCertificate } from "../../src/message/certificate.ts";
import type { ClientCertificate } from "../../src/message/connection.ts";
import { atOnce, stepsOf } from "../../src/support/turns.ts";
import { denialOf, NOW_MS, principalOf, request, testContext } from "./identity-context.ts";

const ID = "spiffe://example.org/ns/shop/sa/billing";
const ca = await createDevelopmentCa("test CA", NOW_MS);

async function certificate(names: { uris?: string[]; dnsNames?: string[] }, untrusted: string | null = null) {
  const issued = await ca.issue({ commonName: "billing", usage: "client", notAfterMs: NOW_MS + 60_000, ...names });
  return readClientCertificate(new X509Certificate(issued.certificate), untrusted);
}
const billing = await certificate({ uris: [ID], dnsNames: ["billing.shop.example.org"] });

function compile(settings: Record<string, unknown>, context = testContext()) {
  const parsed = clientCertificateKind.schema.parse({ type: "client-certificate", ...settings });
  const authenticator = atOnce(stepsOf(clientCertificateKind.compile("mesh", parsed, context)));
  if (authenticator === null) throw new Error("did not compile");
  return {
    context,
    ask: (one: ClientCertificate | null) => authenticator.authenticate(request([], one)),
    authenticator,
  };
}
type Answer = Parameters<typeof denialOf>[0];

test("A connection without a certificate has no credentials of this kind", () => {
  expect(compile({}).ask(null)).toBeNull();
});

test("A trusted certificate gives a principal with its SPIFFE ID", () => {
  const principal = principalOf(compile({ trustDomain: "example.org" }).ask(billing) as Answer);
  expect(principal).toMatchObject({
    type: "client-certificate",
    id: ID,
    key: `mesh/${ID}`,
    expiresAtMs: NOW_MS + 60_000,
  });
  expect(principal.scopes.size).toBe(0);
});

test("Without a SPIFFE ID the subject names the caller", async () => {
  const plain = await certificate({});
  expect(principalOf(compile({}).ask(plain) as Answer).id).toBe("CN=billing");
});

test("A certificate that the handshake could not verify is denied, whatever it says", async () => {
  const untrusted = await certificate({ uris: [ID] }, "SELF_SIGNED_CERT_IN_CHAIN");
  const denial = denialOf(compile({ trustDomain: "example.org" }).ask(untrusted) as Answer);
  expect(denial.reason).toBe("certificate_untrusted");
  expect(denial.seen).toContain("SELF_SIGNED_CERT_IN_CHAIN");
});

test("A certificate that expires while its connection is open is denied from then on", () => {
  const { ask, context } = compile({});
  expect(principalOf(ask(billing) as Answer).id).toBe(ID);
  context.clock.nowMs = billing.notAfterMs;
  expect(principalOf(ask(billing) as Answer).id).toBe(ID);
  context.clock.nowMs += 1;
  expect(denialOf(ask(billing) as Answer).reason).toBe("certificate_expired");
});

test("The principal of a connection is made once", () => {
  const { ask } = compile({});
  expect(ask(billing)).toBe(ask(billing));
});

test.each([
  [{ trustDomain: "example.org" }, true],
  [{ trustDomain: "example.com" }, false],
  [{ trustDomain: "example.or" }, false],
  [{ trustDomain: "xample.org" }, false],
  [{ spiffeIds: [ID] }, true],
  [{ spiffeIds: [`${ID}2`, ID] }, true],
  [{ spiffeIds: ["spiffe://example.org/ns/shop/sa"] }, false],
  [{ spiffeIds: ["spiffe://example.org/ns/*/sa/billing"] }, true],
  [{ spiffeIds: ["spiffe://example.org/ns/*/billing"] }, false],
  [{ spiffeIds: ["spiffe://example.org/*"] }, false],
  [{ spiffeIds: ["spiffe://example.org/ns/shop/**"] }, true],
  [{ spiffeIds: ["spiffe://example.org/**"] }, true],
  [{ spiffeIds: [`${ID}/**`] }, false],
  [{ spiffeIds: ["spiffe://example.org/ns/sho/**"] }, false],
  [{ dnsNames: ["billing.shop.example.org"] }, true],
  [{ dnsNames: ["BILLING.shop.example.org"] }, true],
  [{ dnsNames: ["*.shop.example.org"] }, true],
  [{ dnsNames: ["*.example.org"] }, false],
  [{ dnsNames: ["shop.example.org"] }, false],
  [{ subjects: ["CN=billing"] }, true],
  [{ subjects: ["CN=bill"] }, false],
  [{ fingerprints: [billing.fingerprint] }, true],
  [{ fingerprints: [(billing.fingerprint.toUpperCase().match(/../g) ?? []).join(":")] }, true],
  [{ fingerprints: ["0".repeat(64)] }, false],
  [{ trustDomain: "example.org", dnsNames: ["*.shop.example.org"] }, true],
  [{ trustDomain: "example.org", dnsNames: ["other.example.org"] }, false],
])("%j lets the billing service in: %s", (settings, allowed) => {
  const answer = compile(settings).ask(billing) as Answer;
  if (allowed) expect(principalOf(answer).id).toBe(ID);
  else expect(denialOf(answer).reason).toBe("certificate_identity_mismatch");
});

test("A denial stands at the rule that the certificate does not meet", () => {
  const denial = denialOf(compile({ trustDomain: "example.org", subjects: ["CN=x"] }).ask(billing) as Answer);
  expect(denial.place?.path).toBe("subjects");
  expect(denial.seen).toContain(ID);
  expect(denial.wanted).toContain("CN=x");
});

test.each([
  ["two SPIFFE IDs", { uris: [ID, "spiffe://example.org/admin"] }],
  ["a SPIFFE ID inside a DNS name", { dnsNames: [`x, URI:${ID}`] }],
  ["a SPIFFE ID inside another URI", { uris: [`https://a/, URI:${ID}`] }],
  ["a trust domain that only begins alike", { uris: ["spiffe://example.org.attacker.net/ns/shop/sa/billing"] }],
])("A certificate with %s is not in the trust domain", async (_, names) => {
  const denial = denialOf(compile({ trustDomain: "example.org" }).ask(await certificate(names)) as Answer);
  expect(denial.reason).toBe("certificate_identity_mismatch");
});

test("A wildcard for one label does not stand for an empty one or a leading dot", async () => {
  const { ask } = compile({ dnsNames: ["*.example.org"] });
  for (const name of [".example.org", "example.org", "a.b.example.org", "aexample.org"]) {
    expect(denialOf(ask(await certificate({ dnsNames: [name] })) as Answer).reason, name).toBe(
      "certificate_identity_mismatch",
    );
  }
});

test.each([
  [{ trustDomain: "Example.org" }],
  [{ trustDomain: "spiffe://example.org" }],
  [{ spiffeIds: [] }],
  [{ spiffeIds: ["example.org/ns"] }],
  [{ spiffeIds: ["spiffe://*/ns"] }],
  [{ spiffeIds: ["spiffe://example.org/ns/**/sa"] }],
  [{ dnsNames: ["a.*.example.org"] }],
  [{ dnsNames: ["*"] }],
  [{ fingerprints: ["abc"] }],
  [{ trustDomains: ["example.org"] }],
])("%j is no setting", (settings) => {
  expect(clientCertificateKind.schema.safeParse({ type: "client-certificate", ...settings }).success).toBe(false);
});

test("A certificate is never supposed", () => {
  expect(compile({}).authenticator.assume({ type: "jwt", claims: {} })).toBeNull();
});
