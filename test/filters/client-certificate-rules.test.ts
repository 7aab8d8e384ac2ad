import "reflect-metadata";
import { createHash, X509Certificate } from "node:crypto";
import * as x509 from "@peculiar/x509";
import { expect, test } from "vitest";
import { clientCertificateKind } from "../../src/filters/client-certificate/compile.ts";
import { readClientCertificate } from "../../src/message/certificate.ts";
import type { ClientCertificate } from "../../src/message/connection.ts";
import { atOnce, stepsOf } from "../../src/support/turns.ts";
import { denialOf, NOW_MS, principalOf, request, testContext } from "./identity-context.ts";

type AltNames = ConstructorParameters<typeof x509.SubjectAlternativeNameExtension>[0];

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };

async function certificate(names: AltNames, serialNumber = "00a1b2", untrusted: string | null = null) {
  const keys = await crypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
  const made = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber,
    name: "O=Shop, CN=billing",
    notBefore: new Date(NOW_MS - 1000),
    notAfter: new Date(NOW_MS + 60_000),
    signingAlgorithm: ALGORITHM,
    keys,
    extensions: [new x509.SubjectAlternativeNameExtension(names)],
  });
  return readClientCertificate(new X509Certificate(made.toString("pem")), untrusted);
}

const billing = await certificate([
  { type: "dns", value: "billing.example.org" },
  { type: "url", value: "https://example.org/teams/billing" },
  { type: "url", value: "urn:example:billing" },
  { type: "email", value: "Ops@Example.ORG" },
  { type: "ip", value: "10.1.2.3" },
  { type: "ip", value: "2001:db8::1" },
]);
const spki = billing.x509?.publicKey.export({ type: "spki", format: "der" }) ?? "";
const pin = createHash("sha256").update(spki);
const pinHex = pin.copy().digest("hex");
const pinBase64 = pin.digest("base64");

function ask(settings: Record<string, unknown>, one: ClientCertificate | null) {
  const context = testContext();
  const parsed = clientCertificateKind.schema.parse({ type: "client-certificate", ...settings });
  const authenticator = atOnce(stepsOf(clientCertificateKind.compile("mesh", parsed, context)));
  if (authenticator === null) throw new Error("did not compile");
  const answer = authenticator.authenticate(request([], one));
  if (answer instanceof Promise) throw new Error("a certificate needs nobody else");
  return { answer, ...context };
}

test.each([
  [{ uris: ["urn:example:billing"] }, true],
  [{ uris: ["https://example.org/teams/*"] }, true],
  [{ uris: ["https://example.org/**"] }, true],
  [{ uris: ["https://example.or/**"] }, false],
  [{ uris: ["urn:example:bill"] }, false],
  [{ uris: ["URN:example:billing"] }, false],
  [{ emails: ["Ops@example.org"] }, true],
  [{ emails: ["ops@example.org"] }, false],
  [{ emails: ["*@EXAMPLE.org"] }, true],
  [{ emails: ["*@ample.org"] }, false],
  [{ addresses: ["10.1.0.0/16"] }, true],
  [{ addresses: ["10.1.2.3"] }, true],
  [{ addresses: ["2001:db8::/32"] }, true],
  [{ addresses: ["10.2.0.0/16", "2001:db9::/32"] }, false],
  [{ issuers: ["O=Shop,CN=billing"] }, true],
  [{ issuers: ["issuer=O = Shop, CN = billing"] }, true],
  [{ issuers: ["CN=billing"] }, false],
  [{ serials: ["A1:B2"], issuers: ["CN=billing,O=Shop"] }, true],
  [{ serials: ["0x00a1b2"] }, true],
  [{ serials: ["A1B3"] }, false],
  [{ serials: ["0"] }, false],
  [{ publicKeys: [pinBase64] }, true],
  [{ publicKeys: [`sha256/${pinBase64}`] }, true],
  [{ publicKeys: [`sha256//${pinBase64}`] }, true],
  [{ publicKeys: [`sha256:${pinHex}`] }, true],
  [{ publicKeys: [pinHex.toUpperCase()] }, true],
  [{ publicKeys: [billing.fingerprint] }, false],
  [{ emails: ["Ops@example.org"], addresses: ["192.0.2.1"] }, false],
])("%j lets the certificate in: %s", (settings, allowed) => {
  const { answer } = ask(settings, billing);
  if (allowed) expect(principalOf(answer).type).toBe("client-certificate");
  else expect(denialOf(answer).reason).toBe("certificate_identity_mismatch");
});

