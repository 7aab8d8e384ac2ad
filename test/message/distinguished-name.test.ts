import { spawnSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { beforeAll, describe, expect, test } from "vitest";
import { readClientCertificate } from "../../src/message/certificate.ts";
import { canonicalName } from "../../src/message/distinguished-name.ts";
import { type Authority, createAuthority } from "../fixtures/authority.ts";

let authority: Authority;
beforeAll(async () => {
  authority = await createAuthority("ca");
});

const SPELLINGS = [
  "RFC2253",
  "oneline",
  "compat",
  "oneline,utf8,-esc_msb",
  "sep_comma_plus_space,esc_2253,-esc_msb,utf8,sname",
  "RFC2253,lname",
  "RFC2253,oid",
];

describe("a subject in the spelling in which OpenSSL prints it", () => {
  test.each([
    "C=DE,O=Shop\\, Inc. + OU=x,CN=billing",
    "CN=a/b=c,O=\\ lead",
    "CN=Größe,DC=example,DC=org",
    "CN=payments,OU=a+b",
    "C=DE,ST=Bayern,L=Bamberg,O=Bank,CN=psp,2.5.4.97=PSDDE-BAFIN-1,2.5.4.17=96047,2.5.4.15=Private,2.5.4.5=7",
    "CN=a,2.5.4.4=Doe,2.5.4.42=Ann,2.5.4.12=Dr,2.5.4.43=A,2.5.4.65=x,2.5.4.46=q,2.5.4.9=Road,0.9.2342.19200300.100.1.1=u",
  ])("is that of the certificate: %s", async (subject) => {
    const { certificate } = await authority.issue({ subject, usage: "client" });
    const own = canonicalName(readClientCertificate(new X509Certificate(certificate), null).subject);
    expect(own).not.toBeNull();
    for (const spelling of SPELLINGS) {
      const args = ["x509", "-noout", "-subject", "-nameopt", spelling];
      const { stdout } = spawnSync("openssl", args, { input: certificate, encoding: "utf8" });
      expect([spelling, canonicalName(stdout.trim())]).toEqual([spelling, own]);
      expect([spelling, canonicalName(stdout.trim().replace(/^subject= ?/, ""))]).toEqual([spelling, own]);
    }
  });
});

test.each([
  ["CN=billing,O=Shop", "O=Shop, CN=billing"],
  ["CN=billing,O=Shop", "cn=billing ; o=Shop"],
  ["CN=billing", "2.5.4.3=billing"],
  ["CN=a\\2Cb", 'CN="a,b"'],
  ["OU=x+CN=a,O=b", "CN=a+OU=x,O=b"],
  ["emailAddress=a@b.c,CN=x", "/CN=x/emailAddress=a@b.c"],
])("one name: %s and %s", (a, b) => {
  expect(canonicalName(a)).toBe(canonicalName(b));
  expect(canonicalName(a)).not.toBeNull();
});

test.each([
  ["CN=billing", "CN=Billing"],
  ["CN=billing,O=Shop", "CN=billing\\,O=Shop"],
  ["CN=billing,O=Shop", 'CN="billing,O=Shop"'],
  ["CN=billing,O=Shop", "CN=billing+O=Shop"],
  ["CN=billing,O=Shop", "CN=billing,O=Shop,OU=x"],
  ["CN=billing,O=Shop", "CN=billing/O=Shop"],
  ["CN=a", "OU=a"],
  ["CN=a b", "CN=a  b"],
  ["CN=a", "CN=a\\ "],
  ["OU=1,OU=2,CN=a", "OU=2,OU=1,CN=a"],
])("two names: %s and %s", (a, b) => {
  expect(canonicalName(a)).not.toBe(canonicalName(b));
});

test.each([
  "",
  "billing",
  "CN",
  "CN=",
  "=a",
  "CN=a,",
  "CN=a,,O=b",
  'CN="a',
  "/",
  "/CN",
  "CN=a,b",
  "spiffe://a/b",
  "CN=a\\",
])("no name at all: %s", (text) => {
  expect(canonicalName(text)).toBeNull();
});
