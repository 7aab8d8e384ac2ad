import "reflect-metadata";
import { X509Certificate } from "node:crypto";
import * as x509 from "@peculiar/x509";
import { expect, test } from "vitest";
import { createDevelopmentCa } from "../../src/cli/development-ca.ts";
import { parseSubjectAltName, readClientCertificate } from "../../src/message/certificate.ts";
import type { ClientCertificate } from "../../src/message/connection.ts";

const NOW_MS = Date.now();
const ID = "spiffe://example.org/ns/shop/sa/billing";
const ca = await createDevelopmentCa("test CA", NOW_MS);

async function issue(names: { dnsNames?: string[]; uris?: string[]; addresses?: string[] }, commonName = "billing") {
  const issued = await ca.issue({ commonName, usage: "client", ...names });
  return readClientCertificate(new X509Certificate(issued.certificate), null);
}

/** A self-signed certificate with any name and any extension. */
async function forge(name: x509.JsonName, extensions: x509.Extension[]): Promise<ClientCertificate> {
  const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
  const keys = await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: "0a1b",
    name,
    notBefore: new Date(NOW_MS - 1000),
    notAfter: new Date(NOW_MS + 60_000),
    signingAlgorithm: algorithm,
    keys,
    extensions,
  });
  return readClientCertificate(new X509Certificate(certificate.toString("pem")), null);
}

test("A workload's certificate is read with all its names, fingerprint and end", async () => {
  const issued = await ca.issue({
    commonName: "billing",
    usage: "client",
    uris: [ID],
    dnsNames: ["Billing.Shop.example.org", "localhost"],
    addresses: ["127.0.0.1", "::1"],
    notAfterMs: NOW_MS + 3_600_000,
  });
  const certificate = readClientCertificate(new X509Certificate(issued.certificate), "CERT_HAS_EXPIRED");
  expect(certificate).toMatchObject({
    subject: "CN=billing",
    issuer: "CN=test CA",
    dnsNames: ["billing.shop.example.org", "localhost"],
    uris: [ID],
    emails: [],
    spiffeId: ID,
    untrusted: "CERT_HAS_EXPIRED",
    notAfterMs: Math.floor((NOW_MS + 3_600_000) / 1000) * 1000,
  });
  expect(certificate.fingerprint).toMatch(/^[0-9a-f]{64}$/);
  expect(certificate.serialNumber).toMatch(/^[0-9A-F]+$/);
});

test("A certificate without names has no SPIFFE ID", async () => {
  expect(await issue({})).toMatchObject({ dnsNames: [], uris: [], spiffeId: null });
});

test.each([
  ["a comma", `evil, URI:${ID}`],
  ["a closing quote and a comma", `evil", URI:${ID}`],
  ["an escaped quote and a comma", `evil\\", URI:${ID}`],
  ["a line break", `evil\nURI:${ID}`],
  ["a NUL", `evil\u0000, URI:${ID}`],
])("A DNS name with %s does not become a second name", async (_, dnsName) => {
  const certificate = await issue({ dnsNames: [dnsName] });
  expect(certificate.uris).toEqual([]);
  expect(certificate.spiffeId).toBeNull();
  expect(certificate.dnsNames).toEqual([dnsName.toLowerCase()]);
});

test("A URI that contains another one is one URI, and no SPIFFE ID", async () => {
  const uri = `https://attacker.example/, URI:${ID}`;
  const certificate = await issue({ uris: [uri] });
  expect(certificate.uris).toEqual([uri]);
  expect(certificate.spiffeId).toBeNull();
});

test("A certificate with two URIs has no SPIFFE ID, even where one or both of them are", async () => {
  expect((await issue({ uris: [ID, "https://example.org/"] })).spiffeId).toBeNull();
  expect((await issue({ uris: [ID, ID] })).spiffeId).toBeNull();
});

test.each([
  "SPIFFE://example.org/a",
  "spiffe://Example.org/a",
  "spiffe://example.org",
  "spiffe://example.org/",
  "spiffe://example.org/a/",
  "spiffe://example.org//a",
  "spiffe://example.org/a/../admin",
  "spiffe://example.org/./a",
  "spiffe://example.org:8443/a",
  "spiffe://root@example.org/a",
  "spiffe://example.org/a?b=c",
  "spiffe://example.org/a#b",
  "spiffe://example.org/%61",
  "spiffe://example.org/é",
  "spiffe:///a",
  `spiffe://example.org/${"a".repeat(2048)}`,
])("%s is not a SPIFFE ID", async (uri) => {
  const certificate = await issue({ uris: [uri] });
  expect(certificate.uris).toEqual([uri]);
  expect(certificate.spiffeId).toBeNull();
});

test("A CA's certificate is not a workload, whatever it calls itself", async () => {
  const names = new x509.SubjectAlternativeNameExtension([{ type: "url", value: ID }]);
  const name = [{ CN: ["x"] }];
  expect((await forge(name, [names, new x509.BasicConstraintsExtension(true, 0, true)])).spiffeId).toBeNull();
  expect((await forge(name, [names])).spiffeId).toBe(ID);
});

test("Names of other kinds stand beside the SPIFFE ID and do not hide it", async () => {
  const names = new x509.SubjectAlternativeNameExtension([
    { type: "dn", value: `O=Evil\\, URI:${ID}x, CN=y` },
    { type: "email", value: "billing@example.org" },
    { type: "id", value: "1.2.3.4" },
    { type: "url", value: ID },
  ]);
  const certificate = await forge([{ CN: ["x"] }], [names]);
  expect(certificate).toMatchObject({ spiffeId: ID, uris: [ID], emails: ["billing@example.org"] });
});

test("The subject is in RFC 2253 order and escapes what would add a name", async () => {
  const certificate = await forge([{ O: ["Example"] }, { OU: ["Shop"] }, { CN: ["a, CN=admin+O=b\nCN=root"] }], []);
  expect(certificate.subject).toBe("CN=a\\, CN=admin\\+O=b\\0ACN=root,OU=Shop,O=Example");
});

test("Text that Node would not write gives no names at all", () => {
  expect(parseSubjectAltName("DNS:a, URI:b")).toEqual([
    ["DNS", "a"],
    ["URI", "b"],
  ]);
  for (const text of ["DNS:a,URI:b", 'DNS:"a', 'DNS:"a"b', "DNS:a, ", "nonsense", "DNS:a, :b", 'DNS:"\\x"']) {
    expect(parseSubjectAltName(text), text).toEqual([]);
  }
});
