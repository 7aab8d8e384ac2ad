import { beforeAll, describe, expect, test } from "vitest";
import { type Authority, createAuthority, crlPem } from "../fixtures/authority.ts";
import { createTestPki, type TestPki } from "../fixtures/pki.ts";
import { examine, type Files, NOW_MS, PUBLIC_ROUTE, policyWith, snapshotOf } from "./policy-kit.ts";

let pki: TestPki;
let partner: Authority;
let other: Authority;
let files: Files;
beforeAll(async () => {
  pki = await createTestPki(NOW_MS);
  partner = await createAuthority("partner.net", NOW_MS);
  other = await createAuthority("other", NOW_MS);
  files = {
    "s.pem": pki.server.certificate,
    "s.key": pki.server.key,
    "ca.pem": pki.ca.certificate,
    "partner.pem": partner.certificate,
    "ca-crl.pem": await pki.ca.revoke([], NOW_MS),
    "partner-crl.der": await partner.revoke(),
    "both-crl.pem": (await pki.ca.revoke([], NOW_MS)) + crlPem(await partner.revoke()),
    "other-crl.pem": crlPem(await other.revoke()),
  };
});

const policy = (client: string): string =>
  policyWith(PUBLIC_ROUTE, {
    listener: `{ name: inbound, address: 0.0.0.0:8443, tls: { certificate: s.pem, key: s.key, clientCertificate: { mode: optional, ${client} } } }`,
  });

async function said(client: string): Promise<{ problems: readonly string[]; warnings: readonly string[] }> {
  const { problems, warnings } = await examine(policy(client), files);
  const show = ({ place, text }: (typeof problems)[number]): string =>
    `${place.path.replace("listeners[0].tls.clientCertificate", "")}: ${text}`;
  return { problems: problems.map(show), warnings: warnings.map(show) };
}

const tlsOf = async (client: string) => (await snapshotOf(policy(client), files)).listeners[0]?.tls;

describe("trust bundles", () => {
  test("go into the snapshot by trust domain, apart from 'ca', and all are watched and dated", async () => {
    const snapshot = await snapshotOf(policy("ca: ca.pem, trustBundles: { partner.net: partner.pem }"), files);
    const tls = snapshot.listeners[0]?.tls;
    expect([...(tls?.trust?.bundles.keys() ?? [])]).toEqual(["partner.net"]);
    expect(tls?.trust?.bundles.get("partner.net")?.map(({ subject }) => subject)).toEqual(["CN=partner.net"]);
    expect(tls?.trust?.others.map(({ subject }) => subject)).toEqual(["CN=postern test CA"]);
    expect(snapshot.files).toContain("/srv/conf/partner.pem");
    expect(snapshot.certificates.map(({ use }) => use)).toContain("listener inbound client bundle partner.net");
  });

  test("do without 'ca'; then a certificate without a SPIFFE ID is nobody's", async () => {
    expect((await tlsOf("trustBundles: { partner.net: partner.pem }"))?.trust?.others).toEqual([]);
  });

  test("make another fingerprint when they change hands, so that the listener takes them", async () => {
    const one = await tlsOf("trustBundles: { example.org: ca.pem, partner.net: partner.pem }");
    const swapped = await tlsOf("trustBundles: { partner.net: ca.pem, example.org: partner.pem }");
    expect(one?.fingerprint).not.toBe(swapped?.fingerprint);
    expect((await tlsOf("ca: ca.pem"))?.trust).toBeNull();
  });

  test.each([
    ["trustBundles: {}", /at least one trust domain/],
    ["trustBundles: { Example.org: ca.pem }", /trust domain in lower case/],
    ["trustBundles: { 'spiffe://a': ca.pem }", /trust domain in lower case/],
    ["trustBundles: { example.org: missing.pem }", /^.trustBundles.example\.org: 'missing.pem' does not exist/],
    ["trustBundles: { example.org: s.key }", /holds no certificate/],
  ])("%s is a problem with its place", async (client, text) => {
    expect((await said(client)).problems.join("\n")).toMatch(text);
  });
});

describe("several revocation lists", () => {
  test("in files of PEM and DER count together", async () => {
    const bundles = "ca: ca.pem, trustBundles: { partner.net: partner.pem }";
    const several = await tlsOf(`${bundles}, crl: [ca-crl.pem, partner-crl.der]`);
    expect(several?.clientCrl?.toString().match(/BEGIN X509 CRL/g)).toHaveLength(2);
    const { warnings, problems } = await said(`${bundles}, crl: [ca-crl.pem, partner-crl.der]`);
    expect([...problems, ...warnings]).toEqual([]);
    expect((await said(`${bundles}, crl: both-crl.pem`)).warnings).toEqual([]);
  });

  test("that leave an authority out are warned of, and a file of strangers is a problem at its own place", async () => {
    const bundles = "ca: ca.pem, trustBundles: { partner.net: partner.pem }";
    expect((await said(`${bundles}, crl: [ca-crl.pem]`)).warnings).toEqual([
      ".crl: 'ca-crl.pem' has no list of CN=partner.net, so clients with certificates of this authority are refused",
    ]);
    expect((await said(`${bundles}, crl: [both-crl.pem, other-crl.pem]`)).problems).toEqual([
      ".crl[1]: 'other-crl.pem' is of CN=other, and no such authority is in 'ca'",
    ]);
    expect((await said(`${bundles}, crl: []`)).problems).toHaveLength(1);
  });
});
