// Goal: names that a proxy tells without the certificate are taken where the policy says so, as they are and no further.
import { beforeAll, describe, expect, test } from "vitest";
import { publicKeyHash, shownChain } from "../../src/message/certificate.ts";
import { CERTIFICATE_FORMATS } from "../../src/message/certificate-formats.ts";
import { CERTIFICATE_LINES } from "../../src/message/certificate-lines.ts";
import { ForwardedCertificates } from "../../src/message/forwarded-certificate.ts";
import { createAuthority } from "../fixtures/authority.ts";
import { createHeaders } from "../fixtures/route-context.ts";

const HASH = "ab".repeat(32);
const ID = "spiffe://cluster.local/ns/shop/sa/billing";
/** As Istio's gateway and sidecars write it. */
const ISTIO = `By=spiffe://cluster.local/ns/shop/sa/orders;Hash=${HASH};Subject="";URI=${ID}`;

function read(value: string, takesNames = true) {
  const format = CERTIFICATE_FORMATS.xfcc;
  const { header } = format;
  const clock = { wallMs: () => Date.now() };
  const one = new ForwardedCertificates({ format, header, anchors: null, revocations: null, takesNames, clock });
  return one.read(createHeaders([[header, value]]));
}

function told(value: string) {
  const result = read(value);
  return result.ok ? result.value : result.error;
}

let certificate: string;
beforeAll(async () => {
  const authority = await createAuthority("mesh");
  certificate = (await authority.issue({ subject: "CN=real", usage: "client" })).certificate;
});

test("Istio's element is who it names", () => {
  expect(told(ISTIO)).toMatchObject({ spiffeId: ID, uris: [ID], fingerprint: HASH, subject: "", untrusted: null });
});

test("Envoy's names are read as they stand in quotes", () => {
  const value = `By=a;Hash=${HASH.toUpperCase()};Subject="CN=billing,O=\\"Shop\\"";URI=urn:a;URI=urn:b;DNS=A.example;DNS=*.b.example`;
  expect(told(value)).toMatchObject({
    subject: 'CN=billing,O="Shop"',
    uris: ["urn:a", "urn:b"],
    dnsNames: ["a.example", "*.b.example"],
    spiffeId: null,
    fingerprint: HASH,
  });
});

test("what is not told is not there: no issuer, number, key, chain, and no end", () => {
  const names = told(ISTIO);
  if (names === null || typeof names === "string") throw new Error("expected names");
  expect(names).toMatchObject({ issuer: "", serialNumber: "", emails: [], addresses: [], x509: null });
  expect(names.notAfterMs).toBe(Number.POSITIVE_INFINITY);
  expect(publicKeyHash(names)).toBe(null);
  expect(shownChain(names, 10)).toEqual([]);
  expect(CERTIFICATE_LINES["client-cert"](names)).toBe("");
  expect(CERTIFICATE_LINES.xfcc(names)).toBe(`x-forwarded-client-cert: Hash=${HASH};Subject="";URI=${ID}\r\n`);
});

test("an element with its certificate is that certificate, whatever names stand beside it", () => {
  expect(told(`${ISTIO};Cert="${encodeURIComponent(certificate)}"`)).toMatchObject({
    subject: "CN=real",
    spiffeId: null,
  });
});

test("without the key of the policy names alone are refused", () => {
  expect(read(ISTIO, false)).toMatchObject({
    ok: false,
    error: expect.stringContaining("no certificate in 'Cert'") as string,
  });
});

describe("what has more than one reading, or none, is refused", () => {
  test.each([
    ["two elements, of which the first may be a client's own", `${ISTIO},${ISTIO}`],
    ["a client's element before the proxy's", `URI=spiffe://cluster.local/ns/shop/sa/admin,${ISTIO}`],
    ["two subjects", `${ISTIO};Subject="CN=admin"`],
    ["two hashes", `${ISTIO};hash=${HASH}`],
    ["a hash that is none", "Hash=00;URI=urn:a"],
    ["an open quote", 'Subject="CN=a;URI=urn:a'],
    ["nothing that names anybody", "By=urn:a"],
    ["empty names", 'By=urn:a;Subject="";URI=;DNS='],
    ["a chain without the certificate", `${ISTIO};Chain="x"`],
    ["more names than a certificate has", Array.from({ length: 65 }, (_, at) => `DNS=a${at}`).join(";")],
    ["words", "hello"],
  ])("%s", (_, value) => {
    expect(told(value)).toMatch(/^x-forwarded-client-cert: /);
  });

  test("of two SPIFFE IDs nobody is either", () => {
    expect(told(`${ISTIO};URI=spiffe://cluster.local/ns/shop/sa/admin`)).toMatchObject({ spiffeId: null });
  });

  test("no element is no certificate", () => {
    expect(told("")).toBe(null);
  });
});