test.each([
  [
    "a mailbox whose name ends like the host",
    { emails: ["*@example.org"] },
    [{ type: "email", value: "a@example.org@evil.example" }],
  ],
  ["a mailbox at a host below", { emails: ["*@example.org"] }, [{ type: "email", value: "a@x.example.org" }]],
  ["a mail address without a mailbox", { emails: ["*@example.org"] }, [{ type: "email", value: "@example.org" }]],
  [
    "a URI whose path climbs",
    { uris: ["https://example.org/teams/**"] },
    [{ type: "url", value: "https://example.org/teams/../admin" }],
  ],
  [
    "a URI with a user that looks like the host",
    { uris: ["https://example.org/**"] },
    [{ type: "url", value: "https://example.org@evil.example/x" }],
  ],
  ["a DNS name that looks like an address", { addresses: ["10.0.0.0/8"] }, [{ type: "dns", value: "10.1.2.3" }]],
  [
    "a DNS name with an address after a comma",
    { addresses: ["10.0.0.0/8"] },
    [{ type: "dns", value: "x, IP Address:10.1.2.3" }],
  ],
  [
    "a mail address with a URI after a comma",
    { uris: ["urn:example:billing"] },
    [{ type: "email", value: "x, URI:urn:example:billing" }],
  ],
] as [string, Record<string, unknown>, AltNames][])("%s is not what is asked for", async (_, settings, names) => {
  const { answer } = ask(settings, await certificate(names));
  expect(denialOf(answer).reason).toBe("certificate_identity_mismatch");
});

test("a pinned key survives the renewal of its certificate, a fingerprint does not", async () => {
  const other = await certificate([]);
  expect(denialOf(ask({ publicKeys: [pinHex] }, other).answer).reason).toBe("certificate_identity_mismatch");
  const renewed = { ...billing, fingerprint: other.fingerprint };
  expect(principalOf(ask({ publicKeys: [pinHex] }, renewed).answer).id).toBe("CN=billing,O=Shop");
  expect(denialOf(ask({ fingerprints: [billing.fingerprint] }, renewed).answer).reason).toBe(
    "certificate_identity_mismatch",
  );
});

test("a serial number without its issuer is warned of, for another authority may give it too", () => {
  expect(ask({ serials: ["01"] }, billing).warnings.join()).toContain("another authority");
  expect(ask({ serials: ["01"], issuers: ["CN=a"] }, billing).warnings).toEqual([]);
});

test("the principal says which certificate it was", () => {
  const { claims } = principalOf(ask({}, billing).answer);
  expect(claims).toMatchObject({
    subject: "CN=billing,O=Shop",
    issuer: "CN=billing,O=Shop",
    serialNumber: "A1B2",
    fingerprint: billing.fingerprint,
    dnsNames: ["billing.example.org"],
    emails: ["Ops@Example.ORG"],
    addresses: ["10.1.2.3", "2001:db8::1"],
  });
  expect(Object.isFrozen(claims)).toBe(true);
});

test.each([
  ["CERT_HAS_EXPIRED", "certificate_expired", /^CERT_HAS_EXPIRED, ended 2026-11-21T12:01:00/],
  ["CERT_NOT_YET_VALID", "certificate_not_yet_valid", /^CERT_NOT_YET_VALID, begins 2026-11-21T11:59:59/],
  ["CERT_REVOKED", "certificate_revoked", /^CERT_REVOKED/],
  ["UNABLE_TO_GET_CRL", "certificate_revocation_unknown", /issuer "CN=billing,O=Shop"/],
  ["CRL_HAS_EXPIRED", "certificate_revocation_unknown", /^CRL_HAS_EXPIRED/],
  ["INVALID_PURPOSE", "certificate_usage_mismatch", /^INVALID_PURPOSE/],
  ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", "certificate_issuer_unknown", /issuer "CN=billing,O=Shop"/],
  ["UNABLE_TO_GET_ISSUER_CERT_LOCALLY", "certificate_issuer_unknown", /issuer/],
  ["SELF_SIGNED_CERT_IN_CHAIN", "certificate_untrusted", /^SELF_SIGNED_CERT_IN_CHAIN/],
  ["WEAK_KEY", "certificate_untrusted", /^WEAK_KEY/],
  ["A_CODE_THAT_NOBODY_KNOWS", "certificate_untrusted", /^A_CODE/],
  ["constructor", "certificate_untrusted", /^constructor/],
])("what OpenSSL calls %s is denied as %s", async (code, reason, seen) => {
  const denial = denialOf(ask({}, { ...billing, untrusted: code }).answer);
  expect(denial.reason).toBe(reason);
  expect(denial.seen).toMatch(seen);
});

test("what the log sees of a hostile name is cut", async () => {
  const hostile = await certificate([{ type: "dns", value: `a${"x".repeat(5000)}` }]);
  const { seen } = denialOf(ask({ dnsNames: ["b"] }, hostile).answer);
  expect(seen.length).toBeLessThan(1000);
});

test.each([
  [{ uris: ["spiffe://example.org/a"] }],
  [{ uris: ["https://*/x"] }],
  [{ uris: ["urn:*"] }],
  [{ uris: ["no uri"] }],
  [{ emails: ["example.org"] }],
  [{ emails: ["*@*"] }],
  [{ emails: ["a@b@c d"] }],
  [{ serials: ["xyz"] }],
  [{ serials: [""] }],
  [{ serials: [10] }],
  [{ publicKeys: ["sha1/AAAA"] }],
  [{ publicKeys: [pinBase64.slice(0, -2)] }],
  [{ issuers: ["nobody"] }],
  [{ addresses: [] }],
])("%j is no setting", (settings) => {
  expect(clientCertificateKind.schema.safeParse({ type: "client-certificate", ...settings }).success).toBe(false);
});

test("a prefix that is none is a problem with its place", () => {
  expect(ask({ addresses: ["10.0.0.0/8", "10.0.0.1/33"] }, billing).problems.join()).toContain("addresses.1");
});
